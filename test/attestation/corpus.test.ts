/** The corpus itself: complete over the checklist, every pair of reasons known, every known pair used. */
import { describe, expect, test } from "vitest"
import { CHECKLIST, type ChecklistLine } from "./corpus/case.ts"
import { corpus, simulatedCases, titleOf } from "./corpus/corpus.ts"
import { SAMPLES_PRESENT } from "./corpus/samples.ts"
import { CORRESPONDING } from "./correspondence.ts"

const lines = Object.keys(CHECKLIST) as readonly ChecklistLine[]

test("there are more than 150 simulated cases, each with a name of its own", () => {
  expect(simulatedCases.length).toBeGreaterThan(150)
  expect(new Set(corpus.map(titleOf)).size).toBe(corpus.length)
})

describe.each(lines)("line %s", (line) => {
  const cases = simulatedCases.filter((item) => item.line === line)
  test("has a case that both verifiers accept", () => {
    expect(cases.some(({ expected }) => expected.code === null && expected.error === null)).toBe(true)
  })
  test("has a case that is refused, or not up to date where only the status says so", () => {
    expect(cases.some(({ expected }) => expected.code !== null || expected.status !== "UpToDate")).toBe(true)
  })
})

test("a case that one verifier alone refuses says why", () => {
  const split = corpus.filter(({ expected }) => (expected.code === null) !== (expected.error === null))
  expect(split.filter(({ expected }) => !expected.reason).map(titleOf)).toEqual([])
  expect(corpus.filter((item) => !split.includes(item) && item.expected.reason).map(titleOf)).toEqual([])
})

test("every pair of reasons stands in the table, and every pair of the table occurs", () => {
  const used = new Set(
    corpus.flatMap(({ expected }) =>
      expected.code && expected.error ? [`${expected.code} ${expected.error}`] : [],
    ),
  )
  const known = Object.entries(CORRESPONDING).flatMap(([code, errors]) =>
    errors.map((error) => `${code} ${error}`),
  )
  expect([...used].filter((pair) => !known.includes(pair))).toEqual([])
  if (SAMPLES_PRESENT) expect(known.filter((pair) => !used.has(pair))).toEqual([])
})
