/** Calls of view functions at an agreed block, by hash: an endpoint without that very block cannot answer. */
import { concatBytes, fromHex, keccak, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address } from "@twinlock/sdk/protocol/ids"
import type { Interface, Result } from "ethers"
import { z } from "zod"
import { chainError } from "./chainError.ts"
import type { BlockRef } from "./chainView.ts"
import type { RpcAnswer } from "./jsonRpc.ts"
import type { RpcPool } from "./rpcPool.ts"

export type ViewCall = {
  readonly to: Address
  readonly abi: Interface
  readonly method: string
  readonly args: readonly unknown[]
}

export type ContractReader = {
  /** @throws CHAIN_MALFORMED where the contract reverts or answers another shape; CHAIN_DISAGREEMENT, … */
  call<T>(call: ViewCall, at: BlockRef, decode: (result: Result) => T): Promise<T>
  /** Return data of a raw call, null where it reverts. `gas` caps what foreign code may use. */
  rawCall(to: Address, data: string, gas: number, at: BlockRef): Promise<string | null>
  /** Code of an account, lower-case hex. */
  code(account: Address, at: BlockRef): Promise<string>
}

/** Agreed answers of a block never change: kept for the newest blocks. */
const KEPT_BLOCKS = 4

const hexData = z.string().regex(/^0x([0-9a-f]{2})*$/)

type Raw = { readonly data: string | null }
const parseRaw = (answer: RpcAnswer): Raw => ({
  data: answer.kind === "reverted" ? null : hexData.parse(answer.result),
})

export function createContractReader(pool: RpcPool): ContractReader {
  const kept = new Map<string, Map<string, Promise<Raw>>>()

  const ethCall = (transaction: Readonly<Record<string, string>>, at: BlockRef): Promise<Raw> => {
    const ofBlock = kept.get(at.hash) ?? new Map<string, Promise<Raw>>()
    if (!kept.has(at.hash)) kept.set(at.hash, ofBlock)
    const [oldest] = kept.keys()
    if (kept.size > KEPT_BLOCKS && oldest !== undefined) kept.delete(oldest)
    const key = keccak(concatBytes(utf8ToBytes(JSON.stringify(transaction))))
    const known = ofBlock.get(key)
    if (known !== undefined) return known
    const asked = pool.read(
      "eth_call",
      [transaction, { blockHash: at.hash, requireCanonical: true }],
      parseRaw,
    )
    ofBlock.set(key, asked)
    asked.catch(() => ofBlock.delete(key))
    return asked
  }

  return {
    async call({ to, abi, method, args }, at, decode) {
      const { data } = await ethCall({ to, data: abi.encodeFunctionData(method, [...args]) }, at)
      if (data === null) throw chainError("CHAIN_MALFORMED", `${method} of ${to} reverts`)
      try {
        const result = abi.decodeFunctionResult(method, fromHex(data))
        // Decoding alone takes any non-zero word for a true bool, and extra bytes for nothing.
        if (abi.encodeFunctionResult(method, result) !== data) throw new Error("not the canonical encoding")
        return decode(result)
      } catch (error) {
        if (isProtocolError(error, "CHAIN_MALFORMED")) throw error
        throw chainError("CHAIN_MALFORMED", `${to} does not answer ${method} as its interface says`, error)
      }
    },
    async rawCall(to, data, gas, at) {
      return (await ethCall({ to, data, gas: `0x${gas.toString(16)}` }, at)).data
    },
    code: (account, at) =>
      pool.read("eth_getCode", [account, { blockHash: at.hash, requireCanonical: true }], (answer) => {
        if (answer.kind === "reverted") throw chainError("CHAIN_MALFORMED", `no code of ${account}`)
        return hexData.parse(answer.result)
      }),
  }
}
