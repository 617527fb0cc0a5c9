/**
 * One decryption of two values in a committee of which t parties are traitors. A traitor runs the honest node's own code,
 * and a strategy changes what leaves it: message by message and peer by peer, signed anew with the traitor's seat, or bytes
 * under no rule at all. The arena writes down who said what to whom; judge.ts reads it.
 */
import type { NodeRecord } from "@twinlock/node/chain/chainView"
import { rankedParties } from "@twinlock/node/decryption/ranking"
import type { ShareHolder } from "@twinlock/node/decryption/release"
import { type KeySeat, signAs, topicOf } from "@twinlock/node/decryption/seat"
import { nativeKernel } from "@twinlock/node/threshold/opening"
import { recoverSigner } from "@twinlock/node/threshold/signatures"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { Digest, PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import { decodeMessage, encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import { messageDigest } from "@twinlock/sdk/protocol/messageSignature"
import type { GossipMessage, SigningRequest } from "@twinlock/sdk/protocol/messages"
import {
  createTestCommittee,
  createTestHolder,
  seatSigners,
  standingNode,
  type TestCommittee,
  type Traitor,
} from "../../support/decryptionNetwork.ts"
import {
  addCiphertext,
  addRequest,
  createScriptedChain,
  type ScriptedChain,
  SIGNING,
  type TestCiphertext,
} from "../../support/scriptedChain.ts"
import { seededRng } from "../../support/seededRng.ts"

export type Size = { readonly n: number; readonly t: number }

/** random: anywhere, from a seed. worst: they are the first aggregators of the request's block. */
export type Placement = "random" | "worst"

/** What a traitor's network hands to one peer instead of an honest message: messages to be signed anew, or bytes. */
export type Said = GossipMessage | Uint8Array

export type Strategy = {
  readonly name: string
  /** What it tries. */
  readonly tries: string
  /** Instead of an honest message to a peer. Absent: the traitor speaks honestly. */
  readonly says?: (message: GossipMessage, to: PartyIndex, arena: Arena, traitor: Traitor) => readonly Said[]
  /** Replaces the traitor's share holder. */
  readonly holder?: (honest: ShareHolder, traitor: PartyIndex, arena: Arena) => ShareHolder
  /** Called before the first message and after each step of simulated time. */
  readonly acts?: (traitor: Traitor, arena: Arena, step: number) => Promise<void>
  /** What happens on chain before the request is seen. */
  readonly prepares?: (arena: Pick<Arena, "chain" | "traitors" | "size">) => void
  /** everywhere: each honest node names each traitor. perhaps: whoever met the lie. nowhere: there is no proof of it. */
  readonly blamed: "everywhere" | "perhaps" | "nowhere"
  /** Milliseconds of simulated time within which there must be a certificate. */
  readonly within?: number
}

/** A message as it left a party. */
export type Spoken = { readonly from: PartyIndex; readonly message: GossipMessage; readonly step: number }

export type Arena = {
  readonly size: Size
  readonly chain: ScriptedChain
  readonly ciphertexts: readonly TestCiphertext[]
  readonly requestId: RequestId
  readonly committee: TestCommittee
  readonly traitors: readonly PartyIndex[]
  readonly honest: readonly PartyIndex[]
  readonly ranking: readonly PartyIndex[]
  /** What honest parties sent, once each, in order. */
  readonly spoken: readonly Spoken[]
  /** Every list that reached anybody, by the digest that answers name. */
  readonly lists: ReadonlyMap<Digest, SigningRequest>
  /** Runs until a certificate is delivered or the time is over. @returns milliseconds of simulated time */
  fight(): Promise<number>
}

export const STEP_MS = 100
const DAY = 86_400n

/** The place of traitors. */
function place(n: number, count: number, placement: Placement, seed: string, ranking: readonly PartyIndex[]) {
  if (placement === "worst") return ranking.slice(0, count)
  const rng = seededRng(`arena/${seed}`)
  const drawn = partyIndexes({ n }).map((party) => ({ party, weight: Buffer.from(rng(8)).readBigUInt64BE() }))
  return drawn
    .sort((a, b) => (a.weight < b.weight ? -1 : 1))
    .slice(0, count)
    .map(({ party }) => party)
}

/** @param count of traitors; t unless the judge is to see what more of them can do */
export function createArena(
  size: Size,
  placement: Placement,
  strategy: Strategy,
  count: number = size.t,
): Arena {
  const chain = createScriptedChain()
  chain.head = { ...chain.head, hash: taggedHash("arena block", size.n) }
  const ciphertexts = [addCiphertext(chain, "yes", 1234n), addCiphertext(chain, "no", 65_535n)]
  const requestId = addRequest(
    chain,
    "tally",
    ciphertexts.map(({ handle }) => handle),
  )
  const ranking = rankedParties(size, chain.head.hash)
  const traitors = place(size.n, count, placement, `${strategy.name}/${size.n}`, ranking)
  const isTraitor = (party: number) => traitors.some((traitor) => traitor === party)
  for (const signer of seatSigners(size.n))
    chain.nodes.set(signer, standingNode(signer, chain.head.timestamp + DAY))
  strategy.prepares?.({ chain, traitors, size })

  const spoken: Spoken[] = []
  const lists = new Map<Digest, SigningRequest>()
  const note = <M extends GossipMessage>(message: M): M => {
    if (message.kind === "signing-request") lists.set(messageDigest(message, SIGNING), message)
    return message
  }
  let step = 0
  let last: Uint8Array | null = null
  const gossip = (from: number, to: number, _topic: string, payload: Uint8Array): readonly Uint8Array[] => {
    const traitor = players.get(from)
    if (traitor !== undefined) {
      if (strategy.says === undefined || injected.has(payload)) return [payload]
      const said = strategy.says(decodeMessage(payload), to as PartyIndex, arena, traitor)
      return said.map((item) => (item instanceof Uint8Array ? item : encodeMessage(note(item))))
    }
    if (payload !== last) {
      last = payload
      spoken.push({ from: from as PartyIndex, message: note(decodeMessage(payload)), step })
    }
    return [payload]
  }
  const holders = new Map<number, ShareHolder>()
  const players = new Map<number, Traitor>()
  /** Payloads that a traitor sends by itself: they are not changed again. */
  const injected = new WeakSet<Uint8Array>()

  const arena: Omit<Arena, "committee"> & { committee: TestCommittee } = {
    ...{ size, chain, ciphertexts, requestId, traitors, ranking, spoken, lists },
    honest: partyIndexes(size).filter((party) => !isTraitor(party)),
    committee: undefined as unknown as TestCommittee,
    async fight() {
      const { committee } = arena
      const within = strategy.within ?? 20_000
      for (let passed = 0; passed <= within && committee.delivered.length === 0; passed += STEP_MS) {
        for (const traitor of players.values()) await strategy.acts?.(traitor, arena, step)
        step += 1
        await committee.run(0, undefined, STEP_MS)
      }
      await committee.run(2000, undefined, 500)
      return step * STEP_MS
    },
  }
  for (const party of traitors) {
    const honest = createTestHolder(party, size.n, size.t, ciphertexts)
    holders.set(party, strategy.holder?.(honest, party, arena) ?? honest)
  }
  arena.committee = createTestCommittee({
    ...{ ...size, chain, ciphertexts, holders, gossip },
    // As the node has them: floods are judged at the node's own speed.
    ...{ recover: recoverSigner, openingKernel: nativeKernel },
    // What counts is what the honest bring about.
    delivers: (party) => !isTraitor(party),
  })
  for (const party of traitors) {
    const traitor = arena.committee.traitor(party)
    const send = (topic: string, payload: Uint8Array) => {
      injected.add(payload)
      return traitor.publishRaw(topic, payload)
    }
    players.set(party, {
      ...traitor,
      publishRaw: send,
      gossip: {
        ...traitor.gossip,
        publish: (message) => send(topicOf(message.kind, traitor.seat), encodeMessage(note(message))),
      },
    })
  }
  return arena
}

/** The message with changed fields under a fresh signature of the traitor's seat. */
export function resigned<M extends GossipMessage>(
  seat: KeySeat,
  message: M,
  change: Partial<Omit<M, "kind" | "signature" | "party">>,
): M {
  const { signature: _, ...body } = { ...message, ...change }
  return signAs<M>(seat, body as unknown as Parameters<typeof signAs<M>>[1])
}

/** The record of a party's seat on chain. */
export function recordOf(chain: ScriptedChain, n: number, party: PartyIndex): NodeRecord {
  const signer = seatSigners(n)[party - 1]
  const record = signer === undefined ? undefined : chain.nodes.get(signer)
  if (record === undefined) throw new Error(`no seat ${party}`)
  return record
}
