/** A proxy for each node that another dials, and what is wrong with the ways between them. */
import type { AddressOf } from "@twinlock/devnet/network/configs"
import type { Ports } from "@twinlock/devnet/network/state"
import { CALM, type Weather } from "./lane.ts"
import { type LinkProxy, startLinkProxy } from "./linkProxy.ts"

/** Of the bytes from one node to another. */
export type Trouble =
  | { readonly kind: "reset" }
  | { readonly kind: "silence" }
  | { readonly kind: "slow"; readonly delayMs: number; readonly bytesPerSecond: number }

export type Links = {
  /** For the nodes' configurations. Nodes without a proxy keep their own addresses. */
  addresses(ports: Ports): AddressOf
  /** @returns its healing; what else is wrong with the same ways stays. */
  disturb(ways: readonly (readonly [from: string, to: string])[], trouble: Trouble): () => void
  stop(): Promise<void>
}

/** The worst of several troubles. */
export function weatherOf(troubles: readonly Trouble[]): Weather {
  const slow = troubles.filter((trouble) => trouble.kind === "slow")
  const held = slow.length < troubles.length
  if (slow.length === 0) return { ...CALM, held }
  return {
    held,
    delayMs: Math.max(...slow.map(({ delayMs }) => delayMs)),
    bytesPerSecond: Math.min(...slow.map(({ bytesPerSecond }) => bytesPerSecond)),
  }
}

const wayOf = (from: string, to: string): string => `${from}>${to}`

/** @param names of the nodes between which there are proxies. */
export async function startLinks(names: readonly string[]): Promise<Links> {
  let targets: Ports["p2p"] = {}
  const proxies = new Map<string, LinkProxy>()
  const troubles = new Map<string, Set<Trouble>>()
  for (const from of names)
    for (const to of names)
      if (from !== to) proxies.set(wayOf(from, to), await startLinkProxy(() => targets[to] ?? 0))

  const troublesOf = (from: string, to: string): readonly Trouble[] => [
    ...(troubles.get(wayOf(from, to)) ?? []),
  ]

  /** Of two nodes, whichever dialled. */
  function settle(a: string, b: string): void {
    const [forth, back] = [troublesOf(a, b), troublesOf(b, a)]
    const refuses = [...forth, ...back].some(({ kind }) => kind === "reset")
    const [there, here] = [weatherOf(forth), weatherOf(back)]
    proxies.get(wayOf(a, b))?.set({ there, back: here, refuses })
    proxies.get(wayOf(b, a))?.set({ there: here, back: there, refuses })
  }

  return {
    addresses(ports) {
      targets = ports.p2p
      return (from, to, own) => {
        const proxy = proxies.get(wayOf(from.name, to.name))
        return proxy === undefined ? own : own.replace(/\/tcp\/\d+/, `/tcp/${proxy.port}`)
      }
    },
    disturb(ways, trouble) {
      for (const [from, to] of ways) {
        const way = wayOf(from, to)
        troubles.set(way, (troubles.get(way) ?? new Set()).add(trouble))
        settle(from, to)
      }
      return () => {
        for (const [from, to] of ways) {
          troubles.get(wayOf(from, to))?.delete(trouble)
          settle(from, to)
        }
      }
    },
    async stop() {
      await Promise.all([...proxies.values()].map((proxy) => proxy.stop()))
    },
  }
}
