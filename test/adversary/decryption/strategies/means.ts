/** What strategies of signers, aggregators and endorsers have in common. */
import { type Batch, batchOf, leafOf } from "@twinlock/node/decryption/signing/batch"
import { concatBytes } from "@twinlock/sdk/protocol/codec"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { CommitmentPair, GossipMessage, MessageKind } from "@twinlock/sdk/protocol/messages"
import { encodePlaintextWord } from "@twinlock/sdk/threshold/plaintext"
import type { Traitor } from "../../../support/decryptionNetwork.ts"
import { DOMAIN, GATEWAY } from "../../../support/scriptedChain.ts"
import type { Arena, Said, Strategy } from "../arena.ts"

type OfKind<K extends MessageKind> = Extract<GossipMessage, { kind: K }>

/** Changes messages of one kind; every other one is honest. */
export const changing =
  <K extends MessageKind>(
    kind: K,
    change: (message: OfKind<K>, traitor: Traitor, arena: Arena, to: PartyIndex) => readonly Said[],
  ): NonNullable<Strategy["says"]> =>
  (message, to, arena, traitor) =>
    message.kind === kind ? change(message as OfKind<K>, traitor, arena, to) : [message]

/** The right batch of the arena's present request. */
export const batchIn = ({ ciphertexts, requestId }: Arena): Batch =>
  batchOf([
    leafOf({
      chainId: DOMAIN.chainId,
      gateway: GATEWAY,
      requestId,
      handles: ciphertexts.map(({ handle }) => handle),
      sessions: ciphertexts.map(({ session }) => session),
      plaintexts: concatBytes(...ciphertexts.map(({ value }) => encodePlaintextWord(value))),
    }),
  ])

/** Newest commitments that honest parties offered. */
export function offered({ spoken }: Arena): ReadonlyMap<PartyIndex, CommitmentPair> {
  const pairs = new Map<PartyIndex, CommitmentPair>()
  for (const { from, message } of spoken) {
    const [pair] =
      message.kind === "approval" || message.kind === "signature-share" ? message.commitments : []
    if (pair !== undefined) pairs.set(from, pair)
  }
  return pairs
}

/** Honest parties answered lists of traitors: nonces were used for them. */
export const answeredTraitors = ({ spoken, lists, traitors }: Arena): boolean =>
  spoken.some(({ message }) => {
    const list = message.kind === "signature-share" ? lists.get(message.request) : undefined
    return list !== undefined && traitors.includes(list.party)
  })
