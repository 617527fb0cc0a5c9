import { createCvm } from "@twinlock/devnet/agent/cvm"
import { signEvaluationNumbers } from "@twinlock/devnet/agent/evaluationNumbers"
import { devnetCompose } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { type RunningPccs, startPccs } from "@twinlock/devnet/agent/pccs"
import type { CollateralKnobs } from "@twinlock/devnet/platform/collateral"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { parseRootKey } from "@twinlock/sdk/attestation/chain"
import { quoteVerifierUnder } from "@twinlock/sdk/attestation/underRoot"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { afterEach, describe, expect, test } from "vitest"
import { createManualClock } from "../clock.ts"
import { type Fields, type Logger, silentLogger } from "../telemetry/logger.ts"
import { createMetrics } from "../telemetry/metrics.ts"
import { createCollateralSource } from "./collateralSource.ts"
import { createEarlyWarning, type EarlyWarningReport } from "./earlyWarning.ts"
import { fetchEvaluationNumbers, type SignedDocument } from "./pccs.ts"

const NOW = 1_791_158_400
const DAY = 86_400
const platform = createPlatform({ seed: "early warning", now: NOW })
const verifier = quoteVerifierUnder(parseRootKey(platform.root.key.publicKey))
const cvm = createCvm({
  platform,
  machine: "alice",
  role: "keyholder",
  compose: devnetCompose("keyholder"),
  keys: createKeyService("early warning"),
})

/** The next set: module 1 needs SVN 12, which this machine does not have. */
const NEXT: CollateralKnobs = {
  evaluationNumber: 21,
  modules: [
    {
      id: "TDX_01",
      levels: [
        { isvSvn: 12, status: "UpToDate" },
        { isvSvn: 11, status: "OutOfDate", advisories: ["INTEL-SA-01999"] },
      ],
    },
  ],
}

type World = {
  readonly served: {
    early: CollateralKnobs | null
    numbers: boolean
    down: boolean
    /** The first service's list, where it is another than that of the second. */
    first: SignedDocument | null
  }
  readonly pccs: RunningPccs
}
const running: RunningPccs[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((pccs) => pccs.stop()))
})

async function world(recoveryEvent = NOW - 345 * DAY) {
  const served: World["served"] = { early: NEXT, numbers: true, down: false, first: null }
  const numbers = signEvaluationNumbers(platform, [
    { number: 21, recoveryEvent },
    { number: 20, recoveryEvent: NOW - 400 * DAY },
  ])
  const pccs = await startPccs({
    host: "127.0.0.1",
    port: 0,
    collateral: (set) => {
      if (served.down) return null
      if (set === "standard" || set === 20) return platform.collateral()
      return set === "early" || set === 21 ? served.early && platform.collateral(served.early) : null
    },
    evaluationNumbers: () => (served.numbers ? numbers : null),
  })
  running.push(pccs)
  const clock = createManualClock()
  const metrics = createMetrics()
  const warned: Fields[] = []
  const logger: Logger = { ...silentLogger, warn: (fields) => void warned.push(fields) }
  let time = NOW
  const warning = createEarlyWarning(
    { lookMs: 1_000, retryMs: 100 },
    {
      quoter: {
        quote: async (data) => ({ quote: cvm.quote(data), eventLog: "[]", configDocument: new Uint8Array() }),
      },
      verifier,
      collateral: createCollateralSource({ urls: [pccs.url] }, { clock, verifier, metrics: null }),
      numbers: [
        async () => served.first ?? fetchEvaluationNumbers({ url: pccs.url, timeoutMs: 2_000 }),
        () => fetchEvaluationNumbers({ url: pccs.url, timeoutMs: 2_000 }),
      ],
      terms: async () => ({ time, floors: { tcb: 20, qe: 20 } }),
      standingUntil: async () => NOW + 5 * DAY,
      ...{ scheduler: clock, logger, metrics },
    },
  )
  const after = (days: number): void => {
    time = NOW + days * DAY
    clock.advance(days * DAY * 1_000)
  }
  return { served, warning, clock, metrics, warned, after }
}

const daysOf = ({ outlook }: EarlyWarningReport) =>
  Object.fromEntries(outlook.map(({ horizon, days }) => [horizon, days]))

