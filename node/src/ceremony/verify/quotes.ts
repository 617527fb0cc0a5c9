/**
 * Step "quotes": every party showed a quote of a genuine machine over its registration, judged with the collateral of the
 * time at which it was made. Public data.
 */
import type { ExplainOptions, Explanation } from "@twinlock/sdk/attestation/explain"
import { isoDate } from "@twinlock/sdk/attestation/explainFormat"
import type { ExplainPolicy } from "@twinlock/sdk/attestation/explainPolicy"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { signerOf } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, Digest, Hex } from "@twinlock/sdk/protocol/ids"
import { decodeChannelEvidence } from "../../attestation/channelEvidence.ts"
import { decodeStandingProof, standingReportData } from "../standingProof.ts"
import { ADMITTED, isTimely } from "../standingRule.ts"
import { refuse } from "./step.ts"
import type { Transcript } from "./transcript.ts"

export type StandingFacts = {
  /** TCB status by the collateral of that time. */
  readonly status: string
  /** Unix seconds. */
  readonly time: number
  readonly nodeRegistry: Address
  /** What ran, as an allow-list names it. */
  readonly code: Readonly<Record<"image" | "composeHash" | "provider", Digest | Hex>>
}

/** @throws where the evidence does not stand for `signer` at the time that it names */
export type StandingJudge = (transcript: Transcript, signer: Address, evidence: Uint8Array) => StandingFacts

/** What every registry demands. A reader's policy replaces members of it; what is revoked no policy can admit. */
const DEMANDED: ExplainPolicy = {
  statuses: ADMITTED.status.accepted,
  outOfDateGraceDays: ADMITTED.status.outOfDateGraceDays,
  tdAttributes: ADMITTED.tdAttributes,
  xfam: ADMITTED.xfam,
  ownerZero: true,
}

/** Whoever makes it brings the root of trust, in `explain`. @param policy what a reader wants of every machine */
export const createStandingJudge =
  (
    explain: (quote: Uint8Array, options: ExplainOptions) => Explanation,
    policy: ExplainPolicy = {},
  ): StandingJudge =>
  ({ bundle }, signer, bytes) => {
    const proof = decodeStandingProof(bytes)
    const { quote, eventLog, configDocument } = decodeChannelEvidence(proof.evidence)
    const reportData = toHex(standingReportData(proof, signer, bundle.signing))
    const { failure, status, ...found } = explain(quote, {
      collateral: proof.collateral,
      time: proof.time,
      policy: { ...DEMANDED, ...policy, reportData },
      eventLog,
      ...(configDocument.length > 0 && { configDocument }),
    })
    if (failure !== null || status === null || found.quote === null || found.boot === null)
      throw new ProtocolError({
        code: failure?.code ?? "QUOTE_LENGTH",
        message: failure?.reason ?? "the quote is not genuine",
      })
    const { composeHash, providerId: provider } = found.boot
    const code = { image: found.quote.imageId, composeHash, provider }
    return { status, time: proof.time, nodeRegistry: proof.nodeRegistry, code }
  }

const describeCode = ({ image, composeHash, provider }: StandingFacts["code"]): string =>
  `image ${image}, compose file ${composeHash}, key provider ${provider}`

export function checkQuotes(transcript: Transcript, judge: StandingJudge): string {
  const { bundle, attempt, broadcasts } = transcript
  const deadline = Number(bundle.proposal.deadline)
  const facts = [...broadcasts("standing")].map(([party, evidence]) => {
    try {
      return judge(transcript, signerOf(attempt.committee, party), evidence)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      throw new ProtocolError(
        { code: error.detail.code, message: `party ${party}: ${error.detail.message}` },
        { cause: error },
      )
    }
  })
  const times = facts.map(({ time }) => time)
  const [first, last] = [Math.min(...times), Math.max(...times)]
  if (!times.every((time) => isTimely(time, deadline)))
    throw refuse(
      `quotes of ${isoDate(first)} to ${isoDate(last)} were not made for a proposal until ${isoDate(deadline)}`,
    )
  const registries = new Set(facts.map(({ nodeRegistry }) => nodeRegistry))
  if (registries.size !== 1) throw refuse("the parties were registered with different registries")
  const statuses = [...new Set(facts.map(({ status }) => status))].join(", ")
  const codes = [...new Set(facts.map(({ code }) => describeCode(code)))].join("; ")
  return `${facts.length} genuine machines (${statuses}), quoted ${isoDate(first)}, registry ${[...registries][0]}; ${codes}`
}
