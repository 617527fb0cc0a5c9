/**
 * Step "rounds": every header is signed by its party and stands on the agreed digest of the round before, every kept
 * broadcast is the one that its header names, and all parties signed that they hold the same headers.
 */
import { partyIndexes, signerOf } from "@twinlock/sdk/protocol/committee"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { recoverSigner, type SignerRecovery, verifySignature } from "@twinlock/sdk/protocol/signature"
import type { Attempt } from "../attempt.ts"
import type { CeremonyBundle } from "../bundle.ts"
import { bytesDigest } from "../digest.ts"
import { roundDigest, verifyHeader } from "../header.ts"
import { echoHash } from "../messages.ts"
import type { RoundRecord } from "../state.ts"
import { refuse } from "./step.ts"

/** @param recover another implementation of the same rules, as the node has one in its addon */
export function checkRounds(
  { bundle, attempt }: { readonly bundle: Pick<CeremonyBundle, "records">; readonly attempt: Attempt },
  recover: SignerRecovery = recoverSigner,
): string {
  let previous = attempt.proposalDigest
  const names = new Set<string>()
  for (const record of bundle.records) {
    if (names.has(record.name)) throw refuse(`round ${record.name} is there twice`)
    names.add(record.name)
    try {
      checkHeaders(attempt, record, previous, recover)
      previous = roundDigest(attempt.committee.keyId, attempt.attempt, record.round, record.headers)
      checkEchoes(attempt, record, previous, recover)
    } catch (error) {
      if (!isProtocolError(error)) throw error
      throw refuse(`round ${record.name}: ${error.detail.message}`)
    }
  }
  const headers = bundle.records.reduce((sum, record) => sum + record.headers.length, 0)
  return `${bundle.records.length} rounds, ${headers} signed headers, each echoed by all ${attempt.committee.n} parties`
}

function checkHeaders(
  { committee, attempt }: Attempt,
  record: RoundRecord,
  previous: Digest,
  recover: SignerRecovery,
): void {
  let last: PartyIndex | 0 = 0
  for (const [at, signed] of record.headers.entries()) {
    const { header } = signed
    verifyHeader(signed, committee, attempt, recover)
    if (header.round !== record.round || header.party <= last)
      throw refuse(`the header of party ${header.party} belongs elsewhere`)
    if (header.previous !== previous)
      throw refuse(`the header of party ${header.party} stands on another transcript`)
    last = header.party
    const kept = record.broadcasts?.[at]
    if (record.broadcasts !== null && !matches(kept, header))
      throw refuse(`the broadcast of party ${header.party} is not the one that it signed`)
  }
  if (last === 0) throw refuse("nobody spoke")
  if (record.broadcasts !== null && record.broadcasts.length !== record.headers.length)
    throw refuse("there are more broadcasts than headers")
}

const matches = (
  broadcast: Uint8Array | undefined,
  { broadcastBytes, broadcastHash }: RoundRecord["headers"][number]["header"],
): boolean =>
  broadcast !== undefined && broadcast.length === broadcastBytes && bytesDigest(broadcast) === broadcastHash

function checkEchoes(attempt: Attempt, record: RoundRecord, digest: Digest, recover: SignerRecovery): void {
  const { committee } = attempt
  if (record.echoSignatures.length !== committee.n)
    throw refuse(`want ${committee.n} echoes, got ${record.echoSignatures.length}`)
  for (const party of partyIndexes(committee)) {
    const signature = record.echoSignatures[party - 1] ?? new Uint8Array()
    verifySignature(
      echoHash(attempt, record.round, party, digest),
      signature,
      signerOf(committee, party),
      recover,
    )
  }
}