describe("early warning, end to end over the collateral service", () => {
  test("a machine that the next set will refuse is told when that becomes the standard", async () => {
    const { warning, metrics, warned } = await world()
    const report = await warning.look()
    expect(report.standard).toMatchObject({ number: 20, status: "UpToDate" })
    expect(report.newer).toEqual([
      { number: 21, status: "OutOfDate", code: null, advisories: ["INTEL-SA-01999"] },
    ])
    expect(daysOf(report)).toEqual({ early: 0, standing: 5, standard: 20, collateral: 30 })
    expect(warned.map(({ horizon, days }) => [horizon, days])).toEqual([
      ["early", 0],
      ["standard", 20],
    ])
    const text = await metrics.text()
    expect(text).toContain('twinlock_fallout_days{horizon="standard"} 20')
    expect(text).toContain('twinlock_fallout_days{horizon="early"} 0')
    expect(warning.latest()).toEqual({ report, failure: null })
  })

  test("a machine that is ready for the next set is told nothing", async () => {
    const { warning, metrics, warned, served } = await world()
    served.early = { evaluationNumber: 21 }
    expect(daysOf(await warning.look())).toEqual({ standing: 5, collateral: 30, early: null, standard: null })
    expect(warned).toEqual([])
    expect(await metrics.text()).toContain('twinlock_fallout_days{horizon="early"} +Inf')
  })

  test("a set that Intel lists and no service gives is warned of as not checked, with its date", async () => {
    const { warning, served, warned, metrics } = await world()
    served.early = null
    const report = await warning.look()
    expect(report.newer).toEqual([])
    expect(report.outlook.filter(({ warn }) => warn)).toEqual([
      expect.objectContaining({
        horizon: "standard",
        days: 20,
        reason: expect.stringContaining("not checked"),
      }),
      expect.objectContaining({
        horizon: "early",
        days: null,
        reason: expect.stringContaining("not checked"),
      }),
    ])
    expect(warned.map(({ horizon, days }) => [horizon, days])).toEqual([
      ["standard", 20],
      ["early", null],
    ])
    expect(await metrics.text()).toContain('twinlock_fallout_days{horizon="early"} Nan')
  })

  test("a list that is not Intel's is passed over for the next service's", async () => {
    const { warning, served } = await world()
    served.first = signEvaluationNumbers(createPlatform({ seed: "foreign", now: NOW }), [])
    expect(daysOf(await warning.look())["standard"]).toBe(20)
  })

  test("with neither list nor early set it says that it does not know", async () => {
    const { warning, served } = await world()
    served.early = null
    served.numbers = false
    const { outlook } = await warning.look()
    expect(outlook.find(({ horizon }) => horizon === "early")).toMatchObject({ days: null, warn: true })
  })

  test("without Intel's list the early set is still seen, and warned of at once", async () => {
    const { warning, served } = await world()
    served.numbers = false
    const report = await warning.look()
    expect(report.newer.map(({ number }) => number)).toEqual([21])
    expect(daysOf(report)["standard"]).toBe(0)
  })

  test("the days go down as time passes, and collateral that is not renewed is named", async () => {
    const { warning, after } = await world()
    after(10)
    expect(daysOf(await warning.look())).toMatchObject({ standard: 10, collateral: 20, standing: 0 })
    after(25)
    expect((await warning.look()).outlook.find(({ horizon }) => horizon === "collateral")?.warn).toBe(true)
  })

  test("a look that fails says why, keeps the last report and is repeated soon", async () => {
    const { warning, served, clock, metrics } = await world()
    const report = await warning.look()
    served.down = true
    clock.advance(30 * DAY * 1_000)
    await expect(warning.look()).rejects.toThrow(ProtocolError)
    expect(warning.latest()).toMatchObject({ report, failure: expect.stringContaining("COLLATERAL_STALE") })
    const text = await metrics.text()
    expect(text).toContain('twinlock_fallout_looks_total{outcome="failed"} 1')
    for (const horizon of ["early", "standard", "collateral", "standing"])
      expect(text).toContain(`twinlock_fallout_days{horizon="${horizon}"} Nan`)
  })

  test("looks again after every pause until it is stopped", async () => {
    const { warning, clock } = await world()
    await warning.start()
    while (clock.pending().length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(clock.pending()).toEqual([clock.now() + 1_000])
    await warning.stop()
    expect(clock.pending()).toEqual([])
  })
})
