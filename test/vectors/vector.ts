/** The text form of test vectors; README.md defines it. */

/** Lines `key: value`; a key may repeat. */
export type Lines = readonly (readonly [key: string, value: string])[]

export type Vector = {
  /** `subject/name`, the path of the file. */
  readonly path: string
  /** "success" or the one code of the refusal. */
  readonly expect: string
  readonly comment: string
  readonly inputs: Lines
  /** What success brings out, or the culprits of a refusal. */
  readonly outputs: Lines
}

const textOf = (lines: Lines): string => lines.map(([key, value]) => `${key}: ${value}\n`).join("")

export const formatVector = ({ expect, comment, inputs, outputs }: Vector): string =>
  [
    textOf([
      ["expect", expect],
      ["comment", comment],
    ]),
    textOf(inputs),
    textOf(outputs),
  ].join("\n")

function linesOf(text: string): Lines {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const at = line.indexOf(": ")
      if (at < 1) throw new Error(`not a line of a vector: ${line}`)
      return [line.slice(0, at), line.slice(at + 2)] as const
    })
}

export function parseVector(path: string, text: string): Vector {
  const blocks = text.split("\n\n")
  const [head = "", inputs = "", outputs = ""] = blocks
  const [expect, comment] = linesOf(head)
  if (blocks.length > 3 || expect?.[0] !== "expect" || comment?.[0] !== "comment")
    throw new Error(`${path} is no vector`)
  return { path, expect: expect[1], comment: comment[1], inputs: linesOf(inputs), outputs: linesOf(outputs) }
}

/** Reads the inputs of one vector. */
export class Inputs {
  readonly #lines: Lines

  constructor(lines: Lines) {
    this.#lines = lines
  }

  all(key: string): readonly string[] {
    return this.#lines.filter(([name]) => name === key).map(([, value]) => value)
  }

  one(key: string): string {
    const values = this.all(key)
    const [value] = values
    if (value === undefined || values.length !== 1) throw new Error(`want one ${key}, have ${values.length}`)
    return value
  }

  number(key: string): number {
    return Number(this.one(key))
  }

  bytes(key: string): Uint8Array {
    return unhex(this.one(key))
  }

  /** Lines `index value`. */
  indexed(key: string): readonly (readonly [index: number, value: string])[] {
    return this.all(key).map((line) => {
      const [index = "", value = ""] = line.split(" ")
      return [Number(index), value] as const
    })
  }
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
export const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"))
