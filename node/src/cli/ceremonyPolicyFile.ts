/**
 * The policy file of `twinlock verify-ceremony`: the key that a reader expects, without a chain. Every member is optional
 * and what is absent is not compared; a member that is not known here is refused, since it would silently compare nothing.
 * Only parties and digests bind a transcript to a key, and only images, compose files and key providers to code.
 *
 *   {
 *     "keyId": "0x…", "chainId": 31337, "verifyingContract": "0x…", "coprocessor": "0x…", "gateway": "0x…",
 *     "parties": ["0x…"], "executors": ["0x…"], "t": 1,
 *     "publicKeyDigest": "0x…", "serverKeyDigest": "0x…", "crsDigest": "0x…", "transcriptDigest": "0x…",
 *     "quotes": { … }                      as the policy of `twinlock attest explain`
 *   }
 */
import type { ExplainPolicy } from "@twinlock/sdk/attestation/explainPolicy"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { parseAddress, parseDigest, parseKeyId } from "@twinlock/sdk/protocol/ids"
import { z } from "zod"
import type { CeremonyPolicy } from "../ceremony/verify/policy.ts"
import { policyFrom } from "./explainPolicyFile.ts"
import { parseStrict } from "./strictFile.ts"

export type CeremonyPolicyErrorCode = "CEREMONY_POLICY"

const refuse = (message: string): ProtocolError =>
  new ProtocolError({ code: "CEREMONY_POLICY" satisfies CeremonyPolicyErrorCode, message })

const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`), `want 0x and ${bytes} bytes of hex`)
    .transform((text) => text.toLowerCase())
const address = hex(20).transform(parseAddress)
const digest = hex(32).transform(parseDigest)

const schema = z.strictObject({
  keyId: hex(32).transform(parseKeyId).optional(),
  chainId: z
    .union([z.number().int().min(1), z.string().regex(/^[1-9][0-9]{0,77}$/, "want a decimal number")])
    .transform(BigInt)
    .optional(),
  verifyingContract: address.optional(),
  coprocessor: address.optional(),
  gateway: address.optional(),
  parties: z.array(address).optional(),
  executors: z.array(address).optional(),
  t: z.number().int().min(1).optional(),
  publicKeyDigest: digest.optional(),
  serverKeyDigest: digest.optional(),
  crsDigest: digest.optional(),
  transcriptDigest: digest.optional(),
  quotes: z.unknown().optional(),
})

export type CeremonyPolicyFile = { readonly key: CeremonyPolicy; readonly quotes: ExplainPolicy }

/** @throws CEREMONY_POLICY, POLICY_FILE, naming each bad member */
export function parseCeremonyPolicy(text: string): CeremonyPolicyFile {
  const json = parseStrict(text, (reason) => refuse(`the policy is not JSON: ${reason}`))
  const parsed = schema.safeParse(json)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.join(".") || "(root)"}: ${message}`,
    )
    throw refuse(`the policy is wrong: ${problems.join("; ")}`)
  }
  const { quotes, ...key } = parsed.data
  const named = Object.entries(key).filter(([, value]) => value !== undefined)
  if (named.length === 0 && quotes === undefined) throw refuse("the policy names nothing to compare")
  const { reportData, ...wanted } = quotes === undefined ? {} : policyFrom(quotes)
  if (reportData !== undefined)
    throw refuse("quotes.reportData: every seat has its own, from its registration")
  return { key: Object.fromEntries(named), quotes: wanted }
}
