/**
 * Certificates on their way to the chain (protocol §6.3): the first rank delivers at once, the next ones while the gateway
 * still waits for a result of the batch, each more and more seldom. A certificate that names a party without standing is
 * void on chain: it is given up, and another list signs.
 */
import { partiesOfBitmap } from "@twinlock/sdk/protocol/committee"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { certificateToBody, resultToBody } from "@twinlock/sdk/protocol/http"
import type { RequestId } from "@twinlock/sdk/protocol/ids"
import type { CertificateAnnouncement } from "@twinlock/sdk/protocol/messages"
import { groupKey, verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import { signAs } from "../seat.ts"
import { type Batch, batchDigest, type Certified, certificateOf } from "./batch.ts"
import { type OpenResult, type RankGroup, rankIn } from "./openResult.ts"
import type { SigningDeps } from "./signing.ts"

export type Delivery = {
  /** Takes a certificate that holds, for those of its results that have none. */
  certify(certified: Certified): void
  /** The certificate of an announcement over this node's own results, where it holds; else null. */
  verify(batch: Batch, announcement: CertificateAnnouncement): Certified | null
  /** True while every party that it names stands; gives the certificate up where one does not. */
  stillStands(certified: Certified): Promise<boolean>
  announce(certified: Certified): void
  stop(): void
}

export type DeliveryDeps = {
  readonly find: (request: RequestId) => OpenResult | undefined
  /** These results have no certificate any more and need another list. */
  readonly onVoid: (results: readonly OpenResult[]) => void
}

const LONGEST_PAUSE_MS = 60_000

export function createDelivery(deps: SigningDeps, { find, onVoid }: DeliveryDeps): Delivery {
  const { seat, gossip, standing, scheduler, logger, options } = deps
  const key = groupKey(deps.publicKey)
  let stopped = false

  const warn = (certified: Certified, what: string) => (err: unknown) => {
    const code = isProtocolError(err) ? err.detail.code : "INTERNAL"
    logger.warn({ root: certified.batch.root, code, err }, what)
  }

  /** Results that the certificate serves and that the gateway still waits for. */
  const awaiting = (certified: Certified): readonly OpenResult[] =>
    certified.batch.leaves.flatMap(({ requestId }) => {
      const result = find(requestId)
      return result?.certified === certified ? [result] : []
    })

  async function stillStands(certified: Certified): Promise<boolean> {
    const live = await standing(certified.parties)
    const fallen = certified.parties.filter((party) => !live.has(party))
    const results = awaiting(certified)
    if (fallen.length === 0) return results.length > 0
    logger.warn({ root: certified.batch.root, fallen }, "a certified party has no standing: signing again")
    for (const result of results) {
      result.certified = null
      result.failures = 0
      result.notBefore = 0
      result.served.clear()
    }
    if (results.length > 0) onVoid(results)
    return false
  }

  async function deliver(certified: Certified, deliveries: number): Promise<void> {
    if (stopped || awaiting(certified).length === 0) return
    try {
      // Where the chain cannot be read, the contract judges.
      if (!(await stillStands(certified).catch(() => true))) return
      await Promise.all(awaiting(certified).map((result) => deliverOne(certified, result)))
    } catch (error) {
      warn(certified, "certificate was not delivered")(error)
    }
    const round = options.takeoverMs * seat.committee.n
    const pause = Math.min(round * 2 ** deliveries, LONGEST_PAUSE_MS)
    scheduler.after(pause, () => void deliver(certified, deliveries + 1))
  }

  async function deliverOne(certified: Certified, { result, requestId }: OpenResult): Promise<void> {
    const index = certified.batch.leaves.findIndex((leaf) => leaf.requestId === requestId)
    const certificate = certificateOf(seat, certified, index)
    await deps.deliver({
      kind: "group",
      result: resultToBody(result),
      certificate: certificateToBody(certificate),
    })
  }

  return {
    stillStands,
    certify(certified) {
      const results = certified.batch.leaves.flatMap(({ requestId }) => find(requestId) ?? [])
      const open = results.filter((result) => result.certified === null)
      const group: RankGroup | undefined = open[0]?.group
      if (stopped || group === undefined) return
      for (const result of open) result.certified = certified
      const wait = rankIn(group, seat.self) * options.takeoverMs
      if (wait === 0) void deliver(certified, 0)
      else scheduler.after(wait, () => void deliver(certified, 0))
    },
    verify(batch, { root, signers, r, s }) {
      if (batch.root !== root) return null
      const parties = partiesOfBitmap(signers, seat.committee.n)
      const signature = { r, s }
      return verifyGroupSignature(key, batchDigest(seat, batch, parties), signature)
        ? { batch, signers, parties, signature }
        : null
    },
    announce(certified) {
      const { batch, signers, signature } = certified
      const announcement = signAs<CertificateAnnouncement>(seat, {
        kind: "certificate-announcement",
        subjects: batch.leaves.map(({ requestId }) => requestId),
        root: batch.root,
        signers,
        ...signature,
      })
      gossip.publish(announcement).catch(warn(certified, "announcement failed"))
    },
    stop() {
      stopped = true
    },
  }
}
