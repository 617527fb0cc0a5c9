/**
 * What the self-test of a new key computes from two known bytes, and how the parties' shares of it are opened (protocol
 * §4): their sum, under one part of the decryption key, and a wide value in which everything else of the key took part,
 * under the other. node/native/src/ops/self_test.rs computes the same.
 */
import type { Committee } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { blobBytesOf, blockCountOf, type FheType, wordFormatOf } from "@twinlock/sdk/protocol/fheType"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import { decodePlaintext } from "@twinlock/sdk/threshold/plaintext"
import { createOpening } from "@twinlock/sdk/threshold/robustReconstruct"
import type { ShareWork } from "../threshold/keyShare.ts"
import { bytesDigest } from "./digest.ts"
import { type SelfTestNames, selfTestSession, selfTestValues } from "./verdict.ts"

/** Types of the results, in the order of their words. */
const RESULT_TYPES: readonly FheType[] = [2, 4]
/** Bytes of one party's share of a block. */
const BLOCK_SHARE_BYTES = 64

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)
const lengthsOf = (bytesOf: (type: FheType) => number): readonly number[] => RESULT_TYPES.map(bytesOf)

export const SELF_TEST_RESULT_BYTES: number = sumOf(lengthsOf(blobBytesOf))
const shareBytesOf = (type: FheType): number => BLOCK_SHARE_BYTES * blockCountOf(type)
export const SELF_TEST_SHARE_BYTES: number = sumOf(lengthsOf(shareBytesOf))

function cut(bytes: Uint8Array, lengths: readonly number[]): readonly Uint8Array[] {
  return lengths.map((length, at) => {
    const start = sumOf(lengths.slice(0, at))
    return bytes.subarray(start, start + length)
  })
}

/** The values that a right key gives. */
export function expectedResults(names: SelfTestNames): readonly bigint[] {
  const [a, b] = selfTestValues(names)
  const wide = BigInt(a) * 0x01010101n + BigInt(b) * 0x00010203n
  return [BigInt((a + b) % 256), BigInt.asUintN(32, wide)]
}

/** What every party makes shares of. @param words of exactly SELF_TEST_RESULT_BYTES */
export function shareWorkOf({ keyId, epoch }: Committee, words: Uint8Array): readonly ShareWork[] {
  const parts = cut(words, lengthsOf(blobBytesOf))
  return RESULT_TYPES.map((type, at) => {
    const own = parts[at] ?? words
    return {
      session: selfTestSession(keyId, epoch, bytesDigest(own)),
      format: wordFormatOf(type),
      words: own,
    }
  })
}

export type SelfTestResultsErrorCode =
  /** a party's shares have another length. */
  "SELF_TEST_SHARE_LENGTH"

export type SelfTestOpening = {
  /** Takes what a party broadcast. @throws SELF_TEST_SHARE_LENGTH naming the party */
  add(party: PartyIndex, broadcast: Uint8Array): void
  /** The values, if the shares of all parties lie on one polynomial; else who is off it, as far as that is known. */
  outcome():
    | { readonly opened: true; readonly values: readonly bigint[] }
    | { readonly opened: false; readonly culprits: readonly PartyIndex[] }
}

/** @throws in `outcome`: PLAINTEXT_NOT_SCALAR, PLAINTEXT_RANGE where a value is none */
export function openSelfTest({ n, t }: Committee): SelfTestOpening {
  const openings = RESULT_TYPES.map((type) => ({
    type,
    opening: createOpening({ n, t, blocks: blockCountOf(type) }),
  }))
  return {
    add(party, broadcast) {
      if (broadcast.length !== SELF_TEST_SHARE_BYTES)
        throw new ProtocolError({
          code: "SELF_TEST_SHARE_LENGTH" satisfies SelfTestResultsErrorCode,
          message: `want ${SELF_TEST_SHARE_BYTES} bytes of shares, got ${broadcast.length}`,
          culprits: [party],
        })
      const shares = cut(broadcast, lengthsOf(shareBytesOf))
      for (const [at, { opening }] of openings.entries()) opening.add(party, shares[at] ?? broadcast)
    },
    outcome() {
      const states = openings.map(({ opening }) => opening.state)
      const culprits = [...new Set(states.flatMap((state) => state.culprits))].toSorted((a, b) => a - b)
      const values = openings.flatMap(({ type, opening: { state } }) =>
        state.status === "opened" ? [decodePlaintext(state.values, type)] : [],
      )
      return culprits.length === 0 && values.length === openings.length
        ? { opened: true, values }
        : { opened: false, culprits }
    },
  }
}
