import { AbiCoder, id, keccak256 } from "ethers"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { sha256Digest, tagHash, toHex } from "./codec.ts"
import { FHE_TYPES, parseFheType } from "./fheType.ts"
import {
  fheTypeOf,
  formatHandle,
  handleFields,
  inputDigest,
  inputHandle,
  inputHandles,
  operationDigest,
  operationHandle,
} from "./handles.ts"
import { parseAddress, parseHandle, parseKeyId } from "./ids.ts"

const address = (digit: string) => parseAddress(`0x${digit.repeat(40)}`)
const domain = { chainId: 31337n, coprocessor: address("c") }
const keyId = parseKeyId(tagHash("key"))
const list = Uint8Array.of(1, 2, 3)
const input = {
  keyId,
  listDigest: sha256Digest(list),
  index: 1,
  contract: address("a"),
  user: address("b"),
  fheType: FHE_TYPES.uint16,
}

describe("layout", () => {
  test("round trip", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 21, maxLength: 21 }),
        fc.nat(255),
        fc.bigInt(0n, 2n ** 64n - 1n),
        fc.nat(8),
        (hash, index, chainId, type) => {
          const fields = { hash: toHex(hash), index, chainId, fheType: parseFheType(type) }
          expect(handleFields(formatHandle(fields))).toEqual(fields)
        },
      ),
    )
  })

  test("places every field", () => {
    const handle = formatHandle({ hash: `0x${"ab".repeat(21)}`, index: 2, chainId: 31337n, fheType: 5 })
    expect(handle).toBe(`0x${"ab".repeat(21)}02${"0000000000007a69"}0501`)
  })

  test("other versions and unknown types are refused", () => {
    const handle = inputHandle(domain, input)
    expect(codeOf(() => handleFields(parseHandle(`${handle.slice(0, -2)}02`)))).toBe("HANDLE_VERSION")
    expect(codeOf(() => fheTypeOf(parseHandle(`${handle.slice(0, -4)}0901`)))).toBe("UNKNOWN_FHE_TYPE")
  })

  test("an index above a byte and a chain id above 64 bits are refused", () => {
    expect(codeOf(() => inputHandle(domain, { ...input, index: 256 }))).toBe("HANDLE_INDEX")
    expect(codeOf(() => inputHandle({ ...domain, chainId: 2n ** 64n }, input))).toBe("CODEC_RANGE")
  })
})

describe("derivation", () => {
  const abi = AbiCoder.defaultAbiCoder()

  test("an input's hash is the first 21 bytes of the tagged hash", () => {
    const hash = keccak256(
      abi.encode(
        ["bytes32", "bytes32", "uint256", "address", "address", "address", "uint256", "bytes32"],
        [
          id("twinlock/input-handle/v1"),
          input.listDigest,
          1,
          input.contract,
          input.user,
          domain.coprocessor,
          31337n,
          keyId,
        ],
      ),
    )
    expect(inputDigest(domain, input)).toBe(hash)
    expect(inputHandle(domain, input)).toBe(`${hash.slice(0, 44)}01${"0000000000007a69"}0301`)
  })

  test("a copied list gives other handles to another user, contract, key or chain", () => {
    const base = inputHandle(domain, input)
    expect(inputHandle(domain, { ...input, user: address("d") })).not.toBe(base)
    expect(inputHandle(domain, { ...input, contract: address("d") })).not.toBe(base)
    expect(inputHandle(domain, { ...input, keyId: parseKeyId(tagHash("k2")) })).not.toBe(base)
    expect(inputHandle({ ...domain, coprocessor: address("d") }, input)).not.toBe(base)
  })

  test("a list's handles are those of its values, in order", () => {
    const { contract, user } = input
    const handles = inputHandles(domain, { keyId, list, contract, user, fheTypes: [2, 3] })
    expect(handles).toEqual([
      inputHandle(domain, { ...input, index: 0, fheType: 2 }),
      inputHandle(domain, { ...input, index: 1, fheType: 3 }),
    ])
  })

  test("an operation's hash covers operands, caller and parent block", () => {
    const operation = {
      op: 7,
      lhs: tagHash("l"),
      rhs: tagHash("r"),
      third: `0x${"00".repeat(32)}`,
      scalar: true,
      resultType: FHE_TYPES.bool,
      caller: address("a"),
      parentBlockHash: tagHash("parent"),
    } as const
    const types = ["bytes32", "uint8", "bytes32", "bytes32", "bytes32", "bool", "uint8", "address", "address"]
    const hash = keccak256(
      abi.encode(
        [...types, "uint256", "bytes32"],
        [
          id("twinlock/op/v1"),
          operation.op,
          operation.lhs,
          operation.rhs,
          operation.third,
          operation.scalar,
          operation.resultType,
          operation.caller,
          domain.coprocessor,
          31337n,
          operation.parentBlockHash,
        ],
      ),
    )
    expect(operationDigest(domain, operation)).toBe(hash)
    const handle = operationHandle(domain, operation)
    expect(handle).toBe(`${hash.slice(0, 44)}ff${"0000000000007a69"}0001`)
    expect(operationHandle(domain, { ...operation, parentBlockHash: tagHash("fork") })).not.toBe(handle)
  })
})
