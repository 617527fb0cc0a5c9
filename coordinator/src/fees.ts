/** What transactions offer for their gas. */
export type Fee = { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }

/** An offer above this many times what the chain asks at present gains nothing. */
const MOST = 5n

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** Endpoints take a replacement for an eighth more. */
const more = (offered: bigint, asked: bigint): bigint => {
  const enough = offered + offered / 8n + 1n
  return enough > asked ? enough : asked
}

/** No more than the operator allows, whatever an endpoint says that the chain asks. */
export const bounded = (asked: Fee, most: Fee): Fee => {
  const maxFeePerGas = least(asked.maxFeePerGas, most.maxFeePerGas)
  const tip = least(asked.maxPriorityFeePerGas, most.maxPriorityFeePerGas)
  return { maxFeePerGas, maxPriorityFeePerGas: least(tip, maxFeePerGas) }
}

/**
 * The offer of a replacement; null where what is offered is more than enough for the market, or more would be above what
 * the operator allows.
 */
export function raised(offered: Fee, market: Fee, most: Fee): Fee | null {
  const fee = {
    maxFeePerGas: more(offered.maxFeePerGas, market.maxFeePerGas),
    maxPriorityFeePerGas: more(offered.maxPriorityFeePerGas, market.maxPriorityFeePerGas),
  }
  const isTooMuch =
    fee.maxFeePerGas > MOST * market.maxFeePerGas ||
    fee.maxFeePerGas > most.maxFeePerGas ||
    fee.maxPriorityFeePerGas > most.maxPriorityFeePerGas
  return isTooMuch ? null : fee
}
