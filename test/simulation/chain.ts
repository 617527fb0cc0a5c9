/**
 * The chain of a run: blocks come at their pace or stand still, transactions take effect in the next one, and everything
 * that the node may ask has a value at every block. Its contracts here are the few checks that decide about a run.
 */
import type {
  BlockRef,
  CommitmentState,
  DecryptionRequest,
  KeyRecord,
  NodeRecord,
} from "@twinlock/node/chain/chainView"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import type { Address, Handle, KeyId, RequestId } from "@twinlock/sdk/protocol/ids"
import { parseDigest } from "@twinlock/sdk/protocol/ids"
import type { Ciphertext } from "./ciphertexts.ts"
import { createHistory, type History } from "./history.ts"
import type { Random } from "./random.ts"
import type { Timeline } from "./timeline.ts"
import type { Trace } from "./trace.ts"

export type ChainOptions = { readonly blockMs: number; readonly finality: number }

/** What executors anchored: the words that the chain names now. */
export type Anchored = { readonly ciphertext: Ciphertext; readonly status: CommitmentState["status"] }

export type SimulatedChain = {
  /** Newest block. */
  readonly latest: number
  /** Newest block that no reorganisation takes back. */
  readonly finalised: number
  block(number: number): BlockRef
  /** Runs `transaction` in the next block. */
  submit(name: string, transaction: () => void): void
  /** No blocks until it is false again. */
  stalled: boolean
  onBlock(listener: () => void): void
  readonly nodes: ReadonlyMap<Address, History<NodeRecord | null>>
  readonly requests: ReadonlyMap<RequestId, History<DecryptionRequest | null>>
  readonly keys: ReadonlyMap<KeyId, History<KeyRecord | null>>
  readonly anchored: ReadonlyMap<Handle, History<Anchored | null>>
  readonly publiclyAllowed: ReadonlyMap<Handle, History<boolean>>
  /** `handle/account` of those that may read. */
  readonly readers: Set<string>
  /** Ids of requests and keys with their blocks, in chain order. */
  readonly events: readonly {
    readonly block: number
    readonly id: RequestId | KeyId
    readonly kind: EventKind
  }[]
  /** The following take effect in the block that is being made, or now at the start of a run. */
  setNode(record: NodeRecord): void
  setRequest(request: DecryptionRequest): void
  setKey(record: KeyRecord): void
  anchor(ciphertext: Ciphertext, status: CommitmentState["status"]): void
  allow(handle: Handle, allowed: boolean): void
  start(): void
}

type EventKind = "request" | "proposal"

export const GENESIS_SECONDS = 1_800_000_000n
export const NO_DIGEST = parseDigest(`0x${"00".repeat(32)}`)

export function createSimulatedChain(
  options: ChainOptions,
  timeline: Timeline,
  random: Random,
  trace: Trace,
): SimulatedChain {
  const blocks: BlockRef[] = []
  const pending: { readonly name: string; readonly transaction: () => void }[] = []
  const listeners: (() => void)[] = []
  const [nodes, requests, keys, anchored, allowed] = [
    new Map<Address, History<NodeRecord | null>>(),
    new Map<RequestId, History<DecryptionRequest | null>>(),
    new Map<KeyId, History<KeyRecord | null>>(),
    new Map<Handle, History<Anchored | null>>(),
    new Map<Handle, History<boolean>>(),
  ]
  const events: { block: number; id: RequestId | KeyId; kind: EventKind }[] = []

  function set<K, V>(histories: Map<K, History<V>>, key: K, first: V, value: V): void {
    const history = histories.get(key) ?? createHistory(first)
    histories.set(key, history)
    history.set(chain.latest, value)
  }
  const makeBlock = (): void => {
    const number = blocks.length
    const seconds = GENESIS_SECONDS + BigInt(Math.floor(timeline.now / 1000))
    blocks.push({ number: BigInt(number), hash: taggedHash("simulated block", number), timestamp: seconds })
    for (const { name, transaction } of pending.splice(0)) {
      trace.add(timeline.now, `chain: block ${number}: ${name}`)
      transaction()
    }
    for (const listener of listeners) listener()
  }
  const mine = (): void => {
    timeline.after(options.blockMs * (0.8 + 0.4 * (random.below(1000) / 1000)), null, () => {
      if (!chain.stalled) makeBlock()
      mine()
    })
  }

  const chain: SimulatedChain = {
    get latest() {
      return blocks.length - 1
    },
    get finalised() {
      return Math.max(0, blocks.length - 1 - options.finality)
    },
    block(number) {
      const block = blocks[number]
      if (block === undefined) throw new Error(`no block ${number}`)
      return block
    },
    submit: (name, transaction) => void pending.push({ name, transaction }),
    stalled: false,
    onBlock: (listener) => void listeners.push(listener),
    ...{ nodes, requests, keys, anchored, publiclyAllowed: allowed, readers: new Set(), events },
    setNode: (record) => set(nodes, record.signer, null, record),
    setRequest(request) {
      if (!requests.has(request.requestId))
        events.push({ block: chain.latest, id: request.requestId, kind: "request" })
      set(requests, request.requestId, null, request)
    },
    setKey(record) {
      if (!keys.has(record.keyId)) events.push({ block: chain.latest, id: record.keyId, kind: "proposal" })
      set(keys, record.keyId, null, record)
    },
    anchor: (ciphertext, status) => set(anchored, ciphertext.handle, null, { ciphertext, status }),
    allow: (handle, is) => set(allowed, handle, false, is),
    start: mine,
  }
  makeBlock()
  return chain
}
