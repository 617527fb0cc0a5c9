/**
 * Reading Intel's JSON documents: typed access that fails closed. The signature is over the raw text, which is never
 * serialised again; member order therefore does not matter here.
 */
import { fromHex, toHex } from "../protocol/codec.ts"
import type { Hex } from "../protocol/ids.ts"
import { attestationError, type MalformedCode } from "./errors.ts"

export type JsonObject = {
  readonly text: (name: string) => string
  readonly number: (name: string, max: number) => number
  readonly hex: (name: string, length: number) => Hex
  /** ISO 8601 in UTC, whole seconds, as unix seconds. */
  readonly date: (name: string) => number
  readonly object: (name: string) => JsonObject
  readonly objects: (name: string, max: number) => readonly JsonObject[]
  /** Empty where the member is absent. */
  readonly texts: (name: string, max: number) => readonly string[]
}

/** @throws `code` where the text is not a JSON object. */
export function parseJsonObject(text: string, code: MalformedCode): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw attestationError(code, "the document is not JSON", { cause })
  }
  return wrap(value, code, "document")
}

function wrap(value: unknown, code: MalformedCode, where: string): JsonObject {
  const wrong = (message: string) => attestationError(code, message)
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw wrong(`${where} must be an object`)
  const record = value as Readonly<Record<string, unknown>>
  const member = (name: string): unknown => (Object.hasOwn(record, name) ? record[name] : undefined)
  const path = (name: string) => `${where}.${name}`

  const text = (name: string): string => {
    const found = member(name)
    if (typeof found !== "string") throw wrong(`${path(name)} must be a string`)
    return found
  }
  const list = (name: string, max: number): readonly unknown[] => {
    const found = member(name)
    if (!Array.isArray(found) || found.length > max)
      throw wrong(`${path(name)} must be a list of at most ${max} items`)
    return found
  }
  return {
    text,
    number: (name, max) => {
      const found = member(name)
      if (typeof found !== "number" || !Number.isInteger(found) || found < 0 || found > max)
        throw wrong(`${path(name)} must be an integer in 0..${max}`)
      return found
    },
    hex: (name, length) => {
      const found = text(name)
      if (found.length !== 2 * length || !/^[0-9a-fA-F]*$/.test(found))
        throw wrong(`${path(name)} must be ${length} bytes of hex`)
      return toHex(fromHex(`0x${found}`))
    },
    date: (name) => {
      const found = text(name)
      const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(found) ? Date.parse(found) : Number.NaN
      if (Number.isNaN(time)) throw wrong(`${path(name)} must be a date, got ${JSON.stringify(found)}`)
      return time / 1000
    },
    object: (name) => wrap(member(name), code, path(name)),
    objects: (name, max) => list(name, max).map((item, index) => wrap(item, code, `${path(name)}[${index}]`)),
    texts: (name, max) => {
      if (member(name) === undefined) return []
      return list(name, max).map((item) => {
        if (typeof item !== "string") throw wrong(`${path(name)} must be a list of strings`)
        return item
      })
    },
  }
}
