/**
 * One block of an opening: error correction of a ring sharing, bit by bit (protocol §3), continued with every share.
 *
 * The prescribed correction decodes the residues of all shares mod 2, subtracts, and goes on with the next bit, dropping the
 * shares that are no longer divisible. Here the polynomial through t+1 shares (the base) is subtracted at once: below the
 * lowest bit at which any share differs from it all decodings are trivial, so only that bit is decoded. Each decoding drops
 * at least one share.
 *
 * A share is dropped because more than 2t symbols of a word of GF(16) lie on one polynomial without it. At least t+1 of
 * these are honest, and t+1 determine the polynomial: no later share brings it back, and nothing that was dropped is looked
 * at again.
 */
import type { PartyIndex } from "../protocol/ids.ts"
import { type RingElement, residue, sub, ZERO } from "./galoisRing.ts"
import { evaluateForm, extendForm, type NewtonForm } from "./newtonForm.ts"
import { fieldErrors } from "./polynomial.ts"

type Point = {
  readonly party: PartyIndex
  readonly value: RingElement
  /** Value minus that of the base's polynomial. */
  readonly off: RingElement
}

/**
 * Work in all of an opening: one evaluation per share; per party dropped at most one decoding, and, if it was in the base,
 * t(t+1)/2 ring products and one evaluation per share; one decoding more per arrival, which fails.
 */
export class BlockOpening {
  readonly #t: number
  #base: NewtonForm = []
  /** Shares that were not dropped, in order of arrival. */
  #active: readonly Point[] = []
  readonly #dropped = new Set<PartyIndex>()

  constructor(t: number) {
    this.#t = t
  }

  /** Parties whose shares are off. */
  get dropped(): ReadonlySet<PartyIndex> {
    return this.#dropped
  }

  /** Takes the share of a party that was not heard before. */
  hear(party: PartyIndex, value: RingElement): void {
    this.#active = [...this.#active, this.#place(party, value)]
  }

  /** The point, which extends the base while that has fewer than t+1. */
  #place(party: PartyIndex, value: RingElement): Point {
    if (this.#base.length > this.#t) return { party, value, off: sub(value, evaluateForm(this.#base, party)) }
    this.#base = extendForm(this.#base, party, value)
    return { party, value, off: ZERO }
  }

  /**
   * Corrects at most `budget` errors in all: the budget of all shares heard. Whether all shares but those dropped now lie on
   * one polynomial; they are more than 2t.
   */
  settle(budget: number): boolean {
    for (;;) {
      const bit = Math.min(...this.#active.map(({ off }) => valuation(off)))
      if (bit === 128) return true
      const wrong = this.#errorsAt(bit, budget - this.#dropped.size)
      if (wrong === null) return false
      this.#drop(new Set(wrong))
    }
  }

  /** The parties whose shares are wrong at the lowest bit at which any differs. */
  #errorsAt(bit: number, spare: number): readonly PartyIndex[] | null {
    const word = this.#active.map(({ party, off }) => ({ x: party, y: residue(off, BigInt(bit)) }))
    const off = word.filter(({ y }) => y !== 0)
    // The base's own polynomial, zero here, is near enough: there is no other.
    const wrong = off.length <= spare ? off : spare > 0 ? fieldErrors(word, this.#t + 1, spare) : null
    return wrong?.map(({ x }) => x) ?? null
  }

  #drop(wrong: ReadonlySet<PartyIndex>): void {
    for (const party of wrong) this.#dropped.add(party)
    this.#active = this.#active.filter(({ party }) => !wrong.has(party))
    if (!this.#base.some(({ party }) => wrong.has(party))) return
    this.#base = []
    this.#active = this.#active.map(({ party, value }) => this.#place(party, value))
  }

  /** Value at a party's point (0: the secret) of the polynomial that the base's shares fix. */
  at(party: PartyIndex | 0): RingElement {
    return evaluateForm(this.#base, party)
  }

  /** Forgets the shares: what is left is the polynomial. */
  close(): void {
    this.#active = []
  }
}

/** Bits up to the lowest one set in any coefficient; 128 for zero. */
function valuation([a, b, c, d]: RingElement): number {
  let bits = a | b | c | d
  if (bits === 0n) return 128
  let zeros = 0
  for (; (bits & 0xffff_ffffn) === 0n; bits >>= 32n) zeros += 32
  const low = Number(bits & 0xffff_ffffn)
  return zeros + 31 - Math.clz32(low & -low)
}
