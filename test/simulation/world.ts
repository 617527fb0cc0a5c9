/** Everything that one run is made of; nothing in it outlives the run but caches of pure functions. */
import { DEFAULT_BUDGET } from "@twinlock/node/decryption/blockBudget"
import type { DecryptionDeps } from "@twinlock/node/decryption/service"
import type { SealedStore } from "@twinlock/node/storage/sealedStore"
import { Reader, taggedHash, tagHash } from "@twinlock/sdk/protocol/codec"
import { type Committee, createCommittee } from "@twinlock/sdk/protocol/committee"
import type { SigningDomain } from "@twinlock/sdk/protocol/eip712"
import {
  type Address,
  type Digest,
  type PartyIndex,
  parseAddress,
  parseEpoch,
  parseKeyId,
  parsePartyIndex,
  type SessionId,
} from "@twinlock/sdk/protocol/ids"
import { addressOfSecretKey } from "@twinlock/sdk/protocol/signature"
import type { GroupKey } from "@twinlock/sdk/threshold/frost"
import { createSimulatedChain, type SimulatedChain } from "./chain.ts"
import { type Checks, createChecks } from "./checks.ts"
import { type Ciphertext, createDealer, type Dealer } from "./ciphertexts.ts"
import { openLedger } from "./crypto/ledger.ts"
import { createDisk, type Disk } from "./disk.ts"
import { createEnclaves, type Enclaves } from "./enclaves.ts"
import type { SimulationFailure } from "./failure.ts"
import { createSimulatedNetwork, type SimulatedNetwork } from "./network.ts"
import type { Plan } from "./plan.ts"
import { createRandom, type Random } from "./random.ts"
import { createTimeline, type Timeline } from "./timeline.ts"
import { createTrace, type Trace } from "./trace.ts"

export const DOMAIN = { chainId: 31_337n, coprocessor: parseAddress(`0x${"c0".repeat(20)}`) }
export const SIGNING: SigningDomain = {
  chainId: 31_337n,
  verifyingContract: parseAddress(`0x${"dd".repeat(20)}`),
}
export const GATEWAY = parseAddress(`0x${"9a".repeat(20)}`)
export const EPOCH = parseEpoch(1)
export const HOST = { ...DOMAIN, gateway: GATEWAY }

/** A party's machine: what is left of it when its process dies. */
export type Machine = {
  readonly party: PartyIndex
  readonly signer: Address
  readonly secretKey: Uint8Array
  readonly disk: Disk
  /** Share of blob fetches that fail. */
  readonly blobs: { failures: number; latency: number }
  readonly chain: { latency: number; failures: number; lag: number }
  /** Of its enclave, when it is asked to quote. */
  readonly enclave: { failures: number; latency: number }
  /** Milliseconds by which its clock is off. */
  skew: number
}

/** A defect that a run is given on purpose, in what a process gets. */
export type Planted = {
  readonly name: string
  /** The store of a process, also in ceremonies. */
  store?(store: SealedStore): SealedStore
  /** @param about.life number of the process on its machine, from 1 */
  wrap?(
    deps: DecryptionDeps,
    about: { readonly machine: Machine; readonly life: number; readonly world: World },
  ): DecryptionDeps
}

/** The key that is served: dealt before the run, or made in it. */
export type ServedKey = { readonly committee: Committee; readonly group: GroupKey }

export type World = {
  readonly plan: Plan
  readonly planted: Planted | null
  readonly random: Random
  readonly trace: Trace
  readonly timeline: Timeline
  readonly chain: SimulatedChain
  readonly network: SimulatedNetwork
  readonly machines: readonly Machine[]
  readonly executors: readonly { readonly signer: Address; readonly secretKey: Uint8Array }[]
  readonly checks: Checks
  /** Shared by all machines: content by digest, and ciphertexts by session. */
  readonly blobs: Map<Digest, Uint8Array>
  readonly ciphertexts: Map<SessionId, Ciphertext>
  readonly dealer: Dealer
  readonly enclaves: Enclaves
  /** Share of certificates that the coordinators do not take. */
  readonly coordinators: { failures: number }
  /** The first broken invariant. */
  failure: SimulationFailure | Error | null
  fail(error: SimulationFailure | Error): void
  log(line: string): void
}

