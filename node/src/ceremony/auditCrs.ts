/**
 * Check of the CRS in a verified transcript: every party put a factor of its own into it, it is well formed, and the file it
 * makes is the one that was activated. Takes seconds of the addon, hence apart from `verifyBundle.ts`. Public data only.
 */
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import { crsAuditor } from "../threshold/nativeEngine.ts"
import type { CeremonyBundle } from "./bundle.ts"
import { crsDigestOf, lastCrsRound } from "./crsHistory.ts"
import type { CrsAuditor } from "./engine.ts"
import { roundDigest } from "./header.ts"
import { bundleError } from "./transcriptCodec.ts"

/** @param bundle one that `verifyBundle` returned @throws BUNDLE_INVALID */
export async function auditCrs(bundle: CeremonyBundle, auditor: CrsAuditor = crsAuditor): Promise<void> {
  const { keyId, attempt, proposal, records, crs, signed } = bundle
  const last = records.find(({ name }) => name === lastCrsRound(proposal.n))
  if (last === undefined) throw bundleError("BUNDLE_INVALID", "the CRS lacks the update of the last party")
  const salt = roundDigest(keyId, attempt, last.round, last.headers)
  let digest: Digest
  try {
    digest = await crsDigestOf({ keyId, n: proposal.n }, salt, crs, auditor)
  } catch (error) {
    if (!isProtocolError(error)) throw error
    const { code, message } = error.detail
    throw new ProtocolError(bundleError("BUNDLE_INVALID", `the CRS: ${code}, ${message}`).detail, {
      cause: error,
    })
  }
  if (digest !== signed.activation.crsDigest)
    throw bundleError("BUNDLE_INVALID", `the activation names another CRS than ${digest}, which was made`)
}
