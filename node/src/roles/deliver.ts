/** Where a finished certificate goes: to every coordinator; any of them, or anybody else, can submit it. */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { SubmissionBody } from "@twinlock/sdk/protocol/http"
import { beginningOf } from "../responseText.ts"

export type DeliverErrorCode = "CERTIFICATE_NOT_TAKEN"

const TIMEOUT_MS = 15_000
const ANSWER_BYTES = 300

/** @returns a function that resolves once one coordinator took the certificate. @throws CERTIFICATE_NOT_TAKEN */
export function createDelivery(urls: readonly string[]): (certified: SubmissionBody) => Promise<void> {
  return async (certified) => {
    const body = JSON.stringify(certified)
    const results = await Promise.allSettled(
      urls.map(async (url) => {
        const response = await fetch(new URL("/v1/certificates", url), {
          method: "POST",
          headers: { "content-type": "application/json" },
          body,
          signal: AbortSignal.timeout(TIMEOUT_MS),
          redirect: "error",
        })
        const text = await beginningOf(response, ANSWER_BYTES)
        if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`)
      }),
    )
    if (results.some(({ status }) => status === "fulfilled")) return
    const [first] = results
    const cause: unknown = first?.status === "rejected" ? first.reason : undefined
    throw new ProtocolError(
      {
        code: "CERTIFICATE_NOT_TAKEN" satisfies DeliverErrorCode,
        message: `none of ${urls.length} coordinators took the certificate: ${cause instanceof Error ? cause.message : "no coordinator"}`,
      },
      { cause },
    )
  }
}
