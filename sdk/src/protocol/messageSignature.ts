/**
 * Signatures of gossip messages (protocol §2, §6): every message is signed by the sender's seat signer, so transcripts are
 * evidence. An approval is EIP-712 typed data, every other kind a tagged hash over its fields in wire order. The key id
 * binds chain and registry.
 * Secret input: the seat's signing key of `signMessage`.
 */
import { concatBytes, hashWords, keccak, sha256Digest, taggedHash, toHex } from "./codec.ts"
import { type Committee, signerOf } from "./committee.ts"
import { hashApproval, type SigningDomain, typedDigest } from "./eip712.ts"
import { assertNever, ProtocolError } from "./errors.ts"
import { type Digest, parseDigest } from "./ids.ts"
import type { CommitmentPair, GossipMessage, Unsigned } from "./messages.ts"
import {
  type DigestSigner,
  recoverSigner,
  type SignerRecovery,
  signDigest,
  verifySignature,
} from "./signature.ts"

const NO_COMMITMENTS: Digest = parseDigest(`0x${"00".repeat(32)}`)

/** What an approval binds of its FROST commitments: their keccak256, zero where there are none. */
export const commitmentsHash = (commitments: readonly CommitmentPair[]): Digest =>
  commitments.length === 0 ? NO_COMMITMENTS : keccak(concatBytes(...commitments))

/** The digest that the sender signs; it also names a signing request in the answers to it. */
export function messageDigest(message: Unsigned<GossipMessage>, domain: SigningDomain): Digest {
  const { keyId, epoch, party } = message
  switch (message.kind) {
    case "approval": {
      const { approved, blockNumber, blockHash, verdict } = message
      const commitments = commitmentsHash(message.commitments)
      const content = { keyId, epoch, approved, blockNumber, blockHash, verdict, commitments }
      return typedDigest(domain, hashApproval(content))
    }
    case "decryption-shares": {
      const { shares } = message
      // SHA-256 as for all blobs (protocol §1): shares are most of what is signed, and it is many times faster here.
      const items = shares.flatMap(({ subject, sessionId, share }) => [
        ...[subject, sessionId, sha256Digest(share)],
      ])
      const tag = "twinlock/decryption-shares/v1"
      return taggedHash(tag, keyId, epoch, party, shares.length, hashWords(items))
    }
    case "signing-request": {
      const { attempt, subjects, root, signers } = message
      const list = keccak(concatBytes(...signers.flatMap((s) => [Uint8Array.of(s.party), s.commitment])))
      const tag = "twinlock/signing-request/v1"
      return taggedHash(tag, keyId, epoch, party, attempt, hashWords(subjects), subjects.length, root, list)
    }
    case "signature-share": {
      const { request, share } = message
      const commitments = commitmentsHash(message.commitments)
      return taggedHash(
        "twinlock/signature-share/v1",
        keyId,
        epoch,
        party,
        request,
        toHex(share),
        commitments,
      )
    }
    case "certificate-announcement": {
      const { subjects, root, signers, r, s } = message
      const tag = "twinlock/certificate-announcement/v1"
      return taggedHash(tag, keyId, epoch, party, hashWords(subjects), subjects.length, root, signers, r, s)
    }
    case "endorsement": {
      const { subjects, root, endorsement } = message
      const tag = "twinlock/endorsement/v1"
      return taggedHash(
        ...([tag, keyId, epoch, party, hashWords(subjects), subjects.length, root] as const),
        keccak(endorsement),
      )
    }
    case "fresh-quote": {
      const { subjects, root, evidence } = message
      const tag = "twinlock/fresh-quote-message/v1"
      return taggedHash(
        ...([tag, keyId, epoch, party, hashWords(subjects), subjects.length, root] as const),
        keccak(evidence),
      )
    }
    default:
      return assertNever(message)
  }
}

/**
 * The message with the sender's signature.
 * **Security:** `secretKey` is the seat's signer; it MUST NOT leave the enclave.
 */
export function signMessage<M extends GossipMessage>(
  message: Unsigned<M>,
  domain: SigningDomain,
  secretKey: Uint8Array,
  sign: DigestSigner = signDigest,
): M {
  const digest = messageDigest(message as Unsigned<GossipMessage>, domain)
  return { ...message, signature: sign(digest, secretKey) } as unknown as M
}

/**
 * Checks that the party named by `message` signed it as a member of `committee`.
 * @param recover see {@link verifySignature}
 * @throws MESSAGE_COMMITTEE, BAD_PARTY_INDEX, SIGNATURE_FORM, SIGNATURE_SIGNER
 */
export function verifyMessage(
  message: GossipMessage,
  domain: SigningDomain,
  committee: Committee,
  recover: SignerRecovery = recoverSigner,
): void {
  if (message.keyId !== committee.keyId || message.epoch !== committee.epoch)
    throw new ProtocolError({
      code: "MESSAGE_COMMITTEE",
      message: `want key ${committee.keyId} epoch ${committee.epoch}, got ${message.keyId} epoch ${message.epoch}`,
    })
  const signer = signerOf(committee, message.party)
  verifySignature(messageDigest(message, domain), message.signature, signer, recover)
}
