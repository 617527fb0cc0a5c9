/**
 * The native addon, written by hand; `src/bindings/` is the other side. Arguments are copied before a function returns,
 * so buffers may be reused at once. Every failure is an Error whose message is `CODE|culprits|text`; import the typed
 * wrappers of node/src/threshold instead of this.
 */

// ---- CRS of the input proofs

export interface CrsContext {
  /** 32 bytes. */
  ceremonyId: Uint8Array
  round: number
  party: number
}

/** @param previous state, null for the generators. A message of 3,555,560 bytes. */
export function crsUpdate(previous: Uint8Array | null, context: CrsContext): Promise<Uint8Array>

/** The next state, 3,555,328 bytes. */
export function crsVerify(
  previous: Uint8Array | null,
  message: Uint8Array,
  context: CrsContext,
): Promise<Uint8Array>

/** @param transcript 32 bytes. The serialised CompactPkeCrs, 4,571,368 bytes. */
export function crsAssemble(state: Uint8Array, transcript: Uint8Array): Promise<Uint8Array>

/** What an auditor keeps of an accepted message: 304 bytes. */
export function crsLink(message: Uint8Array): Uint8Array

/** Resolves if the links prove that the state is the product of the named parties' factors. */
export function crsAudit(ceremonyId: Uint8Array, links: Uint8Array[], state: Uint8Array): Promise<void>

// ---- decryption shares

/** Security: holds a party's share of the decryption key in Rust; it has no way out but sealed. */
export class KeyShare {
  private constructor()
  /** @param key 32 bytes */
  static unseal(sealed: Uint8Array, key: Uint8Array, context: Uint8Array): KeyShare
  /** @param key 32 bytes */
  seal(key: Uint8Array, context: Uint8Array): Uint8Array
  get n(): number
  get t(): number
  get index(): number
  /** @param words canonical words of a squashed ciphertext @param sessionId 32 bytes. 64 bytes per block. */
  decryptionShare(words: Uint8Array, sessionId: Uint8Array): Promise<Uint8Array>
  destroy(): void
}

// ---- executor

export interface Operation {
  /** "add", "select", "cast", "trivial", …: src/ops/operation.rs */
  operator: string
  /** Canonical ciphertexts; for "select" the condition first. */
  operands: Uint8Array[]
  /** 32-byte big-endian word: clear right-hand side, or value of "trivial". */
  scalar?: Uint8Array
  /** Result type of "cast" and "trivial". */
  toType?: number
}

export interface ExpandedInput {
  fheType: number
  ciphertext: Uint8Array
}

export class ServerKey {
  private constructor()
  /** @param sha256 refuse a file of another digest */
  static load(path: string, sha256?: Uint8Array): Promise<ServerKey>
  compute(operation: Operation): Promise<Uint8Array>
  /** Canonical words. */
  squash(ciphertext: Uint8Array, fheType: number): Promise<Uint8Array>
  expandInputs(
    list: Uint8Array,
    publicKey: Uint8Array,
    crs: Uint8Array,
    metadata: Uint8Array,
  ): Promise<ExpandedInput[]>
  /** Frees 2 GB; the collector does not know of them. */
  destroy(): void
}

/** Types of the values of a list whose proof holds. */
export function verifyInputList(
  list: Uint8Array,
  publicKey: Uint8Array,
  crs: Uint8Array,
  metadata: Uint8Array,
): Promise<number[]>

/** A proven list of uint8 values, with which a ceremony tests its key. */
export function encryptSelfTest(
  publicKey: Uint8Array,
  crs: Uint8Array,
  metadata: Uint8Array,
  values: Uint8Array,
): Promise<Uint8Array>
