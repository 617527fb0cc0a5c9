/**
 * The native addon, written by hand; `src/bindings/` is the other side. Arguments are copied before a function returns,
 * so buffers may be reused at once. Every failure is an Error whose message is `CODE|culprits|suspects|text`; import the typed
 * wrappers of node/src/threshold instead of this.
 */

// ---- parameters

/** The one parameter set of this addon, and the tfhe crate that makes its bytes. */
export function parameters(): { name: string; tfhe: string }

// ---- key generation

export interface CeremonyConfig {
  /** 32 bytes. */
  ceremonyId: Uint8Array
  attempt: number
  n: number
  t: number
  /** 1..n */
  index: number
  /** Tests only: a toy number of shared bits; such a party makes no key. */
  bits?: number
}

/** Bytes of one party's message of a round. */
export interface RoundLimits {
  /** Of every broadcast. */
  broadcast: number
  /** Of the longest sealed message; 0 where the round has none. */
  sealed: number
}

export interface RoundMessages {
  broadcast: Uint8Array
  /** By party index - 1, sealed to that party's ephemeral X-Wing key; null where there is nothing to say. */
  sealed: (Uint8Array | null)[]
}

/**
 * One party of one attempt. Security: its secrets stay in Rust; they are wiped when a round fails (the root stays), on destroy and
 * on collection. The caller signs and echoes all messages of a round before it consumes them.
 */
export class CeremonyParty {
  constructor(config: CeremonyConfig)
  /** A party of a discarded ceremony, from the 32 bytes that it revealed: it sends what an honest party sent. */
  static replay(config: CeremonyConfig, root: Uint8Array): CeremonyParty
  /**
   * "hello", "prss-commit", "prss-open", "prss-confirm", "inputs", "level-0", …, "coin", "degree-points",
   * "product-points", "row-noise", "row-coin", "row-points"
   */
  rounds(): string[]
  /** By round, in the order of `rounds`; known from the start. */
  limits(): RoundLimits[]
  /** Own messages of a round, once. */
  produce(round: number): Promise<RoundMessages>
  /** @param broadcasts by party, own included @param sealed from each party to this one. A failure ends the party. */
  consume(round: number, broadcasts: Uint8Array[], sealed: (Uint8Array | null)[]): Promise<void>
  /** 32 bytes, once the seeds are revealed. */
  publicSeed(): Uint8Array
  /** Own masked contribution to a chunk, between "row-noise" and "row-coin". Made twice, it has the same bytes. */
  contribution(chunk: number): Promise<Uint8Array>
  /** Takes in the summed body of the next chunk, between "row-coin" and "row-points": all of them, in their order. */
  absorb(chunk: number, body: Uint8Array): Promise<void>
  /** Keeps the shares of the decryption keys and the replicated keys; wipes the rest. After all rounds. */
  finish(): KeyShare
  /** The root of all that this party draws, under a 32-byte key: until `destroy`, also after a failure or `finish`. */
  sealRoot(key: Uint8Array, context: Uint8Array): Uint8Array
  destroy(): void
}

/** 32 bytes. **Security:** they tell everything that the party did. */
export function unsealRoot(sealed: Uint8Array, key: Uint8Array, context: Uint8Array): Uint8Array

export interface KeyChunk {
  index: number
  /** Name of the part of the key. */
  part: string
  words: number
  /** 8 or 16 */
  wordBytes: number
  byteLength: number
}

/** Chunks in order; contributions and sums are cut as they say. */
export function keyLayout(): { chunks: KeyChunk[]; byteLength: number }

/** Wrapping addition of little-endian words, in place. */
export function addInto(accumulator: Uint8Array, contribution: Uint8Array, wordBytes: number): void

/** Writes the serialised CompressedServerKey. @param chunkPaths one file per chunk of the layout, in its order */
export function assembleServerKey(
  publicSeed: Uint8Array,
  chunkPaths: string[],
  outPath: string,
): Promise<{ sha256: Uint8Array; byteLength: number }>

/** The serialised CompactPublicKey, 33,018 bytes. @param cpkChunk summed chunk of the part "compact-public-key" */
export function assemblePublicKey(publicSeed: Uint8Array, cpkChunk: Uint8Array): Uint8Array

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

/** As `crsVerify`, but for the points of the list, which `crsCheck` looks at. */
export function crsFollow(
  previous: Uint8Array | null,
  message: Uint8Array,
  context: CrsContext,
): Promise<Uint8Array>

