import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { createDisk } from "./disk.ts"
import { createHistory } from "./history.ts"
import { FAULTS, LIES, planOf } from "./plan.ts"
import type { Found } from "./planted.ts"
import { createRandom } from "./random.ts"
import { createTimeline, startProcess } from "./timeline.ts"

const MINUTES = 60_000

/** The simulation as the command that runs it: its threads put ideal signatures in place of the curve. */
function simulate(...args: readonly string[]) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, "main.ts"), ...args],
    { encoding: "utf8", maxBuffer: 1 << 26 },
  )
  return { lines: stdout.split("\n"), stderr, status }
}

const hashesOf = (lines: readonly string[]): readonly string[] =>
  lines.filter((line) => /^\d+ [0-9a-f]{16}$/.test(line))

describe("a run", () => {
  test(
    "is the same run in another process, in another order and with another number of threads",
    () => {
      const one = simulate("--seeds", "30", "--from", "40", "--hashes", "--workers", "1")
      const two = simulate("--seeds", "50", "--from", "25", "--hashes", "--workers", "2")
      expect([one.status, two.status], one.stderr + two.stderr + one.lines.join("\n")).toEqual([0, 0])
      const again = new Set(hashesOf(two.lines))
      expect(hashesOf(one.lines)).toHaveLength(30)
      expect(hashesOf(one.lines).filter((line) => !again.has(line))).toEqual([])
      // Different seeds are different runs.
      expect(new Set(hashesOf(two.lines).map((line) => line.split(" ")[1])).size).toBe(50)
    },
    5 * MINUTES,
  )

  test(
    "can be printed without changing it",
    () => {
      const [seed, hash] =
        hashesOf(simulate("--seeds", "1", "--from", "41", "--hashes").lines)[0]?.split(" ") ?? []
      const replay = simulate("--seed", `${seed}`)
      expect(replay.lines.length).toBeGreaterThan(100)
      expect(replay.lines.join("\n")).toContain(`"hash": "${hash}"`)
    },
    MINUTES,
  )
})

test(
  "every planted defect is found, by the invariant that it breaks, within 400 seeds",
  () => {
    const { lines, status, stderr } = simulate("--planted", "--seeds", "400")
    const found = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Found)
    expect(found.filter(({ expected }) => !expected)).toEqual([])
    expect(found.length, stderr).toBeGreaterThanOrEqual(23)
    const broken = new Set(found.map(({ invariant }) => invariant))
    for (const invariant of ["bounded", "settles", "unhandled", "deterministic"])
      expect(broken).toContain(invariant)
    expect(status).toBe(0)
  },
  10 * MINUTES,
)

describe("plans", () => {
  const plans = Array.from({ length: 2000 }, (_, seed) => planOf(seed))

  test("two thousand seeds have every committee, every lasting fault, and never more than t faulty", () => {
    const sizes = plans.map(({ n, t }) => `${n}/${t}`)
    expect(new Set(sizes)).toEqual(new Set(["4/1", "5/1", "7/2", "10/3", "13/4"]))
    expect(new Set(plans.flatMap(({ faulty }) => [...faulty.values()]))).toEqual(new Set(FAULTS))
    expect(plans.filter(({ faulty, t }) => faulty.size > t)).toEqual([])
  })

  test("some make their key in the run, some run real curves, some have users, some run out of budget", () => {
    expect(plans.filter(({ ceremony }) => ceremony).length).toBeGreaterThan(100)
    expect(plans.filter(({ realCrypto }) => realCrypto).length).toBeGreaterThan(10)
    expect(plans.filter(({ users }) => users.length > 0).length).toBeGreaterThan(200)
    expect(plans.filter(({ budgetLeft }) => budgetLeft !== null).length).toBeGreaterThan(20)
  })
})

