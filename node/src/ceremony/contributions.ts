/**
 * The one opening of the key (docs/keygen.md §2, §3) as a reduce-scatter: chunk c is summed by the party j with
 * c mod n = j − 1, which receives every other party's masked contribution in pieces, adds them up and publishes the
 * sum. Contributions and sums are public: noise and pairwise zero-sharing hide each contribution's secrets.
 *
 * Parties move in lock-step windows of n chunks. A party holds the accumulator of one chunk, the own contribution that it
 * sends and the next one; pieces for a later chunk wait unacknowledged in the sender. No deadlock: whoever is furthest
 * behind only sends for chunks that their summing party is still collecting.
 *
 * Everybody goes through the chunks in one order: where a party takes nothing in, all honest ones stand at the same chunk,
 * and none of them waits for another one that it would name. ⚔ One that takes in nothing of one party alone makes that one late for
 * the chunks after: so a party is asked before it is named, and only who says that it has sent all, or does not answer, is.
 */
import type { Hash } from "node:crypto"
import { Reader, Writer } from "@twinlock/sdk/protocol/codec"
import { partyIndexes, signerOf } from "@twinlock/sdk/protocol/committee"
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Digest, type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import type { BlobSink } from "../blobs/blobSink.ts"
import { type Attempt, refuse } from "./attempt.ts"
import { bytesDigest, finishDigest, startDigest } from "./digest.ts"
import type { CeremonyParty, ChunkLayout, KeygenEngine } from "./engine.ts"
import { judged } from "./judgements.ts"
import { type DeliveryOptions, deliver, unlessAborted } from "./outbox.ts"
import { CEREMONY_PROTOCOLS, CEREMONY_REQUESTS } from "./router.ts"

export type ContributionErrorCode =
  /** a piece does not decode, is empty, not aligned to 16 bytes, or reaches over the chunk's end. */
  | "CHUNK_FORM"
  /** a piece leaves a gap after the one before it. */
  | "CHUNK_ORDER"
  /** a piece of a chunk that another party sums. */
  | "CHUNK_FOREIGN"
  /** contributions to a chunk did not arrive in time. */
  | "CHUNK_SILENT"
  /** the engine made a contribution of another length than the layout says. */
  | "CHUNK_LENGTH"

const contributionError = (
  code: ContributionErrorCode,
  message: string,
  culprits: readonly PartyIndex[] = [],
): ProtocolError => new ProtocolError({ code, message, culprits })

/** A multiple of 16, so that pieces end between words. n − 1 of them arrive at a time. */
export const PIECE_BYTES: number = 1024 * 1024
const VERSION = 1

/** Longest wait for the answer whether a contribution has been delivered. */
const ANSWER_MS = 10_000

/** Answered by one byte: 1 if the contribution to the chunk has been delivered. */
const encodeContributedRequest = ({ committee, attempt }: Attempt, chunk: number): Uint8Array =>
  new Writer().uint(1, VERSION).hex(committee.keyId).uint(4, attempt).uint(4, chunk).done()

/** The party that sums chunk `index`. */
export const summingParty = (index: number, n: number): PartyIndex => parsePartyIndex((index % n) + 1, n)

type Piece = { readonly chunk: number; readonly offset: number; readonly data: Uint8Array }

export const encodePiece = ({ committee, attempt }: Attempt, { chunk, offset, data }: Piece): Uint8Array =>
  new Writer()
    .uint(1, VERSION)
    .hex(committee.keyId)
    .uint(4, attempt)
    .uint(4, chunk)
    .uint(4, offset)
    .bytes(data)
    .done()

/** version ‖ key id ‖ attempt, read by the router already; chunk ‖ offset ‖ length follow. */
const PREFIX_BYTES = 1 + 32 + 4
const HEADER_BYTES = PREFIX_BYTES + 4 + 4 + 4

/** The data is a view: hundreds of megabytes pass through here. @throws CHUNK_FORM */
function decodePiece(payload: Uint8Array): Piece {
  const reader = new Reader(payload.subarray(PREFIX_BYTES, HEADER_BYTES))
  const [chunk, offset, length] = [reader.uint(4), reader.uint(4), reader.uint(4)]
  if (length > PIECE_BYTES || payload.length !== HEADER_BYTES + length)
    throw contributionError(
      "CHUNK_FORM",
      `want ${length} bytes of data, got ${payload.length - HEADER_BYTES}`,
    )
  return { chunk, offset, data: payload.subarray(HEADER_BYTES) }
}

