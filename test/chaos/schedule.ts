/**
 * What goes wrong in a run, and when: all of it drawn from one seed before it begins. Mostly at most t nodes are disturbed
 * at once, those included that still find their way back; from time to time a storm disturbs more.
 */
import { assertNever } from "@twinlock/sdk/protocol/errors"
import { createRandom, type Random } from "../simulation/random.ts"

export type Action =
  /** SIGKILL; started again from its sealed state when the fault ends. */
  | { readonly kind: "kill" }
  /** SIGSTOP, and SIGCONT when the fault ends. */
  | { readonly kind: "stop" }
  /**
   * No bytes between the disturbed nodes and those of `against`: reset connections, or silence. `out` and `in` cut one
   * direction only, as seen from the disturbed.
   */
  | {
      readonly kind: "cut"
      readonly against: readonly number[]
      readonly how: "reset" | "silence"
      readonly ways: "both" | "out" | "in"
    }
  | {
      readonly kind: "slow"
      readonly against: readonly number[]
      readonly delayMs: number
      readonly bytesPerSecond: number
    }

/** Times in milliseconds since the start of the run. */
export type Fault = {
  readonly number: number
  readonly at: number
  readonly until: number
  /** Parties, 1..n, without which the others are a network. */
  readonly disturbed: readonly number[]
  readonly action: Action
}

export type Schedule = {
  readonly seed: number
  readonly n: number
  readonly t: number
  /** Every fault has ended by then. */
  readonly endMs: number
  /** By time of begin. */
  readonly faults: readonly Fault[]
  readonly storms: readonly { readonly from: number; readonly until: number }[]
}

/** Nothing goes wrong before: the load has begun. */
export const CALM_START_MS = 8000
const MEAN_GAP_MS = 3000
const STEADY_MS = { least: 40_000, most: 90_000 }
const STORM_MS = { least: 8000, most: 25_000 }
const STOP_MS = { least: 1000, most: 30_000 }
const FAULT_MS = { least: 1000, most: 20_000 }
/** After a storm, before the next fault. */
const BREATH_MS = 10_000

/**
 * How long the disturbed of a fault may take until they are part of the network again. A node dials again after a pause as
 * long as it was in vain before; a restarted one unseals, reads the chain and is attested.
 */
export function recoveryMs({ action, at, until }: Pick<Fault, "action" | "at" | "until">): number {
  switch (action.kind) {
    case "kill":
      return 20_000
    case "stop":
      return 5000
    case "slow":
      return 5000
    case "cut":
      return 5000 + Math.min(30_000, until - at)
    default:
      return assertNever(action)
  }
}

/** @param minutes until the last fault has ended at the latest. */
export function scheduleOf(options: {
  readonly seed: number
  readonly n: number
  readonly t: number
  readonly minutes: number
}): Schedule {
  const { seed, n, t, minutes } = options
  const random = createRandom(`chaos/${seed}/${n}/${t}`)
  const endMs = minutes * 60_000
  const faults: Omit<Fault, "number">[] = []
  const storms: { readonly from: number; readonly until: number }[] = []
  /** When each party is undisturbed and back again. */
  const backAt = new Map<number, number>()
  const parties = Array.from({ length: n }, (_, i) => i + 1)

  function add(fault: Omit<Fault, "number">): void {
    faults.push(fault)
    for (const party of fault.disturbed) backAt.set(party, fault.until + recoveryMs(fault))
  }
  const idleAt = (time: number) => parties.filter((party) => (backAt.get(party) ?? 0) <= time)

  function steady(from: number, until: number): void {
    let time = from
    for (;;) {
      time += Math.round(random.exponential(MEAN_GAP_MS))
      const idle = idleAt(time)
      const room = t - (n - idle.length)
      if (room > 0) {
        const fault = drawFault(random, { at: time, latest: until, idle, room, parties })
        if (time >= until || fault === null) return
        add(fault)
      } else time = Math.max(time, Math.min(...[...backAt.values()].filter((at) => at > time)))
      if (time >= until) return
    }
  }

  function storm(from: number, until: number): void {
    storms.push({ from, until })
    const struck = random.sample(parties, random.between(Math.min(t + 1, n), n))
    for (let rest = struck; rest.length > 0; ) {
      const at = from + random.below(Math.max(1, Math.floor((until - from) / 3)))
      const fault = drawFault(random, { at, latest: until, idle: rest, room: rest.length, parties })
      if (fault === null) return
      add({ ...fault, until })
      rest = rest.filter((party) => !fault.disturbed.includes(party))
    }
  }

  for (let time = CALM_START_MS; time < endMs; ) {
    const stormAt = Math.min(endMs, time + random.between(STEADY_MS.least, STEADY_MS.most))
    steady(time, stormAt)
    const over = stormAt + random.between(STORM_MS.least, STORM_MS.most)
    if (over > endMs) break
    // Whoever was struck before the storm is back before it strikes again.
    const begins = Math.max(stormAt, ...faults.map(({ until }) => until))
    const ends = begins + (over - stormAt)
    if (ends > endMs) break
    storm(begins, ends)
    time = Math.max(...backAt.values()) + BREATH_MS
  }
  const ordered = faults.toSorted((a, b) => a.at - b.at)
  return { seed, n, t, endMs, storms, faults: ordered.map((fault, i) => ({ number: i + 1, ...fault })) }
}

