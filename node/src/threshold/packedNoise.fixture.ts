/** What packing leaves of noise, measured with the secret of a test key. For tests only: an exact phase is an equation. */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js"
import { concatBytes, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { blockCountOf, type FheType } from "@twinlock/sdk/protocol/fheType"
import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { decode } from "@twinlock/sdk/threshold/galoisRing"
import { interpolate } from "@twinlock/sdk/threshold/shamir"
import type { KeyShare } from "./keyShare.ts"

const [NS_BITS, NSC_BITS, DEGREE] = [4096, 6144, 1024]
const HEADER = concatBytes(utf8ToBytes("TLKS"), Uint8Array.of(1))
const NONCE_BYTES = 24

/** The elements of a share that is sealed for this once. */
function elementsOf(share: KeyShare): Uint8Array {
  const [key, context] = [new Uint8Array(32), new Uint8Array(0)]
  const sealed = share.seal(key, context).subarray(HEADER.length)
  const cipher = xchacha20poly1305(key, sealed.subarray(0, NONCE_BYTES), HEADER)
  return cipher.decrypt(sealed.subarray(NONCE_BYTES)).subarray(4)
}

/** The bits of nsc. */
export function secretOf({
  n,
  t,
  shares,
}: {
  n: number
  t: number
  shares: readonly KeyShare[]
}): Uint8Array {
  const elements = shares.slice(0, t + 1).map(elementsOf)
  return Uint8Array.from({ length: NSC_BITS }, (_, j) => {
    const points = elements.map((bytes, i) => ({
      party: parsePartyIndex(i + 1, n),
      value: decode(bytes, NS_BITS + j),
    }))
    const [bit, ...rest] = interpolate(points)
    if (bit > 1n || rest.some((coefficient) => coefficient !== 0n)) throw new Error(`bit ${j} is none`)
    return Number(bit)
  })
}

/** The absolute noise of every block of packed words that encrypt `value`. */
export function packedNoise(
  nsc: Uint8Array,
  words: Uint8Array,
  fheType: FheType,
  value: bigint,
): readonly bigint[] {
  const view = new DataView(words.buffer, words.byteOffset)
  const word = (i: number) => view.getBigUint64(16 * i, true) | (view.getBigUint64(16 * i + 8, true) << 64n)
  return Array.from({ length: blockCountOf(fheType) }, (_, k) => {
    let phase = word(NSC_BITS + k)
    for (let at = 0; at < NSC_BITS; at++) {
      const j = at % DEGREE
      if (nsc[at - j + ((k - j + DEGREE) % DEGREE)] === 1) phase += j <= k ? -word(at) : word(at)
    }
    const noise = BigInt.asIntN(128, phase - (((value >> BigInt(4 * k)) & 15n) << 123n))
    return noise < 0n ? -noise : noise
  })
}
