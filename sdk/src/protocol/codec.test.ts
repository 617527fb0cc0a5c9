import { AbiCoder, id, keccak256, solidityPacked } from "ethers"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { abiEncode, fromHex, hashWords, Reader, taggedHash, toHex, Writer } from "./codec.ts"
import { parseAddress, parseDigest } from "./ids.ts"

const alice = parseAddress(`0x${"a1".repeat(20)}`)
const digest = parseDigest(`0x${"d1".repeat(32)}`)

describe("hex", () => {
  test("round trip", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(fromHex(toHex(bytes))).toEqual(bytes)
      }),
    )
  })

  test.each(["", "00", "0x0", "0xzz", "0x00 "])("%j is refused", (bad) => {
    expect(codeOf(() => fromHex(bad))).toBe("CODEC_HEX")
  })

  test("a megabyte is fine", () => {
    expect(fromHex(`0x${"00".repeat(1 << 20)}`).length).toBe(1 << 20)
  })
})

describe("ABI words", () => {
  test("equal Solidity's abi.encode", () => {
    const words = [1n, 255, true, alice, digest, "0x01020304"] as const
    expect(toHex(abiEncode(...words))).toBe(
      AbiCoder.defaultAbiCoder().encode(
        ["uint256", "uint256", "bool", "address", "bytes32", "bytes4"],
        [...words],
      ),
    )
  })

  test.each([-1n, 1n << 256n, -1, 1.5, Number.NaN])("%s is out of range", (bad) => {
    expect(codeOf(() => abiEncode(bad))).toBe("CODEC_RANGE")
  })

  test("33 bytes are no word", () => {
    expect(codeOf(() => abiEncode(`0x${"00".repeat(33)}`))).toBe("CODEC_RANGE")
  })

  test("a tagged hash starts with the hash of its tag", () => {
    expect(taggedHash("twinlock/x/v1", 7n, alice)).toBe(
      keccak256(
        AbiCoder.defaultAbiCoder().encode(
          ["bytes32", "uint256", "address"],
          [id("twinlock/x/v1"), 7n, alice],
        ),
      ),
    )
  })

  test("hashWords is keccak256 of the packed words", () => {
    expect(hashWords([digest, digest])).toBe(keccak256(solidityPacked(["bytes32[]"], [[digest, digest]])))
  })
})

describe("Reader and Writer", () => {
  test("round trip", () => {
    fc.assert(
      fc.property(
        fc.nat(255),
        fc.maxSafeNat(),
        fc.uint8Array({ maxLength: 40 }),
        fc.array(fc.nat(65535), { maxLength: 9 }),
        (small, large, bytes, list) => {
          const written = new Writer()
            .uint(1, small)
            .uint(8, large)
            .bytes(bytes)
            .list(list, (writer, value) => writer.uint(2, value))
            .hex("0xabcd")
            .done()
          const reader = new Reader(written)
          expect(reader.uint(1)).toBe(small)
          expect(reader.uint(8)).toBe(large)
          expect(reader.bytes(40)).toEqual(bytes)
          expect(reader.list(9, (item) => item.uint(2))).toEqual(list)
          expect(reader.hex(2)).toBe("0xabcd")
          reader.end()
        },
      ),
    )
  })

  test("missing bytes are refused", () => {
    expect(codeOf(() => new Reader(Uint8Array.of(1)).uint(2))).toBe("CODEC_SHORT")
  })

  test("bytes left over are refused", () => {
    expect(codeOf(() => new Reader(Uint8Array.of(1)).end())).toBe("CODEC_TRAILING")
  })

  test("a length above the maximum is refused before it is read", () => {
    expect(codeOf(() => new Reader(Uint8Array.of(0xff, 0xff, 0xff, 0xff)).bytes(10))).toBe("CODEC_LIMIT")
    expect(codeOf(() => new Reader(Uint8Array.of(0, 3)).list(2, (r) => r.uint(1)))).toBe("CODEC_LIMIT")
  })

  test("integers above 2^53 are refused", () => {
    expect(codeOf(() => new Reader(new Uint8Array(8).fill(255)).uint(8))).toBe("CODEC_RANGE")
  })

  test.each([
    [1, 256],
    [2, 65536],
    [4, 2 ** 32],
    [1, -1],
    [8, 1.5],
  ] as const)("writing %i bytes of %d is refused", (bytes, value) => {
    expect(codeOf(() => new Writer().uint(bytes, value))).toBe("CODEC_RANGE")
  })
})
