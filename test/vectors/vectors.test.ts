/** The production code answers every vector as written, and no vector is missing or made up. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { SUBJECTS } from "./all.ts"
import { answered } from "./subject.ts"
import { formatVector, parseVector } from "./vector.ts"

const ROOT = join(import.meta.dirname, "files")
const fileOf = (path: string): string => readFileSync(join(ROOT, path), "utf8")

describe.each(SUBJECTS)("$name", (subject) => {
  const cases = subject.cases()

  test.each(cases)("$name: $comment", async (made) => {
    const text = fileOf(`${subject.name}/${made.name}`)
    const vector = parseVector(`${subject.name}/${made.name}`, text)
    // From the file's own inputs: they are what others read.
    expect(await answered(subject, { ...made, inputs: vector.inputs })).toEqual(vector)
    expect(formatVector(vector)).toBe(text)
    expect(vector.inputs).toEqual(made.inputs)
  })

  test("its files are those of its cases, and every code of its list is expected somewhere", () => {
    const names = cases.map(({ name }) => name)
    expect(readdirSync(join(ROOT, subject.name)).sort()).toEqual([...names].sort())
    const codes = names.map((name) => parseVector(name, fileOf(`${subject.name}/${name}`)).expect)
    expect([...new Set(codes)].sort()).toEqual([...subject.expects].sort())
  })
})

test("every folder is a subject's", () => {
  expect(readdirSync(ROOT).sort()).toEqual(SUBJECTS.map(({ name }) => name).sort())
})
