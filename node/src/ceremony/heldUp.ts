/**
 * A party that falls silent because another one holds it up (protocol §4). What a dishonest party owes to all it can give to one
 * of them late or never; the others then find that one silent, who has only waited. So a party remembers who came last in
 * a stage that took long, and says so to whoever misses it. Pure.
 */
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { Abort } from "./messages.ts"
import type { CeremonyEffect, Running, Stall, TimedStage, Transition } from "./state.ts"

/** What follows in the time of a round after this share of it may be late for no fault of its own. */
const PATIENCE = 1 / 2

/**
 * After how many milliseconds of a stage whoever comes last has held this party up. What is left must suffice for the work of
 * the next message; who waits for that has the next round's time, which began when the echo was due.
 */
export function patienceOf({ specs, round }: Running, stage: "collecting" | "echoing"): number {
  const own = specs[round]?.timeoutMs ?? 0
  const next = specs[round + 1]?.timeoutMs ?? own
  return PATIENCE * (stage === "collecting" ? own : Math.min(own, next))
}

/** Remembers `party` where what came from it has ended a stage that took long. */
export function heldUpBy(before: Running, step: Transition, party: PartyIndex): Transition {
  const { state } = step
  if (!before.late || state.status !== "running" || state.stage === before.stage) return step
  const code = before.stage === "collecting" ? "CEREMONY_NO_MESSAGE" : "CEREMONY_NO_ECHO"
  return { ...step, state: { ...state, heldUp: { round: before.round, code, party } } }
}

/** Which timer runs on when patience has ended; null where nothing is waited for any more. */
export function restOf(state: Running): Extract<TimedStage, "collecting" | "echoing"> | null {
  const { stage } = state
  if (stage === "echoing") return stage
  return stage === "collecting" || stage === "producing" ? "collecting" : null
}

/**
 * To a party that misses this one in time: what this one waits for, or who held it up. Nobody else hears it, since a lie about
 * being missed would end the attempt everywhere.
 */
export function excuseFor(state: Running, abort: Abort, missingEchoes: Stall): readonly CeremonyEffect[] {
  const { party, round, code, culprits } = abort
  const silent = code === "CEREMONY_NO_MESSAGE" || code === "CEREMONY_NO_ECHO"
  if (!silent || !culprits.includes(state.attempt.self)) return []
  const reason = reasonFor(state, round, missingEchoes)
  if (reason === null) return []
  return [{ kind: "send-excuse", to: party, word: { ...reason, suspects: [], evidence: [] } }]
}

type Reason = Pick<Abort, "round" | "code" | "culprits">

function reasonFor(state: Running, missedIn: number, { code, missing }: Stall): Reason | null {
  const { round, stage, heldUp } = state
  if (stage === "echoing" && missedIn === round + 1) return { round, code, culprits: missing }
  if (heldUp === null || missedIn < round || missedIn > heldUp.round + 1) return null
  return { round: heldUp.round, code: heldUp.code, culprits: [heldUp.party] }
}
