import type { RunningMember } from "@twinlock/devnet/network/devNetwork"
import { expect, test } from "vitest"
import { createFaults } from "./faults.ts"
import type { Links } from "./links.ts"
import type { Fault, Schedule } from "./schedule.ts"

const links = {} as Links
const killAt = (number: number, at: number, until: number): Fault => ({
  ...{ number, at, until, disturbed: [1] },
  action: { kind: "kill" },
})

/** A node whose starts the test lets succeed or fail. */
function scriptedNode() {
  const starts: PromiseWithResolvers<void>[] = []
  const kills = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let killed = 0
  const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const node = {
    member: { name: "keyholder-1" },
    kill: async () => kills[killed++]?.resolve(),
    start: () => {
      const start = Promise.withResolvers<void>()
      begun[starts.length]?.resolve()
      starts.push(start)
      return start.promise
    },
  } as unknown as RunningMember
  return { node, starts, kills, begun }
}

function scene(faults: readonly Fault[]) {
  const scripted = scriptedNode()
  const errors: unknown[] = []
  const ready: unknown[] = []
  const running = createFaults({
    schedule: { faults } as unknown as Schedule,
    keyholders: [scripted.node],
    links,
    beforeKill: async () => {},
    log: ({ event, number }) => {
      if (event === "ready") ready.push(number)
    },
    onError: (error) => void errors.push(error),
  })
  return { ...scripted, running, errors, ready }
}

test("a node that is killed on its way back is the last killer's to bring back", async () => {
  const { running, starts, kills, begun, errors, ready } = scene([killAt(0, 0, 1), killAt(1, 30, 40)])
  running.begin()
  await begun[0]?.promise
  await kills[1]?.promise
  starts[0]?.reject(new Error("ended: SIGKILL"))
  await begun[1]?.promise
  starts[1]?.resolve()
  await running.heal()
  expect([errors, ready]).toEqual([[], [1]])
})

test("a node that does not come back fails the run", async () => {
  const { running, starts, begun, errors, ready } = scene([killAt(0, 0, 1)])
  running.begin()
  await begun[0]?.promise
  starts[0]?.reject(new Error("waited in vain"))
  await running.heal()
  expect([errors.map(String), ready]).toEqual([["Error: waited in vain"], []])
})
