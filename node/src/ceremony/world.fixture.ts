/**
 * A whole ceremony in one process: parties (four where nothing else is asked for), two executors, a blob store and a chain
 * that stands still until told.
 */
import { keccak, taggedHash, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { type Committee, createCommittee } from "@twinlock/sdk/protocol/committee"
import { hashKeyActivation, typedDigest } from "@twinlock/sdk/protocol/eip712"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Address, type Digest, type Hex, parseKeyId } from "@twinlock/sdk/protocol/ids"
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
import { recoverSigner } from "../threshold/signatures.ts"
import type { SignedActivation } from "./activationRounds.ts"
import { createRootVault } from "./blame/rootVault.ts"
import { attemptFor, CEREMONY_TIMEOUTS, type CeremonyDeps, prepareCeremony } from "./ceremony.ts"
import { bytesDigest } from "./digest.ts"
import type { KeygenEngine } from "./engine.ts"
import { type KeyFiles, serveVerdicts } from "./executorVerdict.ts"
import { memorySums } from "./keptSums.fixture.ts"
import {
  COMMITTEE,
  EXECUTORS,
  honest,
  PARTIES,
  PROPOSAL,
  proposalOf,
  type Tamper,
  type TestParty,
  tamperedNetworks,
} from "./party.fixture.ts"
import { createRouter } from "./router.ts"
import { type EndState, type Runner, type RunnerOptions, startRunner } from "./runner.ts"
import { createShareVault } from "./shareVault.ts"
import { type ToyEngine, type ToyFiles, toyEngine, toyLayout, unsealToyRoot } from "./toyEngine.fixture.ts"

export const SIGNING = { chainId: 31337n, verifyingContract: PARTIES[0]?.address as Address } as const
export const SEALING_KEY = new Uint8Array(32).fill(7)

export type WorldOptions = {
  readonly tamper?: Tamper
  /** Everybody who may get a seat. The first proposal names all but the spares. */
  readonly parties?: readonly TestParty[]
  /** How many of them, at the end, have no seat at first. */
  readonly spares?: number
  readonly t?: number
  /** Number of chunks of the toy key. */
  readonly chunks?: number
  /** Replaces parts of one party's engine. */
  readonly engine?: (index: number, engine: ToyEngine) => KeygenEngine
  /** Further parameter sets that the executors serve, by hash, with the number of chunks of their keys. */
  readonly sets?: ReadonlyMap<Digest, number>
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
  /** Starts all parties of the chain's proposal and lets time pass until they have ended: in the order of their seats. */
  run(): Promise<readonly EndState[]>
  /** Puts another proposal on the chain: of a new key, among these parties. */
  propose(parties: readonly TestParty[]): void
  /** Lets time pass in small steps until `done` holds. */
  until(done: () => boolean, limitMs?: number): Promise<void>
}

/** The checks of `KeyRegistry.activate`. */
export function acceptsActivation(
  { activation, signatures, groupSignature }: SignedActivation,
  parties: readonly Address[] = COMMITTEE.parties,
): boolean {
  const digest = typedDigest(SIGNING, hashKeyActivation(activation))
  parties.forEach((signer, at) => {
    verifySignature(digest, signatures[at] ?? new Uint8Array(), signer)
  })
  const { groupX, groupV } = activation
  return verifyGroupSignature({ groupX, groupV: groupV === 28 ? 28 : 27 }, digest, groupSignature)
}

