/** One run: everything that happens in it follows from the seed, the planted defect and the code. */
import { ceremonyKey } from "./ceremonyKey.ts"
import { dealtKey } from "./dealtKey.ts"
import { SimulationFailure } from "./failure.ts"
import { watchMachine } from "./guards.ts"
import { planOf } from "./plan.ts"
import { registered } from "./registration.ts"
import { startTraffic } from "./traffic.ts"
import { createWorld, type Planted, type World } from "./world.ts"

export type Outcome = {
  readonly seed: number
  /** Of the whole trace. */
  readonly hash: string
  /** Null: every invariant held. */
  readonly failure: { readonly invariant: string; readonly message: string } | null
  readonly events: number
  /** Milliseconds of virtual time from the healing to the last decryption. */
  readonly recovery: number
  readonly ceremony: boolean
  readonly fulfilled: number
}

export type RunOptions = {
  readonly planted?: Planted | null
  /** Told each line of the trace. */
  readonly print?: ((line: string) => void) | null
}

/** Longest time from the healing to the last decryption, milliseconds. */
const RECOVERY_MS = 400_000
/** What comes late must not break anything either. */
const AFTERMATH_MS = 5_000
/** Looking at everything after every event would cost more than the event. */
const LOOK_EVERY = 16

export async function runSeed(
  seed: number,
  { planted = null, print = null }: RunOptions = {},
): Promise<Outcome> {
  const plan = planOf(seed)
  const world = createWorld(plan, planted, print)
  const release = watchMachine((error) => world.fail(error))
  let [recovery, fulfilled] = [0, 0]
  try {
    ;[recovery, fulfilled] = await play(world)
  } catch (error) {
    world.fail(error instanceof Error ? error : new Error(String(error)))
  } finally {
    release()
  }
  const { failure, trace, timeline } = world
  const invariant = failure instanceof SimulationFailure ? failure.invariant : "simulation"
  return {
    ...{ seed, recovery, fulfilled, hash: trace.hash(), events: timeline.events, ceremony: plan.ceremony },
    failure:
      failure === null
        ? null
        : { invariant, message: failure instanceof SimulationFailure ? failure.message : `${failure.stack}` },
  }
}

async function play(world: World): Promise<readonly [number, number]> {
  const { plan, timeline, chain, machines } = world
  for (const { signer } of machines) chain.setNode(registered(signer, "keyholder"))
  for (const { signer } of world.executors) chain.setNode(registered(signer, "executor"))
  chain.start()
  const failed = (): boolean => world.failure !== null
  const { nodes, key, gateway, faults } = plan.ceremony ? await ceremonyKey(world) : dealtKey(world)
  const traffic = startTraffic(world, nodes, key.committee, gateway)
  faults.corrupt(plan.faulty)
  faults.begin(plan.roughness)
  await timeline.run(failed, timeline.now + plan.healAt)
  faults.heal()
  const healed = timeline.now
  const done = (): boolean =>
    failed() || (timeline.events % LOOK_EVERY === 0 && traffic.missing().length === 0)
  await timeline.run(done, healed + RECOVERY_MS)
  const recovery = timeline.now - healed
  const missing = traffic.missing()
  if (!failed() && missing.length > 0)
    world.fail(
      new SimulationFailure("liveness", `${missing.join(", ")} not decrypted after ${recovery / 1000} s`),
    )
  await timeline.run(failed, timeline.now + AFTERMATH_MS)
  return [recovery, gateway.fulfilled.size]
}
