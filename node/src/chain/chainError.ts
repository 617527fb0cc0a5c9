/** Errors of reading the chain. */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { ChainErrorCode } from "./chainView.ts"
import type { RpcAnswer } from "./jsonRpc.ts"

export const chainError = (code: ChainErrorCode, message: string, cause?: unknown): ProtocolError =>
  new ProtocolError({ code, message }, { cause })

/** The result of an answer that must not be a revert. @throws CHAIN_MALFORMED */
export function resultOf(answer: RpcAnswer): unknown {
  if (answer.kind === "reverted")
    throw chainError("CHAIN_MALFORMED", `reverted with ${answer.data.slice(0, 138)}`)
  return answer.result
}
