/** Submissions that have the form of the real thing; nobody here looks at their signatures. */
import type { BatchBody, CertifiedBody, ResultBody } from "@twinlock/sdk/protocol/http"
import { parseRequestId, type RequestId } from "@twinlock/sdk/protocol/ids"
import { address, bytes32 } from "./http.fixture.ts"
import type { Submitter } from "./submitter.ts"

export const idOf = (i: number): RequestId => parseRequestId(`0x${i.toString(16).padStart(64, "0")}`)
const signed = { keyId: bytes32("aa"), epoch: 1, signers: "7" }

export const resultOf = (i: number) =>
  ({
    chainId: "31337",
    gateway: address("9a"),
    requestId: idOf(i),
    handles: [bytes32("04")],
    sessions: [bytes32("05")],
    plaintexts: bytes32("06"),
  }) as unknown as ResultBody

/** Results 1 to `size` under one signature. */
export const batchOf = (size: number, s = "5") =>
  ({
    kind: "batch",
    results: Array.from({ length: size }, (_, i) => resultOf(i + 1)),
    certificate: { ...signed, r: address("0f"), s },
  }) as unknown as BatchBody

export const endorsed = {
  kind: "endorsed",
  result: resultOf(1),
  certificate: { ...signed, leaves: 1, index: 0, path: [], signatures: [`0x${"07".repeat(64)}`] },
} as unknown as CertifiedBody

export const endorsedOf = (i: number) => ({ ...endorsed, result: resultOf(i) }) as CertifiedBody

/** Tries all that is kept, to the end. */
export async function flush(submitter: Submitter): Promise<void> {
  await submitter.flush()
  await submitter.drained()
}
