/** A whole ceremony in one process: four parties, two executors, a blob store and a chain that stands still until told. */
import { keccak, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { hashKeyActivation, typedDigest } from "@twinlock/sdk/protocol/eip712"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, Digest, Hex } from "@twinlock/sdk/protocol/ids"
import { systemRng } from "@twinlock/sdk/protocol/rng"
import { verifySignature } from "@twinlock/sdk/protocol/signature"
import { verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import type { BlobSink } from "../blobs/blobSink.ts"
import type { BlobSource } from "../blobs/blobSource.ts"
import type { BlockRef, KeyRecord } from "../chain/chainView.ts"
import { createManualClock, type ManualClock } from "../clock.ts"
import type { Network } from "../p2p/network.ts"
import { Secret } from "../secret.ts"
import { createMemoryStore } from "../storage/memoryStore.ts"
import type { SealedStore } from "../storage/sealedStore.ts"
import { silentLogger } from "../telemetry/logger.ts"
import type { SignedActivation } from "./activationRounds.ts"
import { attemptFor, CEREMONY_TIMEOUTS, type CeremonyDeps, prepareCeremony } from "./ceremony.ts"
import { bytesDigest } from "./digest.ts"
import type { KeygenEngine } from "./engine.ts"
import { type KeyFiles, serveVerdicts } from "./executorVerdict.ts"
import {
  COMMITTEE,
  EXECUTORS,
  honest,
  PARTIES,
  PROPOSAL,
  type Tamper,
  tamperedNetworks,
} from "./party.fixture.ts"
import { createRouter } from "./router.ts"
import { type EndState, type Runner, type RunnerOptions, startRunner } from "./runner.ts"
import { createShareVault } from "./shareVault.ts"
import { type ToyEngine, type ToyFiles, toyEngine, toyLayout } from "./toyEngine.fixture.ts"

export const SIGNING = { chainId: 31337n, verifyingContract: PARTIES[0]?.address as Address } as const
export const SEALING_KEY = new Uint8Array(32).fill(7)

export type WorldOptions = {
  readonly tamper?: Tamper
  /** Number of chunks of the toy key. */
  readonly chunks?: number
  /** Replaces parts of one party's engine. */
  readonly engine?: (index: number, engine: ToyEngine) => KeygenEngine
  /** Replaces parts of one executor's engine. */
  readonly executorEngine?: (index: number, engine: ToyEngine) => ToyEngine
  /** Replaces parts of one party's dependencies. */
  readonly deps?: (index: number, deps: CeremonyDeps) => CeremonyDeps
  /** Replaces parts of one party's rounds. */
  readonly prepare?: (index: number, options: RunnerOptions) => RunnerOptions
  /** What the blob store hands out. */
  readonly blobs?: (digest: Digest, bytes: Uint8Array) => Uint8Array
  /** Executors that take part. */
  readonly executors?: readonly number[]
}

export type World = {
  readonly clock: ManualClock
  readonly networks: ReadonlyMap<Address, Network>
  readonly stores: readonly SealedStore[]
  readonly engines: readonly ToyEngine[]
  readonly blobs: ReadonlyMap<Digest, Uint8Array>
  readonly transcripts: ReadonlyMap<number, Uint8Array>
  readonly submitted: SignedActivation[]
  readonly progress: readonly string[]
  chain: { head: BlockRef; record: KeyRecord }
  /** Dependencies of party `index`. */
  deps(index: number): CeremonyDeps
  /** Starts party `index`. */
  start(index: number): Promise<Runner>
  /** Starts all parties and lets time pass until they have ended. */
  run(): Promise<readonly EndState[]>
  /** Lets time pass in small steps until `done` holds. */
  until(done: () => boolean, limitMs?: number): Promise<void>
}

const proposed: KeyRecord = {
  keyId: COMMITTEE.keyId,
  nonce: 1n,
  epoch: COMMITTEE.epoch,
  proposal: PROPOSAL,
  status: "proposed",
  activation: null,
}

/** The checks of `KeyRegistry.activate`. */
export function acceptsActivation({ activation, signatures, groupSignature }: SignedActivation): boolean {
  const digest = typedDigest(SIGNING, hashKeyActivation(activation))
  COMMITTEE.parties.forEach((signer, at) => {
    verifySignature(digest, signatures[at] ?? new Uint8Array(), signer)
  })
  const { groupX, groupV } = activation
  return verifyGroupSignature({ groupX, groupV: groupV === 28 ? 28 : 27 }, digest, groupSignature)
}

export function createWorld(options: WorldOptions = {}): World {
  const clock = createManualClock()
  const networks = tamperedNetworks(options.tamper ?? honest)
  const layout = toyLayout(options.chunks ?? 6)
  const blobs = new Map<Digest, Uint8Array>()
  const stores = PARTIES.map(() => createMemoryStore())
  const engines = PARTIES.map(() => toyEngine(layout))
  const transcripts = new Map<number, Uint8Array>()
  const submitted: SignedActivation[] = []
  const progress: string[] = []
  const runners: Runner[] = []
  const routers = PARTIES.map(({ address }) => createRouter(networkOf(networks, address)))
  const head: BlockRef = { number: 1n, hash: keccak(utf8ToBytes("head")), timestamp: 1_800_000_000n }

  const sink: BlobSink = {
    put: async (digest, bytes) => {
      if (bytesDigest(bytes) !== digest) throw new Error("a blob was put under another digest")
      blobs.set(digest as Digest, bytes.slice())
    },
  }
  const source: BlobSource = {
    get: async (digest, maxBytes) => {
      const bytes = blobs.get(digest)
      if (bytes === undefined || bytes.length > maxBytes)
        throw new ProtocolError({ code: "BLOB_UNAVAILABLE", message: `no ${digest}` })
      return options.blobs?.(digest, bytes) ?? bytes
    },
  }
  const chain = {
    head: async () => world.chain.head,
    key: async (keyId: Hex) => (keyId === world.chain.record.keyId ? world.chain.record : null),
    committee: async () => COMMITTEE,
  }

  function depsOf(index: number): CeremonyDeps {
    const { address, sign } = member(PARTIES, index)
    const deps: CeremonyDeps = {
      network: networkOf(networks, address),
      router: member(routers, index),
      scheduler: clock,
      logger: silentLogger,
      sign,
      engine: options.engine?.(index, member(engines, index)) ?? member(engines, index),
      chain,
      vault: createShareVault({
        store: member(stores, index),
        rng: systemRng,
        sealingKey: async () => new Secret(SEALING_KEY.slice()),
      }),
      signing: SIGNING,
      rng: systemRng,
      sink,
      source,
      submitter: {
        submit: async (_, signed) => {
          if (world.chain.record.status !== "proposed") throw new Error("NotProposed")
          if (!acceptsActivation(signed)) throw new Error("BadGroupSignature")
          submitted.push(signed)
          const { activation } = signed
          world.chain.record = { ...proposed, status: "active", activation }
        },
      },
      timeouts: CEREMONY_TIMEOUTS,
      evidence: async () => utf8ToBytes(`quote of ${address}`),
      checkEvidence: async (signer, evidence) => {
        if (new TextDecoder().decode(evidence) !== `quote of ${signer}`)
          throw new ProtocolError({ code: "QUOTE_INVALID", message: "test quote of somebody else" })
      },
      onProgress: ({ phase }) => void (index === 1 && progress.push(phase)),
      onContribution: () => {},
      keepTranscript: async (_, bundle) => void transcripts.set(index, bundle),
    }
    return options.deps?.(index, deps) ?? deps
  }

  function serveExecutor(index: number): void {
    const { address, sign } = member(EXECUTORS, index)
    const files: ToyFiles = new Map()
    const engine = toyEngine(layout, files)
    const path = (chunk: number | string): string => `${index}/${chunk}`
    const keyFiles: KeyFiles = {
      async fetchChunk(_, chunk, digest, byteLength) {
        const bytes = await source.get(digest, byteLength)
        if (bytes.length !== byteLength || bytesDigest(bytes) !== digest)
          throw new ProtocolError({
            code: "BLOB_UNAVAILABLE",
            message: `chunk ${chunk} does not match ${digest}`,
          })
        files.set(path(chunk), bytes)
        return path(chunk)
      },
      readChunk: async (_, chunk) => files.get(path(chunk)) ?? new Uint8Array(),
      serverKeyPath: () => path("server-key"),
      removeChunks: async () => {},
    }
    serveVerdicts({
      network: networkOf(networks, address),
      scheduler: clock,
      signal: new AbortController().signal,
      engine: options.executorEngine?.(index, engine) ?? engine,
      chain,
      files: keyFiles,
      source,
      sink,
      sign,
      logger: silentLogger,
      onServerKey: async () => {},
    })
  }
  for (const index of options.executors ?? EXECUTORS.map((_, at) => at + 1)) serveExecutor(index)

  const world: World = {
    clock,
    networks,
    stores,
    engines,
    blobs,
    transcripts,
    submitted,
    progress,
    chain: { head, record: proposed },
    deps: depsOf,
    async start(index) {
      const deps = depsOf(index)
      await deps.vault.begin(proposed.keyId)
      const honest = prepareCeremony(proposed, attemptFor(proposed, deps.network.self), deps)
      const runner = startRunner(options.prepare?.(index, honest) ?? honest, deps)
      runners.push(runner)
      return runner
    },
    async run() {
      const ended: EndState[] = []
      for (const [at] of PARTIES.entries()) {
        const runner = await this.start(at + 1)
        void runner.ended.then((state) => {
          ended[at] = state
        })
      }
      await this.until(() => ended.filter((state) => state !== undefined).length === PARTIES.length)
      return ended
    },
    async until(done, limitMs = 3_600_000) {
      const end = clock.now() + limitMs
      while (!done()) {
        if (clock.now() > end) throw new Error("nothing happened for too long")
        for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
        clock.advance(100)
      }
    },
  }
  return world
}

function networkOf(networks: ReadonlyMap<Address, Network>, address: Address): Network {
  const network = networks.get(address)
  if (network === undefined) throw new Error(`no network of ${address}`)
  return network
}

function member<T>(list: readonly T[], index: number): T {
  const found = list[index - 1]
  if (found === undefined) throw new Error(`no member ${index}`)
  return found
}
