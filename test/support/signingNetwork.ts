/**
 * The signing of one committee by itself: real FROST, real gossip and validators in memory, a manual clock. Openings are
 * the test's own: it says who opened which result, and who stands.
 */
import { createManualClock, type ManualClock } from "@twinlock/node/clock"
import type { Engine } from "@twinlock/node/decryption/engine"
import { createKeyGossip, type KeyGossip } from "@twinlock/node/decryption/gossip"
import { type KeySeat, signAs } from "@twinlock/node/decryption/seat"
import { DEFAULT_OPTIONS } from "@twinlock/node/decryption/service"
import { createCommitmentBook } from "@twinlock/node/decryption/signing/commitmentBook"
import { createNoncePool } from "@twinlock/node/decryption/signing/noncePool"
import {
  createSigning,
  type RequestPlace,
  type Signing,
  type SigningDeps,
} from "@twinlock/node/decryption/signing/signing"
import { createMemoryNetworks } from "@twinlock/node/p2p/memoryNetwork"
import { Secret } from "@twinlock/node/secret"
import { silentLogger } from "@twinlock/node/telemetry/logger"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { createCommittee, partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { DecryptionResult } from "@twinlock/sdk/protocol/eip712"
import type { SubmissionBody } from "@twinlock/sdk/protocol/http"
import { type Address, type Digest, type PartyIndex, parseRequestId } from "@twinlock/sdk/protocol/ids"
import { encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import {
  type Approval,
  type CommitmentPair,
  type GossipMessage,
  MAX_ITEMS,
} from "@twinlock/sdk/protocol/messages"
import { addressOfSecretKey } from "@twinlock/sdk/protocol/signature"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import type { FaultEvidence } from "@twinlock/sdk/threshold/faultEvidence"
import type { FrostKeyShare, PublicKeyPackage } from "@twinlock/sdk/threshold/frost"
import { encodePlaintextWord } from "@twinlock/sdk/threshold/plaintext"
import { generateFrostGroup } from "./frostGroup.ts"
import { DOMAIN, EPOCH, GATEWAY, KEY, KEY_ID, SIGNING, ZERO } from "./scriptedChain.ts"
import { seededRng } from "./seededRng.ts"

/** A result whose plaintext is its number. */
export const resultNumber = (number: number): DecryptionResult => ({
  chainId: DOMAIN.chainId,
  gateway: GATEWAY,
  requestId: parseRequestId(taggedHash("signing network", number)),
  handles: [],
  sessions: [],
  plaintexts: encodePlaintextWord(BigInt(number)),
})

export type SigningMember = {
  readonly party: PartyIndex
  readonly seat: KeySeat
  readonly keyShare: FrostKeyShare
  readonly gossip: KeyGossip
  /** Null for a party that the test plays itself. */
  readonly signing: Signing | null
  readonly delivered: SubmissionBody[]
  /** Parties that this node proved at fault. */
  readonly blamed: PartyIndex[]
  /** What it has against them. */
  readonly evidence: FaultEvidence[]
}

export type SigningNetwork = {
  readonly members: ReadonlyMap<number, SigningMember>
  readonly clock: ManualClock
  readonly publicKey: PublicKeyPackage
  /** Parties that stand; the test takes some away. */
  readonly standing: Set<PartyIndex>
  /** These parties' words that the request may be opened, with commitments. */
  approve(results: readonly DecryptionResult[], parties?: readonly number[]): Promise<void>
  /** The word of a party that the test plays, with commitments of its own. */
  approveAs(
    party: number,
    results: readonly DecryptionResult[],
    commitments: readonly CommitmentPair[],
  ): Promise<void>
  /** These parties open the results. */
  open(results: readonly DecryptionResult[], place: RequestPlace, parties?: readonly number[]): void
  member(party: number): SigningMember
  /** Lets messages travel, and time pass in steps, until `done` or `ms` are over. */
  run(ms: number, done?: () => boolean, stepMs?: number): Promise<void>
}

export type SigningNetworkOptions = {
  readonly n: number
  readonly t: number
  /** Parties without a node: silent, or played by the test. */
  readonly absent?: readonly number[]
  readonly connected?: (from: number, to: number) => boolean
  readonly deps?: (party: PartyIndex) => Partial<SigningDeps>
}

export function createSigningNetwork({
  n,
  t,
  absent = [],
  connected = () => true,
  deps = () => ({}),
}: SigningNetworkOptions): SigningNetwork {
  const group = generateFrostGroup(n, t, "signing network")
  const parties = partyIndexes({ n })
  const keys = new Map(parties.map((party) => [party, seededRng(`signing seat/${party}`)(32)] as const))
  const signers = [...keys.values()].map(addressOfSecretKey)
  const committee = createCommittee({ keyId: KEY_ID, epoch: EPOCH, t, parties: signers })
  const clock = createManualClock()
  const standing = new Set(parties)
  const numberOf = (signer: Address) => signers.indexOf(signer) + 1
  const networks = createMemoryNetworks(signers, {
    connected: (from, to) => connected(numberOf(from), numberOf(to)),
  })
  const approvals = new Map<Digest, Map<PartyIndex, Approval>>()

  function engineOf(
    { gossip, blamed, evidence }: Pick<SigningMember, "gossip" | "blamed" | "evidence">,
    renew: (subject: Digest) => void,
  ): Engine {
    const listeners: ((approval: Approval) => void)[] = []
    gossip.listen("approval", (approval) => {
      for (const listener of listeners) listener(approval)
    })
    const subjectOf = (subject: Digest) => {
      const known = approvals.get(subject)
      const said = [...(known ?? [])].map(([party, { commitments }]) => [
        party,
        { party, sessions: [], commitments },
      ])
      return known === undefined
        ? null
        : { authorised: { ciphertexts: [] }, approvals: new Map(said as never), culprits: new Set() }
    }
    return {
      onApproval: (listener: (approval: Approval) => void) => void listeners.push(listener),
      blame(subject: Digest, party: PartyIndex, proof: readonly GossipMessage[]) {
        blamed.push(party)
        evidence.push({ party, subject, messages: proof.map(encodeMessage) })
      },
      subject: subjectOf,
      ...{ renew, certified: () => {}, uncertified: renew },
    } as unknown as Engine
  }

  const members = new Map<number, SigningMember>()
  for (const party of parties) {
    const network = networks.get(signers[party - 1] as Address)
    const keyShare = group.keyShares.get(party)
    if (network === undefined || keyShare === undefined) throw new Error("incomplete committee")
    const seat: KeySeat = {
      key: KEY,
      ...{ committee, self: party, signing: SIGNING },
      signer: new Secret(Uint8Array.from(keys.get(party) ?? [])),
    }
    const gossip = createKeyGossip({ seat, network, clock, metrics: null })
    const delivered: SubmissionBody[] = []
    const [blamed, evidence]: [PartyIndex[], FaultEvidence[]] = [[], []]
    const renew = (subject: Digest) => void sendApproval(party, [subject])
    const signing = absent.includes(party)
      ? null
      : createSigning({
          ...{ seat, keyShare, gossip, clock },
          publicKey: group.publicKey,
          pool: createNoncePool(keyShare, seededRng(`nonces/${party}`)),
          book: createCommitmentBook(),
          standing: async (asked) => new Set(asked.filter((other) => standing.has(other))),
          engine: engineOf({ gossip, blamed, evidence }, renew),
          scheduler: clock,
          logger: silentLogger,
          deliver: async (certified) => void delivered.push(certified),
          options: DEFAULT_OPTIONS,
          ...deps(party),
        })
    members.set(party, { party, seat, keyShare, gossip, signing, delivered, blamed, evidence })
  }
  for (const { signing } of members.values()) signing?.start()

  function member(party: number): SigningMember {
    const found = members.get(party)
    if (found === undefined) throw new Error(`no party ${party}`)
    return found
  }

  async function sendApproval(
    party: number,
    subjects: readonly Digest[],
    commitments = member(party).signing?.commitments([]),
  ): Promise<void> {
    const { seat, gossip, party: self } = member(party)
    if (commitments === undefined) return
    const approval = signAs<Approval>(seat, {
      kind: "approval",
      approved: subjects.map((subject) => ({ subject, sessions: [subject as never] })),
      ...{ blockNumber: 1n, blockHash: ZERO, verdict: 1 },
      commitments,
    })
    for (const subject of subjects)
      approvals.set(subject, new Map(approvals.get(subject)).set(self, approval))
    await gossip.publish(approval)
  }

  return {
    ...{ members, clock, standing, member },
    publicKey: group.publicKey,
    async approve(results, approving = parties) {
      for (let i = 0; i < results.length; i += MAX_ITEMS) {
        const some = results.slice(i, i + MAX_ITEMS)
        const subjects = some.map(({ requestId }) => requestSubject(requestId))
        for (const party of approving) await sendApproval(party, subjects)
      }
    },
    approveAs: (party, results, commitments) =>
      sendApproval(
        party,
        results.map(({ requestId }) => requestSubject(requestId)),
        commitments,
      ),
    open(results, place, opening = parties) {
      for (const party of opening) for (const result of results) member(party).signing?.opened(result, place)
    },
    async run(ms, done = () => false, stepMs = 50) {
      const settle = async () => {
        for (let i = 0; i < 60; i++) await new Promise((resolve) => setImmediate(resolve))
      }
      for (let passed = 0; passed <= ms && !done(); passed += stepMs) {
        await settle()
        if (!done()) clock.advance(stepMs)
      }
      await settle()
    },
  }
}
