/**
 * Fresh quotes over batches (protocol §7, `FreshQuote`): where a requester demands them, the first ranks ask their enclaves
 * for a quote that binds the batch, and later ranks when those do not come. Evidence is public; the contract judges it.
 */
import type { QuoteEvidence } from "@twinlock/sdk/protocol/certificate"
import { concatBytes, fromHex } from "@twinlock/sdk/protocol/codec"
import { signerOf } from "@twinlock/sdk/protocol/committee"
import { freshQuoteBinding } from "@twinlock/sdk/protocol/freshQuote"
import type { Address, Digest, PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import type { FreshQuote } from "@twinlock/sdk/protocol/messages"
import { signAs } from "../seat.ts"
import { type Batch, batchOf, MAX_LEAVES } from "./batch.ts"
import type { Conduct } from "./conduct.ts"
import { type OpenResult, rankIn } from "./openResult.ts"
import { decodeQuoteEvidence, encodeQuoteEvidence } from "./quoteEvidence.ts"
import type { SigningDeps } from "./signing.ts"
import { createWaitingRoom } from "./waitingRoom.ts"

/** The own enclave as a source of quotes, and what this node can tell about those of others. */
export type Quotes = {
  /** @param reportData 64 bytes. @throws AGENT_*, QUOTE_* */
  quoteOver(reportData: Uint8Array): Promise<QuoteEvidence>
  /** False where the contract would surely refuse the evidence for this seat. */
  judge(signer: Address, reportData: Uint8Array, evidence: QuoteEvidence): Promise<boolean>
}

export type Quoting = {
  take(message: FreshQuote): void
  opened(result: OpenResult): void
  /** The batch has a group signature: quotes it, or says so again, where a requester demands that. */
  support(batch: Batch): void
  quotes(batch: Batch): ReadonlyMap<PartyIndex, QuoteEvidence>
  forget(batch: Batch): void
  stop(): void
}

export type QuotingDeps = {
  readonly find: (request: RequestId) => OpenResult | undefined
  readonly conduct: Conduct
  /** One more quote for a batch. */
  readonly onSupport: (batch: Batch) => void
}

/** Batches for which quotes of others are kept; the oldest go first. */
const KEPT = 256

export function createQuoting(deps: SigningDeps, { find, conduct, onSupport }: QuotingDeps): Quoting {
  const { seat, quotes, gossip, clock, scheduler, logger, options } = deps
  const known = new Map<Digest, Map<PartyIndex, QuoteEvidence>>()
  const waiting = createWaitingRoom<FreshQuote>(clock, options.servePeriodMs, 4)
  let stopped = false

  const pageOf = ({ root }: Batch): ReadonlyMap<PartyIndex, QuoteEvidence> => known.get(root) ?? new Map()
  const openOf = (batch: Batch) => batch.leaves.flatMap(({ requestId }) => find(requestId) ?? [])
  const wanted = (results: readonly OpenResult[]) =>
    Math.max(0, ...results.map(({ policy }) => policy.freshQuotes))

  function keep(batch: Batch, party: PartyIndex, evidence: QuoteEvidence): void {
    known.set(batch.root, new Map(pageOf(batch)).set(party, evidence))
    const [oldest] = known.keys()
    if (known.size > KEPT && oldest !== undefined) known.delete(oldest)
    onSupport(batch)
  }

  /** Report data of a party's quote over the batch: 64 bytes. */
  function reportData(batch: Batch, party: PartyIndex): Uint8Array {
    const { key, signing } = seat
    const binding = freshQuoteBinding({
      chainId: signing.chainId,
      verifier: signing.verifyingContract,
      keyId: key.keyId,
      epoch: key.epoch,
      party,
      root: batch.root,
      leaves: batch.leaves.length,
    })
    return concatBytes(fromHex(binding), new Uint8Array(32))
  }

  async function quote(batch: Batch): Promise<void> {
    if (quotes === null || quotes === undefined || stopped) return
    const made = pageOf(batch).get(seat.self)
    if (made === undefined && pageOf(batch).size >= wanted(openOf(batch))) return
    const evidence = made ?? (await quotes.quoteOver(reportData(batch, seat.self)))
    if (made === undefined) keep(batch, seat.self, evidence)
    await gossip.publish(
      signAs<FreshQuote>(seat, {
        kind: "fresh-quote",
        subjects: batch.leaves.map(({ requestId }) => requestId),
        root: batch.root,
        evidence: encodeQuoteEvidence(evidence),
      }),
    )
  }

  const quoteSoon = (batch: Batch) =>
    void quote(batch).catch((err: unknown) => logger.warn({ err, root: batch.root }, "no quote over a batch"))

  async function look(message: FreshQuote, since: number): Promise<void> {
    const { party } = message
    if (stopped || conduct.isCaught(party) || message.subjects.length > MAX_LEAVES) return
    const results: OpenResult[] = []
    for (const subject of message.subjects) {
      const result = find(subject)
      if (result === undefined) return waiting.keep(subject, message, since)
      results.push(result)
    }
    // Only what a requester asked for is kept: evidence is large.
    if (wanted(results) === 0) return
    const batch = batchOf(results)
    if (batch.root !== message.root || pageOf(batch).has(party)) return
    const evidence = decodeQuoteEvidence(message.evidence)
    const signer = signerOf(seat.committee, party)
    if (await quotes?.judge(signer, reportData(batch, party), evidence)) keep(batch, party, evidence)
  }

  const lookSoon = (message: FreshQuote, since = clock.now()) =>
    void look(message, since).catch((err: unknown) => logger.warn({ err }, "fresh quote not judged"))

  return {
    take: (message) => lookSoon(message),
    opened({ requestId }) {
      for (const { message, since } of waiting.take(requestId)) lookSoon(message, since)
    },
    support(batch) {
      const results = openOf(batch)
      const [first] = results
      const count = wanted(results)
      if (first === undefined || count === 0) return
      const late = rankIn(first.group, seat.self) - count + 1
      if (late <= 0) quoteSoon(batch)
      else scheduler.after(late * options.takeoverMs, () => quoteSoon(batch))
    },
    quotes: pageOf,
    forget: ({ root }) => void known.delete(root),
    stop() {
      stopped = true
    },
  }
}
