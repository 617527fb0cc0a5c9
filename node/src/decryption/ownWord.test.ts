import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { createCommittee } from "@twinlock/sdk/protocol/committee"
import { type Digest, parsePartyIndex, parseSessionId } from "@twinlock/sdk/protocol/ids"
import type { CommitmentPair, GossipMessage } from "@twinlock/sdk/protocol/messages"
import { expect, test } from "vitest"
import { seatSigners } from "../../../test/support/decryptionNetwork.ts"
import { blockAt, EPOCH, KEY, KEY_ID, SIGNING } from "../../../test/support/scriptedChain.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import { Secret } from "../secret.ts"
import type { Authorised } from "./authorisePublic.ts"
import { createOwnWords, type OwnWord, repeatSoon } from "./ownWord.ts"

const subjects = ["a", "b", "c"].map((name) => taggedHash("subject", taggedHash(name)))
const sessionOf = (subject: Digest) => parseSessionId(taggedHash("session", subject))
const authorised = subjects.map(
  (subject) =>
    ({
      subject,
      recipient: "public",
      ciphertexts: [{ session: sessionOf(subject) }],
      at: blockAt(1n, 0n),
    }) as unknown as Authorised,
)
const pair = (byte: number) => new Uint8Array(66).fill(byte)

function scene() {
  const followed = new Map<Digest, OwnWord>()
  const said: GossipMessage[] = []
  const seat = {
    key: KEY,
    committee: createCommittee({ keyId: KEY_ID, epoch: EPOCH, t: 1, parties: seatSigners(4) }),
    self: parsePartyIndex(1, 4),
    signing: SIGNING,
    signer: new Secret(seededRng("signer/0")(32)),
  }
  const words = createOwnWords(
    seat,
    (message) => said.push(message),
    (subject) => followed.get(subject),
  )
  let pairs: readonly CommitmentPair[] = [pair(1)]
  const commitments = () => pairs
  for (const word of words.approve(authorised, commitments)) followed.set(word.authorised.subject, word)
  const shares = subjects.map((subject) => ({
    ...{ subject, sessionId: sessionOf(subject) },
    share: new Uint8Array(64).fill(7),
  }))
  words.share(shares)
  return {
    ...{ followed, said, words },
    useUp: () => {
      pairs = [pair(2)]
    },
    tick: () => {
      said.length = 0
      words.tick(followed.values())
      return said
    },
  }
}
const subjectsIn = (message: GossipMessage | undefined) =>
  message?.kind === "approval"
    ? message.approved.map(({ subject }) => subject)
    : message?.kind === "decryption-shares"
      ? message.shares.map(({ subject }) => subject)
      : []

test("what became ready together is said in one message of each kind", () => {
  const { said } = scene()
  expect(said.map(({ kind }) => kind)).toEqual(["approval", "decryption-shares"])
  for (const message of said) expect(subjectsIn(message)).toEqual(subjects)
})

test("it is said again as it was, more and more seldom, and soon again where a peer asks for it", () => {
  const { followed, said, tick } = scene()
  const [approval, shares] = [...said]
  const times = Array.from({ length: 20 }, () => {
    const again = [...tick()]
    if (again.length > 0) expect(again).toEqual([approval, shares])
    return again.length > 0
  })
  expect(times.flatMap((spoke, i) => (spoke ? [i + 1] : []))).toEqual([1, 3, 7, 15])
  for (const word of followed.values()) repeatSoon(word)
  expect(tick()).toHaveLength(2)
})

test("a message that speaks of a subject no longer followed is made anew, with the same shares", () => {
  const { followed, said, tick } = scene()
  const [, before] = [...said]
  followed.delete(subjects[0] as Digest)
  const [approval, shares] = [...tick()]
  expect(subjectsIn(approval)).toEqual(subjects.slice(1))
  if (before?.kind !== "decryption-shares" || shares?.kind !== "decryption-shares")
    throw new Error("no shares")
  expect(shares.shares).toEqual(before.shares.slice(1))
  for (const word of followed.values()) repeatSoon(word)
  const again = [...tick()]
  expect(again[0]).toBe(approval)
  expect(again[1]).toBe(shares)
})

test("used commitments are replaced in one new approval for all subjects of the old one", () => {
  const { useUp, said, tick } = scene()
  const [old] = [...said]
  useUp()
  const [approval, ...rest] = [...tick()].filter(({ kind }) => kind === "approval")
  expect(rest).toEqual([])
  expect(approval).not.toEqual(old)
  expect(subjectsIn(approval)).toEqual(subjects)
  expect(approval?.kind === "approval" && approval.commitments).toEqual([pair(2)])
})

test("one subject's approval can be said anew by itself", () => {
  const { followed, useUp, said, words } = scene()
  useUp()
  said.length = 0
  words.renew([followed.get(subjects[1] as Digest) as OwnWord])
  expect(said.map(subjectsIn)).toEqual([[subjects[1]]])
})
