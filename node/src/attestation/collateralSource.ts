/**
 * Where a node takes collateral from: several services in order, with a cache. What a service serves is verified
 * before it is kept, so that one that is behind, broken or lying only costs the way to the next one. What is kept is
 * verified collateral: a quote then costs its own signatures alone.
 *
 * A kept bundle is fetched again when it is old. It serves meanwhile, where every service is out or slow, up to a maximum
 * age and never beyond what its own dates and the caller's floors allow; an older one never takes its place. Age is
 * counted by the machine's clock and by chain time, and the greater one counts: the host owns the machine's clock, and
 * must not keep a list of revocations young by stopping it.
 */
import { sameBytes } from "@twinlock/sdk/attestation/certificate"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import type { QuoteVerifier } from "@twinlock/sdk/attestation/underRoot"
import {
  type CollateralTerms,
  checkCollateral,
  type VerifiedCollateral,
} from "@twinlock/sdk/attestation/verifiedCollateral"
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Clock, type Scheduler, systemScheduler } from "../clock.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import { type CollateralPlatform, fetchCollateral, type PccsOptions, type TcbSet } from "./pccs.ts"

export type { CollateralPlatform, PckAuthority } from "./pccs.ts"

export type CollateralSourceErrorCode =
  /** nothing answers and what is kept is too old, has expired or is below the floors. */
  | "COLLATERAL_STALE"
  /** a service served collateral of another platform than it was asked for. */
  | "COLLATERAL_OTHER_PLATFORM"
  /** a service served something older than what is kept: it is behind, or rolls back. */
  | "COLLATERAL_OLDER"

export type CollateralSource = {
  /**
   * @param terms chain time and floors under which the collateral must hold. @param set "standard" where absent.
   * @throws COLLATERAL_UNREACHABLE, COLLATERAL_RESPONSE, COLLATERAL_OTHER_PLATFORM or an AttestationErrorCode: why the
   * last service failed, where nothing is kept; COLLATERAL_STALE where what is kept no longer serves
   */
  collateralFor(
    platform: CollateralPlatform,
    terms: CollateralTerms,
    set?: TcbSet,
  ): Promise<VerifiedCollateral>
}

export type CollateralSourceOptions = {
  /** Base URLs in order of preference, at least one. */
  readonly urls: readonly string[]
  readonly timeoutMs?: number
  /** Age at which a kept bundle is fetched again. */
  readonly refreshAfterMs?: number
  /** Age above which a kept bundle serves nobody. */
  readonly maxAgeMs?: number
  /** Pause after every service failed, before they are asked again. */
  readonly retryAfterMs?: number
  /** How long a caller waits for a service while something usable is kept. */
  readonly patienceMs?: number
  /** Bundles that are kept; the oldest goes first. */
  readonly maxBundles?: number
}

export type CollateralSourceDeps = {
  readonly clock: Clock
  /** The system's where absent. */
  readonly scheduler?: Scheduler
  readonly verifier: Pick<QuoteVerifier, "verifyCollateral">
  readonly fetchBundle?: (platform: CollateralPlatform, options: PccsOptions) => Promise<CollateralBundle>
  readonly metrics: Metrics | null
}

/** By the machine's clock in milliseconds, and by chain time in seconds. */
type Moment = { readonly local: number; readonly chain: number }
type Kept = { readonly collateral: VerifiedCollateral; readonly at: Moment }
type Failed = { readonly error: unknown; readonly at: Moment }
type Wanted = readonly [platform: CollateralPlatform, terms: CollateralTerms, set: TcbSet]

const HOUR = 3_600_000

const sourceError = (code: CollateralSourceErrorCode, message: string, cause?: unknown): ProtocolError =>
  new ProtocolError({ code, message }, { cause })

function isUsable(kept: Kept, terms: CollateralTerms): boolean {
  try {
    checkCollateral(kept.collateral, terms)
    return true
  } catch (error) {
    if (!isProtocolError(error)) throw error
    return false
  }
}

