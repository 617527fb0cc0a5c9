/** What a second start must find as it was: ports (they are in measured configurations), contracts, identities, key. */
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Deployment } from "@twinlock/contracts/deploy"
import type { Paths } from "./layout.ts"

export type Identity = { readonly signer: string; readonly peerId: string; readonly multiaddr: string }

export type Ports = {
  readonly chain: number
  readonly collateral: number
  readonly coordinator: number
  /** By member name. */
  readonly http: Readonly<Record<string, number>>
  readonly p2p: Readonly<Record<string, number>>
}

export type NetworkState = {
  readonly version: 1
  /** Of the simulated platform. */
  readonly seed: string
  readonly ports: Ports
  readonly contracts: Deployment
  readonly startBlock: number
  readonly genesisHash: string
  readonly identities: Readonly<Record<string, Identity>>
  readonly keyId: string
  /** What making the network cost: reported again by every later start. */
  readonly creation: {
    readonly timings: Readonly<Record<string, number>>
    readonly gas: Readonly<Record<string, number>>
  }
  /** Of contracts and addon: another build makes another network. */
  readonly build: string
}

/** Null where there is no complete network to reuse: half-made ones are made anew. */
export function readState(paths: Paths): NetworkState | null {
  if (!existsSync(paths.state) || !existsSync(paths.chainState) || existsSync(paths.inUse)) return null
  const state = JSON.parse(readFileSync(paths.state, "utf8")) as NetworkState
  return state.version === 1 && state.build === buildOf(paths) ? state : null
}

/** Digest of what the network's state depends on. */
export function buildOf({ root }: Paths): string {
  const hash = createHash("sha256")
  for (const file of ["sdk/src/chain/abi.ts", "node/native/Cargo.lock"])
    hash.update(readFileSync(join(root, file)))
  return hash.digest("hex")
}

/**
 * Marks the network as being changed. A demonstration removes entries and kills nodes; one that was interrupted in between
 * leaves a network that the next start makes anew.
 */
export function markInUse(paths: Paths): void {
  writeFileSync(paths.inUse, "")
}

/** The network is as it was found. */
export function markAtRest(paths: Paths): void {
  rmSync(paths.inUse, { force: true })
}

export function writeState(paths: Paths, state: NetworkState): void {
  writeFileSync(`${paths.state}.new`, JSON.stringify(state, null, 2))
  renameSync(`${paths.state}.new`, paths.state)
}

/** An empty home. */
export function resetHome(paths: Paths): void {
  rmSync(paths.home, { recursive: true, force: true })
  mkdirSync(paths.home, { recursive: true })
}
