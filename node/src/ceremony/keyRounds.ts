/**
 * Rounds that turn contributions into a key everybody agrees on (protocol §4): digests of all chunks, then the public
 * key that every party has assembled for itself from the published chunk.
 */
import { concatBytes, fromHex, hashWords, Reader, taggedHash, Writer } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Digest, type KeyId, type PartyIndex, parseDigest } from "@twinlock/sdk/protocol/ids"
import type { BlobSink } from "../blobs/blobSink.ts"
import type { Attempt } from "./attempt.ts"
import { type Contributions, type ReduceScatter, summingParty } from "./contributions.ts"
import { bytesDigest } from "./digest.ts"
import type { CeremonyParty, ChunkLayout, KeygenEngine, KeyShare } from "./engine.ts"
import type { ChunkSource } from "./publishedChunks.ts"
import { eachParty, publicMessage, type Round, type Slot } from "./rounds.ts"

export type KeyRoundErrorCode =
  /** a party's list of digests has another form than the layout asks for. */
  | "CHUNK_LIST"
  /** what a party says it contributed is not what it sent. */
  | "CHUNK_MISMATCH"
  /** a party has assembled another public key from the same agreed digests. */
  | "PUBLIC_KEY_DIFFERS"

const keyError = (code: KeyRoundErrorCode, message: string, culprits: readonly PartyIndex[]): ProtocolError =>
  new ProtocolError({ code, message, culprits })

/** What all parties agree on once the chunks are published. Public data. */
export type KeyMaterial = {
  readonly publicSeed: Uint8Array
  /** By chunk index. */
  readonly chunkDigests: readonly Digest[]
  readonly serverKeyDigest: Digest
  /** Summed chunk that the public key is made of. */
  readonly publicKeyChunk: Uint8Array
  /** `safe_serialize`d compact public key. */
  readonly publicKey: Uint8Array
  readonly publicKeyDigest: Digest
}

/** Names the evaluation key by its public seed and the bodies of all chunks. */
export const serverKeyDigestOf = (
  keyId: KeyId,
  publicSeed: Uint8Array,
  chunkDigests: readonly Digest[],
): Digest => taggedHash("twinlock/server-key/v1", keyId, bytesDigest(publicSeed), hashWords(chunkDigests))

/** What every party says in round `public-key`. */
export const publicKeyMessage = (serverKeyDigest: Digest, publicKeyDigest: Digest): Uint8Array =>
  concatBytes(fromHex(serverKeyDigest), fromHex(publicKeyDigest))

const MAX_CHUNKS = 4096
const digestsTo = (writer: Writer, digests: readonly Digest[]): Writer =>
  writer.list(digests, (inner, digest) => inner.raw(fromHex(digest)))
const digestsFrom = (reader: Reader): readonly Digest[] =>
  reader.list(MAX_CHUNKS, (inner) => parseDigest(inner.hex(32)))

type DigestList = Pick<Contributions, "sums" | "contributed">

export const encodeDigestList = ({ sums, contributed }: DigestList): Uint8Array =>
  digestsTo(digestsTo(new Writer(), sums), contributed).done()

/** @throws CHUNK_LIST, CodecErrorCode */
export function decodeDigestList(bytes: Uint8Array, own: number, total: number): DigestList {
  const reader = new Reader(bytes)
  const list = { sums: digestsFrom(reader), contributed: digestsFrom(reader) }
  reader.end()
  if (list.sums.length !== own || list.contributed.length !== total)
    throw keyError(
      "CHUNK_LIST",
      `want ${own} sums and ${total} contributions, got ${list.sums.length} and ${list.contributed.length}`,
      [],
    )
  return list
}

export type KeyRoundDeps = {
  readonly engine: Pick<KeygenEngine, "keyLayout" | "publicKeyPart" | "assemblePublicKey">
  readonly party: Pick<CeremonyParty, "publicSeed" | "finish">
  readonly scatter: ReduceScatter
  readonly sink: BlobSink
  readonly chunks: ChunkSource
  readonly signal: AbortSignal
  readonly timeoutMs: number
  readonly contributionTimeoutMs: number
  readonly material: Slot<KeyMaterial>
  readonly share: Slot<KeyShare>
}

