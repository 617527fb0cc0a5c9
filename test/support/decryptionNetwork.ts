/**
 * Keyholders of one committee on an in-memory network and a scripted chain: the whole decryption path with real openings,
 * real FROST and real signatures. Only the key share is a stand-in: it shares known plaintexts.
 */
import type { NodeRecord } from "@twinlock/node/chain/chainView"
import { createManualClock, type ManualClock } from "@twinlock/node/clock"
import { createKeyGossip, type KeyGossip } from "@twinlock/node/decryption/gossip"
import type { ShareHolder } from "@twinlock/node/decryption/release"
import type { KeySeat } from "@twinlock/node/decryption/seat"
import {
  createDecryptionService,
  DEFAULT_OPTIONS,
  type DecryptionOptions,
  type DecryptionService,
} from "@twinlock/node/decryption/service"
import type { Quotes } from "@twinlock/node/decryption/signing/quoting"
import { createMemoryNetworks } from "@twinlock/node/p2p/memoryNetwork"
import type { Network } from "@twinlock/node/p2p/network"
import { Secret } from "@twinlock/node/secret"
import { createMemoryStore } from "@twinlock/node/storage/memoryStore"
import type { SealedStore } from "@twinlock/node/storage/sealedStore"
import { silentLogger } from "@twinlock/node/telemetry/logger"
import { createMetrics, type Metrics } from "@twinlock/node/telemetry/metrics"
import { sha256Digest } from "@twinlock/sdk/protocol/codec"
import { type Committee, createCommittee } from "@twinlock/sdk/protocol/committee"
import { blockCountOf } from "@twinlock/sdk/protocol/fheType"
import { handleFields } from "@twinlock/sdk/protocol/handles"
import type { CertificatesRequest, SubmissionBody } from "@twinlock/sdk/protocol/http"
import {
  type Address,
  type Digest,
  type KeyId,
  type PartyIndex,
  parsePartyIndex,
} from "@twinlock/sdk/protocol/ids"
import { systemRng } from "@twinlock/sdk/protocol/rng"
import { addressOfSecretKey, type SignerRecovery } from "@twinlock/sdk/protocol/signature"
import type { CurveKernel } from "@twinlock/sdk/threshold/curve"
import type { FrostKeyShare } from "@twinlock/sdk/threshold/frost"
import type { OpeningKernel } from "@twinlock/sdk/threshold/openingKernel"
import { groupBodies } from "./deliveredResults.ts"
import { generateFrostGroup } from "./frostGroup.ts"
import { sharesOfValue } from "./knownCiphertext.ts"
import {
  EPOCH,
  GATEWAY,
  KEY,
  KEY_ID,
  type ScriptedChain,
  SIGNING,
  type TestCiphertext,
  viewOf,
  ZERO,
} from "./scriptedChain.ts"
import { seededRng } from "./seededRng.ts"

/** Shares of known plaintexts without masks; deterministic, like the native holder. */
export function createTestHolder(
  party: PartyIndex,
  n: number,
  t: number,
  ciphertexts: readonly TestCiphertext[],
): ShareHolder {
  return {
    decryptionShares: async (work) =>
      work.map(({ session }) => {
        const ciphertext = ciphertexts.find((candidate) => candidate.session === session)
        if (ciphertext === undefined) throw new Error("unknown session")
        const blocks = blockCountOf(handleFields(ciphertext.handle).fheType)
        const rngOf = (block: number) => seededRng(`share/${session}/${block}`)
        const share = sharesOfValue(ciphertext.value, blocks, { n, t }, rngOf)[party - 1]
        if (share === undefined) throw new Error(`no party ${party}`)
        return share
      }),
  }
}

export type TestNode = {
  readonly party: PartyIndex
  readonly signer: Address
  readonly service: DecryptionService
  readonly store: SealedStore
  readonly metrics: Metrics
}

/** What a corrupted party has: its seat, its key shares, its place in the network. It has no service. */
export type Traitor = {
  readonly party: PartyIndex
  readonly seat: KeySeat
  readonly gossip: KeyGossip
  /** Bytes under no rule at all. */
  publishRaw(topic: string, bytes: Uint8Array): Promise<void>
  readonly holder: ShareHolder
  readonly frostShare: FrostKeyShare
}

