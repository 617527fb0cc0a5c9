/**
 * The policy file of `twinlock attest explain`: what a reader wants beyond Intel's word. Every member is optional and
 * what is absent is not checked; a member that is not known here is refused, since it would silently check nothing.
 *
 *   {
 *     "statuses": ["UpToDate", "SWHardeningNeeded"],
 *     "outOfDateGraceDays": 14,
 *     "advisories": ["INTEL-SA-01111"],
 *     "floors": { "tcb": 20, "qe": 19 },
 *     "tdAttributes": ["0x0000001000000000"],
 *     "xfam": { "required": "0x0300000000000000", "allowed": "0xe75a060000000000" },
 *     "ownerZero": true,
 *     "images": ["0x…32 bytes: keccak256(mrTd ‖ rtMr0 ‖ rtMr1 ‖ rtMr2)"],
 *     "composeHashes": ["0x…32 bytes: SHA-256 of app-compose.json"],
 *     "compose": {
 *       "allowedEnvs": [], "keyProvider": { "kind": "kms", "id": "0x…" }, "gateway": false, "publicLogs": false,
 *       "publicSysinfo": false, "publicTcbinfo": true, "secureTime": true, "instanceId": true,
 *       "hostPaths": ["/var/run/dstack.sock"]
 *     },
 *     "providers": ["0x…32 bytes: keccak256 of the key-provider event"],
 *     "ppids": { "allowed": ["0x…16 bytes"], "denied": [] },
 *     "piids": { "allowed": ["0x…16 bytes"], "denied": [] },
 *     "reportData": "0x…64 bytes"
 *   }
 */
import type { ExplainPolicy } from "@twinlock/sdk/attestation/explainPolicy"
import { TCB_STATUSES } from "@twinlock/sdk/attestation/tcbStatus"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Hex, parseDigest } from "@twinlock/sdk/protocol/ids"
import { z } from "zod"
import { parseStrict } from "./strictFile.ts"

export type PolicyFileErrorCode = "POLICY_FILE"

/** @param bytes length. Case and prefix are free, as tools differ. */
const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^(0x)?[0-9a-fA-F]{${2 * bytes}}$`), `want ${bytes} bytes of hex`)
    .transform((text): Hex => `0x${text.replace(/^0x/, "").toLowerCase()}`)
const digest = hex(32).transform((text) => parseDigest(text))
const number = z.number().int().min(0)

/** A machine whose status is Revoked is never acceptable. */
const status = z.enum(TCB_STATUSES).exclude(["Revoked"])
/** A member that says nothing would silently check nothing. */
const machines = z
  .strictObject({ allowed: z.array(hex(16)).optional(), denied: z.array(hex(16)).optional() })
  .refine(({ allowed, denied }) => allowed !== undefined || denied !== undefined, "want allowed or denied")
const compose = z.strictObject({
  allowedEnvs: z.array(z.string()),
  keyProvider: z.strictObject({
    kind: z.enum(["kms", "local", "tpm"]),
    id: z
      .string()
      .regex(/^(0x)?([0-9a-fA-F]{2})+$/, "want hex")
      .transform((text): Hex => `0x${text.replace(/^0x/, "").toLowerCase()}`),
  }),
  gateway: z.boolean(),
  publicLogs: z.boolean(),
  publicSysinfo: z.boolean(),
  publicTcbinfo: z.boolean(),
  secureTime: z.boolean(),
  instanceId: z.boolean(),
  hostPaths: z.array(z.string().startsWith("/")),
})

const members = z.strictObject({
  statuses: z.array(status).optional(),
  outOfDateGraceDays: number.max(3650).optional(),
  advisories: z.array(z.string()).optional(),
  floors: z.strictObject({ tcb: number, qe: number }).optional(),
  tdAttributes: z.array(hex(8)).optional(),
  xfam: z.strictObject({ required: hex(8), allowed: hex(8) }).optional(),
  ownerZero: z.literal(true).optional(),
  images: z.array(digest).optional(),
  composeHashes: z.array(digest).optional(),
  compose: compose.optional(),
  providers: z.array(digest).optional(),
  ppids: machines.optional(),
  piids: machines.optional(),
  reportData: hex(64).optional(),
})
const schema = members.refine(
  ({ statuses, outOfDateGraceDays }) => outOfDateGraceDays === undefined || statuses !== undefined,
  "outOfDateGraceDays needs statuses",
)

const FILE_LIMIT = 1024 * 1024

const refuse = (message: string): ProtocolError =>
  new ProtocolError({ code: "POLICY_FILE" satisfies PolicyFileErrorCode, message })

/** @throws POLICY_FILE, naming each bad member. */
export function parsePolicyFile(text: string): ExplainPolicy {
  if (text.length > FILE_LIMIT)
    throw refuse(`a policy has at most ${FILE_LIMIT} characters, got ${text.length}`)
  return policyFrom(parseStrict(text, (reason) => refuse(`the policy is not JSON: ${reason}`)))
}

/** As {@link parsePolicyFile}, for a policy inside another file. @throws POLICY_FILE */
export function policyFrom(json: unknown): ExplainPolicy {
  const parsed = schema.safeParse(json)
  if (parsed.success) return defined(parsed.data) as ExplainPolicy
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "(root)"}: ${issue.message}`)
  throw refuse(`the policy is wrong: ${problems.join("; ")}`)
}

/** Without the members that are absent, in every depth. */
function defined(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) =>
      member === undefined ? [] : [[name, defined(member)]],
    ),
  )
}
