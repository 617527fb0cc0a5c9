/**
 * Every message kind of a ceremony, dropped, withheld from one party, delayed beyond its time-out, corrupted, replayed in
 * place of a later one, or shown with two faces, by one party of four. What holds in every cell of the matrix: all
 * parties stop with a cause, no share and no sealed secret of the key stays anywhere (public sums do, in the store), no honest party is named, and whoever finds the fault names
 * exactly those that it can. A new proposal that gives the culprits' seats to others makes a key at once.
 */
import { describe, test } from "vitest"
import { CODES, expectCleanAbort, expectNextKey, roundAt, roundsOf, SMALL, sceneOf } from "./failureScene.ts"
import { FAULTS } from "./faults.ts"

describe.each(FAULTS)("a message that is %s", (fault) => {
  test.each(roundsOf(SMALL).map(({ name }, round) => ({ name, round })))("$name", async ({ round }) => {
    await expectCleanAbort(sceneOf(SMALL, { kind: "message", round }, fault), CODES.message[fault])
  })
})

describe.each(FAULTS)("an echo that is %s", (fault) => {
  // Short rounds, long ones before short ones, the one that binds.
  test.each([
    ...["hello", "inputs", "chunk-digests", "row-points", "crs-2", "crs-4", "self-test-verdicts"],
    "activation",
  ])("%s", async (name) => {
    const target = { kind: "echo", round: roundAt(SMALL, name) } as const
    await expectCleanAbort(sceneOf(SMALL, target, fault), CODES.echo[fault])
  })
})

// The second chunk of party 1, so that there is an earlier one to replay.
test.each(FAULTS)("a contribution that is %s", async (fault) => {
  await expectCleanAbort(sceneOf(SMALL, { kind: "chunk", round: SMALL.n }, fault), CODES.chunk[fault])
})

test.each(FAULTS)("the next key, after a message was %s", async (fault) => {
  const scene = sceneOf(SMALL, { kind: "message", round: roundAt(SMALL, "inputs") }, fault)
  await expectCleanAbort(scene, CODES.message[fault])
  await expectNextKey(scene)
})