describe("requests", () => {
  const plans = Array.from({ length: 2000 }, (_, seed) => planOf(seed))
  const policies = plans.flatMap(({ n, t, requests }) => requests.map(({ policy }) => ({ ...policy, n, t })))
  const share = (is: (policy: (typeof policies)[number]) => boolean): number =>
    policies.filter(is).length / policies.length

  test("demand endorsements, quotes and the group, alone and together, at times more than anybody has to give", () => {
    expect(share(({ endorsements }) => endorsements > 0)).toBeGreaterThan(0.1)
    expect(share(({ freshQuotes }) => freshQuotes > 0)).toBeGreaterThan(0.1)
    expect(share(({ endorsements, freshQuotes }) => endorsements > 0 && freshQuotes > 0)).toBeGreaterThan(
      0.05,
    )
    expect(share((policy) => policy.groupOnly)).toBeGreaterThan(0.1)
    expect(
      share(({ endorsements, freshQuotes, n, t }) => endorsements > n - t || freshQuotes > n - t),
    ).toBeGreaterThan(0)
  })

  test("liars lie about everything that is said, and some runs have no group signatures for a while", () => {
    expect(new Set(plans.flatMap(({ lies }) => [...lies.values()].flat()))).toEqual(new Set(LIES))
    expect(plans.filter(({ unsigned }) => unsigned).length).toBeGreaterThan(50)
  })
})

describe("a disk", () => {
  const written = async (crashAt: number) => {
    const timeline = createTimeline()
    const disk = createDisk(timeline, createRandom(`disk/${crashAt}`))
    const process = startProcess("alice")
    const store = disk.open(process)
    const acknowledged: number[] = []
    for (let i = 0; i < 20; i++)
      void store.put("k", `${i}`, new Uint8Array([i])).then(() => acknowledged.push(i))
    timeline.after(crashAt, null, () => {
      process.alive = false
      disk.crash()
    })
    await timeline.run(() => false, 1000)
    const kept = Array.from({ length: 20 }, (_, i) => i).filter((i) => disk.peek("k", `${i}`) !== null)
    return { acknowledged, kept }
  }

  test("keeps what it acknowledged, and of the writes under way the first ones", async () => {
    const runs = await Promise.all(Array.from({ length: 50 }, (_, at) => written(at / 10)))
    for (const { acknowledged, kept } of runs) {
      expect(acknowledged.filter((i) => !kept.includes(i))).toEqual([])
      expect(kept).toEqual(Array.from(kept, (_, at) => at))
    }
    expect(runs.some(({ kept }) => kept.length > 0 && kept.length < 20)).toBe(true)
    expect(runs.some(({ kept, acknowledged }) => kept.length > acknowledged.length)).toBe(true)
  })
})

describe("a timeline", () => {
  test("runs events by time, equal times in order, none of the dead, those of the paused later", async () => {
    const timeline = createTimeline()
    const [alice, bob] = [startProcess("alice"), startProcess("bob")]
    const seen: string[] = []
    const note = (name: string) => () => void seen.push(`${name}@${timeline.now}`)
    timeline.after(5, null, note("b"))
    timeline.after(5, null, note("c"))
    timeline.after(1, alice, note("a"))
    timeline.after(7, alice, note("dead"))
    timeline.after(2, bob, note("paused"))
    const cancel = timeline.after(3, null, note("cancelled"))
    cancel()
    bob.pausedUntil = 9
    timeline.after(6, null, () => {
      alice.alive = false
    })
    await timeline.run(() => false, 20)
    expect(seen).toEqual(["a@1", "b@5", "c@5", "paused@9"])
    expect([timeline.now, bob.queued]).toEqual([20, 0])
  })
})

test("a history answers for every block", () => {
  const history = createHistory<string | null>(null)
  history.set(2, "a")
  history.set(2, "b")
  history.set(5, "c")
  expect([0, 1, 2, 4, 5, 9].map((block) => history.at(block))).toEqual([null, null, "b", "b", "c", "c"])
})
