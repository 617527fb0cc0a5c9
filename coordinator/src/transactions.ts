/**
 * Transactions of one account, many under way at a time. Nonces are counted here. What is not included for some blocks is
 * offered again for more, with the same nonce; so is whatever another process left behind under a nonce. Nothing is sent
 * twice under two nonces before the first of them is lost.
 */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, Hex } from "@twinlock/sdk/protocol/ids"
import { isError, keccak256, type Provider, type Signer, type TransactionReceipt } from "ethers"
import { bounded, type Fee, raised } from "./fees.ts"

export type TransactionErrorCode =
  /** it is in a block, and failed there. */
  | "TRANSACTION_REVERTED"
  /** its nonce was used by another one, or one below it fell out of the chain. */
  | "TRANSACTION_LOST"
  /** the chain asks for more than the operator allows: nothing was sent. */
  | "FEE_ABOVE_LIMIT"

export type Call = { readonly to: Address; readonly data: Hex; readonly gasLimit: bigint }

export type Transactions = {
  /** Resolves once it is in a block. @throws TransactionErrorCode, what the endpoint refuses it with */
  send(call: Call): Promise<TransactionReceipt>
}

export type TransactionsOptions = {
  readonly provider: Provider
  readonly signer: Signer
  readonly chainId: number
  readonly pollMs: number
  /** What is offered at most. */
  readonly most: Fee
  /** The chain could not be asked about those under way; it is asked again. */
  readonly onError: (error: unknown) => void
}

/** Blocks without any of ours before those under way are offered again. */
const PATIENCE = 3
/** Blocks in which no endpoint says whether it has one, before that one and those behind it are given up. */
const UNHEARD = 12

type Flight = {
  readonly nonce: number
  readonly call: Call
  fee: Fee
  /** Of this transaction and its replacements. */
  readonly hashes: Set<string>
  /** Whether an endpoint has taken one of them. */
  taken: boolean
  /** Block of the last offer. */
  since: number
  readonly done: PromiseWithResolvers<TransactionReceipt>
}

const failed = (code: TransactionErrorCode, message: string): ProtocolError =>
  new ProtocolError({ code, message })

/** Whether an endpoint has answered: anything else may have reached it or not. */
const isAnswer = (error: unknown): boolean =>
  isError(error, "UNKNOWN_ERROR") ||
  isError(error, "INSUFFICIENT_FUNDS") ||
  isError(error, "NONCE_EXPIRED") ||
  isError(error, "REPLACEMENT_UNDERPRICED")

const isKnownAlready = (error: unknown): boolean =>
  isError(error, "UNKNOWN_ERROR") &&
  /already known|already imported|known transaction/i.test(JSON.stringify(error.error ?? error.message))

