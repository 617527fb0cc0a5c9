import { expect, test } from "vitest"
import { parseConfig } from "./config.ts"

test("configuration: unknown keys and bad values are fatal and named", () => {
  expect(() => parseConfig({ port: 99_999, surprise: true })).toThrow(/surprise/)
  expect(() => parseConfig({ port: 99_999 })).toThrow(/port/)
})
