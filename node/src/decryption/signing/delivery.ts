/**
 * Certificates on their way to the chain (protocol §6.3): the first rank delivers at once, the next ones while the gateway
 * still waits, each more and more seldom. A certificate that names a party without standing is void on chain: it is given
 * up, and another list signs.
 */
import { partiesOfBitmap } from "@twinlock/sdk/protocol/committee"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { certificateToBody, resultToBody } from "@twinlock/sdk/protocol/http"
import type { CertificateAnnouncement } from "@twinlock/sdk/protocol/messages"
import { groupKey, verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import { signAs } from "../seat.ts"
import { batchDigest, batchOf, certificateOf } from "./batch.ts"
import { type Certified, cancelTimers, type Job, later, rankIn } from "./job.ts"
import type { SigningDeps } from "./signing.ts"

export type Delivery = {
  /** Takes a certificate that this node made. */
  certify(job: Job, certified: Certified): void
  /** The certificate of an announcement of one result where it holds for the job's own; else null. */
  verify(job: Job, announcement: CertificateAnnouncement): Certified | null
  /** True while every party that the job's certificate names stands; gives the certificate up where one does not. */
  stillStands(job: Job): Promise<boolean>
  announce(job: Job): void
}

const LONGEST_PAUSE_MS = 60_000

/** @param onVoid the job has no certificate any more and needs another list */
export function createDelivery(deps: SigningDeps, onVoid: (job: Job) => void): Delivery {
  const { seat, gossip, standing, scheduler, logger, options } = deps
  const key = groupKey(deps.publicKey)

  const warn = (job: Job, what: string) => (err: unknown) => {
    const code = isProtocolError(err) ? err.detail.code : "INTERNAL"
    logger.warn({ requestId: job.requestId, code, err }, what)
  }

  async function stillStands(job: Job): Promise<boolean> {
    const { certified } = job
    if (certified === null) return false
    const live = await standing(certified.parties)
    const fallen = certified.parties.filter((party) => !live.has(party))
    if (fallen.length === 0 || job.certified !== certified) return fallen.length === 0
    logger.warn({ requestId: job.requestId, fallen }, "a certified party has no standing: signing again")
    cancelTimers(job)
    job.certified = null
    job.failures = 0
    job.silent.clear()
    job.served.clear()
    onVoid(job)
    return false
  }

  async function deliver(job: Job): Promise<void> {
    const { certified } = job
    if (certified === null || job.closed) return
    try {
      // Where the chain cannot be read, the contract judges.
      if (!(await stillStands(job).catch(() => true))) return
      const { signers, signature } = certified
      const certificate = certificateOf(seat, batchOf([job.result]), signers, signature, 0)
      await deps.deliver({ result: resultToBody(job.result), certificate: certificateToBody(certificate) })
    } catch (error) {
      warn(job, "certificate was not delivered")(error)
    }
    if (job.certified !== certified) return
    const round = options.takeoverMs * seat.committee.n
    const pause = Math.min(round * 2 ** job.deliveries, LONGEST_PAUSE_MS)
    job.deliveries += 1
    later(job, scheduler, pause, () => void deliver(job))
  }

  return {
    stillStands,
    certify(job, certified) {
      if (job.closed || job.certified !== null) return
      cancelTimers(job)
      job.certified = certified
      job.current = null
      job.deliveries = 0
      const rank = rankIn(job, seat, seat.self)
      if (rank === 0) void deliver(job)
      else later(job, scheduler, rank * options.takeoverMs, () => void deliver(job))
    },
    verify(job, { root, signers, r, s }) {
      const batch = batchOf([job.result])
      if (batch.root !== root) return null
      const parties = partiesOfBitmap(signers, seat.committee.n)
      const signature = { r, s }
      return verifyGroupSignature(key, batchDigest(seat, batch, parties), signature)
        ? { signers, parties, signature }
        : null
    },
    announce(job) {
      if (job.certified === null) return
      const { signers, signature } = job.certified
      const announcement = signAs<CertificateAnnouncement>(seat, {
        kind: "certificate-announcement",
        subjects: [job.requestId],
        root: batchOf([job.result]).root,
        signers,
        ...signature,
      })
      gossip.publish(announcement).catch(warn(job, "announcement failed"))
    },
  }
}
