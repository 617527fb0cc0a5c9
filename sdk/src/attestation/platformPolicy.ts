/**
 * Which machines a verifier accepts (docs/attestation.md §3, 12, and §8): whoever has a machine in his hands can forge
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

/** Whoever wrote a list may have written hex in capitals: a machine on it must not slip through. */
const lists = (list: readonly Hex[], id: Hex): boolean => list.some((item) => item.toLowerCase() === id)

/** @throws POLICY_PPID, POLICY_PIID */
export function checkPlatformPolicy(
  { ppid, piid }: { readonly ppid: Hex; readonly piid: Hex | null },
  policy: PlatformPolicy,
): void {
  if (lists(policy.deniedPpids, ppid)) throw attestationError("POLICY_PPID", `platform ${ppid} is denied`)
  if (policy.allowedPpids !== null && !lists(policy.allowedPpids, ppid))
    throw attestationError("POLICY_PPID", `platform ${ppid} is not on the list of allowed platforms`)
  if (piid === null) {
    if (policy.piid === "required" || policy.allowedPiids !== null)
      throw attestationError("POLICY_PIID", "the platform has no instance id, policy requires one")
    return
  }
  if (lists(policy.deniedPiids, piid))
    throw attestationError("POLICY_PIID", `platform instance ${piid} is denied`)
  if (policy.allowedPiids !== null && !lists(policy.allowedPiids, piid))
    throw attestationError("POLICY_PIID", `platform instance ${piid} is not on the list of allowed instances`)
}
