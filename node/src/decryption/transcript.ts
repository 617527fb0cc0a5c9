/**
 * What each party said lately (protocol §6): digests, by which a repeat is known before its signature is looked at, and the
 * newest signed bytes, which are evidence. Each party has room of its own: a flood pushes out only the flooder's words.
 */
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"

export type Transcript = {
  /** Notes an accepted message. @param payload its signed encoding @param now milliseconds */
  note(party: PartyIndex, digest: Digest, payload: Uint8Array, now: number): void
  /**
   * new: never noted, or long ago. again: a repeat that may be of use, to a node that lost it. idle: heard a moment ago.
   */
  know(party: number, digest: Digest, now: number): "new" | "again" | "idle"
  /** Newest signed messages of a party, oldest first. */
  said(party: PartyIndex): readonly Uint8Array[]
  /** Payload bytes kept of all parties. */
  readonly bytes: number
}

export type TranscriptLimits = {
  /** Digests and payload bytes kept of each party; the oldest go first. */
  readonly digests: number
  readonly bytes: number
  /** Milliseconds within which a repeat is idle: honest parties repeat themselves more seldom. */
  readonly idleMs: number
}

export const TRANSCRIPT_LIMITS: TranscriptLimits = { digests: 2048, bytes: 512 * 1024, idleMs: 1000 }

type Page = { readonly heard: Map<Digest, number>; payloads: Uint8Array[]; bytes: number }

const emptyPage = (): Page => ({ heard: new Map(), payloads: [], bytes: 0 })

export function createTranscript(limits: TranscriptLimits = TRANSCRIPT_LIMITS): Transcript {
  const pages = new Map<number, Page>()
  return {
    note(party, digest, payload, now) {
      const page = pages.get(party) ?? emptyPage()
      pages.set(party, page)
      if (!page.heard.has(digest)) {
        page.payloads.push(payload)
        page.bytes += payload.length
      }
      page.heard.set(digest, now)
      for (const oldest of page.heard.keys()) {
        if (page.heard.size <= limits.digests) break
        page.heard.delete(oldest)
      }
      let drop = 0
      while (page.bytes > limits.bytes && drop < page.payloads.length)
        page.bytes -= page.payloads[drop++]?.length ?? 0
      if (drop > 0) page.payloads = page.payloads.slice(drop)
    },
    know(party, digest, now) {
      const at = pages.get(party)?.heard.get(digest)
      if (at === undefined) return "new"
      return now - at < limits.idleMs ? "idle" : "again"
    },
    get bytes() {
      return [...pages.values()].reduce((sum, page) => sum + page.bytes, 0)
    },
    said: (party) => pages.get(party)?.payloads ?? [],
  }
}
