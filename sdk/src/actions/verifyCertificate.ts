/**
 * Checking a certified result without trusting whoever sent it (protocol §6, §7, rule B′): the same checks as
 * `DecryptionVerifier` against the same registry state, and one more, that the sessions are those of the ciphertexts that the
 * executors committed.
 */
import { signingDomainOf } from "../chain/deployments.ts"
import type { ChainBlock } from "../chain/endpoints.ts"
import { readCommitment, readEpochHeader, readExpiry } from "../chain/read.ts"
import type { TwinlockClient } from "../client.ts"
import { sdkError } from "../errors.ts"
import { type DecryptedValue, decryptedValue } from "../fhe/clearValue.ts"
import type { Certificate } from "../protocol/certificate.ts"
import { toHex } from "../protocol/codec.ts"
import { partiesOfBitmap } from "../protocol/committee.ts"
import {
  type DecryptionResult,
  hashDecryptionResult,
  hashResultBatch,
  typedDigest,
} from "../protocol/eip712.ts"
import { bitsOf } from "../protocol/fheType.ts"
import { fheTypeOf } from "../protocol/handles.ts"
import type { Handle } from "../protocol/ids.ts"
import { sessionIdOf } from "../protocol/session.ts"
import { verifyGroupSignature } from "../threshold/frost.ts"
import { leafHash, rootOfPath } from "../threshold/merkle.ts"

export type DecryptedHandle = DecryptedValue & { readonly handle: Handle }

export type VerifyCertificateParams = {
  readonly result: DecryptionResult
  readonly certificate: Certificate
}

/**
 * The certified values, in the order of the handles.
 * @throws CERTIFICATE_NETWORK, CERTIFICATE_SHAPE, CERTIFICATE_SIGNERS, CERTIFICATE_PLACE, CERTIFICATE_SIGNATURE,
 * CERTIFICATE_SIGNER_NOT_LIVE, CERTIFICATE_SESSION and the codes of endpoints.ts and read.ts
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
  const { keyId, epoch, signers } = certificate
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
      `a batch of ${certificate.leaves} has no place ${certificate.index} with a path of ${certificate.path.length}`,
    )
  const { leaves, r, s } = certificate
  const digest = typedDigest(
    signingDomainOf(deployment),
    hashResultBatch({ keyId, epoch, signers, root, leaves }),
  )
  if (!verifyGroupSignature(header.groupKey, digest, { r, s }))
    throw sdkError("CERTIFICATE_SIGNATURE", `no signature of the group of epoch ${epoch} over this result`)
  for (const party of named) {
    const expiry = await readExpiry(chain, keyId, epoch, party, at)
    if (expiry <= at.timestamp)
      throw sdkError(
        "CERTIFICATE_SIGNER_NOT_LIVE",
        `party ${party} has standing until ${expiry}, chain time is ${at.timestamp}: ask for a fresh certificate`,
      )
  }
  await checkSessions(client, params, at)
  return values
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
  for (const [i, handle] of result.handles.entries()) {
    const { blockCount, squashedDigest } = await readCommitment(chain, handle, at)
    const session = sessionIdOf({ keyId, epoch, blockCount, squashedDigest })
    if (session !== result.sessions[i])
      throw sdkError(
        "CERTIFICATE_SESSION",
        `the committed ciphertext of ${handle} has session ${session}, the result names ${result.sessions[i]}`,
      )
  }
}
