/**
 * Keyholders of one committee on an in-memory network and a scripted chain: the whole decryption path with real openings,
 * real FROST and real signatures. Only the key share is a stand-in: it shares known plaintexts.
 */

import type {
  BlockRef,
  ChainView,
  Commitment,
  CommitmentState,
  DecryptionRequest,
  NodeRecord,
  PermitFloor,
} from "@twinlock/node/chain/chainView"
import { createManualClock, type ManualClock } from "@twinlock/node/clock"
import type { ShareHolder } from "@twinlock/node/decryption/release"
import {
  createDecryptionService,
  DEFAULT_OPTIONS,
  type DecryptionService,
} from "@twinlock/node/decryption/service"
import { createMemoryNetworks } from "@twinlock/node/p2p/memoryNetwork"
import { Secret } from "@twinlock/node/secret"
import { createMemoryStore } from "@twinlock/node/storage/memoryStore"
import type { SealedStore } from "@twinlock/node/storage/sealedStore"
import { silentLogger } from "@twinlock/node/telemetry/logger"
import { createMetrics, type Metrics } from "@twinlock/node/telemetry/metrics"
import { sha256Digest, taggedHash, tagHash, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { commitmentLeaf } from "@twinlock/sdk/protocol/commitment"
import { createCommittee } from "@twinlock/sdk/protocol/committee"
import type { SigningDomain } from "@twinlock/sdk/protocol/eip712"
import { blobBytesOf, blockCountOf, type FheType } from "@twinlock/sdk/protocol/fheType"
import { formatHandle, handleFields } from "@twinlock/sdk/protocol/handles"
import type { CertificatesRequest } from "@twinlock/sdk/protocol/http"
import {
  type Address,
  type Digest,
  type Handle,
  type PartyIndex,
  parseAddress,
  parseDigest,
  parseEpoch,
  parseKeyId,
  parsePartyIndex,
  parseRequestId,
  type RequestId,
  type SessionId,
} from "@twinlock/sdk/protocol/ids"
import { sessionIdOf } from "@twinlock/sdk/protocol/session"
import { addressOfSecretKey } from "@twinlock/sdk/protocol/signature"
import { encode, scalar } from "@twinlock/sdk/threshold/galoisRing"
import { share } from "@twinlock/sdk/threshold/shamir"
import { generateFrostGroup } from "./frostGroup.ts"
import { seededRng } from "./seededRng.ts"

export const KEY_ID = parseKeyId(tagHash("test key"))
export const EPOCH = parseEpoch(1)
export const DOMAIN = { chainId: 31_337n, coprocessor: parseAddress(`0x${"c0".repeat(20)}`) }
export const SIGNING: SigningDomain = {
  chainId: 31_337n,
  verifyingContract: parseAddress(`0x${"dd".repeat(20)}`),
}
export const GATEWAY = parseAddress(`0x${"9a".repeat(20)}`)
const ZERO = parseDigest(`0x${"00".repeat(32)}`)

/** A chain that says what the test lets it say. */
export type ScriptedChain = {
  head: BlockRef
  readonly requests: Map<RequestId, DecryptionRequest>
  readonly commitments: Map<Handle, { state: CommitmentState; details: Commitment }>
  readonly publiclyAllowed: Set<Handle>
  readonly allowed: Set<string>
  readonly nodes: Map<Address, NodeRecord>
  permitFloor: PermitFloor
}

export const blockAt = (number: bigint, timestamp: bigint): BlockRef => ({
  number,
  timestamp,
  hash: taggedHash("block", number),
})

export function createScriptedChain(): ScriptedChain {
  return {
    head: blockAt(100n, 1_000_000n),
    requests: new Map(),
    commitments: new Map(),
    publiclyAllowed: new Set(),
    allowed: new Set(),
    nodes: new Map(),
    permitFloor: { nonce: 0n, invalidBefore: 0n },
  }
}

export function viewOf(chain: ScriptedChain): ChainView {
  return {
    head: async () => chain.head,
    node: async (signer) => chain.nodes.get(signer) ?? null,
    key: async () => null,
    committee: async () => null,
    executors: async () => ({ members: [], k: 2 }),
    commitment: async (handle) => chain.commitments.get(handle)?.state ?? { leaf: ZERO, status: "none" },
    commitmentDetails: async (handle) => chain.commitments.get(handle)?.details ?? null,
    request: async (id) => chain.requests.get(id) ?? null,
    proposalsSince: async () => [],
    requestsSince: async (from) =>
      [...chain.requests.values()]
        .filter(({ blockNumber }) => blockNumber >= from)
        .map(({ requestId }) => requestId),
    isAllowedForDecryption: async (handle) => chain.publiclyAllowed.has(handle),
    isAllowed: async (handle, account) => chain.allowed.has(`${handle}/${account}`),
    permitFloor: async () => chain.permitFloor,
    isValidContractSignature: async () => false,
  }
}

export type TestCiphertext = {
  readonly handle: Handle
  readonly words: Uint8Array
  readonly session: SessionId
  readonly value: bigint
}

/** A committed ciphertext of a known value; its canonical words are filler, since shares come from the stand-in. */
export function addCiphertext(
  chain: ScriptedChain,
  name: string,
  value: bigint,
  fheType: FheType = 3,
): TestCiphertext {
  const handle = formatHandle({
    hash: taggedHash("test handle", sha256Digest(utf8ToBytes(name))),
    index: 255,
    chainId: DOMAIN.chainId,
    fheType,
  })
  const words = seededRng(`words/${name}`)(64)
  const bytes = new Uint8Array(blobBytesOf(fheType))
  bytes.set(words)
  const squashedDigest = sha256Digest(bytes)
  const blockCount = blockCountOf(fheType)
  const details: Commitment = {
    handle,
    operationDigest: ZERO,
    inputsDigest: ZERO,
    ciphertextDigest: ZERO,
    squashedDigest,
    fheType,
    blockCount,
  }
  chain.commitments.set(handle, {
    details,
    state: { leaf: commitmentLeaf(DOMAIN, { ...details, fheType }), status: "final" },
  })
  chain.publiclyAllowed.add(handle)
  return {
    handle,
    words: bytes,
    value,
    session: sessionIdOf({ keyId: KEY_ID, epoch: EPOCH, blockCount, squashedDigest }),
  }
}

export function addRequest(
  chain: ScriptedChain,
  name: string,
  handles: readonly Handle[],
  change: Partial<DecryptionRequest> = {},
): RequestId {
  const requestId = parseRequestId(taggedHash("test request", sha256Digest(utf8ToBytes(name))))
  chain.requests.set(requestId, {
    requestId,
    requester: GATEWAY,
    keyId: KEY_ID,
    handles,
    blockNumber: chain.head.number,
    uncancellableFrom: chain.head.timestamp,
    deadline: chain.head.timestamp + 3600n,
    status: "open",
    ...change,
  })
  return requestId
}

/** Shares of known plaintexts without masks; deterministic, like the native holder. */
export function createTestHolder(
  party: PartyIndex,
  n: number,
  t: number,
  ciphertexts: readonly TestCiphertext[],
): ShareHolder {
  return {
    async decryptionShare(_, session) {
      const ciphertext = ciphertexts.find((candidate) => candidate.session === session)
      if (ciphertext === undefined) throw new Error("unknown session")
      const blocks = blockCountOf(handleFields(ciphertext.handle).fheType)
      const parts = Array.from({ length: blocks }, (_, k) => {
        const block = ((ciphertext.value >> BigInt(4 * k)) & 15n) << 123n
        const value = share(scalar(block), n, t, seededRng(`share/${session}/${k}`))[party - 1]?.value
        return value === undefined ? new Uint8Array(64) : encode(value)
      })
      return new Uint8Array(Buffer.concat(parts))
    },
  }
}

export type TestNode = {
  readonly party: PartyIndex
  readonly signer: Address
  readonly service: DecryptionService
  readonly store: SealedStore
  readonly metrics: Metrics
}

export type TestCommittee = {
  readonly nodes: readonly TestNode[]
  readonly clock: ManualClock
  readonly delivered: CertificatesRequest[]
  readonly groupKey: ReturnType<typeof generateFrostGroup>["publicKey"]
  /** Lets time pass in small steps, with all messages delivered in between, until `done` or `ms` are over. */
  run(ms: number, done?: () => boolean): Promise<void>
}

export type CommitteeOptions = {
  readonly n: number
  readonly t: number
  readonly chain: ScriptedChain
  readonly ciphertexts: readonly TestCiphertext[]
  /** Replaces a party's share holder: a liar. */
  readonly holders?: ReadonlyMap<number, ShareHolder>
  readonly down?: readonly number[]
  readonly stores?: ReadonlyMap<number, SealedStore>
}

export function createTestCommittee({
  n,
  t,
  chain,
  ciphertexts,
  holders = new Map(),
  down = [],
  stores = new Map(),
}: CommitteeOptions): TestCommittee {
  const keys = Array.from({ length: n }, (_, i) => seededRng(`signer/${i}`)(32))
  const parties = keys.map(addressOfSecretKey)
  const committee = createCommittee({ keyId: KEY_ID, epoch: EPOCH, t, parties })
  const group = generateFrostGroup(n, t, "decryption network")
  const clock = createManualClock()
  const delivered: CertificatesRequest[] = []
  const isDown = (signer: Address) => down.includes(parties.indexOf(signer) + 1)
  const networks = createMemoryNetworks(parties, { connected: (from, to) => !isDown(from) && !isDown(to) })
  const blobs = new Map<Digest, Uint8Array>(ciphertexts.map(({ words }) => [sha256Digest(words), words]))
  for (const signer of parties)
    if (!chain.nodes.has(signer))
      chain.nodes.set(signer, {
        signer,
        operator: signer,
        role: "keyholder",
        peerIdHash: ZERO,
        configHash: ZERO,
        ppid: signer,
        liveUntil: chain.head.timestamp + 86_400n,
        revoked: false,
      })

  const nodes = parties.map((signer, i): TestNode => {
    const party = parsePartyIndex(i + 1, n)
    const network = networks.get(signer)
    const frostShare = group.keyShares.get(party)
    if (network === undefined || frostShare === undefined) throw new Error("incomplete committee")
    const store = stores.get(party) ?? createMemoryStore()
    const metrics = createMetrics()
    const service = createDecryptionService({
      seat: {
        key: { keyId: KEY_ID, epoch: EPOCH, domain: DOMAIN },
        committee,
        self: party,
        signing: SIGNING,
        signer: new Secret(Uint8Array.from(keys[i] ?? [])),
      },
      gateway: GATEWAY,
      view: viewOf(chain),
      network,
      store,
      blobs: {
        get: async (digest) => {
          const bytes = blobs.get(digest)
          if (bytes === undefined) throw new Error(`no blob ${digest}`)
          return bytes
        },
      },
      holder: holders.get(party) ?? createTestHolder(party, n, t, ciphertexts),
      frostShare,
      frostPublic: group.publicKey,
      deliver: async (certified) => void delivered.push(certified),
      clock,
      scheduler: clock,
      logger: silentLogger,
      metrics,
      startBlock: 0n,
      options: DEFAULT_OPTIONS,
    })
    return { party, signer, service, store, metrics }
  })

  const settle = async () => {
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  for (const node of nodes) if (!down.includes(node.party)) node.service.start()
  return {
    nodes,
    clock,
    delivered,
    groupKey: group.publicKey,
    async run(ms, done = () => false) {
      for (let passed = 0; passed <= ms && !done(); passed += 100) {
        await settle()
        clock.advance(100)
      }
      await settle()
    },
  }
}

/** A share holder that answers with another value's shares: consistent in form, wrong in content. */
export function lyingHolder(honest: ShareHolder): ShareHolder {
  return {
    async decryptionShare(words, session) {
      const bytes = Uint8Array.from(await honest.decryptionShare(words, session))
      // A lie only in bit 90 of one block.
      bytes[11] = (bytes[11] ?? 0) ^ 4
      return bytes
    },
  }
}
