/** `twinlock judge-evidence FILE BUNDLE`: what the evidence of a node proves, by the transcript of its key alone. */

import { toHex } from "@twinlock/sdk/protocol/codec"
import { createCommittee } from "@twinlock/sdk/protocol/committee"
import { type ErrorDetail, isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Digest, Hex } from "@twinlock/sdk/protocol/ids"
import {
  type Fault,
  type FaultContext,
  type FaultEvidenceBody,
  faultEvidenceFromBody,
  provenFault,
} from "@twinlock/sdk/threshold/faultEvidence"
import { decodePublicKeyPackage } from "@twinlock/sdk/threshold/frost"
import { z } from "zod"
import type { CeremonyBundle } from "../ceremony/bundle.ts"
import { parseStrict } from "./strictFile.ts"

export type JudgeEvidenceErrorCode =
  /** no answer of `GET /v1/evidence`. */
  | "EVIDENCE_FORM"
  /** none about the key of the transcript. */
  | "EVIDENCE_KEY"

const refuse = (code: JudgeEvidenceErrorCode, message: string): ProtocolError<ErrorDetail> =>
  new ProtocolError({ code, message })

const text = z.string()
const schema = z.strictObject({
  keys: z.array(
    z.strictObject({
      keyId: text,
      epoch: z.number(),
      faults: z.array(z.strictObject({ party: z.number(), subject: text, messages: z.array(text) })),
    }),
  ),
})

/**
 * @param evidence the answer of `GET /v1/evidence`
 * @param bundle one that holds
 * @throws EVIDENCE_*
 */
export function judgeEvidence(evidence: string, bundle: CeremonyBundle): Readonly<Record<string, unknown>> {
  const json = parseStrict(evidence, (reason) => refuse("EVIDENCE_FORM", reason))
  const parsed = schema.safeParse(json)
  if (!parsed.success) throw refuse("EVIDENCE_FORM", z.prettifyError(parsed.error))
  const context = contextOf(bundle)
  const { keyId, epoch } = context.committee
  const own = parsed.data.keys.find((key) => key.keyId === keyId && key.epoch === epoch)
  if (own === undefined) throw refuse("EVIDENCE_KEY", `no evidence about key ${keyId} in epoch ${epoch}`)
  const faults = own.faults.map(({ party, subject, messages }, i) => {
    const body: FaultEvidenceBody = { party, subject: subject as Digest, messages: messages as Hex[] }
    return [`fault ${i + 1}`, { party, subject, messages: messages.length, ...judge(body, context) }] as const
  })
  return { keyId, epoch, ...Object.fromEntries(faults) }
}

/** Evidence that is none says why, and spoils nothing of what else there is. */
function judge(
  body: FaultEvidenceBody,
  context: FaultContext,
): { readonly proves: Fault | null; readonly refused?: string } {
  try {
    return { proves: provenFault(faultEvidenceFromBody(body, context.committee), context) }
  } catch (error) {
    if (!isProtocolError(error)) throw error
    return { proves: null, refused: error.detail.code }
  }
}

/** Public data of the key, as most of its parties confirmed it. */
function contextOf({ keyId, proposal, signing, signed, records }: CeremonyBundle): FaultContext {
  const { t, parties } = proposal
  const committee = createCommittee({ keyId, epoch: signed.activation.epoch, t, parties })
  const confirmed = records.find(({ name }) => name === "dkg-confirm")?.broadcasts ?? []
  const counts = new Map<Hex, number>()
  for (const bytes of confirmed) counts.set(toHex(bytes), (counts.get(toHex(bytes)) ?? 0) + 1)
  const publicKey = confirmed.find((bytes) => (counts.get(toHex(bytes)) ?? 0) > t)
  if (publicKey === undefined) throw refuse("EVIDENCE_KEY", "the parties of the transcript confirmed no key")
  return { committee, signing, publicKey: decodePublicKeyPackage(publicKey) }
}
