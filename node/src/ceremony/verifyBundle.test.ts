import { concatBytes } from "@twinlock/sdk/protocol/codec"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { beforeAll, describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { auditCrs } from "./auditCrs.ts"
import { type CeremonyBundle, decodeBundle, encodeBundle } from "./bundle.ts"
import type { CrsHistory } from "./crsHistory.ts"
import { testParty } from "./party.fixture.ts"
import type { RoundRecord } from "./state.ts"
import { toyEngine, toyLayout } from "./toyEngine.fixture.ts"
import { verifyBundle } from "./verifyBundle.ts"
import { createWorld, type World } from "./world.fixture.ts"

let world: World
let bytes: Uint8Array

beforeAll(async () => {
  world = createWorld()
  await world.run()
  const bundle = world.transcripts.get(1)
  if (bundle === undefined) throw new Error("no transcript")
  bytes = bundle
})

const codeOf = (work: () => unknown): string | null => {
  try {
    work()
    return null
  } catch (error) {
    return isProtocolError(error) ? error.detail.code : `INTERNAL ${error}`
  }
}

const changed = (change: (bundle: CeremonyBundle) => CeremonyBundle): Uint8Array =>
  encodeBundle(change(decodeBundle(bytes)))

const inRound = (name: string, change: (record: RoundRecord) => RoundRecord) => (bundle: CeremonyBundle) => ({
  ...bundle,
  records: bundle.records.map((record) => (record.name === name ? change(record) : record)),
})

const flipped = (list: readonly Uint8Array[], item: number, at: number): readonly Uint8Array[] =>
  list.map((bytes, index) =>
    index === item ? bytes.map((byte, offset) => (offset === at ? byte ^ 1 : byte)) : bytes,
  )

describe("the transcript of an honest ceremony", () => {
  test("verifies, and is the same file byte for byte after decoding", () => {
    const bundle = verifyBundle(bytes)
    expect(bundle.signed.activation).toEqual(world.submitted[0]?.activation)
    expect(Buffer.compare(encodeBundle(decodeBundle(bytes)), bytes)).toBe(0)
  })

  test("is kept by every party that saw the last round", () => {
    for (const [, transcript] of world.transcripts) expect(codeOf(() => verifyBundle(transcript))).toBeNull()
    expect(world.transcripts.size).toBeGreaterThan(0)
  })
})

describe("a changed transcript is refused", () => {
  const mallory = testParty("mallory").address
  const cases: readonly (readonly [string, (bundle: CeremonyBundle) => CeremonyBundle])[] = [
    [
      "another party in the proposal",
      (b) => ({ ...b, proposal: { ...b.proposal, parties: [mallory, ...b.proposal.parties.slice(1)] } }),
    ],
    [
      "another executor in the proposal",
      (b) => ({ ...b, proposal: { ...b.proposal, executors: [mallory] } }),
    ],
    ["another deadline", (b) => ({ ...b, proposal: { ...b.proposal, deadline: 1n } })],
    ["another n", (b) => ({ ...b, proposal: { ...b.proposal, n: 5 } })],
    ["another attempt", (b) => ({ ...b, attempt: 2 })],
    ["another domain", (b) => ({ ...b, signing: { ...b.signing, chainId: 1n } })],
    ["a round left out", (b) => ({ ...b, records: b.records.filter(({ name }) => name !== "crs-2") })],
    ["a round at the end left out", (b) => ({ ...b, records: b.records.slice(0, -3) })],
    [
      "two rounds exchanged",
      (b) => ({ ...b, records: [...b.records.slice(0, 2).reverse(), ...b.records.slice(2)] }),
    ],
    ["a round named as another", inRound("crs-2", (record) => ({ ...record, name: "crs-1" }))],
    [
      "a header left out",
      inRound("inputs", (record) => ({ ...record, headers: record.headers.slice(1), broadcasts: null })),
    ],
    [
      "a header twice",
      inRound("inputs", (record) => ({
        ...record,
        headers: [...record.headers.slice(0, 3), ...record.headers.slice(2, 3)],
        broadcasts: null,
      })),
    ],
    [
      "a changed header",
      inRound("inputs", (record) => ({
        ...record,
        headers: record.headers.map((signed, at) =>
          at === 1 ? { ...signed, header: { ...signed.header, broadcastBytes: 1 } } : signed,
        ),
      })),
    ],
    [
      "a changed header signature",
      inRound("inputs", (record) => ({
        ...record,
        headers: record.headers.map((signed, at) =>
          at === 1
            ? { ...signed, signature: flipped([signed.signature], 0, 40)[0] ?? signed.signature }
            : signed,
        ),
      })),
    ],
    [
      "a changed echo signature",
      inRound("hello", (record) => ({ ...record, echoSignatures: flipped(record.echoSignatures, 2, 40) })),
    ],
    [
      "an echo left out",
      inRound("hello", (record) => ({ ...record, echoSignatures: record.echoSignatures.slice(1) })),
    ],
    [
      "a changed broadcast",
      inRound("seed-open", (record) => ({ ...record, broadcasts: flipped(record.broadcasts ?? [], 0, 0) })),
    ],
    [
      "another verdict",
      inRound("self-test-verdicts", (record) => ({
        ...record,
        broadcasts: flipped(record.broadcasts ?? [], 0, 90),
      })),
    ],
    ["verdicts left out", inRound("self-test-verdicts", (record) => ({ ...record, broadcasts: null }))],
    [
      "another server key",
      (b) => ({
        ...b,
        signed: {
          ...b.signed,
          activation: { ...b.signed.activation, serverKeyDigest: b.signed.activation.publicKeyDigest },
        },
      }),
    ],
    [
      "another CRS",
      (b) => ({
        ...b,
        signed: {
          ...b.signed,
          activation: { ...b.signed.activation, crsDigest: b.signed.activation.publicKeyDigest },
        },
      }),
    ],
    [
      "another transcript digest",
      (b) => ({
        ...b,
        signed: {
          ...b.signed,
          activation: { ...b.signed.activation, transcriptDigest: b.signed.activation.publicKeyDigest },
        },
      }),
    ],
    [
      "another group key",
      (b) => ({
        ...b,
        signed: {
          ...b.signed,
          activation: { ...b.signed.activation, groupV: 55 - b.signed.activation.groupV },
        },
      }),
    ],
    [
      "a changed activation signature",
      (b) => ({ ...b, signed: { ...b.signed, signatures: flipped(b.signed.signatures, 3, 40) } }),
    ],
    [
      "an activation signature left out",
      (b) => ({ ...b, signed: { ...b.signed, signatures: b.signed.signatures.slice(1) } }),
    ],
    [
      "another group signature",
      (b) => ({
        ...b,
        signed: {
          ...b.signed,
          groupSignature: b.signed.groupSignature && {
            ...b.signed.groupSignature,
            s: b.signed.groupSignature.s + 1n,
          },
        },
      }),
    ],
  ]
  test.each(cases)("%s", (_, change) => {
    expect(codeOf(() => verifyBundle(changed(change)))).toBe("BUNDLE_INVALID")
  })

  test("bytes that are no bundle", () => {
    expect(codeOf(() => verifyBundle(new Uint8Array(100)))).toBe("BUNDLE_FORM")
    expect(codeOf(() => verifyBundle(concatBytes(bytes, Uint8Array.of(0))))).toBe("CODEC_TRAILING")
    expect(codeOf(() => verifyBundle(bytes.slice(0, -1)))).toBe("CODEC_SHORT")
  })
})

describe("the CRS of a transcript", () => {
  const auditor = toyEngine(toyLayout(1))
  const audited = (change: (crs: CrsHistory) => CrsHistory) => (): Promise<void> => {
    const bundle = decodeBundle(bytes)
    return auditCrs({ ...bundle, crs: change(bundle.crs) }, auditor)
  }

  test("is proven by its final state and one link per party", async () => {
    expect(await rejectionCodeOf(audited((crs) => crs))).toBe("none")
    const { crs, proposal } = decodeBundle(bytes)
    expect(crs.links.length).toBe(proposal.n)
  })

  test.each<readonly [string, (crs: CrsHistory) => CrsHistory]>([
    ["another final state", (crs) => ({ ...crs, state: flipped([crs.state], 0, 3)[0] ?? crs.state })],
    ["a link left out", (crs) => ({ ...crs, links: crs.links.slice(1) })],
    ["a link twice", (crs) => ({ ...crs, links: [...crs.links.slice(0, 3), ...crs.links.slice(2, 3)] })],
    ["two links exchanged", (crs) => ({ ...crs, links: [...crs.links].reverse() })],
    ["a changed link", (crs) => ({ ...crs, links: flipped(crs.links, 1, 20) })],
  ])("with %s is refused", async (_, change) => {
    expect(await rejectionCodeOf(audited(change))).toBe("BUNDLE_INVALID")
  })

  test("is the one that was activated", async () => {
    const { signed, ...bundle } = decodeBundle(bytes)
    const activation = { ...signed.activation, crsDigest: signed.activation.publicKeyDigest }
    const other = { ...bundle, signed: { ...signed, activation } }
    expect(await rejectionCodeOf(() => auditCrs(other, auditor))).toBe("BUNDLE_INVALID")
    const short = { ...bundle, signed, records: bundle.records.filter(({ name }) => name !== "crs-4") }
    expect(await rejectionCodeOf(() => auditCrs(short, auditor))).toBe("BUNDLE_INVALID")
  })
})
