/** What an endpoint answers to a batch of calls, without a chain. */
import { BATCH_CALL } from "@twinlock/sdk/chain/batchCall"
import type { RpcAnswer } from "./jsonRpc.ts"

/** The calls of an `eth_call`'s transaction; null where it is no batch. */
export function callsOf(
  transaction: unknown,
): readonly { readonly to: string; readonly data: string }[] | null {
  const { data } = transaction as { readonly data: string }
  if (!data.startsWith(BATCH_CALL)) return null
  const calls = data.slice(BATCH_CALL.length).match(/.{112}/g) ?? []
  return calls.map((call) => ({ to: `0x${call.slice(0, 40)}`, data: `0x${call.slice(40)}` }))
}

/** @param answers of the calls, in their order. */
export const batchAnswer = (answers: readonly RpcAnswer[]): RpcAnswer => ({
  kind: "reverted",
  data: `0x${answers
    .map((answer) => {
      if (answer.kind === "reverted") return "0000000000"
      const returned = String(answer.result).slice(2)
      return `01${(returned.length / 2).toString(16).padStart(8, "0")}${returned}`
    })
    .join("")}`,
})
