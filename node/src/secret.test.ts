import { inspect } from "node:util"
import { describe, expect, test } from "vitest"
import { Secret } from "./secret.ts"

const bytes = () => new Uint8Array([0xde, 0xad, 0xbe, 0xef])

describe("Secret", () => {
  test.each([
    ["template string", (s: unknown) => `${s}`],
    ["String", (s: unknown) => String(s)],
    ["JSON", (s: unknown) => JSON.stringify({ s })],
    ["inspect", (s: unknown) => inspect({ s }, { depth: 9, showHidden: true })],
    ["own keys", (s: unknown) => JSON.stringify([Object.keys(s as object), Object.values(s as object)])],
  ])("%s shows nothing of the value", (_name, show) => {
    const shown = show(new Secret(bytes()))
    expect(shown).not.toMatch(/222|173|190|239|dead|beef/i)
  })

  test("the harness above would see a plain value", () => {
    expect(inspect({ s: bytes() })).toMatch(/222/)
  })

  test("use gives the value", () => {
    expect(new Secret(5n).use((value) => value + 1n)).toBe(6n)
  })

  test("wipe overwrites the bytes and later use is refused", () => {
    const raw = bytes()
    const nested = { key: bytes() }
    const secret = new Secret(raw)
    const object = new Secret(nested)
    secret.wipe()
    object.wipe()
    expect([...raw, ...nested.key]).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
    expect(() => secret.use((value) => value)).toThrow("SECRET_WIPED")
  })
})
