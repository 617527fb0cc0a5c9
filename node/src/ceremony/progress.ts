/** How far a running ceremony is: phase, percent, bytes, time left. For operators; nothing depends on it. Public data. */
import type { KeyId } from "@twinlock/sdk/protocol/ids"

/** What the runner knows when it enters a round. */
export type RoundProgress = {
  readonly keyId: KeyId
  readonly phase: string
  readonly round: number
  /** Names of all rounds, in order. */
  readonly plan: readonly string[]
  /** Size of the committee. */
  readonly n: number
  /** Bytes of ceremony messages sent so far by this node; contributions count by themselves. */
  readonly bytesSent: number
}

export type CeremonyProgress = {
  readonly keyId: KeyId
  readonly phase: string
  /** From 1. */
  readonly round: number
  readonly rounds: number
  /** Whole, 0 to 99 while it runs; it never falls. */
  readonly percent: number
  /** By this node, messages and contributions. */
  readonly bytesSent: number
  readonly secondsLeft: number
}

/**
 * Seconds of a round among four nodes on two cores, measured (the row check: from its CPU time): a few kinds of
 * rounds take nearly all of the time. Only the proportions matter: the clock corrects the rest.
 */
const ORDINARY = 0.4
const SECONDS: readonly (readonly [RegExp, number])[] = [
  [/^chunk-digests$/, 43],
  [/^row-points$/, 14],
  [/^crs-\d+$/, 14],
  [/^self-test-input$/, 3],
  [/^self-test-verdicts$/, 47],
]
const weightOf = (name: string): number => SECONDS.find(([pattern]) => pattern.test(name))?.[1] ?? ORDINARY

/** The round in which contributions are made, and the one in which the sums of all are taken in again. */
const CONTRIBUTIONS = "chunk-digests"
const ROWS = "row-points"
/** Work, in measured seconds, after which the own pace says more than the measured one. */
const KNOWN_PACE = 2

export type ProgressMeter = {
  enter(progress: RoundProgress): void
  /** More bytes of contributions have left. */
  contributed(bytes: number): void
  /** More bytes of the key have been taken in for the row check. */
  absorbed(bytes: number): void
  /** The attempt is over. */
  end(): void
  /** Null while no ceremony runs. */
  current(): CeremonyProgress | null
}

export type ProgressOptions = {
  /** Bytes of the key: of contributions that a party makes in all, though what it sums itself never leaves it. */
  readonly keyBytes: number
  /** Milliseconds. */
  readonly now: () => number
}

type Running = RoundProgress & {
  readonly begun: number
  readonly contributed: number
  readonly absorbed: number
  readonly least: number
}

export function createProgressMeter({ keyBytes, now }: ProgressOptions): ProgressMeter {
  let running: Running | null = null

  /** How much of the round under way is done, from 0 to 1. */
  function partOf({ n, phase, contributed, absorbed }: Running): number {
    if (phase === CONTRIBUTIONS) return Math.min(1, contributed / (keyBytes * (1 - 1 / n)))
    return phase === ROWS ? Math.min(1, absorbed / keyBytes) : 0
  }

  function doneOf(at: Running): number {
    const before = at.plan.slice(0, at.round).reduce((sum, name) => sum + weightOf(name), 0)
    return before + partOf(at) * weightOf(at.phase)
  }

  function read(at: Running): CeremonyProgress {
    const { keyId, phase, round, plan, bytesSent, contributed, begun } = at
    const done = doneOf(at)
    const all = plan.reduce((sum, name) => sum + weightOf(name), 0)
    const elapsed = (now() - begun) / 1000
    const pace = done < KNOWN_PACE ? 1 : elapsed / done
    return {
      ...{ keyId, phase, round: round + 1, rounds: plan.length },
      percent: Math.max(at.least, Math.min(99, Math.floor((100 * done) / all))),
      bytesSent: bytesSent + contributed,
      secondsLeft: Math.ceil((all - done) * pace),
    }
  }

  return {
    enter(progress) {
      const same = running !== null && running.keyId === progress.keyId ? running : null
      const { begun, contributed, absorbed } = same ?? { begun: now(), contributed: 0, absorbed: 0 }
      const least = same === null ? 0 : read(same).percent
      running = { ...progress, begun, contributed, absorbed, least }
    },
    contributed(bytes) {
      if (running !== null) running = { ...running, contributed: running.contributed + bytes }
    },
    absorbed(bytes) {
      if (running !== null) running = { ...running, absorbed: running.absorbed + bytes }
    },
    end() {
      running = null
    },
    current: () => (running === null ? null : read(running)),
  }
}

/** One line for logs, health and the command line. */
export const describeProgress = ({
  phase,
  round,
  rounds,
  percent,
  bytesSent,
  secondsLeft,
}: CeremonyProgress): string =>
  `${phase} (${round} of ${rounds}), ${percent} %, ${(bytesSent / 1e6).toFixed(1)} MB sent, about ${secondsLeft} s left`
