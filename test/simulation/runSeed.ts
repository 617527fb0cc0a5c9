/** One run: everything that happens in it follows from the seed, the planted defect and the code. */
import type { KeptByService } from "@twinlock/node/decryption/service"
import type { AcceptanceRule } from "@twinlock/sdk/protocol/certificate"
import { ceremonyKey } from "./ceremonyKey.ts"
import { dealtKey } from "./dealtKey.ts"
import { SimulationFailure } from "./failure.ts"
import { watchMachine } from "./guards.ts"
import type { Node } from "./node.ts"
import { type Plan, planOf } from "./plan.ts"
import { registered } from "./registration.ts"
import type { Counts } from "./summary.ts"
import { startTraffic } from "./traffic.ts"
import { createWorld, type Planted, type World } from "./world.ts"

export type Outcome = {
  readonly seed: number
  /** Of the whole trace. */
  readonly hash: string
  /** Null: every invariant held. */
  readonly failure: { readonly invariant: string; readonly message: string } | null
  readonly counts: Counts
  /** Milliseconds of virtual time from the healing to the last decryption. */
  readonly recovery: number
  readonly ceremony: boolean
}

export type RunOptions = {
  readonly planted?: Planted | null
  /** Told each line of the trace. */
  readonly print?: ((line: string) => void) | null
}

/** Longest time from the healing to the last decryption, milliseconds. */
const RECOVERY_MS = 120_000
/** What comes late must not break anything either. */
const AFTERMATH_MS = 10_000
/** Statements that wait for a node's judgement, per party: a few per subject of a run, none of them large. */
const MOST_INBOX_BYTES = 16 * 1024
/** Looking at everything after every event would cost more than the event. */
const LOOK_EVERY = 16
const LOOK_MS = 500

export async function runSeed(
  seed: number,
  { planted = null, print = null }: RunOptions = {},
): Promise<Outcome> {
  const plan = planOf(seed)
  const world = createWorld(plan, planted, print)
  const release = watchMachine((error) => world.fail(error))
  let played: Played = { recovery: 0, group: 0, endorsed: 0, policy: 0, users: 0, crashes: 0 }
  try {
    played = await play(world)
  } catch (error) {
    world.fail(error instanceof Error ? error : new Error(String(error)))
  } finally {
    release()
  }
  const { failure, trace, timeline } = world
  const { recovery, ...counts } = played
  const invariant = failure instanceof SimulationFailure ? failure.invariant : "simulation"
  return {
    ...{ seed, recovery, hash: trace.hash(), ceremony: plan.ceremony },
    counts: { ...counts, events: timeline.events },
    failure:
      failure === null
        ? null
        : { invariant, message: failure instanceof SimulationFailure ? failure.message : `${failure.stack}` },
  }
}

const isTooMuch = (kept: KeptByService, open: number, { users, n }: Plan): boolean =>
  kept.subjects + kept.stubs > open + users.length ||
  Math.max(kept.requests, kept.results, kept.groups, kept.aggregations) > open ||
  kept.inboxBytes > n * MOST_INBOX_BYTES

/** What a node keeps now. @param open requests that it may still know of */
function small(world: World, { machine, service }: Node, open: number): void {
  const { plan } = world
  const kept = service?.kept()
  if (kept !== undefined && isTooMuch(kept, open, plan))
    world.fail(
      new SimulationFailure(
        "bounded",
        `party ${machine.party} keeps ${JSON.stringify(kept)}, ${open} requests are open`,
      ),
    )
}

/** What a node still keeps when all is done, and whom it holds evidence against. */
function tidy(world: World, node: Node, open: number): void {
  const { plan } = world
  const { machine, service } = node
  small(world, node, open)
  const blamed = (service?.evidence() ?? []).filter(({ party }) => plan.faulty.get(party) !== "liar")
  if (blamed.length > 0)
    world.fail(new SimulationFailure("culprits", `party ${machine.party} keeps evidence against the honest`))
}

type Played = Omit<Counts, "events"> & { readonly recovery: number }

async function play(world: World): Promise<Played> {
  const { plan, timeline, chain, machines } = world
  for (const { signer } of machines) chain.setNode(registered(signer, "keyholder"))
  for (const { signer } of world.executors) chain.setNode(registered(signer, "executor"))
  chain.start()
  const failed = (): boolean => world.failure !== null
  const honest = (list: readonly Node[]): readonly Node[] =>
    list.filter(({ machine }) => plan.faulty.get(machine.party) !== "liar")
  const { nodes, key, gateway, faults } = plan.ceremony ? await ceremonyKey(world) : dealtKey(world)
  const traffic = startTraffic(world, nodes, key.committee, gateway)
  chain.onBlock(() => {
    for (const node of honest(nodes)) small(world, node, chain.requests.size)
  })
  faults.corrupt(plan.faulty)
  faults.begin(plan.roughness)
  await timeline.run(failed, timeline.now + plan.healAt)
  faults.heal()
  const healed = timeline.now
  let looked = timeline.now
  const done = (): boolean => {
    if (failed()) return true
    if (timeline.events % LOOK_EVERY !== 0 && timeline.now - looked < LOOK_MS) return false
    looked = timeline.now
    return traffic.missing().length === 0
  }
  await timeline.run(done, healed + RECOVERY_MS)
  const recovery = timeline.now - healed
  const missing = traffic.missing()
  if (!failed() && missing.length > 0)
    world.fail(
      new SimulationFailure("liveness", `${missing.join(", ")} not decrypted after ${recovery / 1000} s`),
    )
  await timeline.run(failed, timeline.now + AFTERMATH_MS)
  for (const node of nodes)
    if (!failed() && !plan.faulty.has(node.machine.party)) tidy(world, node, traffic.open())
  const crashes = nodes.reduce((sum, { lives }) => sum + lives - 1, 0)
  const rules = [...gateway.fulfilled.values()]
  const by = (rule: AcceptanceRule): number => rules.filter((one) => one === rule).length
  return {
    ...{ recovery, crashes, users: traffic.served() },
    ...{ group: by("group"), endorsed: by("endorsed"), policy: by("policy") },
  }
}
