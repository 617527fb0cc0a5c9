/**
 * Evidence that a party signed a lie in a decryption (protocol §3, §6), as a third party judges it: from signed messages and
 * public data alone. A wrong share of a ciphertext is a lie only beside the shares of others: the message is evidence, no
 * proof.
 */
import { fromHex, sha256Digest, toHex } from "../protocol/codec.ts"
import { type Committee, signersBitmap } from "../protocol/committee.ts"
import {
  type DecryptionResult,
  hashDecryptionResult,
  hashEndorsedBatch,
  hashResultBatch,
  type SigningDomain,
  typedDigest,
} from "../protocol/eip712.ts"
import { isProtocolError } from "../protocol/errors.ts"
import {
  type Digest,
  type Hex,
  type PartyIndex,
  parseDigest,
  parsePartyIndex,
  type RequestId,
} from "../protocol/ids.ts"
import { decodeMessage } from "../protocol/messageEncoding.ts"
import { messageDigest, verifyMessage } from "../protocol/messageSignature.ts"
import type { GossipMessage, SignatureShare, SigningRequest } from "../protocol/messages.ts"
import { verifySignature } from "../protocol/signature.ts"
import { groupKey, type PublicKeyPackage, verifyGroupSignature } from "./frost.ts"
import { verifySignatureShare } from "./frostSign.ts"
import { leafHash, rootOf } from "./merkle.ts"

export type FaultEvidence = {
  readonly party: PartyIndex
  readonly subject: Digest
  /** Signed encodings: the party's own, and the signing request that its signature share answers. */
  readonly messages: readonly Uint8Array[]
}

/** JSON form of {@link FaultEvidence}. */
export type FaultEvidenceBody = {
  readonly party: number
  readonly subject: Digest
  readonly messages: readonly Hex[]
}

/** Public data of a key that evidence is judged by. */
export type FaultContext = {
  readonly committee: Committee
  readonly signing: SigningDomain
  readonly publicKey: PublicKeyPackage
  /** Results as the chain has them; a root of results that it does not tell proves nothing. */
  readonly resultOf?: ((request: RequestId) => DecryptionResult | undefined) | undefined
}

export type Fault =
  /** its answer to a list does not verify for that list and batch. */
  | "signature-share"
  /** two readings of one subject. */
  | "two-approvals"
  /** two shares of one session of one subject. */
  | "two-shares"
  /** an announced group signature that does not verify. */
  | "certificate"
  /** an endorsement that its seat did not sign. */
  | "endorsement"
  /** a tree over other results than the chain has for these requests. */
  | "root"

export const faultEvidenceToBody = ({ party, subject, messages }: FaultEvidence): FaultEvidenceBody => ({
  ...{ party, subject },
  messages: messages.map(toHex),
})

/** @throws BAD_PARTY_INDEX, BAD_DIGEST, CODEC_HEX */
export const faultEvidenceFromBody = (body: FaultEvidenceBody, { n }: Committee): FaultEvidence => ({
  party: parsePartyIndex(body.party, n),
  subject: parseDigest(body.subject),
  messages: body.messages.map(fromHex),
})

/**
 * What the messages prove against the party; null where they prove nothing.
 * @throws MESSAGE_*, SIGNATURE_*, BAD_PARTY_INDEX and the codes of codec.ts where one is no message that its party signed
 */
export function provenFault({ party, messages }: FaultEvidence, context: FaultContext): Fault | null {
  const { committee, signing } = context
  const decoded = messages.map((bytes) => {
    const message = decodeMessage(bytes)
    verifyMessage(message, signing, committee)
    return message
  })
  const own = decoded.filter((message) => message.party === party)
  for (const message of own) {
    const fault =
      message.kind === "signature-share" ? wrongAnswer(message, decoded, context) : faultIn(message, context)
    if (fault !== null) return fault
  }
  const [first] = contradiction(own) ?? []
  if (first === undefined) return null
  return first.kind === "approval" ? "two-approvals" : "two-shares"
}

