/**
 * Shamir sharing over the ring (protocol §3): party i holds f(α_i) of a polynomial of degree t with f(0) = secret; t+1
 * shares determine it. `share` is for tests and for values of this process; the key's shares never meet in one place.
 */
import { ProtocolError } from "../protocol/errors.ts"
import { type PartyIndex, parsePartyIndex } from "../protocol/ids.ts"
import type { Rng } from "../protocol/rng.ts"
import {
  add,
  alpha,
  decode,
  invert,
  mul,
  ONE,
  RING_ELEMENT_BYTES,
  type RingElement,
  sub,
  ZERO,
} from "./galoisRing.ts"
import { evaluate } from "./polynomial.ts"

export type ShamirErrorCode = "SHAMIR_POINTS"

export type RingShare = { readonly party: PartyIndex; readonly value: RingElement }

function assertDistinct(parties: readonly PartyIndex[]): void {
  if (parties.length === 0 || new Set(parties).size !== parties.length)
    throw new ProtocolError({
      code: "SHAMIR_POINTS",
      message: `want distinct parties, at least one, got ${parties.join(", ")}`,
    })
}

/**
 * λ_i with f(at) = Σ λ_i·f(α_i) for every f of degree < parties.length, in the order of `parties`.
 * @throws SHAMIR_POINTS
 */
export function lagrangeAt(parties: readonly PartyIndex[], at: RingElement): readonly RingElement[] {
  assertDistinct(parties)
  return parties.map((party) => {
    let numerator = ONE
    let denominator = ONE
    for (const other of parties) {
      if (other === party) continue
      numerator = mul(numerator, sub(at, alpha(other)))
      denominator = mul(denominator, sub(alpha(party), alpha(other)))
    }
    return mul(numerator, invert(denominator))
  })
}

/** Lagrange coefficients at 0, where the secret is. @throws SHAMIR_POINTS */
export const lagrangeAtZero = (parties: readonly PartyIndex[]): readonly RingElement[] =>
  lagrangeAt(parties, ZERO)

/** Σ lambdas[i]·values[i]. */
export const weigh = (lambdas: readonly RingElement[], values: readonly RingElement[]): RingElement =>
  values.reduce((sum, value, i) => add(sum, mul(lambdas[i] ?? ZERO, value)), ZERO)

/**
 * Value at party `at` of the polynomial of degree < shares.length through the shares; 0 gives the secret.
 * @throws SHAMIR_POINTS
 */
export function interpolate(shares: readonly RingShare[], at: PartyIndex | 0 = 0): RingElement {
  const lambdas = lagrangeAt(
    shares.map(({ party }) => party),
    alpha(at),
  )
  return weigh(
    lambdas,
    shares.map(({ value }) => value),
  )
}

/** Shares of all n parties of a fresh polynomial of degree t. **Security:** each value is for its party alone. */
export function share(secret: RingElement, n: number, t: number, rng: Rng): readonly RingShare[] {
  const coefficients = [secret]
  for (let k = 0; k < t; k++) coefficients.push(decode(rng(RING_ELEMENT_BYTES)))
  return Array.from({ length: n }, (_, i) => {
    const party = parsePartyIndex(i + 1, n)
    return { party, value: evaluate(coefficients, alpha(party)) }
  })
}
