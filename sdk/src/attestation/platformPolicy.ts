/**
 * Which machines a verifier accepts (attestation.md §3.5 item 12, §6.1): whoever has a machine in his hands can forge
 * its quotes, so machines are known by name. PPID names the processor package, PIID the platform instance; both are
 * certified by Intel. Public data.
 */
import type { Hex } from "../protocol/ids.ts"
import { attestationError } from "./errors.ts"

export type PlatformPolicy = {
  /** 16 bytes each; null for any. */
  readonly allowedPpids: readonly Hex[] | null
  readonly deniedPpids: readonly Hex[]
  /** 16 bytes each; null for any. A machine without PIID is on no list. */
  readonly allowedPiids: readonly Hex[] | null
  readonly deniedPiids: readonly Hex[]
  /** Certificates of the Processor CA carry no PIID. */
  readonly piid: "required" | "optional"
}

export const ANY_PLATFORM: PlatformPolicy = {
  allowedPpids: null,
  deniedPpids: [],
  allowedPiids: null,
  deniedPiids: [],
  piid: "optional",
}

/** @throws POLICY_PPID, POLICY_PIID */
export function checkPlatformPolicy(
  { ppid, piid }: { readonly ppid: Hex; readonly piid: Hex | null },
  policy: PlatformPolicy,
): void {
  if (policy.deniedPpids.includes(ppid)) throw attestationError("POLICY_PPID", `platform ${ppid} is denied`)
  if (policy.allowedPpids !== null && !policy.allowedPpids.includes(ppid))
    throw attestationError("POLICY_PPID", `platform ${ppid} is not on the list of allowed platforms`)
  if (piid === null) {
    if (policy.piid === "required" || policy.allowedPiids !== null)
      throw attestationError("POLICY_PIID", "the platform has no instance id, policy requires one")
    return
  }
  if (policy.deniedPiids.includes(piid))
    throw attestationError("POLICY_PIID", `platform instance ${piid} is denied`)
  if (policy.allowedPiids !== null && !policy.allowedPiids.includes(piid))
    throw attestationError("POLICY_PIID", `platform instance ${piid} is not on the list of allowed instances`)
}
