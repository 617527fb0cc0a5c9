/**
 * Intel's list of TCB sets (PCS API v4, "TCB evaluation data numbers"): one number per recovery event. The set of a new
 * event is "early" from its disclosure and becomes the standard one twelve months later, which is how long an operator
 * has to update.
 */
import type { Certificate } from "@twinlock/sdk/attestation/certificate"
import { verifyP256 } from "@twinlock/sdk/attestation/p256"
import { fromHex, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { z } from "zod"
import type { SignedDocument } from "./pccs.ts"

export type EvaluationNumbersErrorCode =
  | "EVALUATION_NUMBERS_MALFORMED"
  | "EVALUATION_NUMBERS_SIGNATURE"
  | "EVALUATION_NUMBERS_EXPIRED"

export type EvaluationNumber = {
  readonly number: number
  /** Unix seconds: when the issues behind it were disclosed. */
  readonly recoveryEvent: number
  /** Unix seconds: when it becomes the standard set. */
  readonly standardFrom: number
}

const refuse = (code: EvaluationNumbersErrorCode, message: string): ProtocolError =>
  new ProtocolError({ code, message })

const date = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  .transform((text) => Date.parse(text) / 1000)
  .refine((time) => !Number.isNaN(time))

const schema = z.object({
  id: z.literal("TDX"),
  version: z.literal(1),
  issueDate: date,
  nextUpdate: date,
  tcbEvalNumbers: z
    .array(
      z.object({
        tcbEvaluationDataNumber: z.number().int().min(0).max(0xffff),
        tcbRecoveryEventDate: date,
        tcbDate: date,
      }),
    )
    .max(64),
})

/** The same day and hour twelve months later. */
export function twelveMonthsAfter(time: number): number {
  const day = new Date(time * 1000)
  day.setUTCFullYear(day.getUTCFullYear() + 1)
  return day.getTime() / 1000
}

/**
 * The sets in order of their number.
 * @param signer the TCB signing certificate of collateral that is verified already. @param time unix seconds.
 * @throws EVALUATION_NUMBERS_SIGNATURE, EVALUATION_NUMBERS_MALFORMED, EVALUATION_NUMBERS_EXPIRED
 */
export function verifyEvaluationNumbers(
  { text, signature }: SignedDocument,
  signer: Pick<Certificate, "publicKey">,
  time: number,
): readonly EvaluationNumber[] {
  if (!verifyP256(fromHex(`0x${signature}`), utf8ToBytes(text), signer.publicKey))
    throw refuse("EVALUATION_NUMBERS_SIGNATURE", "the list of TCB sets is not signed by the TCB signing key")
  const parsed = schema.safeParse(parseJson(text))
  if (!parsed.success) throw refuse("EVALUATION_NUMBERS_MALFORMED", "the list of TCB sets has another shape")
  const { issueDate, nextUpdate, tcbEvalNumbers } = parsed.data
  if (time < issueDate || time > nextUpdate)
    throw refuse(
      "EVALUATION_NUMBERS_EXPIRED",
      `the list of TCB sets is valid from ${issueDate} to ${nextUpdate}, not at ${time}`,
    )
  return tcbEvalNumbers
    .map((entry) => ({
      number: entry.tcbEvaluationDataNumber,
      recoveryEvent: entry.tcbRecoveryEventDate,
      standardFrom: twelveMonthsAfter(entry.tcbRecoveryEventDate),
    }))
    .sort((one, other) => one.number - other.number)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
