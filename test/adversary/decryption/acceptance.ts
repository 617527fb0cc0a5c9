/** What a contract and its reader would hold against a delivered result of an arena, under whatever rule it came. */
import {
  type Certified,
  type CompactSignature,
  expandSignature,
  needsEvidence,
} from "@twinlock/sdk/protocol/certificate"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { partiesOfBitmap, quorum, signerOf } from "@twinlock/sdk/protocol/committee"
import {
  hashDecryptionResult,
  hashEndorsedBatch,
  hashResultBatch,
  typedDigest,
} from "@twinlock/sdk/protocol/eip712"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import { recoverSigner } from "@twinlock/sdk/protocol/signature"
import { groupKey, verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import { leafHash, rootOfPath } from "@twinlock/sdk/threshold/merkle"
import { EPOCH, KEY_ID, SIGNING } from "../../support/scriptedChain.ts"
import { isGenuine } from "../../support/testEnclaves.ts"
import type { Arena } from "./arena.ts"

/** Sentences about what is wrong with it; empty where it would be taken. */
export function objections(arena: Arena, certified: Certified): readonly string[] {
  const { ciphertexts, size } = arena
  const { result, certificate } = certified
  const truth = ciphertexts.map(({ value }) => value.toString(16).padStart(64, "0")).join("")
  const root = rootOfPath({ ...certificate, leaf: leafHash(hashDecryptionResult(result)) })
  if (root === null) return ["a certificate's path leads nowhere"]
  return [
    ...(toHex(result.plaintexts).slice(2) === truth ? [] : ["a wrong plaintext was certified"]),
    ...(isSigned(arena, certified, root) ? [] : ["a certificate does not verify"]),
    ...(partiesOfBitmap(certificate.signers, size.n).length >= quorum(size)
      ? []
      : ["fewer signers than a quorum"]),
    ...unmet(arena, certified),
  ]
}

/** All signatures that it comes with, and quotes. */
function isSigned(arena: Arena, certified: Certified, root: Digest): boolean {
  const { size, committee } = arena
  if (certified.kind === "endorsed") {
    const { signers, signatures, leaves } = certified.certificate
    return areEndorsed(arena, { root, leaves, signers, signatures })
  }
  const { keyId, epoch, signers, leaves, r, s } = certified.certificate
  const digest = typedDigest(SIGNING, hashResultBatch({ keyId, epoch, signers, root, leaves }))
  if (!verifyGroupSignature(groupKey(committee.groupKey), digest, { r, s })) return false
  if (certified.kind === "group") return true
  const { endorsers, signatures, quotes } = certified.evidence
  return (
    areEndorsed(arena, { root, leaves, signers: endorsers, signatures }) &&
    partiesOfBitmap(endorsers, size.n).length === signatures.length &&
    quotes.every(({ party }, i) => party > (quotes[i - 1]?.party ?? 0)) &&
    quotes.every(({ party, evidence }) => isGenuine(party, { root, leaves }, evidence))
  )
}

type Endorsed = {
  readonly root: Digest
  readonly leaves: number
  readonly signers: bigint
  readonly signatures: readonly CompactSignature[]
}

function areEndorsed({ committee, size }: Arena, { root, leaves, signers, signatures }: Endorsed): boolean {
  const digest = typedDigest(SIGNING, hashEndorsedBatch({ keyId: KEY_ID, epoch: EPOCH, root, leaves }))
  const parties = partiesOfBitmap(signers, size.n)
  if (parties.length !== signatures.length) return false
  return parties.every((party, i) => {
    const signature = expandSignature(signatures[i] ?? new Uint8Array(64))
    return recoverSigner(digest, signature) === signerOf(committee.committee, party)
  })
}

/** What the requester demands and does not get. */
function unmet({ policy }: Arena, certified: Certified): readonly string[] {
  switch (certified.kind) {
    case "endorsed":
      return policy.groupOnly || needsEvidence(policy) ? ["endorsements stand in for the group"] : []
    case "group":
      return needsEvidence(policy) ? ["a certificate without what is demanded"] : []
    case "policy":
      return certified.evidence.signatures.length < policy.endorsements ||
        certified.evidence.quotes.length < policy.freshQuotes
        ? ["a certificate with less than is demanded"]
        : []
    default:
      return assertNever(certified)
  }
}
