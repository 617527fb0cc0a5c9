/** What transactions offer for their gas. */
export type Fee = { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }

/** An offer above this many times what the chain asks at present gains nothing. */
const MOST = 5n

/** Endpoints take a replacement for an eighth more. */
const more = (offered: bigint, asked: bigint): bigint => {
  const least = offered + offered / 8n + 1n
  return least > asked ? least : asked
}

/** The offer of a replacement; null where what is offered is more than enough for the market. */
export function raised(offered: Fee, market: Fee): Fee | null {
  const fee = {
    maxFeePerGas: more(offered.maxFeePerGas, market.maxFeePerGas),
    maxPriorityFeePerGas: more(offered.maxPriorityFeePerGas, market.maxPriorityFeePerGas),
  }
  return fee.maxFeePerGas > MOST * market.maxFeePerGas ? null : fee
}
