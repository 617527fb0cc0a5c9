/**
 * Checking a certified result without trusting whoever sent it (protocol §6, §7): the same checks as
 * `DecryptionVerifier` and the request's own policy against the same registry state, and one more, that the sessions are those of the ciphertexts that the
 * executors committed.
 */
import { contractEvidence, contractResult } from "../chain/acceptance.ts"
import { type Chain, view } from "../chain/contracts.ts"
import { signingDomainOf } from "../chain/deployments.ts"
import type { ChainBlock } from "../chain/endpoints.ts"
import {
  readCommitment,
  readEpochHeader,
  readExpiry,
  readKey,
  readRequest,
  readSeats,
} from "../chain/read.ts"
import type { TwinlockClient } from "../client.ts"
import { sdkError } from "../errors.ts"
import { type DecryptedValue, decryptedValue } from "../fhe/clearValue.ts"
import {
  type AcceptancePolicy,
  type Certified,
  type CompactSignature,
  expandSignature,
  needsEvidence,
} from "../protocol/certificate.ts"
import { hashWords, toHex } from "../protocol/codec.ts"
import { partiesOfBitmap } from "../protocol/committee.ts"
import {
  type DecryptionResult,
  hashDecryptionResult,
  hashEndorsedBatch,
  hashResultBatch,
  typedDigest,
} from "../protocol/eip712.ts"
import { assertNever, isProtocolError } from "../protocol/errors.ts"
import { bitsOf } from "../protocol/fheType.ts"
import { fheTypeOf } from "../protocol/handles.ts"
import { certificateToBody, policyEvidenceToBody, resultToBody } from "../protocol/http.ts"
import type { Address, Digest, Handle } from "../protocol/ids.ts"
import { sessionIdOf } from "../protocol/session.ts"
import { verifySignature } from "../protocol/signature.ts"
import { verifyGroupSignature } from "../threshold/frost.ts"
import { leafHash, rootOfPath } from "../threshold/merkle.ts"

export type DecryptedHandle = DecryptedValue & { readonly handle: Handle }

export type VerifyCertificateParams = Certified

/**
 * The certified values, in the order of the handles. What the requester asked and demands is read from the gateway: a
 * certificate that the gateway would not take for this request is none here either.
 * @throws CERTIFICATE_NETWORK, CERTIFICATE_SHAPE, REQUEST_UNKNOWN, REQUEST_CLOSED, CERTIFICATE_HANDLES,
 * CERTIFICATE_POLICY, CERTIFICATE_SIGNERS, CERTIFICATE_PLACE, CERTIFICATE_SIGNATURE, CERTIFICATE_SIGNER_NOT_LIVE,
 * CERTIFICATE_SESSION and the codes of endpoints.ts and read.ts
 */
