/** What an attested node may do; joined to its measurement by the allow-list entry (docs/attestation.md §6). */
import { assertNever } from "../protocol/errors.ts"

export type Role = "keyholder" | "executor"

/** The code that contracts and report data use. */
export function roleCode(role: Role): 1 | 2 {
  switch (role) {
    case "keyholder":
      return 1
    case "executor":
      return 2
    default:
      return assertNever(role)
  }
}
