/**
 * The executor's evaluation key (protocol §8). Everything is public; results are the same bytes on every machine of one
 * instruction set, because executors must agree on them.
 */
import { type FheType, parseFheType } from "@twinlock/sdk/protocol/fheType"
import type { Operation } from "../../native/index.d.ts"
import { awaitNative } from "./native.ts"

export type ComputeRequest = {
  /** "add", "eq", "select", "cast", "trivial", …: the names of node/native/src/ops/operation.rs. */
  readonly operator: string
  /** Ciphertexts in order; for "select" the condition first. */
  readonly operands: readonly Uint8Array[]
  /** 32-byte big-endian word: clear right-hand side, or the value of "trivial". */
  readonly scalar?: Uint8Array
  /** Result type of "cast" and "trivial". */
  readonly toType?: FheType
}

export type ExpandedInput = { readonly fheType: FheType; readonly ciphertext: Uint8Array }

/** What a proven list is checked against. */
export type ProofFiles = { readonly publicKey: Uint8Array; readonly crs: Uint8Array }

/** An assembled key; `sha256` is the 32 bytes of its file's digest, checked whenever it is read. */
export type ServerKeyFile = { readonly path: string; readonly sha256: Uint8Array }

export type ServerKey = {
  /** @throws OPERATION_INVALID, CIPHERTEXT_MALFORMED, CIPHERTEXT_TYPE */
  compute(request: ComputeRequest): Promise<Uint8Array>
  /** Canonical words of the squashed ciphertext, in the format of its type. @throws CIPHERTEXT_MALFORMED, CIPHERTEXT_TYPE */
  squash(ciphertext: Uint8Array, fheType: FheType): Promise<Uint8Array>
  /**
   * The self-test of a new key, in which every part of its file takes part: words of the sum of the list's two bytes,
   * then of its wide result. @throws SELF_TEST_LIST, SERVER_KEY_INVALID, NATIVE_IO, and what `expandInputs` throws
   */
  selfTest(
    file: ServerKeyFile,
    list: Uint8Array,
    files: ProofFiles,
    metadata: Uint8Array,
  ): Promise<Uint8Array>
  /** Verifies the proof, then expands. @throws INPUT_LIST_MALFORMED, INPUT_PROOF_INVALID, CRS_UNUSABLE, PUBLIC_KEY_INVALID */
  expandInputs(list: Uint8Array, files: ProofFiles, metadata: Uint8Array): Promise<readonly ExpandedInput[]>
  /** Frees the memory as soon as running computations end. Later calls fail with NATIVE_DESTROYED. */
  destroy(): void
}

/**
 * Reads and prepares a key: eight seconds on two cores, 3 GB outside the JavaScript heap.
 * @throws SERVER_KEY_INVALID, NATIVE_IO
 */
export async function loadServerKey({ path, sha256 }: ServerKeyFile): Promise<ServerKey> {
  const key = await awaitNative((addon) => addon.ServerKey.load(path, sha256))
  return {
    compute: (request) => awaitNative(() => key.compute(toOperation(request))),
    squash: (ciphertext, fheType) => awaitNative(() => key.squash(ciphertext, fheType)),
    selfTest: ({ path, sha256 }, list, { publicKey, crs }, metadata) =>
      awaitNative(() => key.selfTest(path, sha256, list, publicKey, crs, metadata)),
    async expandInputs(list, { publicKey, crs }, metadata) {
      const values = await awaitNative(() => key.expandInputs(list, publicKey, crs, metadata))
      return values.map(({ fheType, ciphertext }) => ({ fheType: parseFheType(fheType), ciphertext }))
    },
    destroy: () => key.destroy(),
  }
}

/** Absent fields stay absent: the addon reads `undefined` and a missing property alike, its types do not. */
function toOperation({ operator, operands, scalar, toType }: ComputeRequest): Operation {
  return {
    operator,
    operands: [...operands],
    ...(scalar === undefined ? {} : { scalar }),
    ...(toType === undefined ? {} : { toType }),
  }
}
