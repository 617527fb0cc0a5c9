/** Lies in endorsements (protocol §6.3, §7), where they replace the group signature (rule E) and where they go with it (A). */
import { signAs } from "@twinlock/node/decryption/seat"
import { type Batch, endorsedDigest } from "@twinlock/node/decryption/signing/batch"
import { taggedHash, tagHash } from "@twinlock/sdk/protocol/codec"
import { partiesOfBitmap, quorum } from "@twinlock/sdk/protocol/committee"
import { hashEndorsedBatch, typedDigest } from "@twinlock/sdk/protocol/eip712"
import { type PartyIndex, parseEpoch, parseKeyId } from "@twinlock/sdk/protocol/ids"
import type { Endorsement } from "@twinlock/sdk/protocol/messages"
import { signDigest } from "@twinlock/sdk/protocol/signature"
import type { Fault } from "@twinlock/sdk/threshold/faultEvidence"
import type { Traitor } from "../../../support/decryptionNetwork.ts"
import { SIGNING } from "../../../support/scriptedChain.ts"
import {
  type Arena,
  deliveredIn,
  endStanding,
  nextBlock,
  resigned,
  type Said,
  type Strategy,
} from "../arena.ts"
import { batchIn, changing } from "./means.ts"

type Lie = {
  readonly name: string
  readonly tries: string
  readonly blamed: Strategy["blamed"]
  /** Taken at its word by a third party. */
  readonly proves?: Fault
  readonly says: (
    message: Endorsement,
    traitor: Traitor,
    arena: Arena,
    to: PartyIndex,
  ) => readonly (Said | Partial<Endorsement>)[]
}

const signedBy = ({ seat }: Traitor, digest: Parameters<typeof signDigest>[0]): Uint8Array =>
  seat.signer.use((key) => signDigest(digest, key))

/** The seat's signature over what a batch of another key or epoch would be. */
function signedAs(traitor: Traitor, { root }: Endorsement, change: object): Uint8Array {
  const { keyId, epoch } = traitor.seat.key
  return signedBy(
    traitor,
    typedDigest(SIGNING, hashEndorsedBatch({ keyId, epoch, root, leaves: 1, ...change })),
  )
}

const otherBatch = (arena: Arena): Batch => ({ ...batchIn(arena), root: taggedHash("another batch") })

const lies: readonly Lie[] = [
  {
    name: "bad-endorsement",
    tries: "bytes that are nobody's signature",
    blamed: "everywhere",
    proves: "endorsement",
    says: () => [{ endorsement: new Uint8Array(65).fill(27) }],
  },
  {
    name: "endorses-another-batch",
    tries: "its signature over another batch, under the root of this one",
    blamed: "everywhere",
    proves: "endorsement",
    says: (_, traitor, arena) => [
      { endorsement: signedBy(traitor, endorsedDigest(traitor.seat, otherBatch(arena))) },
    ],
  },
  {
    name: "endorses-another-root",
    tries: "a good signature over another tree of the same request",
    blamed: "everywhere",
    proves: "root",
    says(_, traitor, arena) {
      const { root } = otherBatch(arena)
      return [{ root, endorsement: signedBy(traitor, endorsedDigest(traitor.seat, otherBatch(arena))) }]
    },
  },
  {
    name: "endorses-under-another-key",
    tries: "the batch as one of another key",
    blamed: "everywhere",
    proves: "endorsement",
    says: (message, traitor) => [
      { endorsement: signedAs(traitor, message, { keyId: parseKeyId(tagHash("another key")) }) },
    ],
  },
  {
    name: "endorses-in-another-epoch",
    tries: "the batch as one of the epoch after",
    blamed: "everywhere",
    proves: "endorsement",
    says: (message, traitor) => [{ endorsement: signedAs(traitor, message, { epoch: parseEpoch(2) }) }],
  },
  {
    name: "stolen-endorsement",
    tries: "an honest party's endorsement as its own",
    blamed: "perhaps",
    says(_, __, { spoken }) {
      const heard = spoken.flatMap(({ message }) => (message.kind === "endorsement" ? [message] : []))
      return heard.slice(0, 1).map(({ endorsement }) => ({ endorsement }))
    },
  },
  {
    name: "endorses-to-one",
    tries: "shows its endorsement to one honest party and keeps it from the others",
    blamed: "nowhere",
    says: (message, _, { honest }, to) => (to === honest[0] ? [message] : []),
  },
  {
    name: "keeps-its-endorsement",
    tries: "does all its work but endorses nothing",
    blamed: "nowhere",
    says: () => [],
  },
]

