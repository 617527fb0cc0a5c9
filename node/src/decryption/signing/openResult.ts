/** An opened result on its way to a certificate (protocol §6.3), and the rank group that it belongs to. */
import { type AcceptancePolicy, needsEvidence } from "@twinlock/sdk/protocol/certificate"
import type { Digest, PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import { type Batch, batchOf, type CertifiedBatch, type Leaf } from "./batch.ts"

export type OpenResult = Leaf & {
  readonly group: RankGroup
  /** What the requester demands before the result counts. */
  readonly policy: AcceptancePolicy
  /** Milliseconds; ranks are staggered from here. A node that restarts opens again, and counts again. */
  readonly openedAt: number
  /** Lists served per aggregator since a time. */
  readonly served: Map<PartyIndex, { readonly since: number; readonly count: number }>
  /** Results in its next own batch at most: half of what failed with it, so that one bad result ends up alone. */
  together: number
  /** It was in a batch that failed: what is new does not wait for it. */
  suspect: boolean
  /** Own batches in a row that failed with it alone: they space out the next ones. */
  failures: number
  /** In no own batch before this time. */
  notBefore: number
  /** In an own batch now. */
  busy: boolean
  /** Own proposals to endorse it, and when the next one is due: milliseconds. */
  proposals: number
  proposeAt: number
  certified: CertifiedBatch | null
  /** Milliseconds; of the certificate that it has. */
  certifiedAt: number | null
}

/** Results whose requests lie in one host block: they have the same aggregator. */
export type RankGroup = {
  readonly blockHash: Digest
  readonly ranks: ReadonlyMap<PartyIndex, number>
  readonly results: Map<RequestId, OpenResult>
}

/** True where a quorum of seats may stand in for the group signature. */
export const allowsEndorsed = ({ policy }: OpenResult): boolean => !policy.groupOnly && !needsEvidence(policy)

/**
 * True where results may be signed together. Endorsements and quotes are over a batch: who demands them gets a batch of its
 * own, which every node that knows the result can name, whatever became of other results and however often it was signed.
 */
export const mayShare = (results: readonly OpenResult[]): boolean =>
  results.length === 1 || !results.some(({ policy }) => needsEvidence(policy))

export const rankIn = ({ ranks }: RankGroup, party: PartyIndex): number => ranks.get(party) ?? ranks.size

/** The batch that a message names, where all of its results are open here; else the first subject that is not. */
export function namedBatch(
  find: (request: RequestId) => OpenResult | undefined,
  { subjects }: { readonly subjects: readonly RequestId[] },
): Batch | RequestId {
  const results: OpenResult[] = []
  for (const subject of subjects) {
    const result = find(subject)
    if (result === undefined) return subject
    results.push(result)
  }
  return batchOf(results)
}
