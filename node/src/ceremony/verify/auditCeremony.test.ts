import { concatBytes } from "@twinlock/sdk/protocol/codec"
import { parseDigest, parseEpoch } from "@twinlock/sdk/protocol/ids"
import { beforeAll, describe, expect, test } from "vitest"
import { codeOf } from "../../../../test/support/codeOf.ts"
import { chainError } from "../../chain/chainError.ts"
import { recoverSigner } from "../../threshold/signatures.ts"
import { type CeremonyBundle, decodeBundle, encodeBundle } from "../bundle.ts"
import { bytesDigest } from "../digest.ts"
import { COMMITTEE, PROPOSAL, testParty } from "../party.fixture.ts"
import type { RoundRecord } from "../state.ts"
import { rememberingRecovery, toyAudit, toyStanding } from "../toyAudit.fixture.ts"
import { toyLayout } from "../toyEngine.fixture.ts"
import { createWorld, SIGNING, type World } from "../world.fixture.ts"
import { type OpenQuestion, openQuestions } from "./assurance.ts"
import { type AuditOptions, auditCeremony } from "./auditCeremony.ts"
import { plannedRounds } from "./order.ts"
import { checkSigningKey } from "./signingKey.ts"
import { refuse, type StepId } from "./step.ts"
import { openTranscript } from "./transcript.ts"

const LAYOUT = toyLayout(6)
const OPTIONS: AuditOptions = {
  keygens: [toyAudit(LAYOUT)],
  standing: toyStanding,
  policy: null,
  namesCode: true,
  chain: null,
  files: null,
  recover: rememberingRecovery(recoverSigner),
}

let world: World
let bytes: Uint8Array
let bundle: CeremonyBundle

beforeAll(async () => {
  world = createWorld()
  await world.run()
  bytes = world.transcripts.get(1) ?? new Uint8Array()
  bundle = decodeBundle(bytes)
})

/** The step at which a transcript is refused; null where it holds. */
async function refusedAt(file: Uint8Array, options: Partial<AuditOptions> = {}): Promise<StepId | null> {
  const { verdict, steps } = await auditCeremony(file, { ...OPTIONS, ...options })
  const failed = steps.filter(({ status }) => status === "failed")
  expect(failed.length).toBe(verdict === "refused" ? 1 : 0)
  return failed[0]?.id ?? null
}

describe("an honest transcript", () => {
  test("passes every step, and each says what it found", async () => {
    const { verdict, steps } = await auditCeremony(bytes, OPTIONS)
    expect(verdict).toBe("holds-as-written")
    for (const step of steps) {
      const outside: readonly StepId[] = ["policy", "published", "chain"]
      expect([step.id, step.status]).toEqual([step.id, outside.includes(step.id) ? "not-checked" : "passed"])
      expect(step.meaning).toMatch(/^[A-Z].*\.$/)
    }
  })

  test("has the planned rounds: the plan and the ceremony do not drift apart", () => {
    const planned = plannedRounds(COMMITTEE, toyAudit(LAYOUT).rounds(COMMITTEE))
    expect(
      bundle.records.map(({ name, headers, broadcasts }) => ({
        name,
        speakers: headers.map(({ header }) => header.party),
        kept: broadcasts !== null,
      })),
    ).toEqual(planned)
  })

  test("is judged once with the published files, and once without", async () => {
    const files = {
      open: async function* (digest: string) {
        const blob = world.blobs.get(parseDigest(digest))
        if (blob === undefined) throw new Error(`no blob ${digest}`)
        yield blob.subarray(0, 7)
        yield blob.subarray(7)
      },
    }
    expect(await refusedAt(bytes, { files })).toBeNull()
    const other = {
      open: async function* () {
        yield new Uint8Array(64)
      },
    }
    expect(await refusedAt(bytes, { files: other })).toBe("published")
  })
})

describe("what an honest transcript leaves open", () => {
  const { keyId, parties } = { ...COMMITTEE, ...PROPOSAL }
  const copied = { keyId, chainId: SIGNING.chainId, verifyingContract: SIGNING.verifyingContract }
  test.each<readonly [string, Partial<AuditOptions>, readonly OpenQuestion[]]>([
    ["nothing is named", { policy: null, namesCode: false }, ["key", "code"]],
    [
      "what anybody can copy is named",
      { policy: { ...copied, executors: PROPOSAL.executors, t: 1 } },
      ["key"],
    ],
    ["the code alone is named", { policy: null, namesCode: true }, ["key"]],
    ["the parties alone are named", { policy: { parties }, namesCode: false }, ["code"]],
    ["parties and code are named", { policy: { parties }, namesCode: true }, []],
  ])("where %s", async (_, options, questions) => {
    const { verdict, open } = await auditCeremony(bytes, { ...OPTIONS, ...options })
    expect([verdict, open]).toEqual([questions.length === 0 ? "holds" : "holds-as-written", questions])
  })

  test.each(["publicKeyDigest", "serverKeyDigest", "crsDigest", "transcriptDigest"] as const)(
    "a named %s binds the key",
    async (name) => {
      const policy = { [name]: bundle.signed.activation[name] }
      expect((await auditCeremony(bytes, { ...OPTIONS, policy })).verdict).toBe("holds")
    },
  )

  test("the word of a chain answers it all", () => {
    const passed = { id: "chain", title: "", meaning: "", status: "passed", found: "" } as const
    const nothing = { policy: null, namesCode: false }
    expect(openQuestions(nothing, [passed])).toEqual([])
    expect(openQuestions(nothing, [{ ...passed, status: "not-checked", reason: "" }])).toEqual([
      "key",
      "code",
    ])
  })
})

