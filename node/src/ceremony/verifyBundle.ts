/**
 * Offline check of a ceremony's transcript bundle: every signature, every link from round to round, the executors'
 * verdicts, the group key and the activation. Public data only. What it cannot see: sealed payloads (hashes only), CRS
 * updates (hashes only), and whether quotes in the first round verify (their bytes are bound and handed out).
 */
import { fromHex, toHex } from "@twinlock/sdk/protocol/codec"
import { createCommittee, partyIndexes, signerOf } from "@twinlock/sdk/protocol/committee"
import { hashKeyActivation, typedDigest } from "@twinlock/sdk/protocol/eip712"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { verifySignature } from "@twinlock/sdk/protocol/signature"
import { decodePublicKeyPackage, groupKey, verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import { transcriptDigestOf } from "./activationRounds.ts"
import { type Attempt, proposalDigestOf } from "./attempt.ts"
import { bundleError, type CeremonyBundle, decodeBundle } from "./bundle.ts"
import { bytesDigest } from "./digest.ts"
import { roundDigest, verifyHeader } from "./header.ts"
import { echoHash } from "./messages.ts"
import { decodeVerdicts } from "./selfTestRounds.ts"
import type { RoundRecord } from "./state.ts"
import { agreedResult } from "./verdict.ts"

const broken = (message: string): ProtocolError => bundleError("BUNDLE_INVALID", message)

/** Rounds that a bundle must hold, beside those of the engine, in this order. */
const MILESTONES = [
  "standing",
  "chunk-digests",
  "row-coin",
  "row-points",
  "public-key",
  "self-test-verdicts",
  "dkg-confirm",
  "activation",
] as const

/** @throws BUNDLE_FORM, BUNDLE_INVALID, CodecErrorCode, COMMITTEE_SIZE, COMMITTEE_PARTIES */
export function verifyBundle(bytes: Uint8Array): CeremonyBundle {
  const bundle = decodeBundle(bytes)
  const { keyId, proposal, records, signed } = bundle
  const { epoch } = signed.activation
  const committee = createCommittee({ keyId, epoch, t: proposal.t, parties: proposal.parties })
  if (proposal.n !== committee.n) throw broken(`n is ${proposal.n}, parties are ${committee.n}`)
  const attempt: Attempt = {
    committee,
    self: parsePartyIndex(1, committee.n),
    attempt: bundle.attempt,
    proposalDigest: proposalDigestOf(keyId, proposal),
  }
  try {
    const before = verifyRounds(attempt, records)
    verifyActivation(bundle, attempt, before)
    verifyVerdicts(bundle)
  } catch (error) {
    if (error instanceof ProtocolError && error.detail.code !== "BUNDLE_INVALID")
      throw new ProtocolError({ code: "BUNDLE_INVALID", message: error.message }, { cause: error })
    throw error
  }
  return bundle
}

/** @returns the agreed digest before each round, by name. */
function verifyRounds(attempt: Attempt, records: readonly RoundRecord[]): ReadonlyMap<string, Digest> {
  const { committee } = attempt
  const order = MILESTONES.map((name) => records.findIndex((record) => record.name === name))
  if (order.some((at, i) => at < 0 || at <= (order[i - 1] ?? -1)))
    throw broken(`rounds ${MILESTONES.join(", ")} must be there in this order`)
  const before = new Map<string, Digest>()
  let previous = attempt.proposalDigest
  for (const record of records) {
    if (before.has(record.name)) throw broken(`round ${record.name} is there twice`)
    before.set(record.name, previous)
    verifyHeaders(attempt, record, previous)
    previous = roundDigest(committee.keyId, attempt.attempt, record.round, record.headers)
    if (record.echoSignatures.length !== committee.n) throw broken(`round ${record.name} lacks echoes`)
    for (const party of partyIndexes(committee)) {
      const signature = record.echoSignatures[party - 1] ?? new Uint8Array()
      verifySignature(echoHash(attempt, record.round, party, previous), signature, signerOf(committee, party))
    }
  }
  return before
}

function verifyHeaders(attempt: Attempt, record: RoundRecord, previous: Digest): void {
  const speakers: PartyIndex[] = []
  record.headers.forEach((signed, at) => {
    const { header } = signed
    verifyHeader(signed, attempt.committee, attempt.attempt)
    if (
      header.round !== record.round ||
      header.previous !== previous ||
      header.party <= (speakers.at(-1) ?? 0)
    )
      throw broken(`a header of party ${header.party} does not belong into round ${record.name}`)
    speakers.push(header.party)
    const kept = record.broadcasts?.[at]
    if (record.broadcasts !== null && (kept === undefined || bytesDigest(kept) !== header.broadcastHash))
      throw broken(`the broadcast of party ${header.party} in round ${record.name} is another one`)
  })
  if (speakers.length === 0) throw broken(`round ${record.name} has no speaker`)
  if (MILESTONES.some((name) => name === record.name) && speakers.length !== attempt.committee.n)
    throw broken(`round ${record.name} must hold all parties, has ${speakers}`)
}

const broadcastsOf = ({ records }: CeremonyBundle, name: string): readonly Uint8Array[] => {
  const broadcasts = records.find((record) => record.name === name)?.broadcasts
  if (!broadcasts) throw broken(`round ${name} has no broadcasts`)
  return broadcasts
}

function verifyActivation(
  bundle: CeremonyBundle,
  attempt: Attempt,
  before: ReadonlyMap<string, Digest>,
): void {
  const { committee } = attempt
  const { activation, signatures, groupSignature } = bundle.signed
  const last = before.get("activation")
  if (last === undefined || activation.transcriptDigest !== transcriptDigestOf(attempt, last))
    throw broken("the activation names another transcript")
  const keys = toHex(fromHex(`${activation.serverKeyDigest}${activation.publicKeyDigest.slice(2)}`))
  if (broadcastsOf(bundle, "public-key").some((broadcast) => toHex(broadcast) !== keys))
    throw broken("the activation names other keys than the parties confirmed")
  for (const confirmed of broadcastsOf(bundle, "dkg-confirm")) {
    const { groupX, groupV } = groupKey(decodePublicKeyPackage(confirmed))
    if (groupX !== activation.groupX || groupV !== activation.groupV)
      throw broken("the activation names another group key than the parties confirmed")
  }
  const digest = typedDigest(bundle.signing, hashKeyActivation(activation))
  if (signatures.length !== committee.n)
    throw broken(`want ${committee.n} signatures, got ${signatures.length}`)
  signatures.forEach((signature, at) => {
    verifySignature(digest, signature, signerOf(committee, parsePartyIndex(at + 1, committee.n)))
  })
  const key = { groupX: activation.groupX, groupV: activation.groupV === 28 ? 28 : 27 } as const
  if (!verifyGroupSignature(key, digest, groupSignature)) throw broken("the group signature does not verify")
}

/** k executors of the proposal signed the same result of one task. */
function verifyVerdicts(bundle: CeremonyBundle): void {
  const { executors, k } = bundle.proposal
  const verdicts = broadcastsOf(bundle, "self-test-verdicts")
    .flatMap(decodeVerdicts)
    .filter(({ keyId, attempt }) => keyId === bundle.keyId && attempt === bundle.attempt)
  const tasks = new Set(verdicts.map(({ taskDigest }) => taskDigest))
  if (tasks.size !== 1 || agreedResult(verdicts, executors, k) === null)
    throw broken(`want equal verdicts of ${k} executors on one task`)
}
