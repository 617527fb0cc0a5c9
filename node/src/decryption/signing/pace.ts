/**
 * How fast the committee signs at present, as this node sees it. Timeouts scale with it: where everybody is busy, slowness
 * must not look like silence, or each timeout would add work and make everything slower still. Pure but for its state.
 */
export type Pace = {
  /** Something took so many milliseconds. */
  took(ms: number): void
  /** Something was given up: at least the double is to be expected. */
  failed(ms: number): void
  /** Milliseconds expected, from 0 while nothing is known. */
  expected(): number
}

/** A slow sample counts at once, fast ones little by little. @param mostMs where doubling ends */
export function createPace(mostMs: number): Pace {
  let expected = 0
  return {
    took(ms) {
      expected = Math.min(mostMs, Math.max(ms, 0.8 * expected + 0.2 * ms))
    },
    failed(ms) {
      expected = Math.min(mostMs, Math.max(2 * expected, ms))
    },
    expected: () => expected,
  }
}
