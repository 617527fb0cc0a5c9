/** Randomness is a parameter of whatever needs it; production passes {@link systemRng}, tests a seeded one. */
import { randomBytes } from "@noble/hashes/utils.js"

/** Returns that many fresh bytes. */
export type Rng = (bytes: number) => Uint8Array

/** The platform's cryptographic generator. */
export const systemRng: Rng = (bytes) => randomBytes(bytes)
