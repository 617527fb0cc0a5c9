/**
 * Decryptions of two values in a committee of which t parties are traitors. A traitor runs the honest node's own code,
 * and a strategy changes what leaves it: message by message and peer by peer, signed anew with the traitor's seat, or bytes
 * under no rule at all. The arena writes down who said what to whom; judge.ts reads it.
 */
import { rankedParties } from "@twinlock/node/decryption/ranking"
import type { ShareHolder } from "@twinlock/node/decryption/release"
import { type KeySeat, signAs, topicOf } from "@twinlock/node/decryption/seat"
import { nativeCurve } from "@twinlock/node/threshold/nativeCurve"
import { nativeKernel } from "@twinlock/node/threshold/opening"
import { recoverSigner } from "@twinlock/node/threshold/signatures"
import { type AcceptancePolicy, type Certified, STANDING_POLICY } from "@twinlock/sdk/protocol/certificate"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { Digest, PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import { decodeMessage, encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import { messageDigest } from "@twinlock/sdk/protocol/messageSignature"
import type { GossipMessage, MessageKind, SigningRequest } from "@twinlock/sdk/protocol/messages"
import type { Fault } from "@twinlock/sdk/threshold/faultEvidence"
import {
  type CommitteeOptions,
  createTestCommittee,
  createTestHolder,
  seatSigners,
  standingNode,
  type TestCommittee,
  type Traitor,
} from "../../support/decryptionNetwork.ts"
import { deliveredResults } from "../../support/deliveredResults.ts"
import {
  addCiphertext,
  addRequest,
  blockAt,
  createScriptedChain,
  type ScriptedChain,
  SIGNING,
  type TestCiphertext,
} from "../../support/scriptedChain.ts"
import { seededRng } from "../../support/seededRng.ts"
import { enclaveOf } from "../../support/testEnclaves.ts"

export type Size = { readonly n: number; readonly t: number }

/** random: anywhere, from a seed. worst: where the strategy wants them. */
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
  /** The worst places: the first aggregators of the block where it is missing, or those whom an aggregator lists first. */
  readonly wants?: "listed"
  /** What the requester demands; the standing rule where it is missing. */
  readonly demands?: (size: Size) => AcceptancePolicy
  /** The network loses every message of this kind: what stands in for it is seen only then. */
  readonly loses?: MessageKind
  /** Requests one after another, each in a block of its own; 1 where it is missing. */
  readonly rounds?: number
  /** True where the fight shows what the strategy tried; judged where traitors have the places that they want. */
  readonly bites?: (arena: Arena) => boolean
  /** What happens on chain before the request is seen. */
  readonly prepares?: (arena: Pick<Arena, "chain" | "traitors" | "size">) => void
  /** everywhere: each honest node names each traitor. perhaps: whoever met the lie. nowhere: there is no proof of it. */
  readonly blamed: "everywhere" | "perhaps" | "nowhere"
  /** What evidence of honest nodes proves to a third party, where traitors have the places that they want. */
  readonly proves?: Fault
  /** Milliseconds of simulated time within which each request must have its certificate. */
  readonly within?: number
}

/** A message as it left a party. */
export type Spoken = { readonly from: PartyIndex; readonly message: GossipMessage; readonly step: number }

export type Arena = {
  readonly size: Size
  readonly placement: Placement
  readonly chain: ScriptedChain
  readonly ciphertexts: readonly TestCiphertext[]
  /** The request of the present round, counted from 0. */
  readonly requestId: RequestId
  readonly round: number
  readonly policy: AcceptancePolicy
  readonly committee: TestCommittee
  readonly traitors: readonly PartyIndex[]
  readonly honest: readonly PartyIndex[]
  readonly ranking: readonly PartyIndex[]
  /** What honest parties sent, once each, in order. */
  readonly spoken: readonly Spoken[]
  /** Every list that reached anybody, by the digest that answers name. */
  readonly lists: ReadonlyMap<Digest, SigningRequest>
  /** Messages that traitors changed, kept back or made up, per peer. */
  readonly deeds: number
  /** Whose quotes honest nodes refused. */
  readonly refusedQuotes: ReadonlySet<number>
  /** Milliseconds of simulated time that each round took. */
  readonly took: readonly number[]
  /** Runs until each request has a certificate, or the time of one is over. */
  fight(): Promise<void>
}

export const STEP_MS = 100
/** What the arena itself writes while it goes on. */
type Written<T, K extends keyof T> = Omit<T, K> & { -readonly [P in K]: T[P] }
const DAY = 86_400n

/** The place of traitors. */
function place(
  n: number,
  count: number,
  placement: Placement,
  { name, wants }: Strategy,
  ranking: readonly PartyIndex[],
) {
  const [first] = ranking
  if (placement === "worst")
    return wants === "listed"
      ? partyIndexes({ n })
          .filter((party) => party !== first)
          .slice(0, count)
      : ranking.slice(0, count)
  const seed = `${name}/${n}`
  const rng = seededRng(`arena/${seed}`)
  const drawn = partyIndexes({ n }).map((party) => ({ party, weight: Buffer.from(rng(8)).readBigUInt64BE() }))
  return drawn
    .sort((a, b) => (a.weight < b.weight ? -1 : 1))
    .slice(0, count)
    .map(({ party }) => party)
}

/**
 * @param count of traitors; t unless the judge is to see what more of them can do
 * @param weakness of honest nodes, for the judge to find
 */
export function createArena(
  size: Size,
  placement: Placement,
  strategy: Strategy,
  {
    count = size.t,
    weakness = {},
  }: { readonly count?: number; readonly weakness?: Partial<CommitteeOptions> } = {},
): Arena {
  const chain = createScriptedChain()
  chain.head = { ...chain.head, hash: taggedHash("arena block", size.n) }
  const ciphertexts = [addCiphertext(chain, "yes", 1234n), addCiphertext(chain, "no", 65_535n)]
  const blockHash = chain.head.hash
  const policy = strategy.demands?.(size) ?? STANDING_POLICY
  /** All requests have the same aggregators. */
  const ask = (round: number) =>
    addRequest(
      chain,
      `tally ${round}`,
      ciphertexts.map(({ handle }) => handle),
      { policy, blockHash },
    )
  const ranking = rankedParties(size, blockHash)
  const traitors = place(size.n, count, placement, strategy, ranking)
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
  const gossip = (from: number, to: number, topic: string, payload: Uint8Array): readonly Uint8Array[] => {
    if (strategy.loses !== undefined && topic.startsWith(`${strategy.loses}/`)) return []
    const traitor = players.get(from)
    if (traitor !== undefined) {
      if (strategy.says === undefined || injected.has(payload)) return [payload]
      const message = decodeMessage(payload)
      const said = strategy.says(message, to as PartyIndex, arena, traitor)
      if (said.length !== 1 || said[0] !== message) arena.deeds += 1
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

  const refusedQuotes = new Set<number>()
  const took: number[] = []
  const arena: Written<Arena, "committee" | "requestId" | "round" | "deeds"> = {
    ...{ size, placement, chain, ciphertexts, policy, traitors, ranking, spoken, lists, refusedQuotes, took },
    ...{ requestId: ask(0), round: 0, deeds: 0 },
    honest: partyIndexes(size).filter((party) => !isTraitor(party)),
    committee: undefined as unknown as TestCommittee,
    async fight() {
      const { committee } = arena
      const within = strategy.within ?? 20_000
      for (let round = 0; round < (strategy.rounds ?? 1); round++) {
        if (round > 0) nextRound(round)
        let passed = 0
        for (; passed <= within && !isSettled(); passed += STEP_MS) {
          for (const traitor of players.values()) await strategy.acts?.(traitor, arena, step)
          step += 1
          await committee.run(0, undefined, STEP_MS)
        }
        took.push(passed)
        if (!isSettled()) break
      }
      await committee.run(2000, undefined, 500)
    },
  }
  const isSettled = () => deliveredIn(arena).some(({ result }) => result.requestId === arena.requestId)
  /** The chain has the last result, and the next request. */
  function nextRound(round: number): void {
    const settled = chain.requests.get(arena.requestId)
    if (settled !== undefined) chain.requests.set(arena.requestId, { ...settled, status: "fulfilled" })
    nextBlock(chain)
    arena.round = round
    arena.requestId = ask(round)
  }
  for (const party of traitors) {
    const honest = createTestHolder(party, size.n, size.t, ciphertexts)
    holders.set(party, strategy.holder?.(honest, party, arena) ?? honest)
  }
  arena.committee = createTestCommittee({
    ...{ ...size, chain, ciphertexts, holders, gossip },
    // As the node has them: floods are judged at the node's own speed.
    ...{ recover: recoverSigner, openingKernel: nativeKernel, curve: nativeCurve },
    quotes: (party) =>
      enclaveOf(party, (refused) => {
        if (!isTraitor(party)) refusedQuotes.add(refused)
      }),
    // What counts is what the honest bring about.
    delivers: (party) => !isTraitor(party),
    ...weakness,
  })
  for (const party of traitors) {
    const traitor = arena.committee.traitor(party)
    const send = (topic: string, payload: Uint8Array) => {
      injected.add(payload)
      arena.deeds += 1
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

/** What honest parties delivered, result by result. */
export const deliveredIn = ({ committee }: Pick<Arena, "committee">): readonly Certified[] =>
  committee.submitted.flatMap(deliveredResults)

/** The message with changed fields under a fresh signature of the traitor's seat. */
export function resigned<M extends GossipMessage>(
  seat: KeySeat,
  message: M,
  change: Partial<Omit<M, "kind" | "signature" | "party">>,
): M {
  const { signature: _, ...body } = { ...message, ...change }
  return signAs<M>(seat, body as unknown as Parameters<typeof signAs<M>>[1])
}

export function nextBlock(chain: ScriptedChain): void {
  const { number, timestamp } = chain.head
  chain.head = blockAt(number + 1n, timestamp + 12n)
}

/** Ends the standing of seats on chain. */
export function endStanding(
  { chain, size }: Pick<Arena, "chain" | "size">,
  parties: readonly PartyIndex[],
  how: "expired" | "revoked",
): void {
  for (const party of parties) {
    const signer = seatSigners(size.n)[party - 1]
    const record = signer === undefined ? undefined : chain.nodes.get(signer)
    if (signer === undefined || record === undefined) throw new Error(`no seat ${party}`)
    const change = how === "revoked" ? { revoked: true } : { liveUntil: 1n }
    chain.nodes.set(signer, { ...record, ...change })
  }
}
