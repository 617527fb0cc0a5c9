/**
 * TCB status words of Intel's TCB info v3 and enclave identities, and the rule that merges the status of the
 * platform level with those of the TDX module and of the quoting enclave (Intel DCAP quote verification library,
 * `convergeTcbStatus`). Public data only.
 */
import { assertNever } from "../protocol/errors.ts"

/** From best to worst; the position is the numeric code that the contracts store. */
export const TCB_STATUSES = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "Revoked",
] as const

export type TcbStatus = (typeof TCB_STATUSES)[number]

export const isTcbStatus = (value: unknown): value is TcbStatus =>
  TCB_STATUSES.some((status) => status === value)

/** True where the platform itself was told to change its configuration. */
function needsConfiguration(status: TcbStatus): boolean {
  switch (status) {
    case "ConfigurationNeeded":
    case "ConfigurationAndSWHardeningNeeded":
    case "OutOfDateConfigurationNeeded":
      return true
    case "UpToDate":
    case "SWHardeningNeeded":
    case "OutOfDate":
    case "Revoked":
      return false
    default:
      return assertNever(status)
  }
}

/**
 * Merges the platform's status with that of a component (TDX module or quoting enclave). A revoked part revokes the
 * whole; an out-of-date component makes the platform out of date and keeps its demand for configuration.
 */
export function mergeTcbStatus(platform: TcbStatus, component: TcbStatus): TcbStatus {
  if (platform === "Revoked" || component === "Revoked") return "Revoked"
  if (component === "UpToDate") return platform
  if (component === "OutOfDate" || component === "OutOfDateConfigurationNeeded")
    return needsConfiguration(platform) || needsConfiguration(component)
      ? "OutOfDateConfigurationNeeded"
      : "OutOfDate"
  return TCB_STATUSES.indexOf(component) > TCB_STATUSES.indexOf(platform) ? component : platform
}