const told = (says: Lie["says"]): NonNullable<Strategy["says"]> =>
  changing("endorsement", (message, traitor, arena, to) =>
    says(message, traitor, arena, to).map((item) =>
      item instanceof Uint8Array || "kind" in item
        ? (item as Said)
        : resigned<Endorsement>(traitor.seat, message, item),
    ),
  )

const kinds = (arena: Arena) => new Set(deliveredIn(arena).map(({ kind }) => kind))
const cameEndorsed = (arena: Arena) => kinds(arena).has("endorsed")

/** FROST comes to nothing, so that a quorum of seats has to do. */
const FALLBACK = { loses: "signing-request", within: 30_000 } as const

const endorse = ({ seat }: Traitor, batch: Batch): Endorsement =>
  signAs<Endorsement>(seat, {
    kind: "endorsement",
    subjects: batch.leaves.map(({ requestId }) => requestId),
    root: batch.root,
    endorsement: seat.signer.use((key) => signDigest(endorsedDigest(seat, batch), key)),
  })

const seconds = (step: number) => step % 10 === 0

export const endorsing: readonly Strategy[] = [
  ...lies.map(
    ({ says, ...lie }): Strategy => ({
      ...lie,
      name: `${lie.name}-for-frost`,
      ...FALLBACK,
      says: told(says),
      bites: cameEndorsed,
    }),
  ),
  ...lies.map(
    ({ says, ...lie }): Strategy => ({
      ...lie,
      name: `${lie.name}-on-demand`,
      // Every honest party's endorsement is needed.
      demands: (size) => ({ endorsements: quorum(size), freshQuotes: 0, groupOnly: true }),
      says: told(says),
      bites: (arena) => kinds(arena).has("policy"),
    }),
  ),
  {
    name: "endorses-too-early",
    tries: "endorses once a second from the beginning, to lure others into it",
    blamed: "nowhere",
    async acts(traitor, arena, step) {
      if (seconds(step)) await traitor.gossip.publish(endorse(traitor, batchIn(arena)))
    },
    bites: ({ spoken }) => spoken.every(({ message }) => message.kind !== "endorsement"),
  },
  {
    name: "endorses-where-the-group-is-demanded",
    tries: "answers no list and endorses instead, where the requester takes no endorsements",
    blamed: "nowhere",
    demands: () => ({ endorsements: 0, freshQuotes: 0, groupOnly: true }),
    says: changing("signature-share", () => []),
    async acts(traitor, arena, step) {
      if (seconds(step)) await traitor.gossip.publish(endorse(traitor, batchIn(arena)))
    },
    bites: (arena) =>
      kinds(arena).has("group") && arena.spoken.every(({ message }) => message.kind !== "endorsement"),
  },
  {
    name: "endorses-and-falls",
    tries: "endorses ahead of time and loses its seats, so that endorsements name who does not stand",
    blamed: "nowhere",
    ...FALLBACK,
    async acts(traitor, arena, step) {
      if (step <= 80 && seconds(step)) await traitor.gossip.publish(endorse(traitor, batchIn(arena)))
      if (step !== 90 || traitor.party !== arena.traitors[0]) return
      endStanding(arena, arena.traitors, "revoked")
      nextBlock(arena.chain)
    },
    bites: (arena) =>
      deliveredIn(arena).some(
        ({ kind, certificate }) =>
          kind === "endorsed" &&
          !partiesOfBitmap(certificate.signers, arena.size.n).some((party) => arena.traitors.includes(party)),
      ),
  },
  {
    name: "proposal-flood",
    tries: "proposes other trees of one request all the time, each well signed",
    blamed: "everywhere",
    ...FALLBACK,
    async acts(traitor, arena, step) {
      if (step < 90 || step > 130) return
      const batch = { ...batchIn(arena), root: taggedHash("proposed", traitor.party, step) }
      await traitor.gossip.publish(endorse(traitor, batch))
    },
    bites: cameEndorsed,
  },
]