const flip = (at: number): Uint8Array => {
  const copy = bytes.slice()
  copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8))
  return copy
}

describe("no byte of a transcript can be changed", () => {
  /** In full: what stands once, and one round of those that look alike. Of the rest, a byte here and there. */
  const STRIDE = 61
  const places = (): readonly number[] => {
    const at = (text: string): number => Buffer.from(bytes).indexOf(text)
    const { signatures } = bundle.signed
    const { links, state } = bundle.crs
    const history = 2 + links.reduce((sum, link) => sum + 4 + link.length, 0) + 4 + state.length
    const signed = 4 + 5 * 32 + 1 + 2 + 65 * signatures.length + 52
    const full: readonly (readonly [start: number, end: number])[] = [
      [0, at("standing")],
      [at("seed-open") - 4, at("inputs")],
      [bytes.length - signed - history - bundle.publicKeyChunk.length - 4, bytes.length],
    ]
    return Array.from(bytes.keys()).filter(
      (place) => place % STRIDE === 0 || full.some(([start, end]) => place >= start && place < end),
    )
  }

  test("a flipped bit is refused by a step", async () => {
    const holes: number[] = []
    const steps = new Set<StepId>()
    for (const place of places()) {
      const step = await refusedAt(flip(place))
      if (step === null) holes.push(place)
      else steps.add(step)
    }
    expect(holes).toEqual([])
    for (const id of ["form", "proposal", "rounds", "order", "activation", "masks"] as const)
      expect(steps).toContain(id)
  }, 240_000)

  test("a shorter or longer file is refused for its form", async () => {
    for (const length of [0, 1, 20, 52, 1000, bytes.length - 1])
      expect(await refusedAt(bytes.slice(0, length))).toBe("form")
    for (const more of [Uint8Array.of(0), bytes])
      expect(await refusedAt(concatBytes(bytes, more))).toBe("form")
  })
})

const changed = (change: (now: CeremonyBundle) => CeremonyBundle): Uint8Array => encodeBundle(change(bundle))
const inRound =
  (name: string, change: (record: RoundRecord) => RoundRecord) =>
  (now: CeremonyBundle): CeremonyBundle => ({
    ...now,
    records: now.records.map((record) => (record.name === name ? change(record) : record)),
  })
const activated =
  (change: Partial<CeremonyBundle["signed"]["activation"]>) =>
  (now: CeremonyBundle): CeremonyBundle => ({
    ...now,
    signed: { ...now.signed, activation: { ...now.signed.activation, ...change } },
  })