/** Record of the life-long budget, as a restarted node would find it. */
export const BUDGET_KIND = "block-budget"
export const budgetName = (plan: Plan): string => `${keyIdOf(plan, 1)}/${EPOCH}`

const keysOf = (role: string, count: number) =>
  Array.from({ length: count }, (_, at) => {
    const secretKey = createRandom(`${role}/${at}`).bytes(32)
    secretKey[0] = 1
    return { secretKey, signer: addressOfSecretKey(secretKey) }
  })

/** @param attempt number of the proposal in the run */
export const keyIdOf = (plan: Plan, attempt: number) =>
  parseKeyId(taggedHash("simulated key", tagHash(`${plan.seed}`), attempt))

export function committeeOf(world: Pick<World, "plan" | "machines">, attempt: number): Committee {
  return createCommittee({
    keyId: keyIdOf(world.plan, attempt),
    epoch: EPOCH,
    t: world.plan.t,
    parties: world.machines.map(({ signer }) => signer),
  })
}

export function createWorld(
  plan: Plan,
  planted: Planted | null,
  print: ((line: string) => void) | null,
): World {
  const random = createRandom(`${plan.seed}/world`)
  const trace = createTrace(print)
  const timeline = createTimeline()
  const { blockMs, finality, n, t } = plan
  const chain = createSimulatedChain({ blockMs, finality }, timeline, random.fork("chain"), trace)
  const machines = keysOf("party", n).map(({ secretKey, signer }, at): Machine => {
    const own = random.fork(`machine/${at}`)
    return {
      ...{ party: parsePartyIndex(at + 1, n), signer, secretKey },
      disk: createDisk(timeline, own.fork("disk")),
      blobs: { failures: 0, latency: 5 },
      enclave: { failures: 0, latency: 200 },
      chain: { latency: own.chance(0.3) ? own.between(1, 30) : 0, failures: 0, lag: 0 },
      skew: own.between(-2000, 2000),
    }
  })
  const executors = keysOf("executor", 2)
  const addresses = [...machines, ...executors].map(({ signer }) => signer)
  const network = createSimulatedNetwork(addresses, timeline, random.fork("network"), trace)
  const ciphertexts = new Map<SessionId, Ciphertext>()
  const spentBefore = plan.budgetLeft === null ? 0 : DEFAULT_BUDGET - plan.budgetLeft
  const bookedOf = (party: PartyIndex): number => {
    const record = machines[party - 1]?.disk.peek(BUDGET_KIND, budgetName(plan)) ?? null
    return (record === null ? 0 : new Reader(record).uint(8)) - spentBefore
  }
  const checks = createChecks({
    ...{ t, ciphertexts, budgetLeft: plan.budgetLeft },
    liars: new Set(machines.flatMap(({ party }) => (plan.faulty.get(party) === "liar" ? [party] : []))),
    booked: plan.ceremony ? () => Number.POSITIVE_INFINITY : bookedOf,
  })
  const world: World = {
    ...{ plan, planted, random, trace, timeline, chain, network, machines, executors, checks, ciphertexts },
    blobs: new Map(),
    dealer: createDealer({ n, t }, ciphertexts, random.fork("dealer")),
    enclaves: createEnclaves(random.fork("enclaves")),
    coordinators: { failures: 0 },
    failure: null,
    fail(error) {
      world.failure ??= error
      world.log(`FAILED: ${error.message}`)
    },
    log: (line) => trace.add(timeline.now, line),
  }
  openLedger(plan.realCrypto, (use) => guarded(world, () => checks.nonceUse(use)))
  const parties = new Map(machines.map(({ signer, party }) => [signer, party]))
  network.onPublish((from, _, payload) => {
    const party = parties.get(from)
    if (party !== undefined) guarded(world, () => checks.gossip(party, payload))
  })
  return world
}

/** A broken invariant ends the run, wherever it was found: the node's own error handling must not swallow it. */
export function guarded(world: World, check: () => void): void {
  try {
    check()
  } catch (error) {
    world.fail(error instanceof Error ? error : new Error(String(error)))
  }
}
