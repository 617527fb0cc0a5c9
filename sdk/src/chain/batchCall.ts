/**
 * Many view calls in one `eth_call`. The code that makes them travels along (batchCall.yul): nothing has to be deployed, and
 * nothing but this file has to be trusted.
 */
import type { Interface } from "ethers"
import type { Address, Hex } from "../protocol/ids.ts"

/** A call with one word as its argument, or none. */
export type WordCall = {
  readonly to: Address
  readonly abi: Interface
  readonly method: string
  readonly argument?: Hex
}

/** batchCall.yul, compiled; a test compiles it again. */
export const BATCH_CALL: Hex =
  "0x6040604b5b38811060135750603f19016040fd5b90600560389182845f395f8060246014825160601c620493e0fa903d82029181538160e01b6001820152815f8483013e01019101600456"

/**
 * Calls of one question: with the code they stay below the 49,152 bytes of a creation (EIP-3860), and below the gas that
 * a block may use in one transaction (EIP-7825), at 31,000 for each.
 */
export const MAX_CALLS = 512
export const BATCH_CALL_GAS = 16_000_000

/** Selectors by interface and method: each costs a hash. */
const selectors = new WeakMap<Interface, Map<string, string>>()

function selectorOf(abi: Interface, method: string): string {
  const known = selectors.get(abi) ?? new Map<string, string>()
  selectors.set(abi, known)
  const selector = known.get(method) ?? abi.getFunction(method)?.selector.slice(2)
  if (selector === undefined) throw new Error(`the interface has no function ${method}`)
  known.set(method, selector)
  return selector
}

function encode({ to, abi, method, argument = "0x" }: WordCall): string {
  if (argument.length > 66) throw new Error(`${method}: the argument is more than a word`)
  return to.slice(2) + selectorOf(abi, method) + argument.slice(2).padStart(64, "0")
}

/** Data of a creation that answers by reverting, with {@link batchAnswers}. @param calls at most MAX_CALLS */
export const batchCallData = (calls: readonly WordCall[]): Hex => `${BATCH_CALL}${calls.map(encode).join("")}`

/** What a call returned, as 0x hex; null where it reverted. */
export type Returned = string | null

/** Null unless `data` is made up of so many answers alone; whoever sends it chooses no amount of work. */
export function batchAnswers(data: string, count: number): readonly Returned[] | null {
  const answers: Returned[] = []
  let at = 2
  while (at < data.length) {
    const [success, length] = [data.slice(at, at + 2), Number.parseInt(data.slice(at + 2, at + 10), 16)]
    const end = at + 10 + 2 * length
    if (
      answers.length === count ||
      (success !== "00" && success !== "01") ||
      !(end <= data.length) ||
      (success === "00" && length > 0)
    )
      return null
    answers.push(success === "01" ? `0x${data.slice(at + 10, end)}` : null)
    at = end
  }
  return answers.length === count ? answers : null
}
