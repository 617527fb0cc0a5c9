/**
 * Every message kind of a ceremony, dropped, withheld from one party, delayed beyond its time-out, corrupted, replayed in
 * place of a later one, or shown with two faces, by two parties of seven. What holds in every cell of the matrix: all
 * parties stop with a cause, nothing of the key stays anywhere, no honest party is named, and whoever finds the fault names
 * exactly those that it can. A new proposal that gives the culprits' seats to others makes a key at once.
 */
import { describe, test } from "vitest"
import { CODES, expectCleanAbort, expectNextKey, LARGE, roundAt, sceneOf } from "./failureScene.ts"
import { FAULTS } from "./faults.ts"

/** One of every form: sealed, of contributions, by one speaker, of the executors, binding. */
const FORMS = ["inputs", "chunk-digests", "crs-3", "self-test-verdicts", "activation"]

describe.each(FAULTS)("a message that is %s", (fault) => {
  test.each(FORMS)("%s", async (name) => {
    const target = { kind: "message", round: roundAt(LARGE, name) } as const
    await expectCleanAbort(sceneOf(LARGE, target, fault), CODES.message[fault])
  })
})

describe.each(FAULTS)("an echo that is %s", (fault) => {
  test.each(["inputs", "activation"])("%s", async (name) => {
    const target = { kind: "echo", round: roundAt(LARGE, name) } as const
    await expectCleanAbort(sceneOf(LARGE, target, fault), CODES.echo[fault])
  })
})

// The second chunk of party 1, so that there is an earlier one to replay.
test.each(FAULTS)("a contribution that is %s", async (fault) => {
  await expectCleanAbort(sceneOf(LARGE, { kind: "chunk", round: LARGE.n }, fault), CODES.chunk[fault])
})

test.each(FAULTS)("the next key, after a message was %s", async (fault) => {
  const scene = sceneOf(LARGE, { kind: "message", round: roundAt(LARGE, "dkg-shares") }, fault)
  await expectCleanAbort(scene, CODES.message[fault])
  await expectNextKey(scene)
})
