/** What peers accept as evidence of standing, every later reader accepts: whatever a party shows. */
import { parseRootKey } from "@twinlock/sdk/attestation/chain"
import { explainUnder } from "@twinlock/sdk/attestation/explain"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { beforeAll, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../../test/support/codeOf.ts"
import type { BlockRef, KeyRecord, NodeRecord } from "../../chain/chainView.ts"
import {
  blockAt,
  collateralOf,
  REGISTRY,
  rootKey,
  type Scene,
  sceneOf,
} from "../../roles/standing.fixture.ts"
import { attemptOfParty, COMMITTEE, PROPOSAL } from "../party.fixture.ts"
import {
  decodeStandingProof,
  encodeStandingProof,
  type StandingProof,
  standingReportData,
} from "../standingProof.ts"
import { type ChainAudit, checkChain } from "./chain.ts"
import { checkQuotes, createStandingJudge } from "./quotes.ts"
import type { Transcript } from "./transcript.ts"

const LIAR = 2
const signer = COMMITTEE.parties[LIAR - 1] ?? REGISTRY
const domain = { chainId: 31_337n }
const judge = createStandingJudge((quote, options) => explainUnder(parseRootKey(rootKey), quote, options))
const activation = { transcriptDigest: taggedHash("transcript"), groupX: 5n, groupV: 27 }

let scenes: readonly Scene[]
let shown: readonly Uint8Array[]

beforeAll(async () => {
  scenes = COMMITTEE.parties.map((party, at) => sceneOf(party, `machine ${at}`))
  shown = await Promise.all(scenes.map(({ standing }) => standing.evidence()))
})

/** The chain as it is: the liar registered at block 9,000 and its standing was zeroed for a while. */
const registered = (record: NodeRecord, { number }: BlockRef): NodeRecord | null => {
  if (record.signer !== signer) return record
  if (number < 9_000n) return null
  return number >= 9_400n && number < 9_500n ? { ...record, liveUntil: 0n } : record
}

/** Of any machine, in place of what the liar should show. Quotes are made over what the proof says. */
const proofWith = (change: Partial<StandingProof>): Uint8Array => {
  const proof = { ...decodeStandingProof(shown[LIAR - 1] ?? new Uint8Array()), ...change }
  const evidence = scenes[LIAR - 1]?.quoted(standingReportData(proof, signer, domain))
  return encodeStandingProof({ ...proof, ...(evidence && change.evidence === undefined && { evidence }) })
}
const over = (block: BlockRef, change: Partial<StandingProof> = {}): Uint8Array =>
  proofWith({
    ...{ challengeBlock: block.number, challengeBlockHash: block.hash, time: Number(block.timestamp) },
    ...change,
  })
const otherMachine = (knobs: Parameters<Scene["quoted"]>[1], machine = "machine 1") => {
  const proof = decodeStandingProof(shown[LIAR - 1] ?? new Uint8Array())
  return sceneOf(signer, machine).quoted(standingReportData(proof, signer, domain), knobs)
}

const live = (bytes: Uint8Array): Promise<string> => {
  const peer = sceneOf(signer, `machine ${LIAR - 1}`)
  peer.head = blockAt(10_010n)
  peer.registered = (at) => registered(peer.record, at)
  return rejectionCodeOf(() => peer.standing.checkEvidence(signer, bytes, AbortSignal.abort()))
}

async function later(bytes: Uint8Array): Promise<string> {
  const broadcasts = new Map(
    partyIndexes(COMMITTEE).map((party, at) => [
      party,
      party === LIAR ? bytes : (shown[at] ?? new Uint8Array()),
    ]),
  )
  const record = {
    ...{ keyId: COMMITTEE.keyId, nonce: 1n, epoch: COMMITTEE.epoch },
    proposal: { ...PROPOSAL, deadline: blockAt(10_010n).timestamp + 30n * 86_400n },
    ...{ status: "active", activation },
  } as KeyRecord
  const transcript = {
    bundle: {
      ...{ keyId: COMMITTEE.keyId, proposal: record.proposal },
      signing: { ...domain, verifyingContract: REGISTRY },
      signed: { activation: { ...activation, keyId: COMMITTEE.keyId, epoch: COMMITTEE.epoch } },
    },
    ...{ attempt: attemptOfParty(1), broadcasts: () => broadcasts },
  } as never as Transcript
  const chain: ChainAudit = {
    ...{ chainId: async () => domain.chainId, nodeRegistry: async () => REGISTRY, key: async () => record },
    ...{ head: async () => blockAt(200_000n), block: async (number) => blockAt(number) },
    async node(party, at) {
      const scene = scenes.find((candidate) => candidate.record.signer === party)
      return scene === undefined ? null : registered(scene.record, at)
    },
  }
  return rejectionCodeOf(async () => {
    checkQuotes(transcript, judge)
    await checkChain(transcript, chain)
  })
}

const past = { issuedAt: Number(blockAt(0n).timestamp) - 20 * 86_400 }

test.each<readonly [string, accepted: boolean, () => Uint8Array]>([
  ["the truth", true, () => shown[LIAR - 1] ?? new Uint8Array()],
  ["a quote over an older block", true, () => over(blockAt(9_600n))],
  ["a quote over the head of its peers", true, () => over(blockAt(10_010n))],
  ["older collateral that still holds", true, () => proofWith({ collateral: collateralOf(past) })],
  ["a block before its registration", false, () => over(blockAt(8_999n))],
  ["a block at which it had no standing", false, () => over(blockAt(9_450n))],
  ["an invented hash", false, () => over({ ...blockAt(9_600n), hash: taggedHash("invented") })],
  ["the hash of another block", false, () => over({ ...blockAt(9_600n), hash: blockAt(9_601n).hash })],
  ["another time", false, () => over(blockAt(9_600n), { time: Number(blockAt(9_601n).timestamp) })],
  ["a block that is not there yet", false, () => over(blockAt(300_000n))],
  ["another operator", false, () => proofWith({ operator: REGISTRY })],
  ["another channel key", false, () => proofWith({ peerIdHash: taggedHash("x") })],
  ["another configuration", false, () => proofWith({ configHash: taggedHash("x") })],
  ["another registry", false, () => proofWith({ nodeRegistry: signer })],
  [
    "collateral under which it is revoked",
    false,
    () => proofWith({ collateral: collateralOf({ qeLevels: [{ isvSvn: 1, status: "Revoked" }] }) }),
  ],
  [
    "collateral under which it is out of date",
    false,
    () => proofWith({ collateral: collateralOf({ qeLevels: [{ isvSvn: 1, status: "OutOfDate" }] }) }),
  ],
  [
    "collateral that has expired",
    false,
    () => proofWith({ collateral: collateralOf({ ...past, lifetime: 86_400 }) }),
  ],
  [
    "a machine in debug mode",
    false,
    () => proofWith({ evidence: otherMachine({ tdAttributes: "0x0100001000000000" }) }),
  ],
  [
    "other attributes",
    false,
    () => proofWith({ evidence: otherMachine({ tdAttributes: "0x0000005000000000" }) }),
  ],
  [
    "other extended features",
    false,
    () => proofWith({ evidence: otherMachine({ xfam: "0xe702060000000080" }) }),
  ],
])(
  "%s",
  async (_, accepted, made) => {
    const bytes = made()
    const [now, then] = [await live(bytes), await later(bytes)]
    expect(now === "none").toBe(accepted)
    if (now === "none") expect(then).toBe("none")
  },
  60_000,
)