/** @throws COLLATERAL_OTHER_PLATFORM */
function checkFits({ tcbInfo, authority }: VerifiedCollateral, platform: CollateralPlatform): void {
  const of = authority.commonName.includes("Processor") ? "processor" : "platform"
  if (tcbInfo.fmspc !== `0x${platform.fmspc.toLowerCase()}` || of !== platform.authority)
    throw sourceError(
      "COLLATERAL_OTHER_PLATFORM",
      `asked for ${platform.fmspc} of the ${platform.authority} CA, got ${tcbInfo.fmspc} of the ${of} CA`,
    )
}

/**
 * Intel's statements only ever get newer: what is older is a replay, or a cache that lags behind. A set of a higher
 * number may be issued earlier.
 * @param replaced what is kept of the same platform and set. @param all everything that is kept: lists are of the CA,
 * whatever they were fetched with. @throws COLLATERAL_OLDER
 */
function checkNotOlder(
  offered: VerifiedCollateral,
  replaced: VerifiedCollateral | undefined,
  all: Iterable<Kept>,
): void {
  const { authority, rootCrl, pckCrl } = offered
  const older = new Set<string>()
  for (const { collateral: known } of all) {
    if (rootCrl.thisUpdate < known.rootCrl.thisUpdate) older.add("rootCrl")
    const sameCa = sameBytes(authority.publicKey, known.authority.publicKey)
    if (sameCa && pckCrl.thisUpdate < known.pckCrl.thisUpdate) older.add("pckCrl")
  }
  if (replaced !== undefined)
    for (const part of ["tcbInfo", "qeIdentity"] as const) {
      const [now, before] = [offered[part], replaced[part]]
      if (now.issuedAt < before.issuedAt && now.evaluationNumber <= before.evaluationNumber) older.add(part)
    }
  if (older.size > 0)
    throw sourceError(
      "COLLATERAL_OLDER",
      `${[...older].join(", ")} of the service is older than what is kept`,
    )
}

