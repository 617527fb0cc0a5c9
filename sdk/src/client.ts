/** What actions work with: a pinned deployment, endpoints that must agree, untrusted coordinators, and a prover. */
import { type Coordinators, createCoordinators, type FileCache } from "./actions/coordinator.ts"
import type { Chain } from "./chain/contracts.ts"
import type { Deployment } from "./chain/deployments.ts"
import { type Clock, createEndpoints, type Endpoint, systemClock } from "./chain/endpoints.ts"
import { type ProofJob, proveInputs } from "./fhe/ciphertext.ts"
import { loadNodeTfhe } from "./fhe/load.ts"
import { type Rng, systemRng } from "./protocol/rng.ts"

export type TwinlockClient = {
  readonly chain: Chain
  readonly coordinators: Coordinators
  /** Makes a proven list; see proveInputs. */
  readonly prove: (job: ProofJob) => Promise<Uint8Array>
  /** Waits between two questions. @throws the signal's reason */
  readonly wait: (milliseconds: number, signal?: AbortSignal) => Promise<void>
  readonly rng: Rng
}

export type TwinlockOptions = {
  /** Pinned by the dApp, never fetched from a coordinator. */
  readonly deployment: Deployment
  /** At least two ethers providers of different operators. */
  readonly endpoints: readonly Endpoint[]
  /** Base URLs, asked in this order. */
  readonly coordinators: readonly string[]
  /** Runs {@link proveInputs} elsewhere, normally in a worker; by default it runs in this thread with node-tfhe. */
  readonly prove?: (job: ProofJob) => Promise<Uint8Array>
  /** Keeps public key and CRS between page loads. */
  readonly cache?: FileCache
  readonly fetch?: typeof fetch
  readonly rng?: Rng
  readonly clock?: Clock
  readonly wait?: TwinlockClient["wait"]
}

/** @throws ENDPOINTS_TOO_FEW */
export function createTwinlockClient(options: TwinlockOptions): TwinlockClient {
  const { deployment, endpoints, coordinators, clock = systemClock } = options
  return {
    chain: { deployment, endpoints: createEndpoints(endpoints, deployment.chainId, clock) },
    coordinators: createCoordinators({
      urls: coordinators,
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
      cache: options.cache ?? memoryCache(),
    }),
    prove: options.prove ?? (async (job) => proveInputs(await loadNodeTfhe(), job)),
    wait: options.wait ?? waitFor,
    rng: options.rng ?? systemRng,
  }
}

function memoryCache(): FileCache {
  const files = new Map<string, Uint8Array>()
  return {
    get: async (digest) => files.get(digest) ?? null,
    put: async (digest, file) => void files.set(digest, file),
  }
}

function waitFor(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort)
      resolve()
    }, milliseconds)
    signal?.addEventListener("abort", abort, { once: true })
  })
}