export async function verifyCertificate(
  client: TwinlockClient,
  params: VerifyCertificateParams,
): Promise<readonly DecryptedHandle[]> {
  const { result, certificate } = params
  const { chain } = client
  const { deployment } = chain
  if (result.chainId !== deployment.chainId || result.gateway !== deployment.decryptionGateway)
    throw sdkError(
      "CERTIFICATE_NETWORK",
      `the result is for gateway ${result.gateway} on chain ${result.chainId}, the deployment has ${deployment.decryptionGateway} on ${deployment.chainId}`,
    )
  const values = readPlaintexts(result)
  const at = await chain.endpoints.head()
  const { keyId, epoch, signers, leaves } = certificate
  await checkRequest(chain, params, at)
  const header = await readEpochHeader(chain, keyId, epoch, at)
  if (header.gateway !== result.gateway)
    throw sdkError(
      "CERTIFICATE_NETWORK",
      `key ${keyId} serves gateway ${header.gateway}, not ${result.gateway}`,
    )
  const named = signersOf(signers, header.n)
  if (named.length < header.quorum)
    throw sdkError(
      "CERTIFICATE_SIGNERS",
      `want ${header.quorum} signers, the certificate names ${named.length}`,
    )
  const root = rootOfPath({ ...certificate, leaf: leafHash(hashDecryptionResult(result)) })
  if (root === null)
    throw sdkError(
      "CERTIFICATE_PLACE",
      `a batch of ${leaves} has no place ${certificate.index} with a path of ${certificate.path.length}`,
    )
  const digestOf = (structHash: Digest) => typedDigest(signingDomainOf(deployment), structHash)
  const endorsed = digestOf(hashEndorsedBatch({ keyId, epoch, root, leaves }))
  if (params.kind === "endorsed") {
    const { signatures } = params.certificate
    checkEndorsements(await readSeats(chain, keyId, epoch, at), named, endorsed, signatures)
  } else {
    const { r, s } = params.certificate
    const digest = digestOf(hashResultBatch({ keyId, epoch, signers, root, leaves }))
    if (!verifyGroupSignature(header.groupKey, digest, { r, s }))
      throw sdkError("CERTIFICATE_SIGNATURE", `no signature of the group of epoch ${epoch} over this result`)
  }
  const witnesses = new Set(named)
  if (params.kind === "policy") {
    const endorsers = signersOf(params.evidence.endorsers, header.n)
    const { signatures } = params.evidence
    checkEndorsements(await readSeats(chain, keyId, epoch, at), endorsers, endorsed, signatures)
    for (const party of endorsers) witnesses.add(party)
  }
  for (const party of witnesses) {
    const expiry = await readExpiry(chain, keyId, epoch, party, at)
    if (expiry <= at.timestamp)
      throw sdkError(
        "CERTIFICATE_SIGNER_NOT_LIVE",
        `party ${party} has standing until ${expiry}, chain time is ${at.timestamp}: ask for a fresh certificate`,
      )
  }
  if (params.kind === "policy" && params.evidence.quotes.length > 0) await checkQuotes(chain, params, at)
  await checkSessions(client, params, at)
  return values
}

/**
 * The request itself, as `DecryptionGateway` judges it, but for its cancel window: no quorum signs before that is over on a
 * finalised block, and this head may be an older one. A result that comes after a refund counts for the gateway too.
 */
async function checkRequest(chain: Chain, certified: Certified, at: ChainBlock): Promise<void> {
  const { requestId, handles } = certified.result
  const { status, policy, handlesHash } = await readRequest(chain, requestId, at)
  if (status === "none")
    throw sdkError("REQUEST_UNKNOWN", `the gateway has no request ${requestId} at block ${at.number} yet`)
  if (status === "cancelled")
    throw sdkError("REQUEST_CLOSED", `request ${requestId} is cancelled: make a new one`)
  const own = hashWords(handles)
  if (own !== handlesHash)
    throw sdkError(
      "CERTIFICATE_HANDLES",
      `request ${requestId} asked for handles with hash ${handlesHash}, the result's have ${own}`,
    )
  const unmet = unmetDemand(certified, policy)
  if (unmet !== null) throw sdkError("CERTIFICATE_POLICY", `request ${requestId} demands ${unmet}`)
}

/** What the policy demands beyond what the certificate brings; null where nothing is missing. */
function unmetDemand(certified: Certified, policy: AcceptancePolicy): string | null {
  const { endorsements, freshQuotes, groupOnly } = policy
  switch (certified.kind) {
    case "group":
      return needsEvidence(policy)
        ? `${endorsements} endorsements and ${freshQuotes} fresh quotes besides the group signature`
        : null
    case "endorsed":
      return groupOnly || needsEvidence(policy) ? "a group signature" : null
    case "policy": {
      const { signatures, quotes } = certified.evidence
      if (signatures.length < endorsements)
        return `${endorsements} endorsements, the certificate has ${signatures.length}`
      return quotes.length < freshQuotes
        ? `${freshQuotes} fresh quotes, the certificate has ${quotes.length}`
        : null
    }
    default:
      return assertNever(certified)
  }
}