export function createWorld(options: WorldOptions = {}): World {
  const { parties = PARTIES, spares = 0, t = PROPOSAL.t } = options
  const clock = createManualClock()
  const networks = tamperedNetworks(options.tamper ?? honest, parties)
  const layout = toyLayout(options.chunks ?? 6)
  const blobs = new Map<Digest, Uint8Array>()
  const stores = parties.map(() => createMemoryStore())
  const sums = parties.map(() => memorySums())
  const engines = parties.map(() => toyEngine(layout))
  const transcripts = new Map<number, Uint8Array>()
  const submitted: SignedActivation[] = []
  const progress: string[] = []
  const runners: Runner[] = []
  const routers = parties.map(({ address }) => createRouter(networkOf(networks, address)))
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
    committee: async () => committeeOf(world.chain.record),
  }
  const proposed: KeyRecord = {
    keyId: COMMITTEE.keyId,
    nonce: 1n,
    epoch: COMMITTEE.epoch,
    proposal: proposalOf(parties.slice(0, parties.length - spares), t),
    status: "proposed",
    activation: null,
  }

  function depsOf(index: number): CeremonyDeps {
    const { address, sign } = member(parties, index)
    const store = member(stores, index)
    const sealingKey = async () => new Secret(SEALING_KEY.slice())
    const vault = createShareVault({ store, rng: systemRng, sealingKey })
    const deps: CeremonyDeps = {
      network: networkOf(networks, address),
      router: member(routers, index),
      scheduler: clock,
      logger: silentLogger,
      sign,
      recover: recoverSigner,
      engine: options.engine?.(index, member(engines, index)) ?? member(engines, index),
      chain,
      vault,
      roots: createRootVault({ store, vault, sealingKey, unsealRoot: unsealToyRoot }),
      signing: SIGNING,
      rng: systemRng,
      sink,
      source,
      sums: member(sums, index),
      submitter: {
        submit: async (_, signed) => {
          if (world.chain.record.status !== "proposed") throw new Error("NotProposed")
          if (!acceptsActivation(signed, world.chain.record.proposal.parties))
            throw new Error("BadGroupSignature")
          submitted.push(signed)
          const { activation } = signed
          world.chain.record = { ...world.chain.record, status: "active", activation }
        },
      },
      timeouts: CEREMONY_TIMEOUTS,
      evidence: async () => utf8ToBytes(`quote of ${address}`),
      checkEvidence: async (signer, evidence) => {
        if (new TextDecoder().decode(evidence) !== `quote of ${signer}`)
          throw new ProtocolError({ code: "QUOTE_SIGNATURE", message: "test quote of somebody else" })
      },
      onProgress: ({ phase }) => void (index === 1 && progress.push(phase)),
      onContribution: () => {},
      onAbsorbed: () => {},
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
      engines: [
        options.executorEngine?.(index, engine) ?? engine,
        ...[...(options.sets ?? [])].map(([parametersHash, chunks]) => ({
          ...toyEngine(toyLayout(chunks), files),
          parametersHash,
        })),
      ],
      host: PROPOSAL.host,
      chain,
      files: keyFiles,
      source,
      sink,
      sign,
      logger: silentLogger,
      onServerKey: async () => {},
      onRefusedKey: async () => {},
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
      const { record } = world.chain
      await deps.vault.begin(record.keyId)
      const honest = prepareCeremony(record, attemptFor(record, deps.network.self), deps)
      const runner = startRunner(options.prepare?.(index, honest) ?? honest, deps)
      runners.push(runner)
      return runner
    },
    propose(named) {
      const { nonce } = world.chain.record
      const keyId = parseKeyId(taggedHash("test/key", nonce))
      const deadline = world.chain.head.timestamp + 1_000_000n
      const proposal = { ...proposalOf(named, t), deadline }
      world.chain.record = { ...proposed, nonce: nonce + 1n, keyId, proposal }
    },
    async run() {
      const ended: EndState[] = []
      const seats = world.chain.record.proposal.parties
      for (const [at, seat] of seats.entries()) {
        const runner = await this.start(parties.findIndex(({ address }) => address === seat) + 1)
        void runner.ended.then((state) => {
          ended[at] = state
        })
      }
      await this.until(() => ended.filter((state) => state !== undefined).length === seats.length)
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

const committeeOf = ({ keyId, epoch, proposal }: KeyRecord): Committee =>
  createCommittee({ keyId, epoch, t: proposal.t, parties: proposal.parties })

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