describe("each step refuses what it is there for", () => {
  const mallory = testParty("mallory").address
  const other = parseDigest(`0x${"7".repeat(64)}`)
  test.each<readonly [StepId, string, (now: CeremonyBundle) => CeremonyBundle]>([
    ["proposal", "another n", (now) => ({ ...now, proposal: { ...now.proposal, n: 5 } })],
    ["proposal", "another attempt", (now) => ({ ...now, attempt: 2 })],
    ["proposal", "k that two groups reach", (now) => ({ ...now, proposal: { ...now.proposal, k: 1 } })],
    [
      "proposal",
      "unknown parameters",
      (now) => ({ ...now, proposal: { ...now.proposal, parametersHash: other } }),
    ],
    ["rounds", "another deadline", (now) => ({ ...now, proposal: { ...now.proposal, deadline: 1n } })],
    [
      "rounds",
      "another executor",
      (now) => ({
        ...now,
        proposal: { ...now.proposal, executors: [mallory, ...now.proposal.executors.slice(1)] },
      }),
    ],
    ["rounds", "another key", (now) => ({ ...now, keyId: other as string as CeremonyBundle["keyId"] })],
    [
      "rounds",
      "a round left out",
      (now) => ({ ...now, records: now.records.filter(({ name }) => name !== "crs-2") }),
    ],
    [
      "rounds",
      "an echo left out",
      inRound("hello", (record) => ({ ...record, echoSignatures: record.echoSignatures.slice(1) })),
    ],
    [
      "rounds",
      "a broadcast too many",
      inRound("hello", (record) => ({
        ...record,
        broadcasts: [...(record.broadcasts ?? []), Uint8Array.of(1)],
      })),
    ],
    ["order", "a round under another name", inRound("crs-2", (record) => ({ ...record, name: "crs-9" }))],
    ["order", "broadcasts left out", inRound("seed-open", (record) => ({ ...record, broadcasts: null }))],
    ["order", "the last round left out", (now) => ({ ...now, records: now.records.slice(0, -1) })],
    ["chunks", "another server key", activated({ serverKeyDigest: other })],
    ["chunks", "another public key", activated({ publicKeyDigest: other })],
    ["masks", "another chunk of the public key", (now) => ({ ...now, publicKeyChunk: new Uint8Array(32) })],
    ["crs", "another CRS", activated({ crsDigest: other })],
    ["activation", "another group key", activated({ groupX: 5n })],
    ["activation", "another transcript", activated({ transcriptDigest: other })],
    ["activation", "another chain", (now) => ({ ...now, signing: { ...now.signing, chainId: 1n } })],
    [
      "activation",
      "a signature left out",
      (now) => ({
        ...now,
        signed: { ...now.signed, signatures: now.signed.signatures.slice(1) },
      }),
    ],
  ])("%s: %s", async (step, _, change) => {
    expect(await refusedAt(changed(change))).toBe(step)
  })

  test("quotes: evidence that does not stand for its signer, or of another time", async () => {
    const liar: AuditOptions["standing"] = () => {
      throw refuse("no such machine")
    }
    expect(await refusedAt(bytes, { standing: liar })).toBe("quotes")
    const old: AuditOptions["standing"] = (transcript, signer, evidence) => ({
      ...toyStanding(transcript, signer, evidence),
      time: Number(PROPOSAL.deadline) - 32 * 86_400,
    })
    expect(await refusedAt(bytes, { standing: old })).toBe("quotes")
    const scattered: AuditOptions["standing"] = (transcript, signer, evidence) => ({
      ...toyStanding(transcript, signer, evidence),
      nodeRegistry: signer,
    })
    expect(await refusedAt(bytes, { standing: scattered })).toBe("quotes")
  })

  test("policy: a transcript of another key, chain or committee than the reader expects", async () => {
    const right = { keyId: COMMITTEE.keyId, chainId: SIGNING.chainId, parties: PROPOSAL.parties, t: 1 }
    expect(await refusedAt(bytes, { policy: right })).toBeNull()
    for (const wrong of [
      { keyId: other as string as typeof right.keyId },
      { chainId: 1n },
      { parties: [...PROPOSAL.parties].reverse() },
      { verifyingContract: mallory },
      { transcriptDigest: bytesDigest(bytes) },
    ])
      expect(await refusedAt(bytes, { policy: { ...right, ...wrong } })).toBe("policy")
  })

  test("a step that cannot ask refuses nothing, and nothing after it is judged", async () => {
    const away = async (): Promise<never> => {
      throw chainError("CHAIN_UNAVAILABLE", "nobody answers")
    }
    const chain = () => ({
      chainId: async () => SIGNING.chainId,
      ...{ head: away, block: away, nodeRegistry: away, key: away, node: away },
    })
    const { verdict, steps } = await auditCeremony(bytes, { ...OPTIONS, chain })
    expect(verdict).toBe("unreachable")
    expect(steps.at(-1)).toMatchObject({ id: "chain", status: "unreachable", code: "CHAIN_UNAVAILABLE" })
  })

  test("signing-key: another key than the dealings make, or that a party did not confirm", () => {
    expect(checkSigningKey(openTranscript(bundle))).toContain("4 dealings")
    const refusals = [
      activated({ groupX: 5n }),
      inRound("dkg-confirm", (record) => ({
        ...record,
        broadcasts: (record.broadcasts ?? []).map((broadcast) => broadcast.slice(0, -1)),
      })),
      inRound("dkg-commit", (record) => ({
        ...record,
        broadcasts: [...(record.broadcasts ?? [])].reverse(),
      })),
    ].map((change) => codeOf(() => checkSigningKey(openTranscript(change(bundle)))))
    expect(refusals).toEqual(["AUDIT_REFUSED", "AUDIT_REFUSED", "DKG_POSSESSION"])
  })

  test("order: the last round belongs to the group's signature, and both may be missing together", async () => {
    const none = (now: CeremonyBundle) => ({ ...now, signed: { ...now.signed, groupSignature: null } })
    const shorter = (now: CeremonyBundle) => ({ ...now, records: now.records.slice(0, -1) })
    expect(await refusedAt(changed(none))).toBe("order")
    expect(await refusedAt(changed((now) => none(shorter(shorter(now)))))).toBe("order")
    const { verdict, steps } = await auditCeremony(
      changed((now) => none(shorter(now))),
      OPTIONS,
    )
    expect(verdict).toBe("holds-as-written")
    expect(steps.find(({ id }) => id === "activation")).toMatchObject({
      found: expect.stringContaining("without the group's signature"),
    })
  })

  test("an epoch is part of what is signed", async () => {
    expect(await refusedAt(changed(activated({ epoch: parseEpoch(2) })))).not.toBeNull()
  })
})
