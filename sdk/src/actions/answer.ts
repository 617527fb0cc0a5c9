/** Reading coordinators' JSON: every field is checked for its kind before it is parsed. */
import { sdkError } from "../errors.ts"
import { ProtocolError } from "../protocol/errors.ts"

export type Answer = ReadonlyMap<string, unknown>

const malformed = (what: string): ProtocolError =>
  sdkError("COORDINATOR_MALFORMED", `the answer has no usable ${what}`)

/** @throws COORDINATOR_MALFORMED, as all of this file. */
export function answerObject(value: unknown, what: string): Answer {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(what)
  return new Map(Object.entries(value))
}

export function answerText(answer: Answer, name: string): string {
  const value = answer.get(name)
  if (typeof value !== "string") throw malformed(name)
  return value
}

export function answerNumber(answer: Answer, name: string): number {
  const value = answer.get(name)
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw malformed(name)
  return value
}

/** @param most hard maximum of items. */
export function answerList(answer: Answer, name: string, most: number): readonly unknown[] {
  const value = answer.get(name)
  if (!Array.isArray(value) || value.length > most) throw malformed(name)
  return value
}

export const answerTexts = (answer: Answer, name: string, most: number): readonly string[] =>
  answerList(answer, name, most).map((item) => {
    if (typeof item !== "string") throw malformed(name)
    return item
  })

/** `read`'s result; a value that does not parse makes the answer malformed. */
export function readAnswer<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof ProtocolError && cause.detail.code !== "COORDINATOR_MALFORMED")
      throw sdkError("COORDINATOR_MALFORMED", `the answer has no usable ${what}: ${cause.message}`, { cause })
    throw cause
  }
}
