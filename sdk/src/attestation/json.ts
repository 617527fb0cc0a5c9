/**
 * Reading Intel's JSON documents, which have exactly one spelling: no white space, no escapes, no other forms of
 * numbers, every member once and in Intel's order, no further members. The contract's parser is a byte template of
 * the same spelling, so both refuse what they do not know. The signature is over the raw text, which is never
 * serialised again.
 */
import { fromHex, toHex } from "../protocol/codec.ts"
import type { Hex } from "../protocol/ids.ts"
import { attestationError, type MalformedCode } from "./errors.ts"

export type JsonObject = {
  /** @throws unless the members are all of `required`, then any of `optional`, in that order. */
  readonly only: (required: readonly string[], optional?: readonly string[]) => JsonObject
  readonly text: (name: string) => string
  readonly number: (name: string, max: number) => number
  readonly hex: (name: string, length: number) => Hex
  /** ISO 8601 in UTC, whole seconds, as unix seconds. */
  readonly date: (name: string) => number
  readonly object: (name: string) => JsonObject
  /** One to `max` objects. */
  readonly objects: (name: string, max: number) => readonly JsonObject[]
  /** At most `max` strings; none where the member is absent. */
  readonly texts: (name: string, max: number) => readonly string[]
}

/** @throws `code` where the text is not the one spelling of a JSON object. */
export function parseJsonObject(text: string, code: MalformedCode): JsonObject {
  let value: unknown
  let spelling: string
  try {
    value = JSON.parse(text)
    spelling = JSON.stringify(value)
  } catch (cause) {
    throw attestationError(code, "the document is not JSON", { cause })
  }
  if (spelling !== text)
    throw attestationError(
      code,
      "the document is not in its one spelling: white space, an escape, a member twice or another form of a number",
    )
  return wrap(value, code, "document")
}

/** Intel's documents are younger; the contract reads no older date either. Milliseconds. */
const OLDEST = Date.UTC(2000, 0)

/** @returns unix seconds, or null where there is no such moment. */
function parseDate(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return null
  const time = Date.parse(text)
  const exists =
    !Number.isNaN(time) && time >= OLDEST && new Date(time).toISOString() === text.replace("Z", ".000Z")
  return exists ? time / 1000 : null
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
    if (!Array.isArray(found) || found.length === 0 || found.length > max)
      throw wrong(`${path(name)} must be a list of 1 to ${max} items`)
    return found
  }
  const self: JsonObject = {
    only: (required, optional = []) => {
      const names = Object.keys(record)
      const wanted = [...required, ...optional.filter((name) => Object.hasOwn(record, name))]
      if (names.length !== wanted.length || names.some((name, index) => name !== wanted[index]))
        throw wrong(
          `${where} must have the members ${wanted.join(", ")}, got ${names.join(", ").slice(0, 300)}`,
        )
      return self
    },
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
      const time = parseDate(found)
      if (time === null) throw wrong(`${path(name)} must be a date, got ${JSON.stringify(found)}`)
      return time
    },
    object: (name) => wrap(member(name), code, path(name)),
    objects: (name, max) => list(name, max).map((item, index) => wrap(item, code, `${path(name)}[${index}]`)),
    texts: (name, max) => {
      const found = member(name) ?? []
      if (!Array.isArray(found) || found.length > max || !found.every((item) => typeof item === "string"))
        throw wrong(`${path(name)} must be a list of at most ${max} strings`)
      return found
    },
  }
  return self
}
