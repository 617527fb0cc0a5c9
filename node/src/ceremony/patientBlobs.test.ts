import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import { describe, expect, test } from "vitest"
import { createManualClock } from "../clock.ts"
import { bytesDigest } from "./digest.ts"
import { patientSink, patientSource } from "./patientBlobs.ts"

const BYTES = Uint8Array.of(1, 2, 3)
const DIGEST = bytesDigest(BYTES)
const PATIENCE = { tries: 3, pauseMs: 1_000 }

/** Fails as often as it is told, with the code. */
function store(failures: number, code: string) {
  let asked = 0
  const answer = async <T>(value: T): Promise<T> => {
    asked += 1
    if (asked <= failures) throw new ProtocolError({ code, message: "not now" })
    return value
  }
  return {
    asked: () => asked,
    source: { get: () => answer(BYTES) },
    sink: { put: () => answer(undefined) },
  }
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "done",
    (error: unknown) => (isProtocolError(error) ? error.detail.code : "another error"),
  )

/** Lets time pass until the work has ended. */
async function ended<T>(work: Promise<T>, clock: { advance(milliseconds: number): void }): Promise<T> {
  for (let turn = 0; turn < 20; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(500)
  }
  return work
}

describe("patient blob stores", () => {
  test("ask again after a pause, as often as they may", async () => {
    for (const [failures, code, asked] of [
      [0, "done", 1],
      [2, "done", 3],
      [3, "BLOB_UNAVAILABLE", 3],
    ] as const) {
      const clock = createManualClock()
      const from = store(failures, "BLOB_UNAVAILABLE")
      expect(await ended(codeOf(patientSource(from.source, clock, PATIENCE).get(DIGEST, 3)), clock)).toBe(
        code,
      )
      expect(from.asked()).toBe(asked)
    }
  })

  test("write again in the same way", async () => {
    const clock = createManualClock()
    const to = store(1, "BLOB_NOT_STORED")
    expect(await ended(codeOf(patientSink(to.sink, clock, PATIENCE).put(DIGEST, BYTES)), clock)).toBe("done")
    expect(to.asked()).toBe(2)
  })

  test("give up at once where repeating is no cure or nobody waits any more", async () => {
    const clock = createManualClock()
    const broken = store(1, "SOMETHING_ELSE")
    expect(await codeOf(patientSource(broken.source, clock, PATIENCE).get(DIGEST, 3))).toBe("SOMETHING_ELSE")
    const gone = store(5, "BLOB_UNAVAILABLE")
    const lifetime = new AbortController()
    const asking = codeOf(patientSource(gone.source, clock, PATIENCE).get(DIGEST, 3, lifetime.signal))
    lifetime.abort()
    expect(await asking).toBe("BLOB_UNAVAILABLE")
    expect(gone.asked()).toBe(1)
  })
})
