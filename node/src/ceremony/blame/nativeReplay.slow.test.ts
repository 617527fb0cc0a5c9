import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { expect, test } from "vitest"
import { nativeEngine } from "../../threshold/nativeEngine.ts"
import { summingParty } from "../contributions.ts"
import { decodeDigestList, encodeDigestList } from "../keyRounds.ts"
import type { Evidence } from "./blameFile.ts"
import { LIAR, runNative } from "./nativeCeremony.fixture.ts"
import { replay } from "./replay.ts"

const { chunks } = nativeEngine.keyLayout()
const summed = chunks.filter(({ index }) => summingParty(index, 4) === LIAR)

type DigestList = ReturnType<typeof decodeDigestList>

/** What the liar would have listed. */
function withList(evidence: Evidence, change: (honest: DigestList) => DigestList): Evidence {
  const own = LIAR as PartyIndex
  const honest = decodeDigestList(
    evidence.digestLists.get(own) ?? new Uint8Array(),
    summed.length,
    chunks.length,
  )
  return {
    ...evidence,
    digestLists: new Map(evidence.digestLists).set(own, encodeDigestList(change(honest))),
  }
}

const firstReplaced = (digests: readonly Digest[]): readonly Digest[] =>
  digests.map((digest, at) => (at === 0 ? (digests[1] ?? digest) : digest))

test("a replay of a key of full size names a wrong sum or a wrong contribution, and nobody else", async () => {
  // What is to be found lies before the row check, which would take minutes.
  const { evidence } = await runNative({
    message: (round, honest) =>
      round === "row-coin" ? { ...honest, broadcast: new Uint8Array(64) } : honest,
  })
  const wrongSum = withList(evidence, (list) => ({ ...list, sums: firstReplaced(list.sums) }))
  expect((await replay(wrongSum, nativeEngine)).liars).toEqual([
    { party: LIAR, lie: { kind: "sum", chunk: summed[0]?.index, part: summed[0]?.part } },
  ])
  const wrongContribution = withList(evidence, (list) => ({
    ...list,
    contributed: firstReplaced(list.contributed),
  }))
  expect((await replay(wrongContribution, nativeEngine)).liars).toEqual([
    { party: LIAR, lie: { kind: "contribution", chunk: 0, part: chunks[0]?.part } },
  ])
})
