/**
 * User decryption (protocol §10): judges a permit, approves it with the committee, and only after a quorum of equal
 * approvals seals this node's shares to the user's transport key. Every request is judged anew; a repeat of one that the
 * committee just approved is answered from the same approvals, with the same shares.
 */
import { toHex } from "@twinlock/sdk/protocol/codec"
import type { NodeUserDecryptionResponse } from "@twinlock/sdk/protocol/http"
import type { Address, Digest } from "@twinlock/sdk/protocol/ids"
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
  /** Milliseconds to wait for the committee's approvals; a quorum's word serves repeats for as long again. */
  readonly approvalTimeoutMs: number
  /** Requests of one user that may be at work at once, counted once the permit holds. */
  readonly perUser: number
  /** Requests of all that may be at work at once, and subjects that are followed. */
  readonly atOnce: number
  readonly rng: Rng
}

export function createUserDecryption(deps: UserDecryptionDeps): UserDecryption {
  const { seat, view, engine, release, scheduler, approvalTimeoutMs, perUser, atOnce, rng } = deps
  const ofUser = new Map<Address, number>()
  let working = 0
  /** Resolves when a quorum approved; every caller asking for the same subject waits for the same quorum. */
  const approved = new Map<Digest, Promise<void>>()

  function forget(subject: Digest): void {
    approved.delete(subject)
    engine.forget(subject)
  }

  function approve(authorised: AuthorisedUser): Promise<void> {
    const { subject } = authorised
    const known = approved.get(subject)
    if (known !== undefined) return known
    if (approved.size >= atOnce)
      throw decryptionError("QUOTA_EXCEEDED", `${approved.size} user decryptions are followed already`)
    const promise = new Promise<void>((resolve, reject) => {
      const cancel = scheduler.after(approvalTimeoutMs, () => {
        forget(subject)
        reject(decryptionError("NOT_APPROVED", `no quorum of nodes approved within ${approvalTimeoutMs} ms`))
      })
      const onRelease = () => {
        cancel()
        resolve()
        // Followed a little longer: nodes that come late hear this node's approval, and repeats are quick.
        scheduler.after(approvalTimeoutMs, () => forget(subject))
      }
      engine.approve([authorised], { commitments: (previous) => previous, onRelease, onOpened: () => {} })
    })
    approved.set(subject, promise)
    return promise
  }

  async function seal(
    authorised: AuthorisedUser,
    transportKey: Uint8Array,
  ): Promise<NodeUserDecryptionResponse> {
    const { keyId, epoch, domain } = seat.key
    const { permitHash, user } = authorised
    const shares = await sharesOf([authorised], release)
    const sealedShares = authorised.ciphertexts.map(({ handle, session }, i) => {
      const context: SealedShareContext = {
        ...{ keyId, epoch, handle, user, permitHash },
        sessionId: session,
        chainId: domain.chainId,
        party: seat.self,
      }
      const share = shares[i]?.share
      if (share === undefined) throw decryptionError("BLOB_UNAVAILABLE", `no share of session ${session}`)
      const sealed = sealShare(transportKey, context, share, rng)
      const signature = seat.signer.use((secretKey) =>
        signDigest(sealedShareDigest(context, sealed), secretKey),
      )
      return { handle, sessionId: session, sealed: toHex(sealed), signature: toHex(signature) }
    })
    return { keyId, epoch, party: seat.self, sealedShares }
  }

  /** Counted only for who signed: a stranger who names a user does not use up the user's places. */
  async function counted<T>(user: Address, task: () => Promise<T>): Promise<T> {
    const busy = ofUser.get(user) ?? 0
    if (busy >= perUser)
      throw decryptionError("QUOTA_EXCEEDED", `${user} has ${busy} requests at work, at most ${perUser}`)
    ofUser.set(user, busy + 1)
    try {
      return await task()
    } finally {
      const left = (ofUser.get(user) ?? 1) - 1
      if (left === 0) ofUser.delete(user)
      else ofUser.set(user, left)
    }
  }

  return {
    async answer(request) {
      if (working >= atOnce)
        throw decryptionError("QUOTA_EXCEEDED", `${working} requests are at work, at most ${atOnce}`)
      working += 1
      try {
        const authorised = await authoriseUser(view, seat.key, seat.signing, request, await view.head())
        return await counted(authorised.user, async () => {
          await prepareRelease(authorised, release)
          await approve(authorised)
          return seal(authorised, request.transportKey)
        })
      } finally {
        working -= 1
      }
    },
  }
}
