import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { expect, test } from "vitest"
import { createOpenedSubjects } from "./openedSubjects.ts"

const subjects = Array.from({ length: 5000 }, (_, i) => taggedHash("subject", i))

test("the newest stay, bounded in number", () => {
  const opened = createOpenedSubjects({ subjects: 100, shareBytes: 1_000_000 })
  const lost = subjects.flatMap((subject) => opened.add(subject, 10))
  expect(lost).toEqual(subjects.slice(0, -100))
  expect(opened.bytes).toBe(1000)
})

test("the newest stay, bounded in bytes; one that is larger than all room stays alone", () => {
  const opened = createOpenedSubjects({ subjects: 100, shareBytes: 1000 })
  const [a, b, c, large] = subjects as [never, never, never, never]
  expect([a, b, c].flatMap((subject) => opened.add(subject, 300))).toEqual([])
  opened.delete(b)
  opened.delete(b)
  expect(opened.bytes).toBe(600)
  expect(opened.add(large, 5000)).toEqual([a, c])
  expect(opened.bytes).toBe(5000)
})
