/** Does to running nodes what a schedule says, at its times, and notes when it really happened. */
import type { RunningMember } from "@twinlock/devnet/network/devNetwork"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { Links, Trouble } from "./links.ts"
import type { Fault, Schedule } from "./schedule.ts"

export type FaultsOptions = {
  readonly schedule: Schedule
  /** Parties 1..n in this order. */
  readonly keyholders: readonly RunningMember[]
  readonly links: Links
  /** Before a node is killed: what it counted is lost with it. */
  readonly beforeKill: (keyholder: RunningMember) => Promise<void>
  readonly log: (entry: Readonly<Record<string, unknown>>) => void
  readonly onError: (error: unknown) => void
}

export type Faults = {
  begin(): void
  /** Nothing goes wrong any more, and all that did ends; resolves when every node is ready again. */
  heal(): Promise<void>
}

type Undo = () => Promise<void> | void

export function createFaults(options: FaultsOptions): Faults {
  const { schedule, keyholders, links, beforeKill, log, onError } = options
  const timers: NodeJS.Timeout[] = []
  const undoing = new Map<Fault, Undo>()
  const pending = new Set<Promise<void>>()
  /** The last kill of each node: one that is killed on its way back is started by whoever killed it last. */
  const killedBy = new Map<RunningMember, Fault>()

  function keyholderOf(party: number): RunningMember {
    const found = keyholders[party - 1]
    if (found === undefined) throw new RangeError(`there is no party ${party}`)
    return found
  }
  const nameOf = (party: number) => keyholderOf(party).member.name

  function track(what: Promise<void>): void {
    const settled = what.catch(onError).finally(() => pending.delete(settled))
    pending.add(settled)
  }

  async function begin(fault: Fault): Promise<void> {
    log({ event: "fault", ...fault })
    undoing.set(fault, await inflict(fault))
  }

  async function startAgain(keyholder: RunningMember, fault: Fault): Promise<void> {
    const isLast = () => killedBy.get(keyholder) === fault
    if (!isLast()) return
    try {
      await keyholder.start()
      if (isLast()) log({ event: "ready", number: fault.number })
    } catch (error) {
      if (isLast()) throw error
    }
  }

  async function inflict(fault: Fault): Promise<Undo> {
    const { disturbed, action } = fault
    const struck = disturbed.map(keyholderOf)
    switch (action.kind) {
      case "kill":
        for (const keyholder of struck) {
          killedBy.set(keyholder, fault)
          await beforeKill(keyholder)
          await keyholder.kill()
        }
        return async () => void (await Promise.all(struck.map((keyholder) => startAgain(keyholder, fault))))
      case "stop": {
        const pids = struck.map((keyholder) => keyholder.process().pid)
        for (const pid of pids) process.kill(pid, "SIGSTOP")
        return () => {
          for (const pid of pids) process.kill(pid, "SIGCONT")
        }
      }
      case "cut": {
        const trouble: Trouble = action.how === "reset" ? { kind: "reset" } : { kind: "silence" }
        return links.disturb(waysOf(disturbed, action.against, action.ways), trouble)
      }
      case "slow": {
        const { kind, delayMs, bytesPerSecond } = action
        return links.disturb(waysOf(disturbed, action.against, "both"), { kind, delayMs, bytesPerSecond })
      }
      default:
        return assertNever(action)
    }
  }

  function waysOf(side: readonly number[], against: readonly number[], ways: "both" | "out" | "in") {
    const pairs = side.flatMap((a) => against.map((b) => [nameOf(a), nameOf(b)] as const))
    const back = pairs.map(([a, b]) => [b, a] as const)
    return ways === "both" ? [...pairs, ...back] : ways === "out" ? pairs : back
  }

  async function end(fault: Fault): Promise<void> {
    const undo = undoing.get(fault)
    if (undo === undefined) return
    undoing.delete(fault)
    log({ event: "healed", number: fault.number })
    await undo()
  }

  return {
    begin() {
      for (const fault of schedule.faults) {
        let begun: Promise<void> = Promise.resolve()
        timers.push(
          setTimeout(() => {
            begun = begin(fault)
            track(begun)
          }, fault.at),
          setTimeout(() => track(begun.then(() => end(fault))), fault.until),
        )
      }
    },
    async heal() {
      for (const timer of timers) clearTimeout(timer)
      // All at once: whoever was started again waits for those who are cut off.
      while (undoing.size + pending.size > 0) {
        for (const fault of [...undoing.keys()]) track(end(fault))
        await Promise.all(pending)
      }
    },
  }
}