/** Rejects where the list of a state is malformed. */
export function crsCheck(state: Uint8Array): Promise<void>

/** @param transcript 32 bytes. The serialised CompactPkeCrs, 4,571,368 bytes. */
export function crsAssemble(state: Uint8Array, transcript: Uint8Array): Promise<Uint8Array>

/** What an auditor keeps of an accepted message: 304 bytes. */
export function crsLink(message: Uint8Array): Uint8Array

/**
 * SHA-256 of the file that `crsAssemble` makes of the state, if the links, one per party in this order, prove that it is the
 * product of their factors.
 */
export function crsAudit(
  ceremonyId: Uint8Array,
  parties: number[],
  links: Uint8Array[],
  state: Uint8Array,
  transcript: Uint8Array,
): Promise<Uint8Array>

// ---- decryption shares

/** One ciphertext to decrypt. */
export interface ShareItem {
  /** Canonical words of a squashed ciphertext, exactly. */
  words: Uint8Array
  /** 32 bytes. */
  sessionId: Uint8Array
  /** 1 raw, 2 packed */
  format: number
}

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
  /** In the order of the items, 64 bytes per block; all or none. Computed on threads of its own. */
  decryptionShares(items: ShareItem[]): Promise<Uint8Array[]>
  destroy(): void
}

/** Robust opening of one session's masked shares, which are public. Synchronous. */
export class Opening {
  constructor(n: number, t: number, blocks: number)
  /**
   * Takes the first share of a party (1..n), 64 bytes per block. The bitmap of the parties that lied (bit party - 1), once
   * open; null before.
   */
  add(party: number, share: Uint8Array): number | null
  /** 64 bytes per block, once open. */
  values(): Uint8Array
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
  /** @param sha256 of the file: another one is refused */
  static load(path: string, sha256: Uint8Array): Promise<ServerKey>
  compute(operation: Operation): Promise<Uint8Array>
  /** Canonical words in the format of the type. */
  squash(ciphertext: Uint8Array, fheType: number): Promise<Uint8Array>
  expandInputs(
    list: Uint8Array,
    publicKey: Uint8Array,
    crs: Uint8Array,
    metadata: Uint8Array,
  ): Promise<ExpandedInput[]>
  /**
   * Words of the self-test of a new key: of the sum of the list's two bytes (raw), then of its wide result (packed).
   * @param path the file that this key was loaded from
   * @param sha256 its digest
   */
  selfTest(
    path: string,
    sha256: Uint8Array,
    list: Uint8Array,
    publicKey: Uint8Array,
    crs: Uint8Array,
    metadata: Uint8Array,
  ): Promise<Uint8Array>
  /** Frees 3 GB; the collector does not know of them. */
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

// ---- signatures

/**
 * The 20-byte address whose key made `signature` (65 bytes r ‖ s ‖ v, v 27 or 28, low s) over the 32-byte `digest`; null
 * where the signature is not canonical or of no key.
 */
export function recoverSigner(digest: Uint8Array, signature: Uint8Array): Uint8Array | null

/**
 * Sum of scalars[i] times points[i]: compressed points of 33 bytes, scalars of 32 bytes, big-endian, below n. The sum is
 * compressed; null where an input is not canonical or the sum is the identity. Public inputs: not constant time.
 */
export function weightedSum(points: Uint8Array, scalars: Uint8Array): Uint8Array | null

/**
 * The scalar, 32 bytes big-endian, times the generator: compressed, 33 bytes; null unless the scalar is in 1..n-1. The scalar
 * is secret: constant time.
 */
export function generatorMultiple(scalar: Uint8Array): Uint8Array | null

/** The 20-byte address that ecrecover returns for a compressed point; null where the bytes are none. */
export function addressOfPoint(point: Uint8Array): Uint8Array | null

/**
 * 65 bytes r ‖ s ‖ v over the 32-byte digest: nonce by RFC 6979, low s, v 27 or 28; null unless the key, 32 bytes, is in
 * 1..n-1. The key is secret: constant time.
 */
export function signDigest(digest: Uint8Array, secretKey: Uint8Array): Uint8Array | null

// ---- memory

/** Gives freed memory back to the system; whether there was any. Only glibc keeps some. */
export function trimMemory(): Promise<boolean>
