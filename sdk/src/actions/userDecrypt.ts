/**
 * Private decryption for a user (protocol §10). Nodes seal their shares to the permit's transport key; the value is put
 * together here and nowhere else. Which session, committee and signer an answer must belong to is read from the chain, shares
 * are corrected robustly, and a node that signed a bad one is named.
 */
import { signingDomainOf } from "../chain/deployments.ts"
import { readCommitment, readCommittee } from "../chain/read.ts"
import type { TwinlockClient } from "../client.ts"
import { sdkError } from "../errors.ts"
import { type DecryptedValue, decryptedValue } from "../fhe/clearValue.ts"
import { toHex } from "../protocol/codec.ts"
import type { Commitment } from "../protocol/commitment.ts"
import { type Committee, quorum, signerOf } from "../protocol/committee.ts"
import { isProtocolError } from "../protocol/errors.ts"
import { permitToBody, type UserDecryptionRequest } from "../protocol/http.ts"
import type { Address, Handle, PartyIndex, SessionId } from "../protocol/ids.ts"
import { sessionIdOf } from "../protocol/session.ts"
import { verifySignature } from "../protocol/signature.ts"
import { decodePlaintext } from "../threshold/plaintext.ts"
import { createOpening, type Opening } from "../threshold/robustReconstruct.ts"
import {
  openShare,
  type SealedShareContext,
  sealedShareDigest,
  transportKeyHash,
} from "../threshold/sealedShare.ts"
import { permitHashOf, type SignedPermit } from "./signPermit.ts"
import { readUsableKey } from "./usableKey.ts"
import { type NodeAnswer, readNodeAnswers } from "./userAnswers.ts"

export type UserDecryptParams = {
  readonly permit: SignedPermit
  /** 1..32 handles that the contract's access control allows for user and contract. */
  readonly handles: readonly { readonly handle: Handle; readonly contract: Address }[]
  readonly signal?: AbortSignal
}

export type UserDecryption = {
  /** In the order of the request. */
  readonly values: readonly (DecryptedValue & { readonly handle: Handle })[]
  /** Parties that signed a share which does not open, has another form, or is off the polynomial. */
  readonly culprits: readonly { readonly party: PartyIndex; readonly signer: Address }[]
}

/**
 * @throws SHARES_NOT_ENOUGH where fewer than 2t+1 shares agree, PLAINTEXT_NOT_SCALAR and PLAINTEXT_RANGE for an opened value
 * that is none (naming nobody), PERMIT_INVALID, and the codes of coordinator.ts, endpoints.ts and read.ts
 */
export async function userDecrypt(
  client: TwinlockClient,
  params: UserDecryptParams,
): Promise<UserDecryption> {
  const { chain, coordinators } = client
  const { permit, handles, signal } = params
  for (const { contract } of handles)
    if (!permit.permit.contracts.includes(contract))
      throw sdkError("PERMIT_INVALID", `the permit does not name contract ${contract}: sign one that does`)
  if (transportKeyHash(permit.transportKey.publicKey) !== permit.permit.transportKeyHash)
    throw sdkError("PERMIT_INVALID", "the transport key is not the one that the permit names")
  const at = await chain.endpoints.head()
  const key = await readUsableKey(chain, at)
  const committee = await readCommittee(chain, key.keyId, key.epoch, at)
  const ciphertexts = await Promise.all(
    handles.map(async ({ handle }): Promise<Ciphertext> => {
      const commitment = await readCommitment(chain, handle, at)
      return { ...commitment, sessionId: sessionIdOf({ ...key, ...commitment }) }
    }),
  )
  const body: UserDecryptionRequest = {
    keyId: key.keyId,
    permit: permitToBody(permit.permit),
    signature: toHex(permit.signature),
    transportKey: toHex(permit.transportKey.publicKey),
    handles: handles.map(({ handle, contract }) => ({ handle, contract })),
  }
  const open = (answer: unknown) => openAll(client, permit, committee, ciphertexts, readNodeAnswers(answer))
  return coordinators.post("/v1/user-decryptions", body, open, signal)
}

/** With the session that answers must be about. */
type Ciphertext = Commitment & { readonly sessionId: SessionId }

/** Values and culprits of one coordinator's answer. */
function openAll(
  client: TwinlockClient,
  permit: SignedPermit,
  committee: Committee,
  ciphertexts: readonly Ciphertext[],
  answers: readonly NodeAnswer[],
): UserDecryption {
  const culprits = new Set<PartyIndex>()
  const values = ciphertexts.map((ciphertext) => {
    const opened = reconstruct(client, permit, committee, ciphertext, answers)
    for (const party of opened.culprits) culprits.add(party)
    const { handle, fheType } = ciphertext
    return { handle, ...decryptedValue(decodePlaintext(opened.values, fheType), fheType) }
  })
  const named = [...culprits].sort((a, b) => a - b)
  return { values, culprits: named.map((party) => ({ party, signer: signerOf(committee, party) })) }
}

/** Opens one handle from whatever usable shares came. @throws SHARES_NOT_ENOUGH with the culprits found so far */
function reconstruct(
  client: TwinlockClient,
  permit: SignedPermit,
  committee: Committee,
  { handle, blockCount, sessionId }: Ciphertext,
  answers: readonly NodeAnswer[],
): Opened {
  const { keyId, epoch, n, t } = committee
  const domain = signingDomainOf(client.chain.deployment)
  const base = {
    keyId,
    epoch,
    sessionId,
    chainId: domain.chainId,
    handle,
    user: permit.permit.user,
    permitHash: permitHashOf(client, permit.permit),
  }
  const opening = createOpening({ n, t, blocks: blockCount })
  const culprits = new Set<PartyIndex>()
  let unsigned = 0
  for (const answer of answers) {
    const sealed = answer.sealedShares.find((share) => share.handle === handle)
    if (sealed === undefined || answer.epoch !== epoch || answer.keyId !== keyId || answer.party > n) continue
    const context = { ...base, party: answer.party }
    if (isSigned(committee, context, sealed.sealed, sealed.signature))
      addShare(opening, permit, context, sealed.sealed, culprits)
    else unsigned += 1
  }
  const { state } = opening
  for (const party of state.culprits) culprits.add(party)
  const named = [...culprits].sort((a, b) => a - b)
  if (state.status === "waiting")
    throw sdkError(
      "SHARES_NOT_ENOUGH",
      `want ${quorum(committee)} agreeing shares of ${handle}, heard ${state.heard} usable and ${unsigned} without their party's signature`,
      { culprits: named },
    )
  return { values: state.values, culprits: named }
}

type Opened = {
  readonly values: Parameters<typeof decodePlaintext>[0]
  readonly culprits: readonly PartyIndex[]
}

/** A bad signature proves nothing against the party: a relay may have made the answer up. */
function isSigned(
  committee: Committee,
  context: SealedShareContext,
  sealed: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    verifySignature(sealedShareDigest(context, sealed), signature, signerOf(committee, context.party))
    return true
  } catch (error) {
    if (isProtocolError(error)) return false
    throw error
  }
}

/** Opens a signed share; one that is unusable is its signer's fault. */
function addShare(
  opening: Opening,
  { transportKey }: SignedPermit,
  context: SealedShareContext,
  sealed: Uint8Array,
  culprits: Set<PartyIndex>,
): void {
  try {
    opening.add(context.party, openShare(transportKey.secretKey, context, sealed))
  } catch (error) {
    if (!isProtocolError(error)) throw error
    culprits.add(context.party)
  }
}
