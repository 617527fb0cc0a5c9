/**
 * Where a node takes collateral from: several services in order, with a cache. What a service serves is verified
 * before it is kept, so that one that is behind, broken or lying only costs the way to the next one. What is kept is
 * verified collateral: a quote then costs its own signatures alone.
 *
 * A kept bundle is fetched again when it is old and serves meanwhile, while every service is out, up to a maximum age
 * and never beyond what its own dates and the caller's floors allow.
 */
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import type { QuoteVerifier } from "@twinlock/sdk/attestation/underRoot"
import {
  type CollateralTerms,
  checkCollateral,
  type VerifiedCollateral,
} from "@twinlock/sdk/attestation/verifiedCollateral"
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Clock } from "../clock.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import { type CollateralPlatform, fetchCollateral, type PccsOptions, type TcbSet } from "./pccs.ts"

export type { CollateralPlatform, PckAuthority } from "./pccs.ts"

export type CollateralSourceErrorCode =
  /** nothing answers and what is kept is too old, has expired or is below the floors. */
  | "COLLATERAL_STALE"
  /** a service served collateral of another platform than it was asked for. */
  | "COLLATERAL_OTHER_PLATFORM"

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
  /** Bundles that are kept; the oldest goes first. */
  readonly maxBundles?: number
}

export type CollateralSourceDeps = {
  readonly clock: Clock
  readonly verifier: Pick<QuoteVerifier, "verifyCollateral">
  readonly fetchBundle?: (platform: CollateralPlatform, options: PccsOptions) => Promise<CollateralBundle>
  readonly metrics: Metrics | null
}

type Kept = { readonly collateral: VerifiedCollateral; readonly fetchedAt: number }
type Failed = { readonly error: unknown; readonly at: number }

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

export function createCollateralSource(
  options: CollateralSourceOptions,
  { clock, verifier, fetchBundle = fetchCollateral, metrics }: CollateralSourceDeps,
): CollateralSource {
  const { urls, timeoutMs = 10_000, refreshAfterMs = HOUR, retryAfterMs = 30_000, maxBundles = 64 } = options
  const { maxAgeMs = 7 * 24 * HOUR } = options
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

  async function fetchFrom(
    url: string,
    platform: CollateralPlatform,
    terms: CollateralTerms,
    set: TcbSet,
  ): Promise<VerifiedCollateral> {
    try {
      const bundle = await fetchBundle(platform, { url, timeoutMs, set })
      const collateral = verifier.verifyCollateral(bundle, terms)
      checkFits(collateral, platform)
      fetches?.add({ outcome: "good" })
      return collateral
    } catch (error) {
      const answered = !isProtocolError(error, "COLLATERAL_UNREACHABLE", "COLLATERAL_RESPONSE")
      fetches?.add({ outcome: answered ? "refused" : "failed" })
      throw error
    }
  }

  async function fetchFirst(
    platform: CollateralPlatform,
    terms: CollateralTerms,
    set: TcbSet,
  ): Promise<VerifiedCollateral> {
    let last: unknown = new RangeError("a collateral source needs at least one URL")
    for (const url of urls) {
      try {
        return await fetchFrom(url, platform, terms, set)
      } catch (error) {
        last = error
      }
    }
    throw last
  }

  function remember<T>(map: Map<string, T>, key: string, value: T): void {
    map.delete(key)
    map.set(key, value)
    for (const oldest of map.keys()) {
      if (map.size <= maxBundles) break
      map.delete(oldest)
    }
  }

  async function refresh(
    key: string,
    ...wanted: [platform: CollateralPlatform, terms: CollateralTerms, set: TcbSet]
  ): Promise<VerifiedCollateral> {
    try {
      const collateral = await fetchFirst(...wanted)
      remember(kept, key, { collateral, fetchedAt: clock.now() })
      failures.delete(key)
      return collateral
    } catch (error) {
      remember(failures, key, { error, at: clock.now() })
      throw error
    }
  }

  /** The kept bundle while the services are out, or why there is none. */
  function fallback(key: string, terms: CollateralTerms, error: unknown): VerifiedCollateral {
    const old = kept.get(key)
    if (old === undefined) throw error
    const age = clock.now() - old.fetchedAt
    if (age >= maxAgeMs || !isUsable(old, terms))
      throw sourceError(
        "COLLATERAL_STALE",
        `no service gives fresh collateral, and what is kept is ${Math.floor(age / HOUR)} h old and serves no more`,
        error,
      )
    served?.add({ from: "cache_while_out" })
    return old.collateral
  }

  return {
    async collateralFor(platform, terms, set = "standard") {
      const key = `${platform.fmspc.toLowerCase()}/${platform.authority}/${set}`
      const cached = kept.get(key)
      const young = cached !== undefined && clock.now() - cached.fetchedAt < refreshAfterMs
      if (young && isUsable(cached, terms)) {
        served?.add({ from: "cache" })
        return cached.collateral
      }
      const failed = failures.get(key)
      if (failed !== undefined && clock.now() - failed.at < retryAfterMs)
        return fallback(key, terms, failed.error)
      const fetching =
        running.get(key) ?? refresh(key, platform, terms, set).finally(() => running.delete(key))
      running.set(key, fetching)
      try {
        const collateral = await fetching
        served?.add({ from: "service" })
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
