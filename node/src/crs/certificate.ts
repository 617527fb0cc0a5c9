/**
 * What parties of a CRS ceremony sign, and what enough of these signatures prove (crs.md, silence). Public data.
 *
 * In one turn a party proposes, acknowledges and concludes at most once. ⌈(n+t+1)/2⌉ acknowledgements certify updates: two such
 * groups share an honest party, so a turn certifies one list at most. As many conclusions of a closing turn are final.
 */
import { type Reader, taggedHash, type Writer } from "@twinlock/sdk/protocol/codec"
import { agreement, MAX_PARTIES } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Digest, type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import {
  recoverSigner,
  SIGNATURE_BYTES,
  type SignerRecovery,
  verifySignature,
} from "@twinlock/sdk/protocol/signature"
import {
  type CrsCommittee,
  inOrder,
  isClosing,
  readUpdates,
  type Updates,
  updatesDigest,
  writeUpdates,
} from "./crsCommittee.ts"

export const ACTS = ["propose", "acknowledge", "conclude"] as const
export type Act = (typeof ACTS)[number]

export type Statement = {
  readonly act: Act
  readonly turn: number
  /** {@link updatesDigest} */
  readonly digest: Digest
}

export type SignedStatement = Statement & { readonly party: PartyIndex; readonly signature: Uint8Array }

export const statementHash = (ceremony: Digest, { act, turn, digest }: Statement): Digest =>
  taggedHash("twinlock/crs-statement/v1", ceremony, ACTS.indexOf(act), turn, digest)

/** Enough signatures of one act, turn and list. */
export type Certificate = {
  readonly turn: number
  readonly updates: Updates
  readonly signatures: ReadonlyMap<PartyIndex, Uint8Array>
}

/** Whether `party` signed it; false for any malformed signature. */
export type StatementCheck = (statement: SignedStatement) => boolean

const MAX_REMEMBERED = 4096

/** Remembers statements that held: certificates repeat what came before. */
export function createStatementCheck(
  { ceremony, parties }: CrsCommittee,
  recover: SignerRecovery = recoverSigner,
): StatementCheck {
  const held = new Map<string, string>()
  return (statement) => {
    const { act, turn, digest, party, signature } = statement
    const signer = parties[party - 1]
    if (signer === undefined) return false
    const name = `${act}/${turn}/${party}`
    const content = `${digest}/${Buffer.from(signature).toString("hex")}`
    if (held.get(name) === content) return true
    try {
      verifySignature(statementHash(ceremony, statement), signature, signer, recover)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      return false
    }
    if (held.size >= MAX_REMEMBERED) held.clear()
    held.set(name, content)
    return true
  }
}

export const statementsOf = (
  act: Act,
  { turn, signatures }: Certificate,
  digest: Digest,
): readonly SignedStatement[] =>
  [...signatures].map(([party, signature]) => ({ act, turn, digest, party, signature }))

/** Turns and updates of a certificate as honest parties make them; of a turn that is no closing turn the last update is new. */
export function isWellFormed({ turn, updates }: Pick<Certificate, "turn" | "updates">, n: number): boolean {
  if (!Number.isSafeInteger(turn) || turn < 0) return false
  if (isClosing(turn, n)) return inOrder(updates, n - 1)
  return inOrder(updates, turn) && updates.at(-1)?.turn === turn
}

/** Whether enough parties signed `act` for it. @returns the digest of its updates, null where it does not hold */
export function certifiedDigest(
  act: "acknowledge" | "conclude",
  certificate: Certificate,
  { ceremony, parties, t }: CrsCommittee,
  check: StatementCheck,
): Digest | null {
  const n = parties.length
  const { turn, updates, signatures } = certificate
  if (!isWellFormed(certificate, n) || (act === "conclude" && !isClosing(turn, n))) return null
  if (signatures.size < agreement({ n, t })) return null
  const digest = updatesDigest(ceremony, updates)
  return statementsOf(act, certificate, digest).every(check) ? digest : null
}

export const writeCertificate = (writer: Writer, { turn, updates, signatures }: Certificate): Writer =>
  writeUpdates(writer.uint(4, turn), updates).list(
    [...signatures].sort(byParty),
    (inner, [party, signature]) => inner.uint(1, party).raw(signature),
  )

/** Form only; see {@link certifiedDigest}. @throws CodecErrorCode, BAD_PARTY_INDEX, CODEC_RANGE for parties out of order */
export function readCertificate(reader: Reader, n: number): Certificate {
  const turn = reader.uint(4)
  const updates = readUpdates(reader)
  const signed = reader.list(MAX_PARTIES, (inner): readonly [PartyIndex, Uint8Array] => [
    parsePartyIndex(inner.uint(1), n),
    inner.take(SIGNATURE_BYTES),
  ])
  if (signed.some(([party], at) => party <= (signed[at - 1]?.[0] ?? 0)))
    throw new ProtocolError({ code: "CODEC_RANGE", message: "signatures must be in the order of parties" })
  return { turn, updates, signatures: new Map(signed) }
}

const byParty = ([a]: readonly [PartyIndex, unknown], [b]: readonly [PartyIndex, unknown]): number => a - b
