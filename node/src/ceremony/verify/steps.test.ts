/** What single steps refuse where the steps before them, which would refuse it too, are left out. */
import { concatBytes, fromHex } from "@twinlock/sdk/protocol/codec"
import { parseDigest } from "@twinlock/sdk/protocol/ids"
import { add, decode, encode, scalar } from "@twinlock/sdk/threshold/galoisRing"
import { beforeAll, describe, expect, test } from "vitest"
import { codeOf, rejectionCodeOf } from "../../../../test/support/codeOf.ts"
import { type CeremonyBundle, decodeBundle, encodeBundle } from "../bundle.ts"
import { bytesDigest } from "../digest.ts"
import type { RoundRecord } from "../state.ts"
import { toyAudit, toyStanding } from "../toyAudit.fixture.ts"
import { TOY_ROUNDS, toyLayout } from "../toyEngine.fixture.ts"
import { createWorld, type World } from "../world.fixture.ts"
import { auditCeremony } from "./auditCeremony.ts"
import { checkPublished } from "./chunks.ts"
import { checkCrs } from "./crs.ts"
import { checkPublicKey } from "./masks.ts"
import { checkOrder } from "./order.ts"
import { checkSelfTest, checkVerdicts } from "./selfTest.ts"
import { openTranscript, type Transcript } from "./transcript.ts"

const LAYOUT = toyLayout(6)
const keygen = toyAudit(LAYOUT)
const other = parseDigest(`0x${"7".repeat(64)}`)

let world: World
let bytes: Uint8Array
let bundle: CeremonyBundle
let seed: Uint8Array

beforeAll(async () => {
  world = createWorld()
  await world.run()
  bytes = world.transcripts.get(1) ?? new Uint8Array()
  bundle = decodeBundle(bytes)
  seed = keygen.publicSeed(openTranscript(bundle))
})

const changed = (change: Partial<CeremonyBundle>): Transcript => openTranscript({ ...bundle, ...change })
const inRound = (name: string, change: (record: RoundRecord) => Partial<RoundRecord>): Transcript =>
  changed({
    records: bundle.records.map((record) =>
      record.name === name ? { ...record, ...change(record) } : record,
    ),
  })

const refusedAt = async (file: Uint8Array): Promise<string | undefined> => {
  const outside = { policy: null, namesCode: false, chain: null, files: null }
  const { steps } = await auditCeremony(file, { keygens: [keygen], standing: toyStanding, ...outside })
  return steps.find(({ status }) => status === "failed")?.id
}

test("form: the same text in other bytes", async () => {
  // A byte order mark is no part of the text that it stands before.
  const name = Buffer.from("standing")
  const at = Buffer.from(bytes).indexOf(name)
  const spelt = concatBytes(
    bytes.slice(0, at - 4),
    Uint8Array.of(0, 0, 0, 11, 0xef, 0xbb, 0xbf),
    bytes.slice(at),
  )
  expect(decodeBundle(spelt).records[0]?.name).toBe("standing")
  expect(await refusedAt(spelt)).toBe("form")
})

test("rounds: one echo too many", async () => {
  const [first, ...rest] = bundle.records
  if (first === undefined) throw new Error("no round")
  const echoSignatures = [...first.echoSignatures, ...first.echoSignatures.slice(0, 1)]
  expect(await refusedAt(encodeBundle({ ...bundle, records: [{ ...first, echoSignatures }, ...rest] }))).toBe(
    "rounds",
  )
})

describe("order", () => {
  test.each<readonly [string, () => Transcript]>([
    ["a speaker too few", () => inRound("confirm", ({ headers }) => ({ headers: headers.slice(1) }))],
    [
      "points of the row check where only their hashes belong",
      () => inRound("row-points", ({ headers }) => ({ broadcasts: headers.map(() => new Uint8Array()) })),
    ],
    ["a coin of the row check that was not kept", () => inRound("row-coin", () => ({ broadcasts: null }))],
    ["a round too many", () => changed({ records: [...bundle.records, ...bundle.records.slice(0, 1)] })],
  ])("%s", (_, made) => {
    expect(codeOf(() => checkOrder(made(), TOY_ROUNDS))).toBe("AUDIT_REFUSED")
  })
})