/** The first two messages of one party that say two things of one subject or session; null where none do. */
export function contradiction(
  messages: readonly GossipMessage[],
): readonly [first: GossipMessage, second: GossipMessage] | null {
  const said = new Map<string, { readonly what: string; readonly message: GossipMessage }>()
  for (const message of messages)
    for (const [of, what] of statementsOf(message)) {
      const before = said.get(of)
      if (before === undefined) said.set(of, { what, message })
      else if (before.what !== what) return [before.message, message]
    }
  return null
}

/** Of what a message speaks, and what it says of it: of that, a party can say one thing only. */
function statementsOf(message: GossipMessage): readonly (readonly [of: string, what: string])[] {
  switch (message.kind) {
    case "approval":
      return message.approved.map(({ subject, sessions }) => [`sessions of ${subject}`, sessions.join()])
    case "decryption-shares":
      return message.shares.map(({ subject, sessionId, share }) => [
        `share of ${sessionId} for ${subject}`,
        sha256Digest(share),
      ])
    default:
      return []
  }
}

/** Lies that a message proves by itself. */
function faultIn(message: GossipMessage, context: FaultContext): Fault | null {
  switch (message.kind) {
    case "signing-request":
    case "fresh-quote":
      return isOtherTree(message, context) ? "root" : null
    case "certificate-announcement": {
      const { keyId, epoch, root, subjects, signers, r, s } = message
      const { publicKey, signing } = context
      const digest = typedDigest(
        signing,
        hashResultBatch({ keyId, epoch, signers, root, leaves: subjects.length }),
      )
      if (!verifyGroupSignature(groupKey(publicKey), digest, { r, s })) return "certificate"
      return isOtherTree(message, context) ? "root" : null
    }
    case "endorsement": {
      const { keyId, epoch, root, subjects, party } = message
      const digest = typedDigest(
        context.signing,
        hashEndorsedBatch({ keyId, epoch, root, leaves: subjects.length }),
      )
      const seat = context.committee.parties[party - 1]
      if (seat === undefined || !isSignedBy(digest, message.endorsement, seat)) return "endorsement"
      return isOtherTree(message, context) ? "root" : null
    }
    default:
      return null
  }
}

function isSignedBy(
  digest: Digest,
  signature: Uint8Array,
  seat: Parameters<typeof verifySignature>[2],
): boolean {
  try {
    verifySignature(digest, signature, seat)
    return true
  } catch {
    return false
  }
}

function isOtherTree(
  { subjects, root }: { readonly subjects: readonly RequestId[]; readonly root: Digest },
  { resultOf }: FaultContext,
): boolean {
  const results = subjects.map((subject) => resultOf?.(subject))
  const leaves = results.flatMap((result) =>
    result === undefined ? [] : [leafHash(hashDecryptionResult(result))],
  )
  return leaves.length === subjects.length && rootOf(leaves) !== root
}

/** The signature share against the list that it names, under that list's and its own sender's signatures. */
function wrongAnswer(
  answer: SignatureShare,
  messages: readonly GossipMessage[],
  { signing, publicKey }: FaultContext,
): Fault | null {
  const { party } = answer
  const list = messages.find(
    (message): message is SigningRequest =>
      message.kind === "signing-request" &&
      message.signers.some((signer) => signer.party === party) &&
      messageDigest(message, signing) === answer.request,
  )
  if (list === undefined) return null
  const { keyId, epoch, root, subjects, signers } = list
  const bitmap = signersBitmap(signers.map((signer) => signer.party))
  const batch = hashResultBatch({ keyId, epoch, signers: bitmap, root, leaves: subjects.length })
  try {
    const asked = { publicKey, list: signers, message: typedDigest(signing, batch) }
    return verifySignatureShare(asked, party, answer.share) ? null : "signature-share"
  } catch (error) {
    // Above n it is no scalar; a list that is none itself was answered by nobody honest, but proves nothing here.
    return isProtocolError(error, "FROST_SHARE_RANGE") ? "signature-share" : null
  }
}
