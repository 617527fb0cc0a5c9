/**
 * Decoders of answers and logs that consist of plain words, made once from a contract's interface. They take the
 * canonical encoding only, and cost a hundredth of a general decoder: a node reads thousands of these per block.
 */
import type { Interface, ParamType } from "ethers"
import { chainError } from "./chainError.ts"

/** By name of the field; unsigned integers are bigint, everything else of bytes is lower-case 0x hex. */
export type Fields = Readonly<Record<string, bigint | boolean | string | readonly string[]>>

type Field = { readonly name: string; readonly type: string; readonly bits: number }

const WORD = 64
const malformed = (what: string): Error => chainError("CHAIN_MALFORMED", `not the canonical form: ${what}`)

/** Leaves of a type in the order of their words. @throws where one is no word and no list of bytes32 */
function fieldsOf(param: ParamType): readonly Field[] {
  if (param.components !== null && param.baseType === "tuple") return param.components.flatMap(fieldsOf)
  const [, type = "", bits = "0"] = /^(uint|bytes|address|bool|bytes32\[\])(\d*)$/.exec(param.type) ?? []
  if (type === "" || (type === "bytes" && bits === ""))
    throw new Error(`${param.name}: ${param.type} is no plain word`)
  return [{ name: param.name, type, bits: Number(bits) }]
}

function wordOf({ name, type, bits }: Field, word: string): bigint | boolean | string {
  const padded = (zeros: number, kept: string, rest: string): string => {
    if (zeros !== rest.length || !/^0*$/.test(rest)) throw malformed(name)
    return kept
  }
  switch (type) {
    case "uint": {
      const digits = bits / 4
      return BigInt(`0x${padded(WORD - digits, word.slice(WORD - digits), word.slice(0, WORD - digits))}`)
    }
    case "bool": {
      const last = word.at(-1) ?? ""
      if (last !== "0" && last !== "1") throw malformed(name)
      padded(WORD - 1, last, word.slice(0, WORD - 1))
      return last === "1"
    }
    case "address":
      return `0x${padded(24, word.slice(24), word.slice(0, 24))}`
    case "bytes":
      return `0x${padded(WORD - 2 * bits, word.slice(0, 2 * bits), word.slice(2 * bits))}`
    default:
      throw new Error(`${name} is no plain word`)
  }
}

/** @param data 0x hex. Lists lie one after the other behind the head, as Solidity lays them out. */
function decodeFields(fields: readonly Field[], data: string): Record<string, Fields[string]> {
  const words = (data.length - 2) / WORD
  if (!Number.isInteger(words) || !/^0x[0-9a-f]*$/.test(data)) throw malformed("length")
  const word = (at: number): string => {
    if (at >= words) throw malformed("too short")
    return data.slice(2 + WORD * at, 2 + WORD * (at + 1))
  }
  const small = (at: number): number => {
    const value = BigInt(`0x${word(at)}`)
    if (value > 0xffff_ffffn) throw malformed("an offset or length")
    return Number(value)
  }
  const decoded: Record<string, Fields[string]> = {}
  let end = fields.length
  fields.forEach((field, at) => {
    if (field.type !== "bytes32[]") {
      decoded[field.name] = wordOf(field, word(at))
      return
    }
    if (small(at) !== 32 * end) throw malformed(field.name)
    const length = small(end)
    if (end + 1 + length > words) throw malformed(field.name)
    decoded[field.name] = Array.from({ length }, (_, i) => `0x${word(end + 1 + i)}`)
    end += 1 + length
  })
  if (end !== words) throw malformed("too long")
  return decoded
}

const distinct = (fields: readonly Field[], of: string): readonly Field[] => {
  if (new Set(fields.map(({ name }) => name)).size !== fields.length)
    throw new Error(`${of} has fields of the same name`)
  return fields
}

/** Decoder of what a function returns; a struct's fields and several values alike. @throws CHAIN_MALFORMED */
export function resultDecoder(abi: Interface, method: string): (data: string) => Fields {
  const fragment = abi.getFunction(method)
  if (fragment === null) throw new Error(`the interface has no function ${method}`)
  const fields = distinct(fragment.outputs.flatMap(fieldsOf), method)
  return (data) => decodeFields(fields, data)
}

export type EventDecoder = {
  readonly topic: string
  /** @throws CHAIN_MALFORMED */
  decode(log: { readonly topics: readonly string[]; readonly data: string }): Fields
}

/** Decoder of an event's indexed and other parameters. */
export function eventDecoder(abi: Interface, event: string): EventDecoder {
  const fragment = abi.getEvent(event)
  if (fragment === null) throw new Error(`the interface has no event ${event}`)
  const indexed = fragment.inputs.filter(({ indexed: is }) => is === true).flatMap(fieldsOf)
  const rest = fragment.inputs.filter(({ indexed: is }) => is !== true).flatMap(fieldsOf)
  const names = new Set(indexed.map(({ name }) => name))
  return {
    topic: fragment.topicHash,
    decode({ topics, data }) {
      if (topics[0] !== fragment.topicHash || topics.length !== indexed.length + 1) throw malformed(event)
      const decoded = decodeFields(rest, data)
      // A struct may repeat an indexed parameter; both are then the same word.
      indexed.forEach((field, i) => {
        const topic = topics[i + 1] ?? ""
        const value = topic.length === 2 + WORD ? wordOf(field, topic.slice(2)) : undefined
        if (value === undefined || (names.has(field.name) && (decoded[field.name] ?? value) !== value))
          throw malformed(`${event}.${field.name}`)
        decoded[field.name] = value
      })
      return decoded
    },
  }
}