export type Contributions = {
  /** SHA-256 of the sums of this party's chunks, ascending by chunk. */
  readonly sums: readonly Digest[]
  /** SHA-256 of this party's contribution to every chunk. */
  readonly contributed: readonly Digest[]
  /** SHA-256 of what each other party sent for this party's chunks, ascending by chunk. */
  readonly received: ReadonlyMap<PartyIndex, readonly Digest[]>
}

export type ReduceScatter = {
  /** Resolves once the piece is added, so that the sender feels back-pressure. */
  receive(from: PartyIndex, payload: Uint8Array): Promise<void>
  /** Answers a peer that asks whether this party's contribution has been delivered. @throws CodecErrorCode */
  contributed(payload: Uint8Array): Uint8Array
  /** Contributes to every chunk and sums the own ones. @throws ContributionErrorCode, and what the engine throws */
  run(): Promise<Contributions>
}

export type ReduceScatterDeps = DeliveryOptions & {
  readonly engine: Pick<KeygenEngine, "addInto" | "keyLayout">
  readonly party: Pick<CeremonyParty, "contribution">
  readonly sink: BlobSink
  /** Longest wait for the contributions to one chunk. */
  readonly chunkTimeoutMs: number
  readonly onBytes: (sent: number) => void
}

/** Progress of one sender in the chunk that is being collected. */
type Stream = { offset: number; readonly hash: Hash }

type Collector = {
  readonly layout: ChunkLayout
  readonly accumulator: Uint8Array
  readonly streams: ReadonlyMap<PartyIndex, Stream>
  readonly missing: Set<PartyIndex>
  readonly complete: PromiseWithResolvers<void>
}

type Failure = {
  /** Ends every wait, now and later; the first reason stays. */
  fail(reason: unknown): void
  or<T>(work: Promise<T>): Promise<T>
}

/** Unlike a race with one long-lived promise, this keeps nothing of the waits that are over: their values are large. */
function createFailure(): Failure {
  const waits = new Set<(reason: unknown) => void>()
  let failed: { readonly reason: unknown } | null = null
  return {
    fail(reason) {
      failed ??= { reason }
      for (const reject of waits) reject(failed.reason)
    },
    or: (work) =>
      new Promise((resolve, reject) => {
        waits.add(reject)
        work.then(resolve, reject).finally(() => waits.delete(reject))
        if (failed !== null) reject(failed.reason)
      }),
  }
}

