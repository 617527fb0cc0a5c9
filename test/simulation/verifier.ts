/**
 * What `DecryptionVerifier` checks of what nodes submit: form, signatures and quotes, for every rule. Who stands and what the
 * requester demands is the contract's to ask of the answer.
 */
import {
  type CompactSignature,
  expandSignature,
  type PolicyEvidence,
} from "@twinlock/sdk/protocol/certificate"
import { concatBytes, fromHex } from "@twinlock/sdk/protocol/codec"
import { type Committee, partiesOfBitmap, quorum, signerOf } from "@twinlock/sdk/protocol/committee"
import {
  type DecryptionResult,
  hashDecryptionResult,
  hashEndorsedBatch,
  hashResultBatch,
  typedDigest,
} from "@twinlock/sdk/protocol/eip712"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import { freshQuoteBinding } from "@twinlock/sdk/protocol/freshQuote"
import {
  batchCertificateFromBody,
  certificateFromBody,
  endorsedCertificateFromBody,
  policyEvidenceFromBody,
  resultFromBody,
  type SubmissionBody,
} from "@twinlock/sdk/protocol/http"
import { type Digest, type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { recoverSigner } from "@twinlock/sdk/protocol/signature"
import { verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import { leafHash, rootOf, rootOfPath } from "@twinlock/sdk/threshold/merkle"
import type { Enclaves } from "./enclaves.ts"
import { NotTaken } from "./failure.ts"
import { EPOCH, type ServedKey, SIGNING } from "./world.ts"

export type Verified = {
  readonly kind: SubmissionBody["kind"]
  readonly results: readonly DecryptionResult[]
  /** Everybody in whose name it speaks: they have to stand. */
  readonly parties: readonly PartyIndex[]
  /** Beside the group signature. */
  readonly endorsements: number
  readonly quotes: number
}

/** `MAX_BATCH` of the contract. */
const MOST_RESULTS = 64

const bad = (why: string): NotTaken => new NotTaken(why)

/** The contract puts its own chain into the hash. */
const leafOf = (result: DecryptionResult): Digest =>
  leafHash(hashDecryptionResult({ ...result, chainId: SIGNING.chainId }))

/** What a certificate of any kind says of its tree. */
type Tree = { readonly root: Digest; readonly leaves: number }

function quorumOf(signers: bigint, committee: Committee): readonly PartyIndex[] {
  const parties = partiesOfBitmap(signers, committee.n)
  if (parties.length < quorum(committee)) throw bad(`a certificate of ${parties.length} parties`)
  return parties
}

/** @throws NotTaken where an epoch or a place does not exist */
function treeOf(root: Digest | null, leaves: number, named: Named, { committee }: ServedKey): Tree {
  if (named.keyId !== committee.keyId || named.epoch !== EPOCH) throw bad("a certificate of another key")
  if (root === null) throw bad("no such place in a tree")
  return { root, leaves }
}

type Named = { readonly keyId: string; readonly epoch: number }
type GroupSigned = Named & Pick<ReturnType<typeof batchCertificateFromBody>, "signers" | "r" | "s">

/** Rule B′. */
function requireGroup(tree: Tree, { signers, r, s }: GroupSigned, key: ServedKey): readonly PartyIndex[] {
  const parties = quorumOf(signers, key.committee)
  const digest = typedDigest(
    SIGNING,
    hashResultBatch({ keyId: key.committee.keyId, epoch: EPOCH, signers, ...tree }),
  )
  if (!verifyGroupSignature(key.group, digest, { r, s })) throw bad("a group signature does not verify")
  return parties
}

/** One signature each, in the order of the parties, and none too many. */
function requireEndorsements(
  tree: Tree,
  parties: readonly PartyIndex[],
  signatures: readonly CompactSignature[],
  { committee }: ServedKey,
): void {
  if (signatures.length !== parties.length)
    throw bad(`${signatures.length} endorsements of ${parties.length} parties`)
  const digest = typedDigest(SIGNING, hashEndorsedBatch({ keyId: committee.keyId, epoch: EPOCH, ...tree }))
  parties.forEach((party, i) => {
    const signature = expandSignature(signatures[i] ?? new Uint8Array())
    if (recoverSigner(digest, signature) !== signerOf(committee, party))
      throw bad(`the endorsement of party ${party} does not verify`)
  })
}

/** Report data of a party's quote over a tree. */
const reportDataOf = (tree: Tree, party: PartyIndex, { committee }: ServedKey): Uint8Array =>
  concatBytes(
    fromHex(
      freshQuoteBinding({
        chainId: SIGNING.chainId,
        verifier: SIGNING.verifyingContract,
        keyId: committee.keyId,
        epoch: EPOCH,
        party,
        ...tree,
      }),
    ),
    new Uint8Array(32),
  )

export const isGenuineQuote = (
  tree: Tree,
  party: PartyIndex,
  evidence: PolicyEvidence["quotes"][number]["evidence"],
  key: ServedKey,
  enclaves: Enclaves,
): boolean => enclaves.isGenuine(signerOf(key.committee, party), reportDataOf(tree, party, key), evidence)

/** Of distinct parties, ascending. */
function requireQuotes(
  tree: Tree,
  quotes: PolicyEvidence["quotes"],
  key: ServedKey,
  enclaves: Enclaves,
): readonly PartyIndex[] {
  const parties = quotes.map(({ party }) => parsePartyIndex(party, key.committee.n))
  if (parties.some((party, i) => party <= (parties[i - 1] ?? 0))) throw bad("quotes out of order")
  quotes.forEach(({ evidence }, i) => {
    const party = parties[i] as PartyIndex
    if (!isGenuineQuote(tree, party, evidence, key, enclaves))
      throw bad(`the quote of party ${party} is not genuine`)
  })
  return parties
}

/** @throws NotTaken: no honest node submits what does not verify */
export function verifySubmission(submission: SubmissionBody, key: ServedKey, enclaves: Enclaves): Verified {
  const { kind } = submission
  const plain = { kind, endorsements: 0, quotes: 0 }
  switch (kind) {
    case "batch": {
      const results = submission.results.map(resultFromBody)
      if (results.length === 0 || results.length > MOST_RESULTS) throw bad(`a batch of ${results.length}`)
      const certificate = batchCertificateFromBody(submission.certificate)
      const tree = treeOf(rootOf(results.map(leafOf)), results.length, certificate, key)
      return { ...plain, results, parties: requireGroup(tree, certificate, key) }
    }
    case "group": {
      const result = resultFromBody(submission.result)
      const certificate = certificateFromBody(submission.certificate)
      const root = rootOfPath({ leaf: leafOf(result), ...certificate })
      const tree = treeOf(root, certificate.leaves, certificate, key)
      return { ...plain, results: [result], parties: requireGroup(tree, certificate, key) }
    }
    case "policy": {
      const result = resultFromBody(submission.result)
      const certificate = certificateFromBody(submission.certificate)
      const root = rootOfPath({ leaf: leafOf(result), ...certificate })
      const tree = treeOf(root, certificate.leaves, certificate, key)
      const group = requireGroup(tree, certificate, key)
      const evidence = policyEvidenceFromBody(submission.evidence)
      const endorsers = partiesOfBitmap(evidence.endorsers, key.committee.n)
      requireEndorsements(tree, endorsers, evidence.signatures, key)
      const quoted = requireQuotes(tree, evidence.quotes, key, enclaves)
      return {
        ...{ kind, results: [result], endorsements: endorsers.length, quotes: quoted.length },
        parties: [...new Set([...group, ...endorsers, ...quoted])],
      }
    }
    case "endorsed": {
      const result = resultFromBody(submission.result)
      const certificate = endorsedCertificateFromBody(submission.certificate)
      const root = rootOfPath({ leaf: leafOf(result), ...certificate })
      const tree = treeOf(root, certificate.leaves, certificate, key)
      const parties = quorumOf(certificate.signers, key.committee)
      requireEndorsements(tree, parties, certificate.signatures, key)
      return { ...plain, results: [result], parties }
    }
    default:
      return assertNever(submission)
  }
}
