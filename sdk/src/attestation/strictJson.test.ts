import fc from "fast-check"
import { expect, test } from "vitest"
import { parseStrictJson } from "./strictJson.ts"

const parse = (text: string) => parseStrictJson(text, "COMPOSE_MALFORMED")

test("values with whole numbers are read as JSON.parse reads them, however they are spaced", () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 4 }).filter((value) => !/[0-9][.eE]|-0/.test(JSON.stringify(value))),
      fc.constantFrom(undefined, 1, "\t"),
      (value, space) => {
        const text = JSON.stringify(value, null, space)
        fc.pre(!/\d{17}/.test(text))
        expect(parse(text)).toEqual(JSON.parse(text))
      },
    ),
  )
})

test.each<[string, string]>([
  ["nothing", ""],
  ["white space only", "  "],
  ["a member twice", '{"a":1,"a":1}'],
  ["a member twice by an escape", '{"a":1,"\\u0061":2}'],
  ["a member twice in an inner object", '{"a":[{"b":1,"c":{},"b":2}]}'],
  ["a fraction", '{"a":1.0}'],
  ["an exponent", '{"a":1e2}'],
  ["a negative zero", '{"a":-0}'],
  ["a huge number", '{"a":12345678901234567}'],
  ["a byte order mark", '\ufeff{"a":1}'],
  ["two values", '{"a":1}{"a":1}'],
  ["a trailing comma", '{"a":1,}'],
  ["a comment", '{"a":1/**/}'],
  ["single quotes", "{'a':1}"],
  ["an open string", '{"a'],
  ["an open object", '{"a":1'],
  ["a bad escape in a name", '{"\\x":1}'],
  ["a control character", '{"a":"\n"}'],
  ["depth without end", "[".repeat(200_000)],
  ["more escapes than the stack holds", `"${"\\n".repeat(8_000_000)}"`],
  ["more than 32 levels", `${"[".repeat(33)}${"]".repeat(33)}`],
])("%s is refused", (_, text) => {
  expect(() => parse(text)).toThrow("COMPOSE_MALFORMED")
})

test("the same member may stand in different objects, and 32 levels are fine", () => {
  expect(parse('{"a":{"a":1},"b":[{"a":2},{"a":3}]}')).toEqual({ a: { a: 1 }, b: [{ a: 2 }, { a: 3 }] })
  expect(() => parse(`${"[".repeat(32)}${"]".repeat(32)}`)).not.toThrow()
})

test("long text is no trouble", () => {
  const text = JSON.stringify({ a: "\\n".repeat(300_000), b: "x".repeat(1_000_000) })
  expect(parse(text)).toEqual(JSON.parse(text))
})

test("arbitrary text is read or refused with a typed error", () => {
  const part = fc.constantFrom("{", "}", "[", "]", '"', ":", ",", "a", "1", "\\", " ", "-", '"a"')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
      const text = parts.join("")
      try {
        expect(parse(text)).toEqual(JSON.parse(text))
      } catch (error) {
        expect(error).toMatchObject({ detail: { code: "COMPOSE_MALFORMED" } })
      }
    }),
    { numRuns: 2_000 },
  )
})