export function createReduceScatter(attempt: Attempt, deps: ReduceScatterDeps): ReduceScatter {
  const { committee, self } = attempt
  const { engine, party, signal } = deps
  const { chunks } = engine.keyLayout()
  const others = partyIndexes(committee).filter((other) => other !== self)
  const failure = createFailure()
  signal.addEventListener("abort", () => failure.fail(refuse("CEREMONY_STOPPED", "the attempt has ended")))
  const turns = new Map<number, PromiseWithResolvers<void>>()
  const sums: Digest[] = []
  const received = new Map<PartyIndex, Digest[]>(others.map((other) => [other, []]))
  let collector: Collector | null = null
  let summed = -1
  /** The last chunk of another party to which the own contribution has been delivered. */
  let delivered = -1

  const turnOf = (chunk: number): PromiseWithResolvers<void> => {
    const turn = turns.get(chunk) ?? Promise.withResolvers<void>()
    turns.set(chunk, turn)
    return turn
  }

  /** The own contribution becomes the accumulator. */
  function open(layout: ChunkLayout, own: Uint8Array): Collector {
    const opened: Collector = {
      layout,
      accumulator: own,
      streams: new Map(others.map((other) => [other, { offset: 0, hash: startDigest() }])),
      missing: new Set(others),
      complete: Promise.withResolvers(),
    }
    collector = opened
    turnOf(layout.index).resolve()
    return opened
  }

  async function close({ layout, accumulator, streams, missing, complete }: Collector): Promise<void> {
    const cancel = deps.scheduler.after(deps.chunkTimeoutMs, async () => {
      const lacking = [...missing]
      const waiting = await Promise.all(lacking.map((other) => isWaiting(other, layout.index)))
      complete.reject(
        contributionError(
          "CHUNK_SILENT",
          `chunk ${layout.index} lacks parties ${lacking}`,
          lacking.filter((other, at) => waiting[at] === false && missing.has(other)),
        ),
      )
    })
    try {
      await failure.or(complete.promise)
    } finally {
      cancel()
    }
    collector = null
    summed = layout.index
    for (const [other, { hash }] of streams) received.get(other)?.push(finishDigest(hash))
    const digest = bytesDigest(accumulator)
    sums.push(digest)
    await deps.sink.put(digest, accumulator, signal)
  }

  /** Whether that party says that it could not deliver its contribution so far; false where it says nothing. */
  async function isWaiting(other: PartyIndex, chunk: number): Promise<boolean> {
    const ended = new AbortController()
    const cancel = deps.scheduler.after(ANSWER_MS, () => ended.abort())
    try {
      const { id } = CEREMONY_REQUESTS.contributed
      const request = encodeContributedRequest(attempt, chunk)
      const asked = deps.network.request(signerOf(committee, other), id, request, ended.signal)
      const answer = await unlessAborted(asked, ended.signal)
      return answer.length === 1 && answer[0] === 0
    } catch (error) {
      // Whose attempt has ended refuses: a word, too. Nor is a failure of this node any silence of the other one.
      return !ended.signal.aborted && !isProtocolError(error, "PEER_UNREACHABLE")
    } finally {
      cancel()
    }
  }

  async function contribution(layout: ChunkLayout): Promise<Uint8Array> {
    const own = await party.contribution(layout.index)
    if (own.length === layout.byteLength) return own
    throw contributionError(
      "CHUNK_LENGTH",
      `chunk ${layout.index} wants ${layout.byteLength}, has ${own.length}`,
    )
  }

  async function stream(layout: ChunkLayout, own: Uint8Array): Promise<void> {
    const to = signerOf(committee, summingParty(layout.index, committee.n))
    for (let offset = 0; offset < own.length; offset += PIECE_BYTES) {
      const data = own.subarray(offset, offset + PIECE_BYTES)
      const payload = encodePiece(attempt, { chunk: layout.index, offset, data })
      await failure.or(deliver(to, CEREMONY_PROTOCOLS.chunk.id, payload, deps))
      deps.onBytes(payload.length)
    }
    delivered = layout.index
  }

  function add(from: PartyIndex, { chunk, offset, data }: Piece, open: Collector): void {
    const { layout, accumulator, streams, missing, complete } = open
    const progress = streams.get(from)
    if (progress === undefined || offset < progress.offset) return
    if (offset > progress.offset)
      throw contributionError("CHUNK_ORDER", `chunk ${chunk} wants byte ${progress.offset}, got ${offset}`, [
        from,
      ])
    if (data.length === 0 || data.length % 16 !== 0 || offset + data.length > layout.byteLength)
      throw contributionError("CHUNK_FORM", `${data.length} bytes at ${offset} of ${layout.byteLength}`, [
        from,
      ])
    engine.addInto(accumulator.subarray(offset, offset + data.length), data, layout.wordBytes)
    progress.hash.update(data)
    progress.offset += data.length
    if (progress.offset === layout.byteLength) missing.delete(from)
    if (missing.size === 0) complete.resolve()
  }

  async function accept(from: PartyIndex, payload: Uint8Array): Promise<void> {
    const piece = decodePiece(payload)
    if (piece.chunk >= chunks.length || summingParty(piece.chunk, committee.n) !== self)
      throw contributionError("CHUNK_FOREIGN", `chunk ${piece.chunk} is not summed here`, [from])
    if (piece.chunk <= summed) return
    await failure.or(turnOf(piece.chunk).promise)
    if (collector?.layout.index === piece.chunk) add(from, piece, collector)
  }

  return {
    async receive(from, payload) {
      try {
        await accept(from, payload)
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        const { code, message } = error.detail
        const detail = code.startsWith("CODEC_") ? { code: "CHUNK_FORM", message } : error.detail
        failure.fail(judged(new ProtocolError(detail), from))
        throw error
      }
    },
    contributed(payload) {
      const reader = new Reader(payload.subarray(PREFIX_BYTES))
      const chunk = reader.uint(4)
      reader.end()
      return Uint8Array.of(chunk <= delivered ? 1 : 0)
    },
    async run() {
      const contributed: Digest[] = []
      let closing: Promise<void> = Promise.resolve()
      const make = (layout: ChunkLayout | undefined): Promise<Uint8Array> | null => {
        if (layout === undefined) return null
        const own = failure.or(contribution(layout))
        own.catch(() => {}) // whoever waits for it learns of it
        return own
      }
      let ahead = make(chunks[0])
      for (const [at, layout] of chunks.entries()) {
        signal.throwIfAborted()
        const own = await ahead
        if (own === null) throw new Error("contributions end before the chunks")
        ahead = make(chunks[at + 1])
        contributed[layout.index] = bytesDigest(own)
        if (summingParty(layout.index, committee.n) !== self) await stream(layout, own)
        else {
          await closing
          closing = close(open(layout, own))
          closing.catch(failure.fail)
        }
      }
      await closing
      return { sums, contributed, received }
    },
  }
}