export type TestCommittee = {
  /** Of every party that is not corrupt. */
  readonly nodes: readonly TestNode[]
  readonly committee: Committee
  traitor(party: number): Traitor
  readonly clock: ManualClock
  /** What a group signature certifies, result by result. */
  readonly delivered: CertificatesRequest[]
  /** All that left for a coordinator, under whatever rule. */
  readonly submitted: SubmissionBody[]
  readonly groupKey: ReturnType<typeof generateFrostGroup>["publicKey"]
  /** Kills a party's node and starts it again from its sealed store: memory, nonces and timers are gone. */
  restart(party: number): void
  /** Lets time pass in small steps, with all messages delivered in between, until `done` or `ms` are over. */
  run(ms: number, done?: () => boolean, stepMs?: number): Promise<void>
}

export type CommitteeOptions = {
  readonly keyId?: KeyId
  /** Where the same enclaves serve a second key: the network and the clock that they have. */
  readonly networks?: ReadonlyMap<Address, Network>
  readonly clock?: ManualClock
  readonly n: number
  readonly t: number
  readonly chain: ScriptedChain
  readonly ciphertexts: readonly TestCiphertext[]
  /** Replaces a party's share holder: a liar. */
  readonly holders?: ReadonlyMap<number, ShareHolder>
  readonly down?: readonly number[]
  /** Parties that the test plays itself. */
  readonly corrupt?: readonly number[]
  readonly stores?: ReadonlyMap<number, SealedStore>
  /** What the blob source answers, where it is not the words of the digest. */
  readonly blobOf?: (digest: Digest, words: Uint8Array, party: number) => Uint8Array | Promise<Uint8Array>
  readonly deliver?: (certified: CertificatesRequest) => Promise<void>
  /** Verifies signatures of messages at every node. */
  readonly recover?: SignerRecovery
  /** Opens shares at every node. */
  readonly openingKernel?: OpeningKernel
  /** Curve arithmetic of every node. */
  readonly curve?: CurveKernel
  /** A party's enclave as a source and judge of fresh quotes. */
  readonly quotes?: (party: PartyIndex) => Quotes
  /** False cuts the link for this direction. */
  readonly connected?: (from: number, to: number) => boolean
  readonly options?: Partial<DecryptionOptions>
  /** False: what the party certifies goes nowhere. */
  readonly delivers?: (party: number) => boolean
  /** What reaches `to` of a gossip payload of `from`. */
  readonly gossip?: (from: number, to: number, topic: string, payload: Uint8Array) => readonly Uint8Array[]
}

/** A seat that stands for a day of chain time. */
export const standingNode = (signer: Address, liveUntil: bigint): NodeRecord => ({
  signer,
  operator: signer,
  role: "keyholder",
  peerIdHash: ZERO,
  configHash: ZERO,
  ppid: signer,
  liveUntil,
  revoked: false,
})

/** Signers of the test committees, by party index − 1. */
export const seatSigners = (n: number): readonly Address[] => seatKeys(n).map(addressOfSecretKey)

const seatKeys = (n: number) => Array.from({ length: n }, (_, i) => seededRng(`signer/${i}`)(32))

