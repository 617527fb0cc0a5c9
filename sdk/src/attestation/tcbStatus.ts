/**
 * TCB status words of Intel's TCB info v3 and enclave identities, and the rule that merges the status of the
 * platform level with those of the TDX module and of the quoting enclave (as Intel's quote verification library
 * converges them). Public data only.
 */

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

type Demands = {
  readonly revoked: boolean
  readonly outOfDate: boolean
  readonly configuration: boolean
  readonly hardening: boolean
}

const demandsOf = (status: TcbStatus): Demands => ({
  revoked: status === "Revoked",
  outOfDate: status.startsWith("OutOfDate"),
  configuration: status.includes("Configuration"),
  hardening: status.includes("SWHardening"),
})

function statusOf(demands: Demands): TcbStatus {
  if (demands.revoked) return "Revoked"
  if (demands.outOfDate) return demands.configuration ? "OutOfDateConfigurationNeeded" : "OutOfDate"
  if (demands.configuration)
    return demands.hardening ? "ConfigurationAndSWHardeningNeeded" : "ConfigurationNeeded"
  return demands.hardening ? "SWHardeningNeeded" : "UpToDate"
}

/** The status of a machine of which both parts are needed: every demand of either part remains. */
export function mergeTcbStatus(one: TcbStatus, other: TcbStatus): TcbStatus {
  const [left, right] = [demandsOf(one), demandsOf(other)]
  return statusOf({
    revoked: left.revoked || right.revoked,
    outOfDate: left.outOfDate || right.outOfDate,
    configuration: left.configuration || right.configuration,
    hardening: left.hardening || right.hardening,
  })
}
