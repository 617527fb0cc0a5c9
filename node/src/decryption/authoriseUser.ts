/**
 * May this node seal its share of a ciphertext to a user's transport key (protocol §10)? The permit is the user's own
 * EIP-712 word; who may read a handle is on chain. Every node decides for itself at its agreed block.
 */
import { keccak } from "@twinlock/sdk/protocol/codec"
import {
  hashUserDecryptionPermit,
  type SigningDomain,
  typedDigest,
  type UserDecryptionPermit,
} from "@twinlock/sdk/protocol/eip712"
import type { Address, Digest, Handle } from "@twinlock/sdk/protocol/ids"
import { recoverSigner } from "@twinlock/sdk/protocol/signature"
import { userSubject } from "@twinlock/sdk/protocol/subjects"
import { TRANSPORT_KEY_BYTES } from "@twinlock/sdk/threshold/sealedShare"
import type { BlockRef, ChainView } from "../chain/chainView.ts"
import type { Authorised } from "./authorisePublic.ts"
import { type KeyContext, openableCiphertext } from "./ciphertexts.ts"
import { decryptionError } from "./errors.ts"

export type UserRequest = {
  readonly permit: UserDecryptionPermit
  readonly signature: Uint8Array
  readonly transportKey: Uint8Array
  readonly handles: readonly { readonly handle: Handle; readonly contract: Address }[]
}

export type AuthorisedUser = Authorised & { readonly permitHash: Digest; readonly user: Address }

/** Longest life of a permit in seconds of chain time. */
export const MAX_PERMIT_SECONDS: bigint = 365n * 86_400n
const MAX_CONTRACTS = 10
const MAX_HANDLES = 32

async function checkSignature(
  view: ChainView,
  digest: Digest,
  { permit, signature }: UserRequest,
  at: BlockRef,
): Promise<void> {
  try {
    if (recoverSigner(digest, signature) === permit.user) return
  } catch {
    // Not an ECDSA signature: it may be one of a contract account.
  }
  if (!(await view.isValidContractSignature(permit.user, digest, signature, at)))
    throw decryptionError("PERMIT_BAD_SIGNATURE", `the permit is not signed by its user ${permit.user}`)
}

function checkPermit({ permit, transportKey, handles }: UserRequest, chainId: bigint, at: BlockRef): void {
  const refuse = decryptionError
  if (
    permit.contracts.length < 1 ||
    permit.contracts.length > MAX_CONTRACTS ||
    handles.length < 1 ||
    handles.length > MAX_HANDLES
  )
    throw refuse(
      "PERMIT_MALFORMED",
      `want 1..${MAX_CONTRACTS} contracts and 1..${MAX_HANDLES} handles, got ${permit.contracts.length} and ${handles.length}`,
    )
  if (permit.chainId !== chainId)
    throw refuse("PERMIT_WRONG_CHAIN", `the permit is for chain ${permit.chainId}, the key serves ${chainId}`)
  if (permit.contracts.includes(permit.user))
    throw refuse("PERMIT_USER_IS_CONTRACT", `user ${permit.user} is one of the permit's contracts`)
  if (permit.notAfter - permit.notBefore > MAX_PERMIT_SECONDS || permit.notAfter < permit.notBefore)
    throw refuse(
      "PERMIT_TOO_LONG",
      `a permit lasts 0..${MAX_PERMIT_SECONDS} s, got ${permit.notAfter - permit.notBefore}`,
    )
  if (at.timestamp < permit.notBefore)
    throw refuse(
      "PERMIT_NOT_YET_VALID",
      `the permit starts at ${permit.notBefore}, chain time ${at.timestamp}`,
    )
  if (at.timestamp > permit.notAfter)
    throw refuse("PERMIT_EXPIRED", `the permit ended at ${permit.notAfter}, chain time ${at.timestamp}`)
  if (transportKey.length !== TRANSPORT_KEY_BYTES)
    throw refuse(
      "PERMIT_MALFORMED",
      `a transport key has ${TRANSPORT_KEY_BYTES} bytes, got ${transportKey.length}`,
    )
  if (keccak(transportKey) !== permit.transportKeyHash)
    throw refuse("PERMIT_WRONG_TRANSPORT_KEY", "the transport key is not the one that the permit names")
  for (const { contract } of handles)
    if (!permit.contracts.includes(contract))
      throw refuse("PERMIT_CONTRACT_NOT_LISTED", `the permit does not name contract ${contract}`)
}

/** @throws DecryptionErrorCode, ChainErrorCode */
export async function authoriseUser(
  view: ChainView,
  key: KeyContext,
  signing: SigningDomain,
  request: UserRequest,
  at: BlockRef,
): Promise<AuthorisedUser> {
  const { permit, handles } = request
  checkPermit(request, key.domain.chainId, at)
  const floor = await view.permitFloor(permit.user, at)
  if (permit.nonce !== floor.nonce || permit.notBefore < floor.invalidBefore)
    throw decryptionError(
      "PERMIT_REVOKED",
      `permit nonce ${permit.nonce} and start ${permit.notBefore}, but ${permit.user} accepts nonce ${floor.nonce} from ${floor.invalidBefore}`,
    )
  const permitHash = typedDigest(signing, hashUserDecryptionPermit(permit))
  await checkSignature(view, permitHash, request, at)
  for (const { handle, contract } of handles)
    for (const account of [permit.user, contract])
      if (!(await view.isAllowed(handle, account, at)))
        throw decryptionError(
          "NOT_ALLOWED_FOR_USER",
          `access control does not allow ${handle} for ${account}`,
        )
  const ciphertexts = await Promise.all(
    handles.map(async ({ handle }) => {
      const commitment = await view.commitment(handle, at)
      const details = commitment.status === "final" ? await view.commitmentDetails(handle, at) : null
      return openableCiphertext(key, { handle, commitment, details })
    }),
  )
  const subject = userSubject(
    permitHash,
    handles.map(({ handle }) => handle),
  )
  return { subject, recipient: permit.user, ciphertexts, at, permitHash, user: permit.user }
}
