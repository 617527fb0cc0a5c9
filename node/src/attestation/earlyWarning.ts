/**
 * Tells the operator, long before it happens, that this machine will fall out (docs/attestation.md §7): judges a quote of
 * its own under every TCB set that Intel serves, from time to time, and says the days that are left as figures, as log
 * lines and to `twinlock-node attest status`.
 */
import type { QuoteVerifier } from "@twinlock/sdk/attestation/underRoot"
import type { CollateralTerms, VerifiedCollateral } from "@twinlock/sdk/attestation/verifiedCollateral"
import { checkCollateral } from "@twinlock/sdk/attestation/verifiedCollateral"
import { concatBytes, fromHex, taggedHash } from "@twinlock/sdk/protocol/codec"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Scheduler } from "../clock.ts"
import { repeat } from "../repeat.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import { type CollateralSource, withinFloors } from "./collateralSource.ts"
import { type EvaluationNumber, verifyEvaluationNumbers } from "./evaluationNumbers.ts"
import { HORIZONS, type Outlook, outlook, type SetVerdict } from "./outlook.ts"
import type { CollateralPlatform, SignedDocument, TcbSet } from "./pccs.ts"
import { platformOf } from "./quotePlatform.ts"
import type { Quoter } from "./quoter.ts"

export type EarlyWarningOptions = {
  readonly lookMs?: number
  /** Pause after a look that failed. */
  readonly retryMs?: number
}

export type EarlyWarningDeps = {
  readonly quoter: Pick<Quoter, "quote">
  readonly verifier: Pick<QuoteVerifier, "verify">
  readonly collateral: CollateralSource
  /** Intel's list, from each service in order of preference. */
  readonly numbers: readonly (() => Promise<SignedDocument>)[]
  /** Chain time and the registry's floors. */
  readonly terms: () => Promise<CollateralTerms>
  /** End of the own standing, unix seconds; null where the node is not registered. */
  readonly standingUntil: () => Promise<number | null>
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly metrics: Metrics | null
}

export type EarlyWarningReport = {
  /** Chain time, unix seconds. */
  readonly time: number
  readonly platform: CollateralPlatform
  readonly standard: SetVerdict
  readonly newer: readonly SetVerdict[]
  /** The nearest danger first. */
  readonly outlook: readonly Outlook[]
}

export type EarlyWarning = {
  start(): Promise<void>
  stop(): Promise<void>
  /** One look. Throws what made it fail. */
  look(): Promise<EarlyWarningReport>
  /** The newest report, and why the last look failed if it did. */
  latest(): { readonly report: EarlyWarningReport | null; readonly failure: string | null }
}

const HOUR = 3_600_000
const NO_FLOORS = { tcb: 0, qe: 0 }

/** Other software may quote too; this one is for nobody else's eyes and binds nothing. */
const REPORT_DATA = concatBytes(fromHex(taggedHash("twinlock/self-check/v1")), new Uint8Array(32))

