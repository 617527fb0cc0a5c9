/** Lies of signers and aggregators (protocol §6.3; signing.md §1). */
import { signAs } from "@twinlock/node/decryption/seat"
import { keccak, taggedHash } from "@twinlock/sdk/protocol/codec"
import { quorum } from "@twinlock/sdk/protocol/committee"
import { type PartyIndex, parseRequestId } from "@twinlock/sdk/protocol/ids"
import type {
  Approval,
  CertificateAnnouncement,
  SignatureShare,
  SigningRequest,
} from "@twinlock/sdk/protocol/messages"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import { createNonces } from "@twinlock/sdk/threshold/frostSign"
import { nodeHash } from "@twinlock/sdk/threshold/merkle"
import type { Traitor } from "../../../support/decryptionNetwork.ts"
import { GATEWAY } from "../../../support/scriptedChain.ts"
import { seededRng } from "../../../support/seededRng.ts"
import { type Arena, resigned, type Said, type Strategy } from "../arena.ts"
import { answeredTraitors, batchIn, changing, offered } from "./means.ts"

const answers = (
  name: string,
  tries: string,
  blamed: Strategy["blamed"],
  change: (message: SignatureShare, traitor: Traitor, arena: Arena) => readonly Said[],
): Strategy => ({ name, tries, blamed, wants: "listed", says: changing("signature-share", change) })

const lists = (
  name: string,
  tries: string,
  blamed: Strategy["blamed"],
  change: (message: SigningRequest, traitor: Traitor, arena: Arena, to: PartyIndex) => readonly Said[],
): Strategy => ({ name, tries, blamed, says: changing("signing-request", change) })

const announcements = (
  name: string,
  tries: string,
  blamed: Strategy["blamed"],
  change: (message: CertificateAnnouncement, traitor: Traitor, arena: Arena) => readonly Said[],
): Strategy => ({ name, tries, blamed, says: changing("certificate-announcement", change) })