/** One signature by each of these parties, ascending. @throws CERTIFICATE_SIGNATURE */
function checkEndorsements(
  seats: readonly Address[],
  parties: readonly number[],
  digest: Digest,
  signatures: readonly CompactSignature[],
): void {
  if (signatures.length !== parties.length)
    throw sdkError("CERTIFICATE_SIGNATURE", `want ${parties.length} endorsements, got ${signatures.length}`)
  for (const [i, party] of parties.entries()) {
    const signature = signatures[i]
    const seat = seats[party - 1]
    try {
      if (signature !== undefined && seat !== undefined)
        verifySignature(digest, expandSignature(signature), seat)
    } catch (cause) {
      throw sdkError("CERTIFICATE_SIGNATURE", `no endorsement of this batch by party ${party}`, { cause })
    }
    if (seat === undefined)
      throw sdkError("CERTIFICATE_SIGNERS", `the verifier has no seat ${party} for this epoch`)
  }
}

/** Quotes are judged by the contract that judges registrations: it holds the collateral. @throws CERTIFICATE_POLICY */
async function checkQuotes(
  chain: Chain,
  certified: Extract<Certified, { kind: "policy" }>,
  at: ChainBlock,
): Promise<void> {
  const { evidence } = certified
  const policy = {
    endorsements: evidence.signatures.length,
    freshQuotes: evidence.quotes.length,
    groupOnly: false,
  }
  try {
    await view(
      chain,
      at,
      "decryptionVerifier",
      "verifyWith",
      contractResult(resultToBody(certified.result)),
      certificateToBody(certified.certificate),
      contractEvidence(policyEvidenceToBody(evidence)),
      policy,
    )
  } catch (cause) {
    if (!isProtocolError(cause, "CALL_REVERTED")) throw cause
    throw sdkError("CERTIFICATE_POLICY", `the verifier refuses the fresh quotes: ${cause.message}`, { cause })
  }
}

function signersOf(signers: bigint, n: number): readonly number[] {
  try {
    return partiesOfBitmap(signers, n)
  } catch (cause) {
    throw sdkError("CERTIFICATE_SIGNERS", `signers must be parties of 1..${n}, got bitmap ${signers}`, {
      cause,
    })
  }
}

/** @throws CERTIFICATE_SHAPE unless there is one session and one word in range per handle. */
export function readPlaintexts(result: DecryptionResult): readonly DecryptedHandle[] {
  const { handles, sessions, plaintexts } = result
  const count = handles.length
  if (count === 0 || sessions.length !== count || plaintexts.length !== 32 * count)
    throw sdkError(
      "CERTIFICATE_SHAPE",
      `${count} handles want as many sessions and words, got ${sessions.length} and ${plaintexts.length} bytes`,
    )
  return handles.map((handle, i) => {
    const fheType = fheTypeOf(handle)
    const word = BigInt(toHex(plaintexts.subarray(32 * i, 32 * (i + 1))))
    if (word >> BigInt(bitsOf(fheType)) !== 0n)
      throw sdkError("CERTIFICATE_SHAPE", `word ${i} is above the ${bitsOf(fheType)} bits of its handle`)
    return { handle, ...decryptedValue(word, fheType) }
  })
}

/** The session of every handle follows from its final commitment. */
async function checkSessions(
  { chain }: TwinlockClient,
  { result, certificate }: VerifyCertificateParams,
  at: ChainBlock,
): Promise<void> {
  const { keyId, epoch } = certificate
  const { parametersHash } = await readKey(chain, keyId, at)
  for (const [i, handle] of result.handles.entries()) {
    const { blockCount, squashedDigest } = await readCommitment(chain, handle, at)
    const session = sessionIdOf({ keyId, epoch, parametersHash, blockCount, squashedDigest })
    if (session !== result.sessions[i])
      throw sdkError(
        "CERTIFICATE_SESSION",
        `the committed ciphertext of ${handle} has session ${session}, the result names ${result.sessions[i]}`,
      )
  }
}
