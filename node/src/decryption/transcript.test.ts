import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { expect, test } from "vitest"
import { createTranscript } from "./transcript.ts"

const [alice, bob] = [parsePartyIndex(1, 4), parsePartyIndex(2, 4)]
const digest = (i: number) => taggedHash("message", i)

test("a repeat is known: idle at once, of use later", () => {
  const transcript = createTranscript({ digests: 4, bytes: 100, idleMs: 1000 })
  expect(transcript.know(alice, digest(0), 0)).toBe("new")
  transcript.note(alice, digest(0), new Uint8Array(1), 0)
  expect(transcript.know(alice, digest(0), 999)).toBe("idle")
  expect(transcript.know(alice, digest(0), 1000)).toBe("again")
  transcript.note(alice, digest(0), new Uint8Array(1), 1000)
  expect(transcript.know(alice, digest(0), 1999)).toBe("idle")
  expect(transcript.said(alice)).toHaveLength(1)
  expect(transcript.know(bob, digest(0), 0)).toBe("new")
})

test("a flood pushes out only the flooder's own words, and is bounded", () => {
  const transcript = createTranscript({ digests: 4, bytes: 100, idleMs: 1000 })
  transcript.note(bob, digest(0), new Uint8Array(10), 0)
  for (let i = 0; i < 1000; i++) transcript.note(alice, digest(i), new Uint8Array(30), 0)
  expect(transcript.know(alice, digest(995), 0)).toBe("new")
  expect(transcript.know(alice, digest(999), 0)).toBe("idle")
  expect(transcript.said(alice)).toHaveLength(3)
  expect(transcript.know(bob, digest(0), 0)).toBe("idle")
  expect(transcript.said(bob)).toHaveLength(1)
})

test("a message larger than all that is kept is known, but not kept", () => {
  const transcript = createTranscript({ digests: 4, bytes: 100, idleMs: 1000 })
  transcript.note(alice, digest(0), new Uint8Array(101), 0)
  expect(transcript.know(alice, digest(0), 0)).toBe("idle")
  expect(transcript.said(alice)).toEqual([])
})