export function createTestCommittee({
  keyId = KEY_ID,
  networks: shared,
  clock = createManualClock(),
  n,
  t,
  chain,
  ciphertexts,
  holders = new Map(),
  down = [],
  corrupt = [],
  stores = new Map(),
  blobOf = (_, words) => words,
  deliver = async () => {},
  connected = () => true,
  options = {},
  delivers = () => true,
  gossip = (_from, _to, _topic, payload) => [payload],
  recover,
  openingKernel,
  curve,
  quotes,
}: CommitteeOptions): TestCommittee {
  const keys = seatKeys(n)
  const parties = seatSigners(n)
  const committee = createCommittee({ keyId, epoch: EPOCH, t, parties })
  const group = generateFrostGroup(n, t, keyId === KEY_ID ? "decryption network" : keyId)
  const delivered: CertificatesRequest[] = []
  const submitted: SubmissionBody[] = []
  const numberOf = (signer: Address) => parties.indexOf(signer) + 1
  const isUp = (party: number) => !down.includes(party)
  const networks =
    shared ??
    createMemoryNetworks(parties, {
      connected: (from, to) =>
        isUp(numberOf(from)) && isUp(numberOf(to)) && connected(numberOf(from), numberOf(to)),
      gossip: (from, to, topic, payload) => gossip(numberOf(from), numberOf(to), topic, payload),
    })
  const blobs = new Map<Digest, Uint8Array>(ciphertexts.map(({ words }) => [sha256Digest(words), words]))
  for (const signer of parties)
    if (!chain.nodes.has(signer))
      chain.nodes.set(signer, standingNode(signer, chain.head.timestamp + 86_400n))

  const known = new Map<number, SealedStore>(stores)
  const partOf = (number: number) => {
    const party = parsePartyIndex(number, n)
    const signer = parties[number - 1]
    const network = signer === undefined ? undefined : networks.get(signer)
    const frostShare = group.keyShares.get(party)
    if (signer === undefined || network === undefined || frostShare === undefined)
      throw new Error("incomplete committee")
    const seat: KeySeat = {
      key: { ...KEY, keyId },
      committee,
      self: party,
      signing: SIGNING,
      signer: new Secret(Uint8Array.from(keys[number - 1] ?? [])),
    }
    return { party, signer, network, frostShare, seat }
  }

  const wires = new Map<number, Subscriptions>()
  const startNode = (number: number): TestNode => {
    const { party, signer, network: wired, frostShare, seat } = partOf(number)
    const network = rewired(wired, wires.get(number) ?? new Map())
    const store = known.get(number) ?? createMemoryStore()
    const metrics = createMetrics()
    const service = createDecryptionService({
      ...{ seat, network, store, frostShare, clock, metrics },
      gateway: GATEWAY,
      ...{ recover, openingKernel, curve, quotes: quotes?.(party) },
      view: viewOf(chain),
      blobs: {
        get: async (digest) => {
          const bytes = blobs.get(digest)
          if (bytes === undefined) throw new Error(`no blob ${digest}`)
          return blobOf(digest, bytes, number)
        },
      },
      holder: holders.get(number) ?? createTestHolder(party, n, t, ciphertexts),
      frostPublic: group.publicKey,
      deliver: async (body) => {
        if (!delivers(number)) return
        submitted.push(body)
        delivered.push(...groupBodies(body))
        for (const certified of groupBodies(body)) await deliver(certified)
      },
      scheduler: clock,
      rng: systemRng,
      logger: silentLogger,
      startBlock: 0n,
      options: { ...DEFAULT_OPTIONS, ...options },
    })
    wires.set(number, network.subscriptions)
    if (isUp(number)) service.start()
    return { party, signer, service, store, metrics }
  }
  const numbers = Array.from({ length: n }, (_, i) => i + 1)
  const nodes = numbers.filter((number) => !corrupt.includes(number)).map(startNode)
  for (const { party, store } of nodes) known.set(party, store)

  const settle = async () => {
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    ...{ nodes, committee, clock, delivered, submitted },
    groupKey: group.publicKey,
    traitor(number) {
      const { party, seat, network, frostShare } = partOf(number)
      return {
        ...{ party, seat, frostShare },
        gossip: createKeyGossip({ seat, network, clock, metrics: null }),
        publishRaw: (topic, bytes) => network.publish(topic, bytes),
        holder: createTestHolder(party, n, t, ciphertexts),
      }
    },
    restart(number) {
      const at = nodes.findIndex(({ party }) => party === number)
      nodes[at]?.service.stop()
      nodes.splice(at, 1, startNode(number))
    },
    async run(ms, done = () => false, stepMs = 100) {
      for (let passed = 0; passed <= ms && !done(); passed += stepMs) {
        await settle()
        clock.advance(stepMs)
      }
      await settle()
    },
  }
}

type Subscriptions = Map<
  string,
  readonly [Parameters<Network["subscribe"]>[2], Parameters<Network["subscribe"]>[3]]
>

/** A network whose subscriptions the next start of the same node takes over. */
const rewired = (
  network: Network,
  subscriptions: Subscriptions,
): Network & { readonly subscriptions: Subscriptions } => ({
  ...network,
  subscriptions,
  subscribe(topic, maxBytes, validate, handler) {
    const known = subscriptions.has(topic)
    subscriptions.set(topic, [validate, handler])
    if (known) return
    network.subscribe(
      topic,
      maxBytes,
      (payload, from) => subscriptions.get(topic)?.[0](payload, from) ?? "ignore",
      (payload) => subscriptions.get(topic)?.[1](payload),
    )
  },
})

/** A count of a node's metrics; 0 where it was never counted. */
export async function countOf(
  { metrics }: Pick<TestNode, "metrics">,
  name: string,
  labels = "",
): Promise<number> {
  const found = (await metrics.text())
    .split("\n")
    .find((line) => line.startsWith(`twinlock_${name}${labels} `))
  return Number(found?.split(" ").at(-1) ?? 0)
}

/** A share holder that answers with another value's shares: consistent in form, wrong in content. */
export function lyingHolder(honest: ShareHolder): ShareHolder {
  return {
    async decryptionShares(work) {
      const shares = await honest.decryptionShares(work)
      return shares.map((share) => {
        const bytes = Uint8Array.from(share)
        // A lie only in bit 90 of one block.
        bytes[11] = (bytes[11] ?? 0) ^ 4
        return bytes
      })
    },
  }
}