export function createTransactions(options: TransactionsOptions): Transactions {
  const { provider, signer, chainId, pollMs, most, onError } = options
  /** Ascending by nonce. */
  const flights: Flight[] = []
  /** The nonce of the next one; null where the chain has to say. */
  let next: number | null = null
  let seen = 0
  /** Where the count of the account was last seen to grow, and the count. */
  let progress = { block: 0, count: 0 }
  let last: Promise<unknown> = Promise.resolve()
  let timer: ReturnType<typeof setTimeout> | undefined

  /** One at a time: what changes the list of flights waits for what did before. */
  function inOrder<T>(work: () => Promise<T>): Promise<T> {
    const own = last.then(work)
    last = own.catch(() => {})
    return own
  }

  const countNow = async (): Promise<number> =>
    provider.getTransactionCount(await signer.getAddress(), "latest")

  /** Twice the base fee, and a tip. */
  async function market(): Promise<Fee> {
    const { maxFeePerGas, maxPriorityFeePerGas } = await provider.getFeeData()
    if (maxFeePerGas === null || maxPriorityFeePerGas === null)
      throw new Error("the chain has no base fee (EIP-1559)")
    return { maxFeePerGas, maxPriorityFeePerGas }
  }

  /** Gives it to the endpoints, for more where they hold another one of its nonce. */
  async function offer(flight: Flight, asked: Fee): Promise<void> {
    const { nonce, call, fee, hashes } = flight
    const signed = await signer.signTransaction({ type: 2, chainId, nonce, ...call, ...fee })
    hashes.add(keccak256(signed))
    try {
      await provider.broadcastTransaction(signed)
    } catch (error) {
      if (isError(error, "REPLACEMENT_UNDERPRICED")) {
        const dearer = raised(fee, asked, most)
        if (dearer === null) throw error
        flight.fee = dearer
        return offer(flight, asked)
      }
      if (!isKnownAlready(error)) throw error
    }
    flight.taken = true
  }

  async function launch(call: Call, mayAskAgain: boolean): Promise<Flight> {
    const [asked, since] = await Promise.all([market(), provider.getBlockNumber()])
    if (asked.maxFeePerGas - asked.maxPriorityFeePerGas > 2n * most.maxFeePerGas)
      throw failed("FEE_ABOVE_LIMIT", `a transaction costs ${asked.maxFeePerGas} wei a unit of gas`)
    const fee = bounded(asked, most)
    next ??= Math.max(await countNow(), (flights.at(-1)?.nonce ?? -1) + 1)
    const done = Promise.withResolvers<TransactionReceipt>()
    const flight: Flight = { nonce: next, call, fee, hashes: new Set(), taken: false, since, done }
    flights.push(flight)
    try {
      await offer(flight, fee)
    } catch (error) {
      // Without an answer it stays, and is offered again: its nonce may be used.
      if (isAnswer(error) || flight.hashes.size === 0) {
        flights.pop()
        // What an endpoint was behind with, or another process has used, the chain says next time.
        if (flights.length === 0) next = null
        if (!isError(error, "NONCE_EXPIRED") || !mayAskAgain) throw error
        next = null
        return launch(call, false)
      }
    }
    next += 1
    watch()
    return flight
  }

  function end(flight: Flight, outcome: TransactionReceipt | ProtocolError): void {
    flights.splice(flights.indexOf(flight), 1)
    if (outcome instanceof ProtocolError) flight.done.reject(outcome)
    else if (outcome.status === 0)
      flight.done.reject(failed("TRANSACTION_REVERTED", `transaction ${outcome.hash} failed in its block`))
    else flight.done.resolve(outcome)
  }

  /** Whatever is under way from this nonce on comes to nothing; its nonces are free again. */
  function abandonFrom(nonce: number, reason: string): void {
    for (const flight of flights.filter((other) => other.nonce >= nonce))
      end(flight, failed("TRANSACTION_LOST", reason))
    next = null
  }

  async function collect(flight: Flight, block: number): Promise<void> {
    const receipts = await Promise.all([...flight.hashes].map((hash) => provider.getTransactionReceipt(hash)))
    const receipt = receipts.find((found) => found !== null)
    if (receipt != null) end(flight, receipt)
    // An endpoint may have the count before the receipt.
    else if (block - Math.max(flight.since, progress.block) >= PATIENCE)
      end(flight, failed("TRANSACTION_LOST", `another transaction has nonce ${flight.nonce}`))
  }

  async function offerAgain(flight: Flight, block: number): Promise<void> {
    const asked = bounded(await market(), most)
    if (flight.taken) flight.fee = raised(flight.fee, asked, most) ?? flight.fee
    try {
      await offer(flight, asked)
      flight.since = block
    } catch (error) {
      // An earlier offer of it may still be included.
      if (!flight.taken && (isAnswer(error) || block - flight.since >= UNHEARD))
        abandonFrom(flight.nonce, `the endpoints do not take the transaction of nonce ${flight.nonce}`)
    }
  }

  async function look(): Promise<void> {
    const [block, count] = await Promise.all([provider.getBlockNumber(), countNow()])
    if (count > progress.count) progress = { block, count }
    if (next !== null && count > next) next = count
    for (const flight of flights.filter(({ nonce }) => nonce < count)) await collect(flight, block)
    if (block <= seen) return
    seen = block
    const overdue = (since: number) => block - Math.max(since, progress.block) >= PATIENCE
    const waiting = flights.filter(({ nonce }) => nonce >= count)
    const [first] = waiting
    if (first !== undefined && first.nonce > count && overdue(first.since))
      return abandonFrom(first.nonce, `the transaction of nonce ${count} fell out of the chain`)
    for (const flight of waiting)
      if (flights.includes(flight) && (!flight.taken || overdue(flight.since)))
        await offerAgain(flight, block)
  }

  function watch(): void {
    if (timer !== undefined || flights.length === 0) return
    timer = setTimeout(() => {
      inOrder(look)
        .catch(onError)
        .finally(() => {
          timer = undefined
          watch()
        })
    }, pollMs)
  }

  return {
    async send(call) {
      const { done } = await inOrder(() => launch(call, true))
      return done.promise
    },
  }
}
