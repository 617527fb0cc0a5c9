/** Program: makes the golden transcript anew, beside what `golden.test.ts` expects of it. */
import { writeFileSync } from "node:fs"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { rootKey } from "../../roles/standing.fixture.ts"
import { decodeBundle } from "../bundle.ts"
import { BITS, makeGolden } from "./golden.fixture.ts"
import { createNativeAudit } from "./nativeAudit.ts"
import { openTranscript } from "./transcript.ts"

const bytes = await makeGolden()
const bundle = decodeBundle(bytes)
const facts = {
  keyId: bundle.keyId,
  transcriptDigest: bundle.signed.activation.transcriptDigest,
  publicSeed: toHex(createNativeAudit(BITS).publicSeed(openTranscript(bundle))),
  rootKey: toHex(rootKey),
}
writeFileSync(new URL("golden/v2.bundle", import.meta.url), bytes)
writeFileSync(new URL("golden/v2.json", import.meta.url), `${JSON.stringify(facts, null, 2)}\n`)
