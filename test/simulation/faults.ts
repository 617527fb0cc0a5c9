/**
 * What goes wrong in a run. Until it heals: crashes with restarts, pauses, cuts, losses, slow and repeating links, chains
 * that stand still or do not answer, full disks, missing blobs, deaf coordinators, drawn one after the other. And the few
 * parties that stay faulty to the end.
 */

import { GENESIS_SECONDS } from "./chain.ts"
import type { Node } from "./node.ts"
import type { Fault } from "./plan.ts"
import type { Random } from "./random.ts"
import type { World } from "./world.ts"

export type Faults = {
  /** Draws faults from now on. @param roughness 0 for none, 1 for the most */
  begin(roughness: number): void
  /** From now on the given parties have their lasting faults. */
  corrupt(faulty: ReadonlyMap<number, Fault>): void
  /** Everything but the lasting faults ends, and every other node runs. */
  heal(): void
}

const LONG = 10_000_000n
const SOON = [0n, 0n, 20n, 590n]

type Undo = () => void
type Kind = (random: Random) => Undo

const CALM = { cut: false, loss: 0, repeats: 0, least: 1, mean: 10 }

export function createFaults(world: World, nodes: readonly Node[]): Faults {
  const { timeline, network, chain, machines } = world
  const random = world.random.fork("faults")
  const addresses = [...machines, ...world.executors].map(({ signer }) => signer)
  let lasting: ReadonlyMap<number, Fault> = new Map()
  let [rough, round] = [0, 0]
  const undone = new Set<Undo>()

  const faultOf = (node: Node): Fault | null => lasting.get(node.machine.party) ?? null
  const anyNode = (from: Random): Node => from.pick(nodes)
  const startUnlessDown = (node: Node): void => {
    if (faultOf(node) !== "down") node.start()
  }

  /** Links of parties with a lasting fault are bad whatever else happens. */
  function settleLinks(): void {
    for (const { signer, party } of machines) {
      const fault = lasting.get(party)
      if (fault !== "cut" && fault !== "slow") continue
      for (const other of addresses)
        for (const link of [network.link(signer, other), network.link(other, signer)]) {
          link.cut = fault === "cut"
          link.mean = 2000
        }
    }
  }
  function changeLinks(concerns: (from: string, to: string) => boolean, change: Partial<typeof CALM>): Undo {
    const pairs = addresses.flatMap((from) => addresses.map((to) => [from, to] as const))
    const links = pairs.filter(([from, to]) => concerns(from, to)).map(([from, to]) => network.link(from, to))
    for (const link of links) Object.assign(link, change)
    settleLinks()
    return () => {
      for (const link of links) Object.assign(link, CALM)
      settleLinks()
    }
  }

  const crash: Kind = (from) => {
    const node = anyNode(from)
    node.crash()
    return () => startUnlessDown(node)
  }
  /** Power is lost everywhere; each comes back in its own time. */
  const outage: Kind = (from) => {
    for (const node of nodes) {
      node.crash()
      timeline.after(from.exponential(1500), null, () => startUnlessDown(node))
    }
    return () => {}
  }
  const stop: Kind = (from) => {
    const { process } = anyNode(from)
    if (process !== null) process.pausedUntil = timeline.now + from.exponential(2000)
    return () => {}
  }
  const partition: Kind = (from) => {
    const side = new Set<string>(from.sample(addresses, from.between(1, addresses.length - 1)))
    const oneWay = from.chance(0.4)
    return changeLinks((a, b) => side.has(a) !== side.has(b) && (!oneWay || side.has(a)), { cut: true })
  }
  const losses: Kind = (from) => {
    const [loss, repeats] = [from.below(80) / 100, from.below(50) / 100]
    const share = from.fork(`${round}`)
    return changeLinks(() => share.chance(0.5), { loss, repeats })
  }
  const slowness: Kind = (from) => {
    const slow = from.pick(addresses)
    return changeLinks((a, b) => a === slow || b === slow, { least: from.between(1, 500), mean: 800 })
  }
  const stall: Kind = () => {
    chain.stalled = true
    return () => {
      chain.stalled = false
    }
  }
  const endpoints: Kind = (from) => {
    const { chain: weather } = anyNode(from).machine
    Object.assign(weather, { failures: from.below(100) / 100, lag: from.below(6), latency: from.below(300) })
    return () => void Object.assign(weather, { failures: 0, lag: 0, latency: 1 })
  }
  const disk: Kind = (from) => {
    const { weather } = anyNode(from).machine.disk
    Object.assign(weather, { failures: from.below(80) / 100, latency: from.between(1, 400) })
    return () => void Object.assign(weather, { failures: 0, latency: 1 })
  }
  const blobs: Kind = (from) => {
    const { blobs: weather } = anyNode(from).machine
    Object.assign(weather, { failures: from.below(100) / 100, latency: from.between(1, 1000) })
    return () => void Object.assign(weather, { failures: 0, latency: 5 })
  }
  const enclave: Kind = (from) => {
    const { enclave: weather } = anyNode(from).machine
    Object.assign(weather, { failures: from.below(100) / 100, latency: from.between(1, 5000) })
    return () => void Object.assign(weather, { failures: 0, latency: 200 })
  }
  const coordinators: Kind = (from) => {
    world.coordinators.failures = from.between(30, 100) / 100
    return () => {
      world.coordinators.failures = 0
    }
  }
  /** A clock is set: back, or forward. */
  const clock: Kind = (from) => {
    const { machine } = anyNode(from)
    machine.skew += from.between(-30_000, 30_000)
    return () => {}
  }
  /** A registration runs out and is renewed. */
  const lapse: Kind = (from) => {
    const node = anyNode(from)
    register(node, false)
    return () => register(node, true)
  }
  const KINDS: readonly (readonly [string, Kind])[] = [
    ["crash", crash],
    ["crash", crash],
    ["crash", crash],
    ["outage", outage],
    ["stop", stop],
    ["partition", partition],
    ["partition", partition],
    ["losses", losses],
    ["losses", losses],
    ["slowness", slowness],
    ["stall", stall],
    ["endpoints", endpoints],
    ["disk", disk],
    ["blobs", blobs],
    ["enclave", enclave],
    ["coordinators", coordinators],
    ["lapse", lapse],
    ["clock", clock],
  ]

  function register({ machine }: Node, stands: boolean): void {
    const { signer, party } = machine
    if (lasting.get(party) === "lapsed" && stands) return
    chain.submit(`party ${party} ${stands ? "renews" : "lapses"}`, () => {
      const known = chain.nodes.get(signer)?.at(chain.latest)
      if (known === null || known === undefined) return
      const seconds = GENESIS_SECONDS + BigInt(Math.floor(timeline.now / 1000))
      const revoked = !stands && lasting.get(party) === "lapsed" && random.chance(0.5)
      // Now, or so soon that nobody should count on it any more.
      const left = stands ? LONG : random.pick(SOON)
      chain.setNode({ ...known, revoked, liveUntil: seconds + left })
    })
  }

  function next(of: number): void {
    timeline.after(random.exponential(4000 / (0.2 + 3 * rough)), null, () => {
      if (of !== round) return
      const [name, kind] = random.pick(KINDS)
      const undo = kind(random)
      world.log(`fault: ${name}`)
      undone.add(undo)
      timeline.after(random.exponential(2500), null, () => {
        if (undone.delete(undo)) undo()
      })
      next(of)
    })
  }

  /** Goes on for good. */
  function loop(node: Node): void {
    timeline.after(500 + random.exponential(4000), null, () => {
      if (node.process === null) node.start()
      else node.crash()
      loop(node)
    })
  }
  function pauses(node: Node): void {
    timeline.after(random.exponential(5000), null, () => {
      if (node.process !== null) node.process.pausedUntil = timeline.now + random.exponential(3000)
      pauses(node)
    })
  }

  return {
    begin(roughness) {
      if (world.plan.unsigned) network.lose((topic) => topic.startsWith("signature-share/"))
      rough = roughness
      round += 1
      if (roughness > 0) next(round)
    },
    corrupt(faulty) {
      lasting = faulty
      for (const node of nodes) {
        const fault = faultOf(node)
        if (fault !== null) world.log(`party ${node.machine.party} is ${fault} for good`)
        if (fault === "down") timeline.after(random.exponential(5000), null, () => node.crash())
        if (fault === "looping") loop(node)
        if (fault === "slow") pauses(node)
        if (fault === "lapsed") timeline.after(random.exponential(5000), null, () => register(node, false))
      }
      settleLinks()
    },
    heal() {
      round += 1
      world.log("everything heals")
      network.lose(() => false)
      for (const undo of undone) undo()
      undone.clear()
      for (const node of nodes) {
        if (node.process !== null && faultOf(node) !== "slow") node.process.pausedUntil = 0
        startUnlessDown(node)
      }
    },
  }
}
