/**
 * Certificates on their way to the chain (protocol §6.3): the first rank delivers at once, the next ones while the gateway
 * still waits for a result of the batch, each more and more seldom. A certificate that names a party without standing is
 * void on chain: it is given up, and another list signs.
 */
import { needsEvidence } from "@twinlock/sdk/protocol/certificate"
import { partiesOfBitmap, signersBitmap } from "@twinlock/sdk/protocol/committee"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { RequestId } from "@twinlock/sdk/protocol/ids"
import type { CertificateAnnouncement } from "@twinlock/sdk/protocol/messages"
import { groupKey, verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import { signAs } from "../seat.ts"
import { type Batch, batchDigest, type CertifiedBatch, type GroupCertified } from "./batch.ts"
import { plainBodies, policyBody, type Support } from "./deliverables.ts"
import { allowsEndorsed, type OpenResult, type RankGroup, rankIn } from "./openResult.ts"
import type { SigningDeps } from "./signing.ts"

export type Delivery = {
  /** Takes a certificate that holds, for those of its results that have none. */
  certify(certified: CertifiedBatch): void
  /** The certificate of an announcement over this node's own results, where it holds; else null. */
  verify(batch: Batch, announcement: CertificateAnnouncement): GroupCertified | null
  /** True while every party that it names stands; gives the certificate up where one does not. */
  stillStands(certified: CertifiedBatch): Promise<boolean>
  announce(certified: GroupCertified): void
  /** There is more of what a requester demands beside the group signature. */
  supported(batch: Batch): void
  stop(): void
}

export type DeliveryDeps = {
  readonly find: (request: RequestId) => OpenResult | undefined
  /** These results have no certificate any more and need another list. */
  readonly onVoid: (results: readonly OpenResult[]) => void
  /** The group signature over the batch is not on chain yet. */
  readonly onTurn: (certified: GroupCertified) => void
  /** Endorsements and quotes of a batch so far. */
  readonly supportOf: (batch: Batch) => Omit<Support, "live">
}

const LONGEST_PAUSE_MS = 60_000

export function createDelivery(
  deps: SigningDeps,
  { find, onVoid, onTurn, supportOf }: DeliveryDeps,
): Delivery {
  const { seat, gossip, standing, clock, scheduler, logger, options } = deps
  const key = groupKey(deps.publicKey)
  /** Certificates whose delivery is this node's turn, with the number of deliveries before. */
  const turns = new Map<CertifiedBatch, number>()
  let stopped = false

  const warn = (certified: CertifiedBatch, what: string) => (err: unknown) => {
    const code = isProtocolError(err) ? err.detail.code : "INTERNAL"
    logger.warn({ root: certified.batch.root, code, err }, what)
  }

  /** Results that the certificate serves and that the gateway still waits for. */
  const awaiting = (certified: CertifiedBatch): readonly OpenResult[] =>
    certified.batch.leaves.flatMap(({ requestId }) => {
      const result = find(requestId)
      return result?.certified === certified ? [result] : []
    })

  async function stillStands(certified: CertifiedBatch): Promise<boolean> {
    const live = await standing(certified.parties)
    const fallen = certified.parties.filter((party) => !live.has(party))
    const results = awaiting(certified)
    if (fallen.length === 0) return results.length > 0
    logger.warn({ root: certified.batch.root, fallen }, "a certified party has no standing: signing again")
    for (const result of results) {
      result.certified = null
      result.certifiedAt = null
      result.failures = 0
      result.notBefore = 0
      result.proposeAt = 0
      result.served.clear()
    }
    if (results.length > 0) onVoid(results)
    return false
  }

  async function deliver(certified: CertifiedBatch, deliveries: number): Promise<void> {
    if (stopped || awaiting(certified).length === 0) return void turns.delete(certified)
    turns.set(certified, deliveries)
    // What peers may have missed of the own support is said again, as seldom as deliveries are.
    if (certified.kind === "group") onTurn(certified)
    try {
      // Where the chain cannot be read, the contract judges.
      if (!(await stillStands(certified).catch(() => true))) return void turns.delete(certified)
      await Promise.all([
        ...plainBodies(seat, certified, awaiting(certified)).map(deps.deliver),
        deliverSupported(certified),
      ])
    } catch (error) {
      warn(certified, "certificate was not delivered")(error)
    }
    const round = options.takeoverMs * seat.committee.n
    const pause = Math.min(round * 2 ** deliveries, LONGEST_PAUSE_MS)
    scheduler.after(pause, () => void deliver(certified, deliveries + 1))
  }

  /** Results whose requesters demand more than the group signature, as far as it is there. */
  async function deliverSupported(certified: CertifiedBatch): Promise<void> {
    const demanding = awaiting(certified).filter(({ policy }) => needsEvidence(policy))
    if (certified.kind !== "group" || demanding.length === 0) return
    const { endorsed, quotes } = supportOf(certified.batch)
    const live = await standing([...new Set([...endorsed.parties, ...quotes.keys()])])
    const turn = turns.get(certified) ?? 0
    const bodies = demanding.map((open) =>
      policyBody(seat, certified, open, { endorsed, quotes, live }, turn),
    )
    await Promise.all(bodies.flatMap((body) => (body === null ? [] : [deps.deliver(body)])))
  }

  return {
    stillStands,
    certify(certified) {
      const results = certified.batch.leaves.flatMap(({ requestId }) => find(requestId) ?? [])
      // A quorum of endorsements serves those whose requesters take it for a certificate; the others wait for the group.
      const serves = (result: OpenResult) => certified.kind === "group" || allowsEndorsed(result)
      const open = results.filter((result) => result.certified === null && serves(result))
      const group: RankGroup | undefined = open[0]?.group
      if (stopped || group === undefined) return
      for (const result of open) {
        result.certified = certified
        result.certifiedAt = clock.now()
      }
      const wait = rankIn(group, seat.self) * options.takeoverMs
      if (wait === 0) void deliver(certified, 0)
      else scheduler.after(wait, () => void deliver(certified, 0))
    },
    supported(batch) {
      const certified = [...turns.keys()].find(
        (other) => other.batch.root === batch.root && awaiting(other).length > 0,
      )
      if (certified !== undefined)
        deliverSupported(certified).catch(warn(certified, "certificate was not delivered"))
    },
    verify(batch, { root, signers, r, s }) {
      if (batch.root !== root) return null
      const parties = partiesOfBitmap(signers, seat.committee.n)
      const signature = { r, s }
      return verifyGroupSignature(key, batchDigest(seat, batch, parties), signature, deps.curve)
        ? { kind: "group", batch, parties, signature }
        : null
    },
    announce(certified) {
      const { batch, parties, signature } = certified
      const announcement = signAs<CertificateAnnouncement>(seat, {
        kind: "certificate-announcement",
        subjects: batch.leaves.map(({ requestId }) => requestId),
        root: batch.root,
        signers: signersBitmap(parties),
        ...signature,
      })
      gossip.publish(announcement).catch(warn(certified, "announcement failed"))
    },
    stop() {
      stopped = true
    },
  }
}
