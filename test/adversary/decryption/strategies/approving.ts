/** Lies about what is approved, and about nonces that ride on approvals (protocol §6.1). */

import { signAs } from "@twinlock/node/decryption/seat"
import { sha256Digest, taggedHash } from "@twinlock/sdk/protocol/codec"
import { blockCountOf } from "@twinlock/sdk/protocol/fheType"
import { handleFields } from "@twinlock/sdk/protocol/handles"
import type { Approval, CommitmentPair } from "@twinlock/sdk/protocol/messages"
import { sessionIdOf } from "@twinlock/sdk/protocol/session"
import type { Traitor } from "../../../support/decryptionNetwork.ts"
import { type Arena, resigned, type Said, type Strategy } from "../arena.ts"

/** Changes approvals; every other message is honest. */
const approvals =
  (
    change: (message: Approval, traitor: Traitor, arena: Arena) => readonly Said[],
  ): NonNullable<Strategy["says"]> =>
  (message, _to, arena, traitor) =>
    message.kind === "approval" ? change(message, traitor, arena) : [message]

/** The same approval with its sessions in the other order. */
const reversed = (message: Approval, { seat }: Traitor): Approval =>
  resigned<Approval>(seat, message, {
    approved: message.approved.map(({ subject, sessions }) => ({ subject, sessions: sessions.toReversed() })),
  })

const strategy = (
  name: string,
  tries: string,
  blamed: Strategy["blamed"],
  change: Parameters<typeof approvals>[0],
): Strategy => ({ name, tries, blamed, says: approvals(change) })

/** A commitment pair of an honest party that was heard already. */
const stolenPairs = ({ spoken }: Arena): readonly CommitmentPair[] =>
  spoken.flatMap(({ message }) => (message.kind === "approval" ? message.commitments : [])).slice(0, 2)

export const approving: readonly Strategy[] = [
  strategy("other-sessions", "approves the sessions in another order", "nowhere", (message, traitor) => [
    reversed(message, traitor),
  ]),
  strategy("two-approvals", "approves two readings of one subject", "everywhere", (message, traitor) => [
    message,
    reversed(message, traitor),
  ]),
  strategy(
    "other-reading",
    "approves the same words as a ciphertext of another width",
    "nowhere",
    (message, { seat }, arena) => {
      const sessions = arena.ciphertexts.map(({ words, handle }) =>
        sessionIdOf({
          ...seat.key,
          blockCount: 2 * blockCountOf(handleFields(handle).fheType),
          squashedDigest: sha256Digest(words),
        }),
      )
      return [
        resigned<Approval>(seat, message, {
          approved: message.approved.map((item) => ({ ...item, sessions })),
        }),
      ]
    },
  ),
  strategy("fake-block", "approves at a block that never was", "nowhere", (message, { seat }) => [
    resigned<Approval>(seat, message, { blockHash: taggedHash("no block"), blockNumber: 1n }),
  ]),
  strategy(
    "commitment-off-the-curve",
    "a commitment that is no pair of points",
    "nowhere",
    (message, { seat }) => [resigned<Approval>(seat, message, { commitments: [new Uint8Array(66).fill(5)] })],
  ),
  strategy("no-commitments", "approves and offers no nonces", "nowhere", (message, { seat }) => [
    resigned<Approval>(seat, message, { commitments: [] }),
  ]),
  strategy(
    "stolen-commitments",
    "offers the commitments of an honest party as its own",
    "nowhere",
    (message, { seat }, arena) => [resigned<Approval>(seat, message, { commitments: stolenPairs(arena) })],
  ),
  strategy(
    "approves-the-unknown",
    "adds a subject that nobody knows to every approval",
    "nowhere",
    (message, { seat }) => [
      resigned<Approval>(seat, message, {
        approved: [
          ...message.approved,
          { subject: taggedHash("nobody's subject"), sessions: message.approved[0]?.sessions ?? [] },
        ],
      }),
    ],
  ),
  {
    name: "approval-flood",
    tries: "approves twenty unknown subjects in every step",
    blamed: "nowhere",
    async acts({ seat, gossip }, { chain, ciphertexts }, step) {
      for (let i = 0; i < 20; i++)
        await gossip.publish(
          signAs<Approval>(seat, {
            kind: "approval",
            approved: [
              { subject: taggedHash("flood", step, i), sessions: ciphertexts.map(({ session }) => session) },
            ],
            blockNumber: chain.head.number,
            blockHash: chain.head.hash,
            verdict: 1,
            commitments: [],
          }),
        )
    },
  },
]
