/**
 * What the live rounds accept, the verification accepts: a party must not be able to say what passes and spoils the
 * transcript of a good key for ever. One party says something else in every round, in every way that is listed here.
 */
import { concatBytes, taggedHash, Writer } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { type Address, type KeyId, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import { recoverSigner } from "../../threshold/signatures.ts"
import { COMMITTEE, EXECUTORS, PROPOSAL, type TestParty, testParty } from "../party.fixture.ts"
import type { Outgoing, Round } from "../rounds.ts"
import type { EndState } from "../runner.ts"
import type { CeremonyState } from "../state.ts"
import { toyAudit, toyStanding } from "../toyAudit.fixture.ts"
import { TOY_ROUNDS, toyLayout } from "../toyEngine.fixture.ts"
import { decodeVerdict, encodeVerdict, signVerdict, type Verdict } from "../verdict.ts"
import { createWorld } from "../world.fixture.ts"
import { auditCeremony } from "./auditCeremony.ts"
import { plannedRounds } from "./order.ts"

/** Speaks in every round that has less than all parties as speakers. */
const LIAR = parsePartyIndex(1, COMMITTEE.n)
const LAYOUT = toyLayout(6)

type Lie = (broadcast: Uint8Array) => Uint8Array | Promise<Uint8Array>
type Outcome =
  | "aborted"
  | "no transcript of an active key"
  | "holds-as-written"
  | "refused"
  | "unreachable"
  | "holds"

/** The liar believes that it has told the truth, so that its own checks pass. */
function lying(round: Round, lie: Lie): Round {
  let truth: Outgoing | null = null
  return {
    spec: round.spec,
    async produce(previous) {
      truth = await round.produce(previous)
      return { ...truth, broadcast: await lie(truth.broadcast) }
    },
    async consume(incoming) {
      const said = truth?.broadcast ?? new Uint8Array()
      await round.consume({ ...incoming, broadcasts: new Map(incoming.broadcasts).set(LIAR, said) })
    },
  }
}

const hasStopped = (state: CeremonyState): boolean =>
  state.status === "finished" ||
  state.status === "aborted" ||
  (state.status === "awaiting-chain" && state.cause !== null)

/** @returns how it ended for the others, and what a reader says of the transcript that one of them kept */
async function outcomeOf(name: string, lie: Lie): Promise<Outcome> {
  const world = createWorld({
    prepare: (index, options) => ({
      ...options,
      rounds: options.rounds.map((round) =>
        index === LIAR && round.spec.name === name ? lying(round, lie) : round,
      ),
    }),
  })
  const runners = await Promise.all(partyIndexes(COMMITTEE).map((party) => world.start(party)))
  const ends: EndState[] = []
  for (const runner of runners) void runner.ended.then((end) => ends.push(end))
  await world.until(() => runners.every((runner) => hasStopped(runner.state())))
  // After the signatures left, only the chain ends the attempt.
  if (ends.length < runners.length)
    world.chain.head = { ...world.chain.head, timestamp: PROPOSAL.deadline + 1n }
  await world.until(() => ends.length === runners.length)
  const [kept] = partyIndexes(COMMITTEE).flatMap((party) =>
    party === LIAR ? [] : (world.transcripts.get(party) ?? []),
  )
  if (kept === undefined) return world.submitted.length > 0 ? "no transcript of an active key" : "aborted"
  const { verdict } = await auditCeremony(kept, {
    ...{ keygens: [toyAudit(LAYOUT)], standing: toyStanding, recover: recoverSigner },
    ...{ policy: null, namesCode: false, chain: null, files: null },
  })
  return verdict
}

const flipped =
  (place: (length: number) => number): Lie =>
  (bytes) =>
    bytes.map((byte, at) => (at === place(bytes.length) ? byte ^ 1 : byte))
const LIES: readonly (readonly [string, Lie])[] = [
  ["another first byte", flipped(() => 0)],
  ["another byte in the middle", flipped((length) => length >> 1)],
  ["another last byte", flipped((length) => length - 1)],
  ["a byte more", (bytes) => concatBytes(bytes, Uint8Array.of(0))],
]

const rounds = plannedRounds(COMMITTEE, TOY_ROUNDS).filter(({ speakers }) => speakers.includes(LIAR))

describe.each(rounds.map(({ name }) => name))("a lie in round %s", (name) => {
  test.each(LIES)(
    "%s stops the ceremony or leaves its transcript good",
    async (_, lie) => {
      expect(["aborted", "holds-as-written"]).toContain(await outcomeOf(name, lie))
    },
    120_000,
  )
})

const listOf = (verdicts: readonly Verdict[]): Uint8Array =>
  new Writer().list(verdicts, (writer, verdict) => writer.bytes(encodeVerdict(verdict))).done()

/** Verdicts as a corrupt executor would sign them for the liar, beside the true ones. */
const verdictLie =
  (by: TestParty | null, change: Partial<Verdict>): Lie =>
  async (broadcast) => {
    const first = decodeVerdict(
      broadcast.subarray(6, 6 + new DataView(broadcast.buffer, broadcast.byteOffset).getUint32(2)),
    )
    const author = by ?? EXECUTORS.find(({ address }) => address === first.executor) ?? EXECUTORS[0]
    if (author === undefined) throw new Error("no executor")
    const lie = await signVerdict({ ...first, executor: author.address as Address, ...change }, author.sign)
    const [, count] = broadcast
    return concatBytes(Uint8Array.of(0, (count ?? 0) + 1), broadcast.subarray(2), listOf([lie]).subarray(2))
  }

describe("verdicts of a corrupt executor", () => {
  test.each<readonly [string, Outcome, Lie]>([
    ["the same again", "holds-as-written", verdictLie(null, {})],
    ["a refusal", "holds-as-written", verdictLie(null, { outcome: { ok: false, code: "LATE" } })],
    ["another key", "aborted", verdictLie(null, { keyId: taggedHash("other") as string as KeyId })],
    ["another attempt", "aborted", verdictLie(null, { attempt: 2 })],
    ["another task", "aborted", verdictLie(null, { taskDigest: taggedHash("other") })],
    ["nobody who was asked", "aborted", verdictLie(testParty("mallory"), {})],
  ])(
    "on %s",
    async (_, wanted, lie) => {
      expect(await outcomeOf("self-test-verdicts", lie)).toBe(wanted)
    },
    120_000,
  )
})
