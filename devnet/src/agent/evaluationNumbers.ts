/** The signed list of the TCB sets that a simulated service offers, in the shape of Intel's (PCS API v4). */
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import type { Platform } from "../platform/platform.ts"

export type OfferedSet = {
  readonly number: number
  /** Unix seconds: when Intel disclosed what the set takes into account; it becomes the standard a year later. */
  readonly recoveryEvent: number
}

export type SignedDocument = { readonly text: string; readonly signature: string }

const DAY = 86_400
const date = (time: number) => new Date(time * 1000).toISOString().replace(/\.\d+Z$/, "Z")

/** @param sets newest first, as Intel lists them. */
export function signEvaluationNumbers(
  platform: Platform,
  sets: readonly OfferedSet[],
  issuedAt: number = platform.now,
): SignedDocument {
  const text = JSON.stringify({
    id: "TDX",
    version: 1,
    issueDate: date(issuedAt),
    nextUpdate: date(issuedAt + 30 * DAY),
    tcbEvalNumbers: sets.map(({ number, recoveryEvent }) => ({
      tcbEvaluationDataNumber: number,
      tcbRecoveryEventDate: date(recoveryEvent),
      tcbDate: date(recoveryEvent + DAY),
    })),
  })
  const signature = Buffer.from(platform.tcbSigner.key.sign(utf8ToBytes(text))).toString("hex")
  return { text, signature }
}
