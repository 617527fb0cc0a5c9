import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { SDK_ERROR_CODES, sdkError } from "./errors.ts"

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")

test.each(SDK_ERROR_CODES)("%s leads to a heading of the documentation", (code) => {
  const { detail } = sdkError(code, "a rule was broken")
  expect(detail.docsPath).toBe(`sdk/README.md#${code.toLowerCase()}`)
  expect(readme).toContain(`### ${code}\n`)
})

test("the documentation explains no code that does not exist", () => {
  const headings = [...readme.matchAll(/^### (\S+)$/gm)].map(([, code]) => code)
  expect(headings).toEqual([...SDK_ERROR_CODES])
})