export const signing: readonly Strategy[] = [
  answers("wrong-signature-share", "a scalar that is none", "perhaps", (message, { seat }) => [
    resigned<SignatureShare>(seat, message, { share: new Uint8Array(32).fill(7) }),
  ]),
  answers("signature-share-above-n", "a share that is no scalar", "perhaps", (message, { seat }) => [
    resigned<SignatureShare>(seat, message, { share: new Uint8Array(32).fill(255) }),
  ]),
  answers("answer-to-another-list", "its share under another digest", "nowhere", (message, { seat }) => [
    resigned<SignatureShare>(seat, message, { request: taggedHash("another list") }),
  ]),
  answers("commits-and-is-silent", "offers nonces and answers no list", "nowhere", () => []),
  answers(
    "no-fresh-commitment",
    "answers, and offers nothing for the next list",
    "nowhere",
    (message, { seat }) => [resigned<SignatureShare>(seat, message, { commitments: [] })],
  ),
  answers("two-answers", "a wrong share behind the right one", "nowhere", (message, { seat }) => [
    message,
    resigned<SignatureShare>(seat, message, { share: new Uint8Array(32).fill(9) }),
  ]),
  lists("aggregator-is-silent", "asks nobody", "nowhere", () => []),
  lists(
    "aggregator-asks-half",
    "asks every second party alone",
    "nowhere",
    (message, _traitor, _arena, to) => (to % 2 === 0 ? [message] : []),
  ),
  lists("wrong-root", "asks for a signature on another tree", "perhaps", (message, { seat }) => [
    resigned<SigningRequest>(seat, message, { root: keccak(new Uint8Array(3)) }),
  ]),
  lists("inner-node-as-root", "a tree in which the batch is one half", "perhaps", (message, { seat }) => [
    resigned<SigningRequest>(seat, message, { root: nodeHash(message.root, keccak(Uint8Array.of(2))) }),
  ]),
  lists("below-the-quorum", "leaves the last signer out of its list", "nowhere", (message, { seat }) => [
    resigned<SigningRequest>(seat, message, { signers: message.signers.slice(0, -1) }),
  ]),
  lists(
    "swapped-commitments",
    "gives two signers each other's commitments",
    "nowhere",
    (message, { seat }) => {
      const [first, second] = message.signers.filter(({ party }) => party !== seat.self)
      const signers = message.signers.map((signer) =>
        signer.party === first?.party
          ? { ...signer, commitment: second?.commitment ?? signer.commitment }
          : signer.party === second?.party
            ? { ...signer, commitment: first?.commitment ?? signer.commitment }
            : signer,
      )
      return [resigned<SigningRequest>(seat, message, { signers })]
    },
  ),
  lists("foreign-subject", "adds a result that nobody asked for", "nowhere", (message, { seat }) => [
    resigned<SigningRequest>(seat, message, {
      subjects: [...message.subjects, parseRequestId(taggedHash("nobody's request"))],
    }),
  ]),
  lists(
    "another-list-for-each",
    "tells each peer another attempt over the same commitments",
    "nowhere",
    (message, { seat }, _arena, to) => [
      resigned<SigningRequest>(seat, message, { attempt: message.attempt + to }),
    ],
  ),
  lists(
    "same-nonces-twice",
    "two lists over the same commitments, to everybody",
    "nowhere",
    (message, { seat }) => [
      message,
      resigned<SigningRequest>(seat, message, { attempt: message.attempt + 1000 }),
    ],
  ),
  {
    name: "nonce-exhaustion",
    tries: "asks for signatures all the time, with lists that it never finishes",
    blamed: "nowhere",
    says: changing("signing-request", () => []),
    bites: answeredTraitors,
    async acts({ seat, gossip, frostShare }, arena, step) {
      const others = [...offered(arena)].slice(0, quorum(arena.size) - 1)
      if (others.length < quorum(arena.size) - 1) return
      const own = createNonces(frostShare, seededRng(`exhaustion/${seat.self}/${step}`)).commitment
      const signers = [...others, [seat.self, own] as const]
        .map(([party, commitment]) => ({ party, commitment }))
        .sort((a, b) => a.party - b.party)
      await gossip.publish(
        signAs<SigningRequest>(seat, {
          kind: "signing-request",
          attempt: step,
          subjects: [arena.requestId],
          root: batchIn(arena).root,
          signers,
        }),
      )
    },
  },
  announcements("keeps-the-certificate", "signs with the others and tells nobody", "nowhere", () => []),
  announcements(
    "bad-certificate",
    "announces a signature that does not verify",
    "perhaps",
    (message, { seat }) => [resigned<CertificateAnnouncement>(seat, message, { s: message.s ^ 1n })],
  ),
  announcements(
    "wrong-bitmap",
    "announces other signers than signed",
    "perhaps",
    (message, { seat }, { size }) => [
      resigned<CertificateAnnouncement>(seat, message, { signers: (1n << BigInt(size.n)) - 1n }),
    ],
  ),
  announcements(
    "other-root-announced",
    "announces the signature over another tree",
    "perhaps",
    (message, { seat }) => [
      resigned<CertificateAnnouncement>(seat, message, { root: taggedHash("another tree") }),
    ],
  ),
  {
    name: "certificate-of-nothing",
    tries: "announces a made-up certificate before anything is signed",
    blamed: "perhaps",
    async acts({ seat, gossip }, arena, step) {
      if (step > 5) return
      await gossip.publish(
        signAs<CertificateAnnouncement>(seat, {
          kind: "certificate-announcement",
          subjects: [arena.requestId],
          root: batchIn(arena).root,
          signers: (1n << BigInt(quorum(arena.size))) - 1n,
          r: GATEWAY,
          s: 5n,
        }),
      )
    },
  },
  {
    name: "fresh-nonces-in-every-breath",
    tries: "approves anew with other commitments in every step",
    blamed: "nowhere",
    async acts({ seat, gossip, frostShare }, { chain, requestId, ciphertexts }, step) {
      await gossip.publish(
        signAs<Approval>(seat, {
          kind: "approval",
          approved: [
            { subject: requestSubject(requestId), sessions: ciphertexts.map(({ session }) => session) },
          ],
          blockNumber: chain.head.number,
          blockHash: chain.head.hash,
          verdict: 1,
          commitments: [createNonces(frostShare, seededRng(`breath/${seat.self}/${step}`)).commitment],
        }),
      )
    },
  },
]
