/** Writes the rows of docs/attestation-differences.md anew. Needs the real samples, whose rows would be lost. */
import { writeFileSync } from "node:fs"
import { SAMPLES_PRESENT } from "./corpus/samples.ts"
import { documentOf, findDifferences } from "./differences.ts"
import { DOCUMENT, readDocument } from "./differencesDocument.ts"

if (!SAMPLES_PRESENT) throw new Error("../shared/attestation-samples is absent")
const { differences } = await findDifferences()
writeFileSync(DOCUMENT, readDocument().head + documentOf(differences))
