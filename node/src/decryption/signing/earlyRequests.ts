/** Signing requests for results that this node has not opened yet: the newest few of each aggregator. */
import type { PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import type { SigningRequest } from "@twinlock/sdk/protocol/messages"

export type EarlyRequests = {
  keep(request: SigningRequest): void
  /** Those whose first subject is the request; they are forgotten here. */
  take(subject: RequestId): readonly SigningRequest[]
}

/** @param perParty results for which an aggregator's newest request is kept; the oldest go first. */
export function createEarlyRequests(perParty = 64): EarlyRequests {
  const kept = new Map<PartyIndex, Map<RequestId, SigningRequest>>()
  return {
    keep(request) {
      const [first] = request.subjects
      if (first === undefined) return
      const own = kept.get(request.party) ?? new Map<RequestId, SigningRequest>()
      kept.set(request.party, own)
      own.delete(first)
      own.set(first, request)
      const [oldest] = own.keys()
      if (own.size > perParty && oldest !== undefined) own.delete(oldest)
    },
    take: (subject) =>
      [...kept.values()].flatMap((own) => {
        const request = own.get(subject)
        own.delete(subject)
        return request === undefined ? [] : [request]
      }),
  }
}
