/**
 * A small engine with real arithmetic for tests of the ceremony's protocol: eight shared secrets over the Galois ring,
 * a "key" of noiseless LWE bodies under public masks, exact threshold decryption. It has the rounds, sizes and failures
 * of the native engine's interface, none of its security.
 */
import { concatBytes } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { PACKED_MASK_WORDS, RAW_BLOCK_BYTES, type WordFormat } from "@twinlock/sdk/protocol/fheType"
import { type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { type Rng, systemRng } from "@twinlock/sdk/protocol/rng"
import {
  add,
  decode,
  encode,
  mul,
  type RingElement,
  scalar,
  scale,
  sub,
  ZERO,
} from "@twinlock/sdk/threshold/galoisRing"
import { lagrangeAtZero, share } from "@twinlock/sdk/threshold/shamir"
import type { ShareWork } from "../threshold/keyShare.ts"
import type {
  CeremonyParty,
  ChunkLayout,
  CrsAuditor,
  KeygenEngine,
  KeyLayout,
  KeyShare,
  MessageLimits,
  PartyConfig,
  ReplayEngine,
  SelfTestEngine,
} from "./engine.ts"
import { TOY_PARAMETERS } from "./party.fixture.ts"
import {
  mask,
  number,
  readWord,
  SECRETS,
  sha,
  toyError,
  writeWord,
  ZERO_BYTES,
} from "./toyArithmetic.fixture.ts"
import { ToyRows } from "./toyRows.fixture.ts"

export const TOY_ROUNDS = {
  rounds: ["hello", "seed-commit", "seed-open", "inputs", "confirm"],
  rowRounds: ["row-coin", "row-points"],
} as const
const DELTA = 1n << 123n
/** Of the two results of the self-test. */
const RAW_BLOCKS = 2
const PACKED_BLOCKS = 8
const BLOCKS = RAW_BLOCKS + PACKED_BLOCKS

/** @param chunks number of chunks; the first is the public key */
export function toyLayout(chunks: number): KeyLayout {
  const layouts = Array.from({ length: chunks }, (_, index): ChunkLayout => {
    const wordBytes = index % 3 === 2 ? 8 : 16
    const words = index === 0 ? BLOCKS : 4 + 2 * index
    const part = index === 0 ? "cpk" : "bsk"
    return { index, part, words, wordBytes, byteLength: words * wordBytes }
  })
  return { chunks: layouts, byteLength: layouts.reduce((sum, { byteLength }) => sum + byteLength, 0) }
}

const stream = (key: Uint8Array, bytes: Uint8Array): Uint8Array =>
  bytes.map((byte, at) => byte ^ (sha(key, number(at >> 5))[at & 31] ?? 0))

/** Where the masks and the body of every block are. Packed blocks share no masks here. */
function placesOf(format: WordFormat, length: number): readonly { masks: number; body: number }[] {
  const packed = length / 16 - PACKED_MASK_WORDS
  return format === "raw"
    ? Array.from({ length: length / RAW_BLOCK_BYTES }, (_, block) => {
        const at = block * RAW_BLOCK_BYTES
        return { masks: at, body: at + 4096 * 16 }
      })
    : Array.from({ length: packed }, (_, block) => ({
        masks: 16 * SECRETS * block,
        body: 16 * (PACKED_MASK_WORDS + block),
      }))
}

class ToyShare implements KeyShare {
  readonly #shares: readonly RingElement[]
  destroyed = false

  constructor(shares: readonly RingElement[]) {
    this.#shares = shares
  }

  seal(key: Uint8Array, context: Uint8Array): Uint8Array {
    return concatBytes(sha(key, context), stream(key, concatBytes(...this.#shares.map(encode))))
  }

  async decryptionShares(work: readonly ShareWork[]): Promise<readonly Uint8Array[]> {
    return work.map(({ words, format }) => this.#decryptionShare(words, format))
  }

  #decryptionShare(words: Uint8Array, format: WordFormat): Uint8Array {
    if (this.destroyed) throw toyError("SHARE_DESTROYED")
    const parts = placesOf(format, words.length).map(({ masks, body }) =>
      encode(
        this.#shares.reduce(
          (sum, share, j) => sub(sum, scale(share, readWord(words, masks + 16 * j, 16))),
          scalar(readWord(words, body, 16)),
        ),
      ),
    )
    return concatBytes(...parts)
  }

  destroy(): void {
    this.destroyed = true
  }
}

/** What a stored share decrypts to, or null under another key or context. */
export function openToyShare(sealed: Uint8Array, key: Uint8Array, context: Uint8Array): KeyShare | null {
  if (Buffer.compare(sealed.subarray(0, 32), sha(key, context)) !== 0) return null
  const plain = stream(key, sealed.subarray(32))
  return new ToyShare(Array.from({ length: SECRETS }, (_, j) => decode(plain, j)))
}

/** All randomness of the party of a root. */
function rngOf(root: Uint8Array): Rng {
  let drawn = 0
  return (length) => stream(sha(root, number(drawn++)), new Uint8Array(length))
}

const sealedRoot = (root: Uint8Array, key: Uint8Array, context: Uint8Array): Uint8Array =>
  concatBytes(sha(key, context), stream(key, root))

class ToyParty implements CeremonyParty {
  readonly #root: Uint8Array
  readonly #config: PartyConfig
  readonly #layout: KeyLayout
  readonly #self: PartyIndex
  readonly #everyone: readonly PartyIndex[]
  readonly #rng: Rng
  readonly #hello: Uint8Array
  readonly #seed: Uint8Array
  readonly #coin: Uint8Array
  #rows: ToyRows | null = null
  #hellos: readonly Uint8Array[] = []
  #commits: readonly Uint8Array[] = []
  #publicSeed: Uint8Array | null = null
  #shares: RingElement[] = Array.from({ length: SECRETS }, () => ZERO)
  destroyed = false

  constructor(config: PartyConfig, layout: KeyLayout, root: Uint8Array) {
    this.#root = root
    const rng = rngOf(root)
    this.#rng = rng
    this.#hello = rng(32)
    this.#seed = rng(32)
    this.#coin = rng(32)
    this.#config = config
    this.#layout = layout
    this.#self = parsePartyIndex(config.index, config.n)
    this.#everyone = partyIndexes(config)
  }

  rounds(): readonly string[] {
    return TOY_ROUNDS.rounds
  }

  rowRounds(): readonly string[] {
    return TOY_ROUNDS.rowRounds
  }

  limits(round: number): MessageLimits {
    return toyLimits(this.#layout)[nameOf(round) ?? "hello"]
  }

  #pairKey(other: PartyIndex): Uint8Array {
    const [low, high] = [Math.min(this.#self, other), Math.max(this.#self, other)]
    return sha(
      this.#config.ceremonyId,
      this.#hellos[low - 1] ?? ZERO_BYTES,
      this.#hellos[high - 1] ?? ZERO_BYTES,
    )
  }

  async produce(round: number): ReturnType<CeremonyParty["produce"]> {
    const open = (broadcast: Uint8Array) => ({ broadcast, sealed: this.#everyone.map(() => null) })
    switch (nameOf(round)) {
      case "hello":
        return open(this.#hello)
      case "seed-commit":
        return open(
          concatBytes(this.#commitment(this.#self, this.#seed), this.#commitment(this.#self, this.#coin)),
        )
      case "seed-open":
        return open(this.#seed)
      case "inputs": {
        const dealt = Array.from({ length: SECRETS }, () =>
          share(scalar(BigInt(this.#rng(1)[0] ?? 0) & 1n), this.#config.n, this.#config.t, this.#rng),
        )
        const sealed = this.#everyone.map((to) => {
          const bytes = concatBytes(...dealt.map((shares) => encode(shares[to - 1]?.value ?? ZERO)))
          if (to === this.#self) this.#add(bytes)
          return to === this.#self ? null : stream(this.#pairKey(to), bytes)
        })
        return { broadcast: new Uint8Array(), sealed }
      }
      case "confirm":
        return open(sha(...this.#hellos, this.#publicSeed ?? ZERO_BYTES))
      case "row-coin":
        return open(this.#coin)
      case "row-points":
        if (this.#rows === null) throw toyError("TOY_ROUND")
        return open(this.#rows.points())
      default:
        throw toyError("TOY_ROUND")
    }
  }

  #commitment(party: PartyIndex, value: Uint8Array): Uint8Array {
    return sha(this.#config.ceremonyId, number(party), value)
  }

  /** Parties whose values are not what they committed to as number `which`. */
  #uncommitted(values: readonly Uint8Array[], which: number): readonly PartyIndex[] {
    return this.#everyone.filter((from) => {
      const commitment = this.#commits[from - 1]?.subarray(32 * which, 32 * (which + 1)) ?? ZERO_BYTES
      return Buffer.compare(this.#commitment(from, values[from - 1] ?? ZERO_BYTES), commitment) !== 0
    })
  }

  #add(bytes: Uint8Array): void {
    this.#shares = this.#shares.map((own, j) => add(own, decode(bytes, j)))
  }

  async consume(...[round, broadcasts, sealed]: Parameters<CeremonyParty["consume"]>): Promise<void> {
    switch (nameOf(round)) {
      case "hello":
        this.#hellos = broadcasts
        return
      case "seed-commit":
        this.#commits = broadcasts
        return
      case "seed-open": {
        const wrong = this.#uncommitted(broadcasts, 0)
        if (wrong.length > 0) throw toyError("COMMIT_MISMATCH", wrong)
        this.#publicSeed = sha(...broadcasts)
        return
      }
      case "inputs":
        for (const from of this.#everyone) {
          if (from === this.#self) continue
          const bytes = sealed[from - 1]
          if (bytes?.length !== SECRETS * 64) throw toyError("SEALED_LENGTH", [from])
          this.#add(stream(this.#pairKey(from), bytes))
        }
        return
      case "confirm": {
        const own = sha(...this.#hellos, this.publicSeed())
        const wrong = this.#everyone.filter(
          (from) => Buffer.compare(own, broadcasts[from - 1] ?? ZERO_BYTES) !== 0,
        )
        if (wrong.length > 0) throw toyError("CONFIRM_MISMATCH", wrong)
        return
      }
      case "row-coin": {
        const wrong = this.#uncommitted(broadcasts, 1)
        if (wrong.length > 0) throw toyError("COMMIT_MISMATCH", wrong)
        this.#rows = new ToyRows(this.#layout, this.publicSeed(), sha(...broadcasts))
        return
      }
      case "row-points":
        this.#rows?.judge(broadcasts, this.#config)
        return
      default:
        throw toyError("TOY_ROUND")
    }
  }

  publicSeed(): Uint8Array {
    if (this.#publicSeed === null) throw toyError("TOY_ROUND")
    return this.#publicSeed
  }

  async contribution(chunk: number): Promise<Uint8Array> {
    const layout = this.#layout.chunks[chunk]
    const lambda = lagrangeAtZero(this.#everyone)[this.#self - 1]
    if (layout === undefined || lambda === undefined) throw toyError("TOY_CHUNK")
    const additive = this.#shares.map((own) => mul(lambda, own)[0])
    const out = new Uint8Array(layout.byteLength)
    for (let word = 0; word < layout.words; word++) {
      const value = additive.reduce((sum, z, j) => sum + z * mask(this.publicSeed(), chunk, word, j), 0n)
      writeWord(out, word * layout.wordBytes, layout.wordBytes, value)
    }
    return out
  }

  async absorb(chunk: number, body: Uint8Array): Promise<void> {
    if (this.#rows === null) throw toyError("TOY_ROUND")
    this.#rows.absorb(chunk, body, this.#shares)
  }

  finish(): KeyShare {
    const kept = new ToyShare(this.#shares)
    this.#shares = []
    return kept
  }

  sealRoot(key: Uint8Array, context: Uint8Array): Uint8Array {
    if (this.destroyed) throw toyError("NATIVE_DESTROYED")
    return sealedRoot(this.#root, key, context)
  }

  destroy(): void {
    this.destroyed = true
    this.#shares = []
  }
}

export function unsealToyRoot(sealed: Uint8Array, key: Uint8Array, context: Uint8Array): Uint8Array {
  if (Buffer.compare(sealed.subarray(0, 32), sha(key, context)) !== 0) throw toyError("SHARE_SEALED")
  return stream(key, sealed.subarray(32))
}

const nameOf = (round: number) => [...TOY_ROUNDS.rounds, ...TOY_ROUNDS.rowRounds][round]

const toyLimits = ({ chunks }: KeyLayout) => {
  const hash = { broadcast: 32, sealed: 0 }
  return {
    ...{ hello: hash, "seed-open": hash, confirm: hash, "row-coin": hash },
    "seed-commit": { broadcast: 64, sealed: 0 },
    inputs: { broadcast: 0, sealed: SECRETS * 64 },
    "row-points": { broadcast: chunks.length * 64, sealed: 0 },
  }
}

/** Files of the toy executors, by path. */
export type ToyFiles = Map<string, Uint8Array>

const provenWith = (values: readonly number[], ...context: readonly Uint8Array[]): Uint8Array =>
  concatBytes(Uint8Array.from(values), sha(Uint8Array.from(values), ...context))

const crsContext = ({ ceremonyId, round, party }: Parameters<KeygenEngine["crsUpdate"]>[1]): Uint8Array =>
  sha(ceremonyId, number(round), number(party))

const P = (1n << 127n) - 1n
const power = (base: bigint, exponent: bigint): bigint => {
  let result = 1n
  for (let b = base, e = exponent; e > 0n; e >>= 1n, b = (b * b) % P) if (e & 1n) result = (result * b) % P
  return result
}

export type ToyEngine = KeygenEngine &
  SelfTestEngine &
  CrsAuditor &
  ReplayEngine & { readonly made: ToyParty[] }

export function toyEngine(layout: KeyLayout, files: ToyFiles = new Map(), rng: Rng = systemRng): ToyEngine {
  const made: ToyParty[] = []
  return {
    made,
    parametersHash: TOY_PARAMETERS.hash,
    publicKeyPart: "cpk",
    createParty(config) {
      const party = new ToyParty(config, layout, rng(32))
      made.push(party)
      return party
    },
    replayParty: (config, root) => new ToyParty(config, layout, root),
    keyLayout: () => layout,
    addInto(accumulator, contribution, wordBytes) {
      for (let at = 0; at < accumulator.length; at += wordBytes) {
        const sum = readWord(accumulator, at, wordBytes) + readWord(contribution, at, wordBytes)
        writeWord(accumulator, at, wordBytes, sum)
      }
    },
    assemblePublicKey: (seed, chunk) => concatBytes(seed, chunk),
    async crsUpdate(previous, context) {
      const state = previous === null ? 3n : readWord(previous, 0, 16)
      const tau = readWord(rng(8), 0, 8) | 1n
      const next = new Uint8Array(16)
      writeWord(next, 0, 16, power(state, tau))
      return concatBytes(next, crsContext(context))
    },
    async crsFollow(_previous, message, context) {
      if (message.length !== 48 || Buffer.compare(message.subarray(16), crsContext(context)) !== 0)
        throw toyError("CRS_PROOF")
      return message.slice(0, 16)
    },
    async crsCheck(state) {
      if (readWord(state, 0, 16) === 0n) throw toyError("CRS_POWERS")
    },
    crsLink: (message) => message.slice(16),
    async crsAssemble(state, transcript) {
      await this.crsCheck(state)
      return concatBytes(state, transcript)
    },
    async crsAudit(ceremonyId, parties, links, state, transcript) {
      if (links.length !== parties.length) throw toyError("CRS_LENGTH")
      for (const [at, party] of parties.entries())
        if (Buffer.compare(links[at] ?? ZERO_BYTES, crsContext({ ceremonyId, round: at + 1, party })) !== 0)
          throw toyError("CRS_PROOF")
      return sha(await this.crsAssemble(state, transcript))
    },
    encryptSelfTest: async (publicKey, crs, metadata, values) => provenWith(values, publicKey, crs, metadata),
    async verifyInputList(list, publicKey, crs, metadata) {
      const expected = provenWith([...list.subarray(0, 2)], publicKey, crs, metadata)
      if (Buffer.compare(list, expected) !== 0) throw toyError("INPUT_PROOF_INVALID")
      return [2, 2]
    },
    async assembleServerKey(publicSeed, chunkPaths, outPath) {
      const bytes = concatBytes(publicSeed, ...chunkPaths.map((path) => files.get(path) ?? ZERO_BYTES))
      files.set(outPath, bytes)
      return { sha256: sha(bytes), byteLength: bytes.length }
    },
    async evaluateSelfTest({ path, sha256 }, list, publicKey, crs, metadata) {
      const key = files.get(path)
      if (key === undefined || Buffer.compare(sha(key), sha256) !== 0) throw toyError("NO_SERVER_KEY")
      await this.verifyInputList(list, publicKey, crs, metadata)
      const [a, b] = [list[0] ?? 0, list[1] ?? 0]
      const wide = BigInt.asUintN(32, BigInt(a) * 0x01010101n + BigInt(b) * 0x00010203n)
      const encrypted = (format: WordFormat, value: bigint, length: number, first: number) => {
        const words = new Uint8Array(length)
        for (const [at, { masks, body }] of placesOf(format, length).entries()) {
          const block = first + at
          for (let j = 0; j < SECRETS; j++)
            writeWord(words, masks + 16 * j, 16, mask(key.subarray(0, 32), 0, block, j))
          const digit = (value >> BigInt(4 * at)) & 15n
          writeWord(words, body, 16, readWord(key, 32 + 16 * block, 16) + digit * DELTA)
        }
        return words
      }
      const packedBytes = 16 * (PACKED_MASK_WORDS + PACKED_BLOCKS)
      return concatBytes(
        encrypted("raw", BigInt((a + b) % 256), RAW_BLOCKS * RAW_BLOCK_BYTES, 0),
        encrypted("packed", wide, packedBytes, RAW_BLOCKS),
      )
    },
  }
}