export type KeyRounds = {
  readonly chunkDigests: Round
  /** After the row check: this party keeps its share of a key whose rows have passed. */
  readonly publicKey: Round
}

export function keyRounds(attempt: Attempt, deps: KeyRoundDeps): KeyRounds {
  const { committee, self } = attempt
  const { chunks } = deps.engine.keyLayout()
  const parties = partyIndexes(committee)
  const summedBy = (party: PartyIndex): readonly ChunkLayout[] =>
    chunks.filter(({ index }) => summingParty(index, committee.n) === party)
  let contributions: Contributions | null = null

  function checkReceived(from: PartyIndex, { contributed }: DigestList): void {
    const received = contributions?.received.get(from) ?? []
    const wrong = summedBy(self).find(({ index }, at) => received[at] !== contributed[index])
    if (wrong !== undefined && from !== self)
      throw keyError(
        "CHUNK_MISMATCH",
        `party ${from} sent other bytes for chunk ${wrong.index} than it lists`,
        [from],
      )
  }

  async function fetchPublicKeyChunk(digests: readonly Digest[]): Promise<Uint8Array> {
    const layout = chunks.find(({ part }) => part === deps.engine.publicKeyPart)
    const digest = layout && digests[layout.index]
    if (layout === undefined || digest === undefined) throw new Error("the layout has no public key chunk")
    return deps.chunks.fetch({ layout, digest })
  }

  const chunkDigests: Round = {
    spec: {
      name: "chunk-digests",
      speakers: parties,
      maxBroadcast: 64 + 64 * chunks.length,
      maxSealed: 0,
      timeoutMs: deps.contributionTimeoutMs,
      binding: false,
      kept: true,
    },
    async produce() {
      contributions = await deps.scatter.run()
      return publicMessage(encodeDigestList(contributions))
    },
    async consume(incoming) {
      const digests = new Map<number, Digest>()
      await eachParty(incoming, (from, broadcast) => {
        const own = summedBy(from)
        const list = decodeDigestList(broadcast, own.length, chunks.length)
        checkReceived(from, list)
        own.forEach(({ index }, at) => {
          const digest = list.sums[at]
          if (digest !== undefined) digests.set(index, digest)
        })
      })
      const ordered = chunks.flatMap(({ index }) => digests.get(index) ?? [])
      const publicSeed = deps.party.publicSeed()
      const publicKeyChunk = await fetchPublicKeyChunk(ordered)
      const publicKey = deps.engine.assemblePublicKey(publicSeed, publicKeyChunk)
      const publicKeyDigest = bytesDigest(publicKey)
      deps.material.set({
        publicSeed,
        chunkDigests: ordered,
        serverKeyDigest: serverKeyDigestOf(committee.keyId, publicSeed, ordered),
        publicKeyChunk,
        publicKey,
        publicKeyDigest,
      })
    },
  }

  const publicKey: Round = {
    spec: {
      name: "public-key",
      speakers: parties,
      maxBroadcast: 64,
      maxSealed: 0,
      timeoutMs: deps.timeoutMs,
      binding: false,
      kept: true,
    },
    produce: async () => {
      const { serverKeyDigest, publicKeyDigest } = deps.material.get()
      return publicMessage(publicKeyMessage(serverKeyDigest, publicKeyDigest))
    },
    async consume(incoming) {
      const { serverKeyDigest, publicKey: file, publicKeyDigest } = deps.material.get()
      const expected = bytesDigest(publicKeyMessage(serverKeyDigest, publicKeyDigest))
      await eachParty(incoming, (from, broadcast) => {
        if (bytesDigest(broadcast) !== expected)
          throw keyError("PUBLIC_KEY_DIFFERS", `party ${from} does not hold public key ${publicKeyDigest}`, [
            from,
          ])
      })
      // Nobody finds a public key in the store whose rows have not passed.
      await deps.sink.put(publicKeyDigest, file, deps.signal)
      deps.share.set(deps.party.finish())
    },
  }
  return { chunkDigests, publicKey }
}
