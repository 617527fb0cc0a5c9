/**
 * The toy key's row check: one random sum of the words of every chunk, less what they should be. It is zero because there
 * is no noise, and it is opened without a mask: that shows sums of shares, which a real key may not.
 */
import { concatBytes } from "@twinlock/sdk/protocol/codec"
import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { encode, type RingElement, scalar, scale, sub } from "@twinlock/sdk/threshold/galoisRing"
import { createOpening } from "@twinlock/sdk/threshold/robustReconstruct"
import type { KeyLayout, PartyConfig } from "./engine.ts"
import { mask, number, readWord, SECRETS, sha, toyError } from "./toyArithmetic.fixture.ts"

export class ToyRows {
  readonly #layout: KeyLayout
  readonly #seed: Uint8Array
  readonly #coin: Uint8Array
  /** By chunk: this party's share of its sum. */
  readonly #sums: RingElement[] = []

  constructor(layout: KeyLayout, seed: Uint8Array, coin: Uint8Array) {
    this.#layout = layout
    this.#seed = seed
    this.#coin = coin
  }

  absorb(chunk: number, body: Uint8Array, shares: readonly RingElement[]): void {
    const layout = this.#layout.chunks[chunk]
    if (layout === undefined || chunk !== this.#sums.length || body.length !== layout.byteLength)
      throw toyError("TOY_CHUNK")
    let bodies = 0n
    const masks = Array.from({ length: SECRETS }, () => 0n)
    for (let word = 0; word < layout.words; word++) {
      // Odd, so that no single error vanishes in its top bits.
      const weight = readWord(sha(this.#coin, number(chunk), number(word)), 0, 8) | 1n
      bodies += weight * readWord(body, word * layout.wordBytes, layout.wordBytes)
      for (let j = 0; j < SECRETS; j++)
        masks[j] = (masks[j] ?? 0n) + weight * mask(this.#seed, chunk, word, j)
    }
    const sum = shares.reduce((rest, own, j) => sub(rest, scale(own, masks[j] ?? 0n)), scalar(bodies))
    // Narrow words count modulo 2^64 only.
    this.#sums.push(scale(sum, layout.wordBytes === 8 ? 1n << 64n : 1n))
  }

  points(): Uint8Array {
    if (this.#sums.length !== this.#layout.chunks.length) throw toyError("TOY_CHUNK")
    return concatBytes(...this.#sums.map(encode))
  }

  /** @throws ROW_POINTS where points are on no polynomial, ROW_SUM where a sum is not zero */
  judge(points: readonly Uint8Array[], { n, t }: Pick<PartyConfig, "n" | "t">): void {
    const opening = createOpening({ n, t, blocks: this.#layout.chunks.length })
    points.forEach((list, at) => {
      opening.add(parsePartyIndex(at + 1, n), list)
    })
    const { state } = opening
    if (state.status !== "opened" || state.culprits.length > 0) throw toyError("ROW_POINTS")
    if (state.values.some((value) => value.some((word) => word !== 0n))) throw toyError("ROW_SUM")
  }
}
