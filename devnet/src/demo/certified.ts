/** From a finalised request to its certificate: what a user waits for. */
import type { CertificatesRequest, RequestStatusBody } from "@twinlock/sdk/protocol/http"
import type { JsonRpcProvider } from "ethers"
import { CANCEL_WINDOW_SECONDS } from "../network/contracts.ts"
import { waitFor } from "../network/waitFor.ts"

/** Resolves once a final block makes the request uncancellable, with the time at which that was seen. */
export async function awaitFinal(provider: JsonRpcProvider, requestBlock: number): Promise<number> {
  const requested = await provider.getBlock(requestBlock)
  const from = (requested?.timestamp ?? 0) + Number(CANCEL_WINDOW_SECONDS)
  await waitFor(
    async () => {
      const block = await provider.getBlock("finalized")
      return block !== null && block.number >= requestBlock && block.timestamp >= from
    },
    { what: "the request to be final", timeoutMs: 60_000, everyMs: 20 },
  )
  return performance.now()
}

/** The certificate of a request, as the coordinator got it from the network. */
export function awaitCertificate(
  coordinator: string,
  requestId: string,
  timeoutMs: number,
): Promise<CertificatesRequest> {
  return waitFor(
    async () => {
      const response = await fetch(new URL(`/v1/requests/${requestId}`, coordinator))
      const body = (await response.json()) as RequestStatusBody
      return (body.status === "certified" || body.status === "fulfilled") && body.kind === "group"
        ? { kind: body.kind, result: body.result, certificate: body.certificate }
        : null
    },
    { what: `a certificate of request ${requestId}`, timeoutMs, everyMs: 20 },
  )
}
