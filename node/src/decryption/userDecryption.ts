/**
 * User decryption (protocol §10): judges a permit, approves it with the committee, and only after a quorum of equal
 * approvals seals this node's shares to the user's transport key. Repeats are answered with the same shares.
 */

import { toHex } from "@twinlock/sdk/protocol/codec"
import type { NodeUserDecryptionResponse } from "@twinlock/sdk/protocol/http"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import type { Rng } from "@twinlock/sdk/protocol/rng"
import { signDigest } from "@twinlock/sdk/protocol/signature"
import { type SealedShareContext, sealedShareDigest, sealShare } from "@twinlock/sdk/threshold/sealedShare"
import type { ChainView } from "../chain/chainView.ts"
import type { Scheduler } from "../clock.ts"
import { type AuthorisedUser, authoriseUser, type UserRequest } from "./authoriseUser.ts"
import type { Engine } from "./engine.ts"
import { decryptionError } from "./errors.ts"
import { prepareRelease, type ReleaseDeps, sharesOf } from "./release.ts"
import type { KeySeat } from "./seat.ts"

export type UserDecryption = {
  /** @throws DecryptionErrorCode, ChainErrorCode */
  answer(request: UserRequest): Promise<NodeUserDecryptionResponse>
}

export type UserDecryptionDeps = {
  readonly seat: KeySeat
  readonly view: ChainView
  readonly engine: Engine
  readonly release: ReleaseDeps
  readonly scheduler: Scheduler
  /** Milliseconds to wait for the committee's approvals. */
  readonly approvalTimeoutMs: number
  /** Requests of one user that may wait at once. */
  readonly perUser: number
  readonly rng: Rng
}

export function createUserDecryption(deps: UserDecryptionDeps): UserDecryption {
  const { seat, view, engine, release, scheduler, approvalTimeoutMs, perUser, rng } = deps
  const waiting = new Map<string, number>()

  /** Resolves when a quorum approved; every caller asking for the same subject waits for the same quorum. */
  const approved = new Map<Digest, Promise<void>>()
  function approve(authorised: AuthorisedUser): Promise<void> {
    const known = approved.get(authorised.subject)
    if (known !== undefined) return known
    const promise = new Promise<void>((resolve, reject) => {
      const cancel = scheduler.after(approvalTimeoutMs, () => {
        reject(decryptionError("NOT_APPROVED", `no quorum of nodes approved within ${approvalTimeoutMs} ms`))
      })
      const onRelease = () => {
        cancel()
        resolve()
      }
      engine.approve(authorised, [], { onRelease, onOpened: () => {} }).catch(reject)
    }).finally(() => {
      approved.delete(authorised.subject)
      engine.forget(authorised.subject)
    })
    approved.set(authorised.subject, promise)
    return promise
  }

  async function seal(authorised: AuthorisedUser, request: UserRequest): Promise<NodeUserDecryptionResponse> {
    const prepared = await prepareRelease(authorised, release)
    await approve(authorised)
    const { keyId, epoch } = seat.key
    const shares = await sharesOf(prepared, release.holder)
    const sealedShares = authorised.ciphertexts.map(({ handle, session }, i) => {
      const context: SealedShareContext = {
        keyId,
        epoch,
        sessionId: session,
        chainId: seat.key.domain.chainId,
        handle,
        user: authorised.user,
        permitHash: authorised.permitHash,
        party: seat.self,
      }
      const share = shares[i]?.share
      if (share === undefined) throw decryptionError("BLOB_UNAVAILABLE", `no share of session ${session}`)
      const sealed = sealShare(request.transportKey, context, share, rng)
      const signature = seat.signer.use((secretKey) =>
        signDigest(sealedShareDigest(context, sealed), secretKey),
      )
      return { handle, sessionId: session, sealed: toHex(sealed), signature: toHex(signature) }
    })
    return { keyId, epoch, party: seat.self, sealedShares }
  }

  return {
    async answer(request) {
      const { user } = request.permit
      const busy = waiting.get(user) ?? 0
      if (busy >= perUser)
        throw decryptionError("QUOTA_EXCEEDED", `${user} has ${busy} requests waiting, at most ${perUser}`)
      waiting.set(user, busy + 1)
      try {
        const authorised = await authoriseUser(view, seat.key, seat.signing, request, await view.head())
        return await seal(authorised, request)
      } finally {
        const left = (waiting.get(user) ?? 1) - 1
        if (left === 0) waiting.delete(user)
        else waiting.set(user, left)
      }
    },
  }
}
