/** Who is in the local network, and where its files are. */
import { createHash } from "node:crypto"
import { tmpdir } from "node:os"
import { join } from "node:path"

export type Member = {
  readonly name: string
  readonly role: "keyholder" | "executor"
  /** Simulated host with a platform id of its own. */
  readonly machine: string
  /** Number of its operator's account. */
  readonly operator: number
}

const member = (role: Member["role"], number: number, operator: number): Member => ({
  name: `${role}-${number}`,
  role,
  machine: `${role}-host-${number}`,
  operator,
})

/** Members of one network; parties and executors in this order. */
export type Layout = {
  readonly keyholders: readonly Member[]
  readonly executors: readonly Member[]
  /** Of the committee of keyholders. */
  readonly tolerance: number
  readonly executorQuorum: number
}

/** n keyholders of which t may be faulty, and two executors that both have to agree, all of different operators. */
export function layoutOf({ n, t }: { readonly n: number; readonly t: number }): Layout {
  const members = (role: Member["role"], count: number, operators: number): readonly Member[] =>
    Array.from({ length: count }, (_, i) => member(role, i + 1, operators + i))
  return {
    keyholders: members("keyholder", n, 0),
    executors: members("executor", 2, n),
    tolerance: t,
    executorQuorum: 2,
  }
}

/** The network of `npm start`. */
export const LOCAL_LAYOUT: Layout = layoutOf({ n: 4, t: 1 })

export const membersOf = ({ keyholders, executors }: Layout): readonly Member[] => [
  ...keyholders,
  ...executors,
]

export type Paths = {
  readonly root: string
  /** Everything that a second start reuses; `npm run clean:devnet` removes it. */
  readonly home: string
  readonly logs: string
  readonly state: string
  readonly chainState: string
  /** There while a demonstration runs on the network. */
  readonly inUse: string
  readonly platformConfig: string
  readonly coordinatorConfig: string
  readonly coordinatorData: string
  readonly submitterKey: string
  /** Unix sockets: their paths must be short, whatever the clone's is. */
  readonly sockets: string
  socket(member: Member): string
  config(member: Member): string
  data(member: Member): string
  operatorKey(member: Member): string
}

/** @param root of the repository. @param home folder of the network's state. */
export function pathsOf(root: string, home: string): Paths {
  const sockets = join(tmpdir(), `twinlock-${createHash("sha256").update(home).digest("hex").slice(0, 12)}`)
  return {
    sockets,
    root,
    home,
    logs: join(home, "logs"),
    state: join(home, "network.json"),
    chainState: join(home, "chain.json"),
    inUse: join(home, "in-use"),
    platformConfig: join(home, "platform.json"),
    coordinatorConfig: join(home, "coordinator.json"),
    coordinatorData: join(home, "coordinator"),
    submitterKey: join(home, "submitter.key"),
    socket: ({ name }) => join(sockets, `${name}.sock`),
    config: ({ name }) => join(home, `${name}.json`),
    data: ({ name }) => join(home, name),
    operatorKey: ({ name }) => join(home, `${name}.operator.key`),
  }
}
