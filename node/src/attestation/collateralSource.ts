/**
 * Where a node takes collateral from: several services in order, with a cache. A cached bundle is refreshed when it
 * is old, kept while every service is out, and never judged here: `verify` refuses what has expired.
 */
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import type { Clock } from "../clock.ts"
import { type CollateralPlatform, fetchCollateral, type PccsOptions } from "./pccs.ts"

export type { CollateralPlatform, PckAuthority } from "./pccs.ts"

export type CollateralSource = {
  /** @throws COLLATERAL_UNREACHABLE, COLLATERAL_RESPONSE where no service answers and nothing is cached. */
  collateralFor(platform: CollateralPlatform): Promise<CollateralBundle>
}

export type CollateralSourceOptions = {
  /** Base URLs in order of preference, at least one. */
  readonly urls: readonly string[]
  readonly timeoutMs?: number
  /** Age at which a cached bundle is fetched again. */
  readonly refreshAfterMs?: number
  /** Platforms that are kept; the oldest goes first. */
  readonly maxPlatforms?: number
}

export type CollateralSourceDeps = {
  readonly clock: Clock
  readonly fetchBundle?: (platform: CollateralPlatform, options: PccsOptions) => Promise<CollateralBundle>
}

type Cached = { readonly bundle: CollateralBundle; readonly fetchedAt: number }

const HOUR = 3_600_000

export function createCollateralSource(
  options: CollateralSourceOptions,
  { clock, fetchBundle = fetchCollateral }: CollateralSourceDeps,
): CollateralSource {
  const { urls, timeoutMs = 10_000, refreshAfterMs = HOUR, maxPlatforms = 32 } = options
  const cache = new Map<string, Cached>()
  const running = new Map<string, Promise<CollateralBundle>>()

  async function fetchFirst(platform: CollateralPlatform): Promise<CollateralBundle> {
    let last: unknown = new RangeError("a collateral source needs at least one URL")
    for (const url of urls) {
      try {
        return await fetchBundle(platform, { url, timeoutMs })
      } catch (error) {
        last = error
      }
    }
    throw last
  }

  async function refresh(key: string, platform: CollateralPlatform): Promise<CollateralBundle> {
    const bundle = await fetchFirst(platform)
    cache.delete(key)
    cache.set(key, { bundle, fetchedAt: clock.now() })
    for (const oldest of cache.keys()) {
      if (cache.size <= maxPlatforms) break
      cache.delete(oldest)
    }
    return bundle
  }

  return {
    async collateralFor(platform) {
      const key = `${platform.fmspc.toLowerCase()}/${platform.authority}`
      const cached = cache.get(key)
      if (cached && clock.now() - cached.fetchedAt < refreshAfterMs) return cached.bundle
      const fetching = running.get(key) ?? refresh(key, platform).finally(() => running.delete(key))
      running.set(key, fetching)
      try {
        return await fetching
      } catch (error) {
        if (cached) return cached.bundle
        throw error
      }
    },
  }
}
