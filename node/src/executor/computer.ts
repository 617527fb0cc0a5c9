/**
 * What an executor needs of the native addon: homomorphic operations under one evaluation key. Everything here is public;
 * results are the same bytes on every machine (deterministic FFT, protocol §8).
 */
import type { FheType } from "@twinlock/sdk/protocol/fheType"

export type ComputeRequest = {
  /** Name of the operation as the addon knows it: "add", "eq", "select", "cast", "trivial", … */
  readonly operator: string
  /** Ciphertexts in order; for "select" the condition first. */
  readonly operands: readonly Uint8Array[]
  /** 32-byte big-endian word: clear right-hand side, or the value of "trivial". */
  readonly scalar?: Uint8Array
  /** Result type of "cast" and "trivial". */
  readonly toType?: FheType
}

export type InputContextFiles = { readonly publicKey: Uint8Array; readonly crs: Uint8Array }

export type Computer = {
  compute(request: ComputeRequest): Promise<Uint8Array>
  /** Canonical words of the squashed ciphertext. */
  squash(ciphertext: Uint8Array, fheType: FheType): Promise<Uint8Array>
  /** Verifies the proof, then expands. @throws where it does not hold */
  expandInputs(
    list: Uint8Array,
    files: InputContextFiles,
    metadata: Uint8Array,
  ): Promise<readonly { readonly fheType: FheType; readonly ciphertext: Uint8Array }[]>
}
