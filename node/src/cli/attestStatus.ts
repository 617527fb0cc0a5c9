/** `twinlock-node attest status`: how the running node's standing goes on, and how long its machine stays accepted. */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { z } from "zod"
import type { NodeConfig } from "../config.ts"
import { baseUrlOf, type StatusErrorCode } from "./status.ts"

const verdict = z.object({
  number: z.number(),
  status: z.string().nullable(),
  code: z.string().nullable(),
  advisories: z.array(z.string()),
})
const horizon = z.object({
  horizon: z.enum(["early", "standard", "collateral", "standing"]),
  days: z.number().nullable(),
  at: z.number().nullable(),
  reason: z.string(),
  warn: z.boolean(),
})
const schema = z.object({
  standing: z.object({
    liveUntil: z.number().nullable(),
    renewedAt: z.number().nullable(),
    failedAttempts: z.number(),
    lastFailure: z.string().nullable(),
  }),
  outlook: z
    .object({
      time: z.number(),
      platform: z.object({ fmspc: z.string(), authority: z.string() }),
      standard: verdict,
      newer: z.array(verdict),
      outlook: z.array(horizon),
    })
    .nullable(),
  outlookFailure: z.string().nullable(),
})

export type AttestStatusReport = z.infer<typeof schema>

/** @throws NODE_NOT_RUNNING */
export async function attestStatus(
  config: Pick<NodeConfig, "listen">,
  deps: { readonly fetch: typeof fetch },
): Promise<AttestStatusReport> {
  const url = `${baseUrlOf(config)}/v1/attestation`
  try {
    const response = await deps.fetch(url, { signal: AbortSignal.timeout(5_000) })
    return schema.parse(await response.json())
  } catch (cause) {
    throw new ProtocolError(
      { code: "NODE_NOT_RUNNING" satisfies StatusErrorCode, message: `no node answers at ${url}` },
      { cause },
    )
  }
}

const NAMES = {
  early: "under the newest TCB set",
  standard: "under the standard set",
  collateral: "collateral",
  standing: "standing",
} as const

const date = (time: number | null): string =>
  time === null ? "-" : new Date(time * 1000).toISOString().replace(/\.\d+Z$/, "Z")

/** The report as text: what ends first is first, and what needs the operator is marked. */
export function describeAttestStatus({ standing, outlook, outlookFailure }: AttestStatusReport): string {
  const lines = [
    `standing until ${date(standing.liveUntil)}, last renewed ${date(standing.renewedAt)} by this process`,
  ]
  if (standing.lastFailure !== null)
    lines.push(`! ${standing.failedAttempts} renewals failed: ${standing.lastFailure}`)
  if (outlook === null) lines.push("the outlook was not read yet")
  else {
    const { status, code, number } = outlook.standard
    lines.push(
      `machine of FMSPC ${outlook.platform.fmspc}: ${status ?? code} under set ${number}, judged ${date(outlook.time)}`,
    )
    for (const { horizon: name, days, at, reason, warn } of outlook.outlook) {
      const left = days === null ? "no end known" : days === 0 ? "out" : `${days.toFixed(1)} days left`
      const when = at === null || days === 0 ? "" : ` (until ${date(at)})`
      lines.push(`${warn ? "!" : " "} ${NAMES[name].padEnd(26)}${left}${when}: ${reason}`)
    }
  }
  if (outlookFailure !== null) lines.push(`! the last look failed: ${outlookFailure}`)
  return lines.join("\n")
}
