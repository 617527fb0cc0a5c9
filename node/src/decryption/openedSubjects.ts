/**
 * Which opened subjects are kept in full: the newest, so that late shares are judged and late peers are answered with what
 * was said before. Bounded in number and in bytes of shares; the oldest lose their place first. Pure.
 */
import type { Digest } from "@twinlock/sdk/protocol/ids"

export type OpenedSubjects = {
  /** @returns those that lost their place to it */
  add(subject: Digest, shareBytes: number): readonly Digest[]
  delete(subject: Digest): void
  /** Bytes of shares kept, at most. */
  readonly bytes: number
}

export type OpenedLimits = { readonly subjects: number; readonly shareBytes: number }

export function createOpenedSubjects(limits: OpenedLimits): OpenedSubjects {
  /** Oldest first. */
  const places = new Map<Digest, number>()
  let bytes = 0
  const drop = (subject: Digest) => {
    bytes -= places.get(subject) ?? 0
    places.delete(subject)
  }
  return {
    add(subject, shareBytes) {
      drop(subject)
      places.set(subject, shareBytes)
      bytes += shareBytes
      const lost: Digest[] = []
      for (const oldest of places.keys()) {
        const isFull = places.size > limits.subjects || bytes > limits.shareBytes
        if (!isFull || oldest === subject) break
        drop(oldest)
        lost.push(oldest)
      }
      return lost
    },
    delete: drop,
    get bytes() {
      return bytes
    },
  }
}