export function createEarlyWarning(options: EarlyWarningOptions, deps: EarlyWarningDeps): EarlyWarning {
  const { lookMs = 6 * HOUR, retryMs = HOUR / 6 } = options
  const { quoter, verifier, collateral, scheduler, logger, metrics } = deps
  const days = metrics?.gauge({
    name: "fallout_days",
    help: "Days until this node falls out, by horizon; +Inf where nothing known leads there, NaN while not known",
    labels: ["horizon"],
  })
  const looks = metrics?.counter({
    name: "fallout_looks_total",
    help: "Looks at what is coming",
    labels: ["outcome"],
  })
  let report: EarlyWarningReport | null = null
  let failure: string | null = null

  function verdictOf(quote: Uint8Array, set: VerifiedCollateral, time: number): SetVerdict {
    const number = set.tcbInfo.evaluationNumber
    try {
      const verified = verifier.verify(quote, { collateral: set, time, floors: NO_FLOORS })
      return { number, status: verified.status, code: null, advisories: verified.advisories }
    } catch (error) {
      if (!isProtocolError(error)) throw error
      return { number, status: null, code: error.detail.code, advisories: [] }
    }
  }

  /** From the first service that gives a good one. */
  async function listedNumbers(
    standard: VerifiedCollateral,
    time: number,
  ): Promise<readonly EvaluationNumber[]> {
    for (const fetchList of deps.numbers)
      try {
        return verifyEvaluationNumbers(await fetchList(), standard.tcbSigner.signer, time)
      } catch (error) {
        if (!isProtocolError(error)) throw error
        logger.info({ reason: error.message }, "a service gives no list of TCB sets")
      }
    return []
  }

  /** Null where no service gives it. */
  async function setOf(
    platform: CollateralPlatform,
    set: TcbSet,
    time: number,
  ): Promise<VerifiedCollateral | null> {
    try {
      return await collateral.collateralFor(platform, { time, floors: NO_FLOORS }, set)
    } catch (error) {
      if (!isProtocolError(error)) throw error
      logger.info({ set, reason: error.message }, "a TCB set is not available")
      return null
    }
  }

  /** Every set above the standard one that some service gives; without a list at least the early one. */
  async function newerSets(
    platform: CollateralPlatform,
    standard: VerifiedCollateral,
    numbers: readonly EvaluationNumber[],
    time: number,
  ) {
    const known = standard.tcbInfo.evaluationNumber
    const listed = numbers.map(({ number }) => number).filter((number) => number > known)
    const found = new Map<number, VerifiedCollateral>()
    const early = await setOf(platform, "early", time)
    const named = await Promise.all(listed.map((number) => setOf(platform, number, time)))
    for (const set of [early, ...named])
      if (set !== null && set.tcbInfo.evaluationNumber > known) found.set(set.tcbInfo.evaluationNumber, set)
    return {
      newestKnown: early !== null || numbers.length > 0,
      sets: [...found].sort(([one], [other]) => one - other).map(([, set]) => set),
    }
  }

  async function look(): Promise<EarlyWarningReport> {
    const { quote } = await quoter.quote(REPORT_DATA)
    const platform = platformOf(quote)
    const terms = await deps.terms()
    const { time } = terms
    const standard = await withinFloors(collateral, platform, terms)
    const numbers = await listedNumbers(standard, time)
    const { newestKnown, sets } = await newerSets(platform, standard, numbers, time)
    const newer = sets.map((set) => verdictOf(quote, set, time))
    const verdict = verdictOf(quote, standard, time)
    return {
      ...{ time, platform, standard: verdict, newer },
      outlook: outlook({
        ...{ time, standard: verdict, newer, numbers, newestKnown },
        collateralUntil: checkCollateral(standard, { time, floors: NO_FLOORS }),
        standingUntil: await deps.standingUntil(),
      }),
    }
  }

  function tell({ outlook: items, platform }: EarlyWarningReport): void {
    for (const { horizon, days: left, reason, warn } of items) {
      days?.set(left ?? (warn ? Number.NaN : Number.POSITIVE_INFINITY), { horizon })
      if (warn)
        logger.warn(
          { horizon, days: left === null ? null : Math.floor(left), reason, fmspc: platform.fmspc },
          left === null ? "the outlook of this node is not complete" : "this node falls out soon",
        )
    }
  }

  async function lookAndTell(): Promise<EarlyWarningReport> {
    try {
      const seen = await look()
      report = seen
      failure = null
      looks?.add({ outcome: "good" })
      tell(seen)
      return seen
    } catch (error) {
      failure = error instanceof Error ? error.message : "unknown failure"
      looks?.add({ outcome: "failed" })
      // The days of the last report would stand still, and look as good as they were then.
      for (const horizon of HORIZONS) days?.set(Number.NaN, { horizon })
      throw error
    }
  }

  const repetition = repeat(scheduler, lookAndTell, {
    pause: (failures) => (failures === 0 ? lookMs : retryMs),
    onError: (error) => logger.warn({ err: error }, "the outlook of this node cannot be read"),
  })

  return {
    look: lookAndTell,
    latest: () => ({ report, failure }),
    async start() {
      repetition.start()
    },
    async stop() {
      repetition.stop()
    },
  }
}
