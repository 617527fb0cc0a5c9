/** What happened in a run, as lines; their hash names the run. Lines are kept only where somebody wants to read them. */
import { toHex } from "@twinlock/sdk/protocol/codec"

export type Trace = {
  /** @param at milliseconds since the start of the run */
  add(at: number, line: string): void
  /** 64 bits over all lines so far. */
  hash(): string
  readonly lines: number
}

const PRIME = 0x01000193

/** 32 bits of FNV-1a: enough to tell two payloads of a run apart. */
export function shortHash(bytes: Uint8Array): string {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, PRIME)
  return (hash >>> 0).toString(16).padStart(8, "0")
}

/** Enough of an identifier to find it again. */
export const brief = (hex: string | Uint8Array): string =>
  (typeof hex === "string" ? hex : toHex(hex)).slice(2, 8)

/** @param print told each line, for the replay of one run */
export function createTrace(print: ((line: string) => void) | null = null): Trace {
  let [low, high, lines] = [0x811c9dc5, 0x9747b28c, 0]
  const feed = (code: number): void => {
    low = Math.imul(low ^ code, PRIME)
    high = Math.imul(high ^ code, 0x85ebca6b) ^ (low >>> 15)
  }
  return {
    add(at, line) {
      lines += 1
      const time = Math.round(at * 1000)
      feed(time & 0xffff)
      feed(time >>> 16)
      for (let i = 0; i < line.length; i++) feed(line.charCodeAt(i))
      print?.(`${(at / 1000).toFixed(6).padStart(12)}  ${line}`)
    },
    hash: () => [high, low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join(""),
    get lines() {
      return lines
    },
  }
}