export function createCollateralSource(
  options: CollateralSourceOptions,
  {
    clock,
    scheduler = systemScheduler,
    verifier,
    fetchBundle = fetchCollateral,
    metrics,
  }: CollateralSourceDeps,
): CollateralSource {
  const { urls, timeoutMs = 10_000, refreshAfterMs = HOUR / 2, retryAfterMs = 30_000 } = options
  const { maxAgeMs = 7 * 24 * HOUR, patienceMs = 2_500, maxBundles = 64 } = options
  const kept = new Map<string, Kept>()
  const failures = new Map<string, Failed>()
  const running = new Map<string, Promise<VerifiedCollateral>>()
  const fetches = metrics?.counter({
    name: "collateral_fetches_total",
    help: "Bundles asked for at collateral services",
    labels: ["outcome"],
  })
  const served = metrics?.counter({
    name: "collateral_served_total",
    help: "Bundles handed to verifications",
    labels: ["from"],
  })

  const nowAt = ({ time }: CollateralTerms): Moment => ({ local: clock.now(), chain: time })
  /** Milliseconds. */
  const ageOf = (at: Moment, terms: CollateralTerms): number =>
    Math.max(clock.now() - at.local, (terms.time - at.chain) * 1_000)

  async function fetchFrom(url: string, key: string, wanted: Wanted): Promise<VerifiedCollateral> {
    const [platform, terms, set] = wanted
    try {
      const bundle = await fetchBundle(platform, { url, timeoutMs, set })
      const collateral = verifier.verifyCollateral(bundle, terms)
      checkFits(collateral, platform)
      checkNotOlder(collateral, kept.get(key)?.collateral, kept.values())
      fetches?.add({ outcome: "good" })
      return collateral
    } catch (error) {
      const answered = !isProtocolError(error, "COLLATERAL_UNREACHABLE", "COLLATERAL_RESPONSE")
      fetches?.add({ outcome: answered ? "refused" : "failed" })
      throw error
    }
  }

  function remember<T>(map: Map<string, T>, key: string, value: T): void {
    map.delete(key)
    map.set(key, value)
    for (const oldest of map.keys()) {
      if (map.size <= maxBundles) break
      map.delete(oldest)
    }
  }

  /** @param run names the fetch: of a bundle, under floors. */
  async function refresh(key: string, run: string, wanted: Wanted): Promise<VerifiedCollateral> {
    const at = nowAt(wanted[1])
    let last: unknown = new RangeError("a collateral source needs at least one URL")
    for (const url of urls)
      try {
        const collateral = await fetchFrom(url, key, wanted)
        remember(kept, key, { collateral, at })
        failures.delete(run)
        return collateral
      } catch (error) {
        last = error
      }
    remember(failures, run, { error: last, at: nowAt(wanted[1]) })
    throw last
  }

  /** One fetch for all who ask for the same under the same floors. It goes on when nobody waits any more. */
  function refreshOnce(key: string, run: string, wanted: Wanted): Promise<VerifiedCollateral> {
    const known = running.get(run)
    if (known !== undefined) return known
    const fetching = refresh(key, run, wanted).finally(() => running.delete(run))
    fetching.catch(() => {})
    running.set(run, fetching)
    return fetching
  }

  /** What is fetched, or after a caller's patience what is kept. */
  function withinPatience(
    fetching: Promise<VerifiedCollateral>,
    known: VerifiedCollateral,
  ): Promise<VerifiedCollateral> {
    const { promise, resolve, reject } = Promise.withResolvers<VerifiedCollateral>()
    const cancel = scheduler.after(patienceMs, () => resolve(known))
    fetching.then(resolve, reject).finally(cancel)
    return promise
  }

  /** What is kept, while it may serve. */
  function usable(key: string, terms: CollateralTerms): Kept | null {
    const known = kept.get(key)
    return known !== undefined && ageOf(known.at, terms) < maxAgeMs && isUsable(known, terms) ? known : null
  }

  /** The kept bundle while the services are out, or why there is none. */
  function fallback(key: string, terms: CollateralTerms, error: unknown): VerifiedCollateral {
    const known = usable(key, terms)
    if (known !== null) {
      served?.add({ from: "cache_while_out" })
      return known.collateral
    }
    const old = kept.get(key)
    if (old === undefined) throw error
    const hours = Math.floor(ageOf(old.at, terms) / HOUR)
    throw sourceError(
      "COLLATERAL_STALE",
      `no service gives fresh collateral, and what is kept is ${hours} h old and serves no more`,
      error,
    )
  }

  return {
    async collateralFor(platform, terms, set = "standard") {
      const key = `${platform.fmspc.toLowerCase()}/${platform.authority}/${set}`
      const run = `${key}/${terms.floors.tcb}/${terms.floors.qe}`
      const known = usable(key, terms)
      if (known !== null && ageOf(known.at, terms) < refreshAfterMs) {
        served?.add({ from: "cache" })
        return known.collateral
      }
      const failed = failures.get(run)
      if (failed !== undefined && ageOf(failed.at, terms) < retryAfterMs)
        return fallback(key, terms, failed.error)
      const fetching = refreshOnce(key, run, [platform, terms, set])
      try {
        const collateral = await (known === null ? fetching : withinPatience(fetching, known.collateral))
        // Whoever started the fetch may have judged it at another time.
        checkCollateral(collateral, terms)
        served?.add({ from: collateral === known?.collateral ? "cache_while_slow" : "service" })
        return collateral
      } catch (error) {
        return fallback(key, terms, error)
      }
    },
  }
}

/**
 * The standard set where it reaches the floors, the early one where only that does: the registry accepts every set at
 * or above its floors. @throws as collateralFor
 */
export async function withinFloors(
  source: CollateralSource,
  platform: CollateralPlatform,
  terms: CollateralTerms,
): Promise<VerifiedCollateral> {
  try {
    return await source.collateralFor(platform, terms)
  } catch (error) {
    if (!isProtocolError(error, "TCB_INFO_BELOW_FLOOR", "QE_IDENTITY_BELOW_FLOOR", "COLLATERAL_STALE"))
      throw error
    return source.collateralFor(platform, terms, "early")
  }
}
