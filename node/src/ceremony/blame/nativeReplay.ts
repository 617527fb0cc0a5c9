/** Judges a blame file with the addon of this release: the parties must have run the same arithmetic. */
import { nativeEngine } from "../../threshold/nativeEngine.ts"
import { recoverSigner } from "../../threshold/signatures.ts"
import { createNativeAudit } from "../verify/nativeAudit.ts"
import { type BlameFile, decodeBlameFile, openBlameFile } from "./blameFile.ts"
import { committeeOf } from "./failedAttempt.ts"
import { type Blame, replay } from "./replay.ts"

/** @throws BLAME_FORM, BLAME_INVALID, and what the addon throws where it cannot work at all */
export async function judgeBlameFile(
  bytes: Uint8Array,
): Promise<{ readonly file: BlameFile; readonly blame: Blame }> {
  const file = decodeBlameFile(bytes)
  const names = createNativeAudit().rounds(committeeOf(file.failed))
  const evidence = openBlameFile(file, names, recoverSigner)
  return { file, blame: await replay(evidence, nativeEngine) }
}
