/**
 * Fresh quotes over batches (protocol §7, `FreshQuote`): where a requester demands them, the first ranks ask their enclaves
 * for a quote that binds the batch, and later ranks when those do not come. Evidence is public; the contract judges it.
 */
import type { QuoteEvidence } from "@twinlock/sdk/protocol/certificate"
import { concatBytes, fromHex } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { freshQuoteBinding } from "@twinlock/sdk/protocol/freshQuote"
import type { Digest, PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import type { FreshQuote } from "@twinlock/sdk/protocol/messages"
import { signAs } from "../seat.ts"
import { type Batch, type GroupCertified, MAX_LEAVES } from "./batch.ts"
import type { Conduct } from "./conduct.ts"
import { namedBatch, type OpenResult, rankIn } from "./openResult.ts"
import { decodeQuoteEvidence, encodeQuoteEvidence } from "./quoteEvidence.ts"
import type { SigningDeps } from "./signing.ts"
import { createWaitingRoom } from "./waitingRoom.ts"

/** The own enclave as a source of quotes, and what the contract says of those of others. */
export type Quotes = {
  /** @param reportData 64 bytes. @throws AGENT_*, QUOTE_* */
  quoteOver(reportData: Uint8Array): Promise<QuoteEvidence>
  /**
   * True where the contract takes the party's quote beside this group signature now.
   * @throws ChainErrorCode where that cannot be told
   */
  holds(certified: GroupCertified, party: PartyIndex, evidence: QuoteEvidence): Promise<boolean>
}

export type Quoting = {
  take(message: FreshQuote): void
  opened(result: OpenResult): void
  /** The batch has a group signature: quotes it, or says so again, where a requester demands that. */
  support(certified: GroupCertified): void
  /** Those that the contract takes. */
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

/** Batches for which quotes of one party are kept; its oldest go first. */
const KEPT = 64

/** `holds`: null until the contract was asked. */
type Held = { readonly evidence: QuoteEvidence; holds: boolean | null }

export function createQuoting(deps: SigningDeps, { find, conduct, onSupport }: QuotingDeps): Quoting {
  const { seat, quotes, gossip, clock, scheduler, logger, options } = deps
  /** By party, then by root: whoever floods pushes out only its own. */
  const shelves = new Map<PartyIndex, Map<Digest, Held>>()
  const signed = new Map<Digest, GroupCertified>()
  const waiting = createWaitingRoom<FreshQuote>(clock, options.servePeriodMs, 4)
  let stopped = false

  const heldOf = ({ root }: Batch, party: PartyIndex) => shelves.get(party)?.get(root)
  const openOf = (batch: Batch) => batch.leaves.flatMap(({ requestId }) => find(requestId) ?? [])
  const wanted = (results: readonly OpenResult[]) =>
    Math.max(0, ...results.map(({ policy }) => policy.freshQuotes))

  function genuine(batch: Batch): ReadonlyMap<PartyIndex, QuoteEvidence> {
    const held = [...shelves.keys()].map((party) => [party, heldOf(batch, party)] as const)
    return new Map(held.flatMap(([party, quote]) => (quote?.holds ? [[party, quote.evidence]] : [])))
  }

  function keep({ root }: Batch, party: PartyIndex, held: Held): void {
    const shelf = shelves.get(party) ?? new Map<Digest, Held>()
    shelves.set(party, shelf)
    shelf.set(root, held)
    const [oldest] = shelf.keys()
    if (shelf.size > KEPT && oldest !== undefined) shelf.delete(oldest)
  }

  /** Asks the contract about every quote of others: made-up ones must not stand in the way of real ones. */
  async function examine(certified: GroupCertified): Promise<void> {
    const { batch } = certified
    const before = genuine(batch).size
    for (const party of partyIndexes(seat.committee)) {
      const held = party === seat.self ? undefined : heldOf(batch, party)
      if (held === undefined || stopped) continue
      held.holds = (await quotes?.holds(certified, party, held.evidence)) ?? false
    }
    if (genuine(batch).size > before) onSupport(batch)
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
    const made = heldOf(batch, seat.self)
    if (made === undefined && genuine(batch).size >= wanted(openOf(batch))) return
    const evidence = made?.evidence ?? (await quotes.quoteOver(reportData(batch, seat.self)))
    if (made === undefined) {
      keep(batch, seat.self, { evidence, holds: true })
      onSupport(batch)
    }
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
    const batch = namedBatch(find, message)
    if (typeof batch === "string") return waiting.keep(batch, message, since)
    // Only what a requester asked for is kept: evidence is large.
    if (wanted(openOf(batch)) === 0) return
    if (batch.root !== message.root || heldOf(batch, party) !== undefined) return
    keep(batch, party, { evidence: decodeQuoteEvidence(message.evidence), holds: null })
    const certified = signed.get(batch.root)
    if (certified !== undefined) await examine(certified)
  }

  const lookSoon = (message: FreshQuote, since = clock.now()) =>
    void look(message, since).catch((err: unknown) => logger.warn({ err }, "fresh quote not judged"))

  return {
    take: (message) => lookSoon(message),
    opened({ requestId }) {
      for (const { message, since } of waiting.take(requestId)) lookSoon(message, since)
    },
    support(certified) {
      const { batch } = certified
      const results = openOf(batch)
      const [first] = results
      const count = wanted(results)
      if (first === undefined || count === 0) return
      signed.set(batch.root, certified)
      // Again each time: what the contract takes changes with its collateral.
      examine(certified).catch((err: unknown) =>
        logger.warn({ err, root: batch.root }, "fresh quotes could not be judged"),
      )
      const late = rankIn(first.group, seat.self) - count + 1
      if (late <= 0) quoteSoon(batch)
      else scheduler.after(late * options.takeoverMs, () => quoteSoon(batch))
    },
    quotes: genuine,
    forget({ root }) {
      signed.delete(root)
      for (const shelf of shelves.values()) shelf.delete(root)
    },
    stop() {
      stopped = true
    },
  }
}