type Draw = {
  readonly at: number
  /** The fault ends by then. */
  readonly latest: number
  readonly idle: readonly number[]
  /** Parties that may be disturbed. */
  readonly room: number
  readonly parties: readonly number[]
}

/** Null where there is no time left for one. */
function drawFault(random: Random, { at, latest, idle, room, parties }: Draw): Omit<Fault, "number"> | null {
  const kind = random.pick(["kill", "kill", "stop", "stop", "cut", "cut", "cut", "slow"] as const)
  const { least, most } = kind === "stop" ? STOP_MS : FAULT_MS
  if (latest - at < least) return null
  const until = at + Math.min(latest - at, random.between(least, most))
  const side = random.sample(idle, random.chance(0.3) ? random.between(1, room) : 1)
  const [one = 1] = side
  const others = parties.filter((party) => !side.includes(party))
  // Everybody else, or one link only.
  const against = random.chance(0.6) || others.length === 0 ? others : [random.pick(others)]
  switch (kind) {
    case "kill":
    case "stop":
      return { at, until, disturbed: [one], action: { kind } }
    case "cut": {
      const how = random.pick(["reset", "silence"] as const)
      // A connection that is reset is reset for both.
      const ways = how === "reset" ? "both" : random.pick(["both", "both", "out", "in"] as const)
      return { at, until, disturbed: side, action: { kind, against, how, ways } }
    }
    case "slow": {
      const [delayMs, bytesPerSecond] = [random.between(50, 800), random.between(20_000, 300_000)]
      return { at, until, disturbed: side, action: { kind, against, delayMs, bytesPerSecond } }
    }
    default:
      return assertNever(kind)
  }
}

/**
 * Time in which the network has to make progress: at most t parties are disturbed or find their way back.
 * @returns milliseconds of it between two times of the run; all time is such after the schedule and its recoveries.
 */
export function liveTime(schedule: Schedule): (from: number, to: number) => number {
  const spans = schedule.faults.map((fault) => ({ ...fault, until: fault.until + recoveryMs(fault) }))
  const times = [...new Set([0, ...spans.flatMap(({ at, until }) => [at, until])])].sort((a, b) => a - b)
  const steps = times.map((from, i) => {
    const disturbed = new Set(
      spans.flatMap(({ at, until, disturbed }) => (at <= from && from < until ? disturbed : [])),
    )
    return {
      from,
      to: times[i + 1] ?? Number.POSITIVE_INFINITY,
      isLive: disturbed.size <= schedule.t,
    }
  })
  return (from, to) =>
    steps.reduce(
      (sum, step) =>
        step.isLive ? sum + Math.max(0, Math.min(to, step.to) - Math.max(from, step.from)) : sum,
      0,
    )
}
