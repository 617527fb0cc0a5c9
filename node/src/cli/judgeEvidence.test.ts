import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { parsePartyIndex, parseRequestId } from "@twinlock/sdk/protocol/ids"
import { encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import { messageDigest } from "@twinlock/sdk/protocol/messageSignature"
import type { Endorsement, Unsigned } from "@twinlock/sdk/protocol/messages"
import { beforeAll, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { temporaryFolder } from "../../../test/support/temporaryFolder.ts"
import { createApp } from "../api/httpServer.ts"
import { type CeremonyBundle, encodeBundle } from "../ceremony/bundle.ts"
import { partyAt } from "../ceremony/party.fixture.ts"
import { verifyBundle } from "../ceremony/verifyBundle.ts"
import { createWorld } from "../ceremony/world.fixture.ts"
import { evidenceRoute } from "../decryption/evidenceRoute.ts"
import { silentLogger } from "../telemetry/logger.ts"
import { judgeEvidence } from "./judgeEvidence.ts"

const liar = parsePartyIndex(2, 4)
const subject = taggedHash("a request")
let bundle: CeremonyBundle
let served: string

/** What a node's operator reads of its API. */
async function readEvidence(messages: readonly Uint8Array[]): Promise<string> {
  const { keyId, signed } = bundle
  const faults = [{ party: liar, subject, messages }]
  const route = evidenceRoute(() => [{ keyId, epoch: signed.activation.epoch, faults }])
  const app = createApp({ maxBodyBytes: 1, routes: [route], logger: silentLogger })
  return (await app.request("/v1/evidence")).text()
}

/** An endorsement that its seat never signed, in a message that it did sign. */
async function lie(): Promise<Uint8Array> {
  const message: Unsigned<Endorsement> = {
    ...{ kind: "endorsement", keyId: bundle.keyId, epoch: bundle.signed.activation.epoch, party: liar },
    ...{ subjects: [parseRequestId(subject)], root: taggedHash("a root") },
    endorsement: new Uint8Array(65).fill(27),
  }
  const signature = await partyAt(liar).sign(messageDigest(message, bundle.signing))
  return encodeMessage({ ...message, signature })
}

beforeAll(async () => {
  const world = createWorld()
  await world.run()
  bundle = verifyBundle(world.transcripts.get(1) ?? new Uint8Array())
  served = await readEvidence([await lie()])
})

test("says what is proven, by the transcript of the key alone", async () => {
  expect(judgeEvidence(served, bundle)).toMatchObject({
    keyId: bundle.keyId,
    "fault 1": { party: liar, subject, messages: 1, proves: "endorsement" },
  })
  expect(judgeEvidence(await readEvidence([]), bundle)).toMatchObject({ "fault 1": { proves: null } })
})

test("what nobody signed or what is no message proves nothing, and spoils nothing beside it", () => {
  const { keys } = JSON.parse(served)
  const [fault] = keys[0].faults
  const changed = { ...fault, messages: [fault.messages[0].replace("1b1b1b", "1b1b1c")] }
  const faults = [changed, { ...fault, messages: ["0x00"] }, { ...fault, party: 9 }, fault]
  expect(judgeEvidence(JSON.stringify({ keys: [{ ...keys[0], faults }] }), bundle)).toMatchObject({
    "fault 1": { proves: null, refused: "SIGNATURE_SIGNER" },
    "fault 2": { proves: null, refused: expect.stringMatching(/^(CODEC|MESSAGE)_/) },
    "fault 3": { proves: null, refused: "BAD_PARTY_INDEX" },
    "fault 4": { proves: "endorsement" },
  })
})

test("a file about another key, or of another form, is refused", () => {
  const other = { ...bundle, keyId: taggedHash("another key") as never }
  expect(codeOf(() => judgeEvidence(served, other))).toBe("EVIDENCE_KEY")
  expect(codeOf(() => judgeEvidence("{}", bundle))).toBe("EVIDENCE_FORM")
  expect(codeOf(() => judgeEvidence("no json", bundle))).toBe("EVIDENCE_FORM")
})

test("the command reads both files, and judges the transcript first", async () => {
  const folder = await temporaryFolder("judge-evidence")
  const [evidence, transcript] = [join(folder, "evidence.json"), join(folder, "key.bundle")]
  writeFileSync(evidence, served)
  writeFileSync(transcript, encodeBundle(bundle))
  const run = () =>
    spawnSync(
      process.execPath,
      [join(import.meta.dirname, "twinlock.ts"), "judge-evidence", evidence, transcript, "--json"],
      { encoding: "utf8" },
    )
  const { status, stdout, stderr } = run()
  expect([status, stderr]).toEqual([0, ""])
  expect(JSON.parse(stdout)).toMatchObject({ "fault 1": { party: liar, proves: "endorsement" } })
  const { signed } = bundle
  const signatures = signed.signatures.toReversed()
  writeFileSync(transcript, encodeBundle({ ...bundle, signed: { ...signed, signatures } }))
  expect(run()).toMatchObject({ status: 1, stdout: "" })
})