test("chunks: a published file of another length than the layout's", async () => {
  const [first, ...rest] = LAYOUT.chunks
  const files = {
    open: async function* (digest: string) {
      yield world.blobs.get(parseDigest(digest)) ?? new Uint8Array()
    },
  }
  const longer = { ...LAYOUT, chunks: [{ ...(first ?? never()), byteLength: 1 }, ...rest] }
  expect(await rejectionCodeOf(() => checkPublished(openTranscript(bundle), LAYOUT, files))).toBe("none")
  expect(await rejectionCodeOf(() => checkPublished(openTranscript(bundle), longer, files))).toBe(
    "AUDIT_REFUSED",
  )
})

test("masks: a public key of another chunk than the one that its summing party signed", () => {
  const publicKeyChunk = bundle.publicKeyChunk.map((byte) => byte ^ 1)
  const publicKeyDigest = bytesDigest(keygen.assemblePublicKey(seed, publicKeyChunk))
  const signed = { ...bundle.signed, activation: { ...bundle.signed.activation, publicKeyDigest } }
  const made = changed({ publicKeyChunk, signed })
  expect(codeOf(() => checkPublicKey(made, keygen, seed))).toBe("AUDIT_REFUSED")
})

test("crs: a party without an update, a link that does not fit, another file", async () => {
  expect(await checkCrs(openTranscript(bundle), keygen.crs)).toContain("all 4 parties")
  const refused = [
    inRound("crs-2", ({ headers }) => ({
      headers: headers.map((signed) => ({ ...signed, header: { ...signed.header, broadcastBytes: 0 } })),
    })),
    changed({ crs: { ...bundle.crs, links: bundle.crs.links.slice(1) } }),
    changed({ crs: { ...bundle.crs, state: bundle.crs.state.map((byte) => byte ^ 1) } }),
  ].map((made) => rejectionCodeOf(() => checkCrs(made, keygen.crs)))
  expect(await Promise.all(refused)).toEqual(["AUDIT_REFUSED", "BUNDLE_INVALID", "BUNDLE_INVALID"])
})

describe("self-test", () => {
  test("verdicts on another task", () => {
    expect(codeOf(() => checkVerdicts(openTranscript(bundle), other))).toBe("SELF_TEST_FOREIGN")
  })

  test("fewer verdicts than executors that must agree", () => {
    const none = Uint8Array.of(0, 0)
    const silent = inRound("self-test-verdicts", ({ headers }) => ({ broadcasts: headers.map(() => none) }))
    expect(codeOf(() => checkVerdicts(silent, null))).toBe("AUDIT_REFUSED")
  })

  test("shares that open to another value, or to none", () => {
    const plus = (broadcasts: RoundRecord["broadcasts"], parties: number) =>
      (broadcasts ?? []).map((bytes, at) =>
        at < parties ? concatBytes(encode(add(decode(bytes), scalar(1n << 123n))), bytes.slice(64)) : bytes,
      )
    for (const parties of [4, 1]) {
      const lie = inRound("self-test-shares", ({ broadcasts }) => ({ broadcasts: plus(broadcasts, parties) }))
      expect(codeOf(() => checkSelfTest(lie, LAYOUT, seed))).toBe("AUDIT_REFUSED")
    }
  })
})

test("activation: parties that all sign for another transcript", async () => {
  const lying = createWorld({
    prepare: (_, options) => ({
      ...options,
      rounds: options.rounds.map((round) =>
        round.spec.name === "activation" ? { ...round, produce: () => round.produce(other) } : round,
      ),
    }),
  })
  await lying.run()
  const [activation] = lying.submitted
  expect(fromHex(activation?.activation.transcriptDigest ?? "0x").length).toBe(32)
  expect(await refusedAt(lying.transcripts.get(2) ?? new Uint8Array())).toBe("activation")
})

function never(): never {
  throw new Error("no chunk")
}
