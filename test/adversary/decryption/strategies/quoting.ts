/** Lies in fresh quotes (protocol §7). Quotes are public evidence that a contract judges: nobody is named for a bad one. */
import { signAs } from "@twinlock/node/decryption/seat"
import { encodeQuoteEvidence } from "@twinlock/node/decryption/signing/quoteEvidence"
import type { QuoteEvidence } from "@twinlock/sdk/protocol/certificate"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { quorum } from "@twinlock/sdk/protocol/committee"
import type { FreshQuote } from "@twinlock/sdk/protocol/messages"
import type { Traitor } from "../../../support/decryptionNetwork.ts"
import { seededRng } from "../../../support/seededRng.ts"
import { machineOf, quoteOf, reportDataOf } from "../../../support/testEnclaves.ts"
import { type Arena, deliveredIn, resigned, type Size, type Strategy } from "../arena.ts"
import { batchIn, changing } from "./means.ts"

const quotes =
  (count: (size: Size) => number): NonNullable<Strategy["demands"]> =>
  (size) => ({ endorsements: 0, freshQuotes: count(size), groupOnly: true })
const one = quotes(() => 1)
/** More than traitors could bring, and all that honest parties can. */
const most = quotes(quorum)

const reportData = (arena: Arena, { party }: Traitor): Uint8Array => {
  const { root, leaves } = batchIn(arena)
  return reportDataOf(party, { root, leaves: leaves.length })
}

/** Quotes of traitors were looked at and refused, and those of others came. */
const wereRefused = (arena: Arena): boolean =>
  arena.traitors.some((party) => arena.refusedQuotes.has(party)) && cameQuoted(arena)
const cameQuoted = (arena: Arena): boolean => deliveredIn(arena).some(({ kind }) => kind === "policy")

const lie = (
  name: string,
  tries: string,
  demands: NonNullable<Strategy["demands"]>,
  change: (traitor: Traitor, arena: Arena) => QuoteEvidence,
): Strategy => ({
  ...{ name, tries, demands },
  blamed: "nowhere",
  says: changing("fresh-quote", (message, traitor, arena) => [
    resigned<FreshQuote>(traitor.seat, message, { evidence: encodeQuoteEvidence(change(traitor, arena)) }),
  ]),
  bites: wereRefused,
})

/** Said as soon as the traitor knows the result, before there is anything to quote for. */
const early = (
  name: string,
  tries: string,
  demands: NonNullable<Strategy["demands"]>,
  evidence: (traitor: Traitor, arena: Arena, step: number) => Uint8Array,
  bites: NonNullable<Strategy["bites"]>,
): Strategy => ({
  ...{ name, tries, demands, bites },
  blamed: "nowhere",
  async acts(traitor, arena, step) {
    if (step > 10) return
    const { leaves, root } = batchIn(arena)
    await traitor.gossip.publish(
      signAs<FreshQuote>(traitor.seat, {
        ...{ kind: "fresh-quote", root },
        subjects: leaves.map(({ requestId }) => requestId),
        evidence: evidence(traitor, arena, step),
      }),
    )
  },
})

const madeUp = (traitor: Traitor, arena: Arena) => quoteOf("nobody's machine", reportData(arena, traitor))

export const quoting: readonly Strategy[] = [
  lie("made-up-quote", "the right report data, quoted by no enclave; one is wanted", one, madeUp),
  lie("made-up-quotes", "the same, where all honest quotes are wanted", most, madeUp),
  lie("quote-of-another-machine", "a good quote of a machine that is not the seat's", one, (traitor, arena) =>
    quoteOf(`spare machine of party ${traitor.party}`, reportData(arena, traitor)),
  ),
  lie("quote-of-another-batch", "its own enclave's quote for another batch", most, ({ party }) =>
    quoteOf(machineOf(party), reportDataOf(party, { root: taggedHash("another batch"), leaves: 1 })),
  ),
  {
    name: "stolen-quote",
    tries: "the quote of an honest party as its own",
    blamed: "nowhere",
    demands: most,
    async acts({ seat, gossip }, { spoken }) {
      const heard = spoken.flatMap(({ message }) => (message.kind === "fresh-quote" ? [message] : []))
      for (const { subjects, root, evidence } of heard.slice(0, 1))
        await gossip.publish(signAs<FreshQuote>(seat, { kind: "fresh-quote", subjects, root, evidence }))
    },
    says: changing("fresh-quote", () => []),
    bites: cameQuoted,
  },
  {
    name: "keeps-its-quote",
    tries: "signs with the others and quotes nothing, where all honest quotes are wanted",
    blamed: "nowhere",
    demands: most,
    says: changing("fresh-quote", () => []),
    bites: cameQuoted,
  },
  early(
    "made-up-quote-before-the-certificate",
    "made-up quotes, heard before there is a certificate; one is wanted",
    one,
    (traitor, arena) => encodeQuoteEvidence(madeUp(traitor, arena)),
    wereRefused,
  ),
  early(
    "quote-before-the-certificate",
    "its own enclave's good quote, before anybody else can have signed",
    most,
    (traitor, arena) => encodeQuoteEvidence(quoteOf(machineOf(traitor.party), reportData(arena, traitor))),
    cameQuoted,
  ),
  early(
    "another-made-up-quote-each-time",
    "another made-up quote in every step",
    one,
    (traitor, arena, step) =>
      encodeQuoteEvidence(quoteOf(`machine ${step} of nobody`, reportData(arena, traitor))),
    wereRefused,
  ),
  early(
    "malformed-quote",
    "bytes that are no evidence",
    one,
    ({ party }, _, step) => seededRng(`quote/${party}/${step}`)(1 + 100 * step),
    cameQuoted,
  ),
]
