/** Nodes that serve a key that was dealt before the run. */
import { DEFAULT_BUDGET } from "@twinlock/node/decryption/blockBudget"
import { Writer } from "@twinlock/sdk/protocol/codec"
import { groupKey } from "@twinlock/sdk/threshold/frost"
import { generateFrostGroup } from "../support/frostGroup.ts"
import { createGateway, type Gateway } from "./contract.ts"
import { createFaults, type Faults } from "./faults.ts"
import { createNode, type Node, serveKey } from "./node.ts"
import { BUDGET_KIND, budgetName, committeeOf, type ServedKey, type World } from "./world.ts"

export type Stage = {
  readonly nodes: readonly Node[]
  readonly key: ServedKey
  readonly gateway: Gateway
  readonly faults: Faults
}

const groups = new Map<string, ReturnType<typeof generateFrostGroup>>()

/** Key generation is slow, and the same for every run. */
function groupOf(n: number, t: number): ReturnType<typeof generateFrostGroup> {
  const name = `${n}/${t}`
  const known = groups.get(name) ?? generateFrostGroup(n, t, name)
  groups.set(name, known)
  return known
}

/** Deals all groups that plans name, so that no run pays for it. */
export function dealGroups(sizes: readonly (readonly [number, number])[]): void {
  for (const [n, t] of sizes) groupOf(n, t)
}

export function dealtKey(world: World): Stage {
  const { n, t, budgetLeft } = world.plan
  const { publicKey, keyShares } = groupOf(n, t)
  const committee = committeeOf(world, 1)
  const key: ServedKey = { committee, group: groupKey(publicKey) }
  const gateway = createGateway(world, () => key)
  const nodes = world.machines.map((machine) => {
    const frostShare = keyShares.get(machine.party)
    if (frostShare === undefined) throw new Error("incomplete group")
    if (budgetLeft !== null) {
      const spent = new Writer().uint(8, DEFAULT_BUDGET - budgetLeft).done()
      machine.disk.poke(BUDGET_KIND, budgetName(world.plan), spent)
    }
    const material = { committee, frostShare, frostPublic: publicKey }
    return createNode(world, machine, (platform, serve) =>
      serve(serveKey(world, platform, material, gateway.deliver)),
    )
  })
  for (const node of nodes) node.start()
  return { nodes, key, gateway, faults: createFaults(world, nodes) }
}
