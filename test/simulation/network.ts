/**
 * The network between the processes: every message takes its own time, so that they overtake each other; links lose,
 * repeat, slow down and cut, each direction for itself. A direct message that is lost is an unreachable peer, as on a
 * broken connection; what happened on the other side by then has happened.
 */
import type { Network, NetworkErrorCode } from "@twinlock/node/p2p/network"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address } from "@twinlock/sdk/protocol/ids"
import type { Random } from "./random.ts"
import type { Process, Timeline } from "./timeline.ts"
import { shortHash, type Trace } from "./trace.ts"

/** One direction between two nodes. Times in milliseconds. */
export type Link = { cut: boolean; loss: number; repeats: number; least: number; mean: number }

export type SimulatedNetwork = {
  /** The network of a process at an address; what served the address before is gone. */
  join(address: Address, process: Process): Network
  link(from: Address, to: Address): Link
  /** Nothing of these topics arrives from now on. */
  lose(isLost: (topic: string) => boolean): void
  /** Told of every payload that a process gossips, before it leaves. */
  onPublish(listener: (from: Address, topic: string, payload: Uint8Array) => void): void
}

type Handler = (from: Address, payload: Uint8Array) => Promise<Uint8Array>
type Place = {
  readonly process: Process
  readonly served: Map<string, { readonly maxBytes: number; readonly handle: Handler }>
  readonly topics: Map<
    string,
    {
      readonly maxBytes: number
      readonly validate: Parameters<Network["subscribe"]>[2]
      readonly handler: Parameters<Network["subscribe"]>[3]
    }
  >
}

/** A connection that broke is noticed after this long. */
const UNREACHABLE_MS = 2000

const refuse = (code: NetworkErrorCode, message: string): ProtocolError =>
  new ProtocolError({ code, message })

export function createSimulatedNetwork(
  addresses: readonly Address[],
  timeline: Timeline,
  random: Random,
  trace: Trace,
): SimulatedNetwork {
  const places = new Map<Address, Place>()
  const listeners: ((from: Address, topic: string, payload: Uint8Array) => void)[] = []
  let isLost: (topic: string) => boolean = () => false
  const names = new Map(addresses.map((address, at) => [address, `${at + 1}`]))
  const links = new Map<string, Link>()
  const link = (from: Address, to: Address): Link => {
    const name = `${from}${to}`
    const known = links.get(name) ?? { cut: false, loss: 0, repeats: 0, least: 1, mean: 10 }
    links.set(name, known)
    return known
  }
  const wayOf = (from: Address, to: Address): string => `${names.get(from)}→${names.get(to)}`
  const isUp = (address: Address): boolean => places.get(address)?.process.alive === true
  const delayOf = ({ least, mean }: Link): number => least + random.exponential(mean)

  /** Hands one copy of a payload to whoever lives at the address when it arrives. */
  function deliver(from: Address, to: Address, topic: string, payload: Uint8Array): void {
    const place = places.get(to)
    const subscription = place?.topics.get(topic)
    if (place === undefined || subscription === undefined || link(from, to).cut || isLost(topic)) return
    if (payload.length > subscription.maxBytes) return
    const { process } = place
    const take = (): void => {
      trace.add(timeline.now, `${wayOf(from, to)} ${topic} ${shortHash(payload)}`)
      void (async () => {
        const verdict = await (async () => subscription.validate(payload, from))().catch(() => "ignore")
        if (verdict === "accept" && process.alive) subscription.handler(payload)
      })()
    }
    if (process.pausedUntil > timeline.now) timeline.after(0, process, take)
    else if (process.alive) take()
  }

  const exchange = (
    from: Address,
    process: Process,
    to: Address,
    protocol: string,
    payload: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      let over = false
      const end = (settle: () => void): void => {
        if (over) return
        over = true
        signal?.removeEventListener("abort", onAbort)
        settle()
      }
      const onAbort = (): void => end(() => reject(signal?.reason))
      const fail = (code: NetworkErrorCode, delay: number): void =>
        void timeline.after(delay, process, () => end(() => reject(refuse(code, `${protocol} to ${to}`))))
      if (signal?.aborted === true) return onAbort()
      signal?.addEventListener("abort", onAbort)
      const [there, back] = [link(from, to), link(to, from)]
      if (to === from || !isUp(to) || there.cut || back.cut) return fail("PEER_UNREACHABLE", 1)
      if (random.chance(there.loss)) return fail("PEER_UNREACHABLE", UNREACHABLE_MS)
      const copy = payload.slice()
      timeline.after(delayOf(there), null, () => {
        const place = places.get(to)
        if (place === undefined || !place.process.alive || there.cut) {
          fail("PEER_UNREACHABLE", UNREACHABLE_MS)
          return
        }
        timeline.after(0, place.process, () => {
          trace.add(timeline.now, `${wayOf(from, to)} ${protocol} ${shortHash(copy)}`)
          const served = place.served.get(protocol)
          const answer = (settle: () => void): void => {
            if (back.cut || random.chance(back.loss)) fail("PEER_UNREACHABLE", UNREACHABLE_MS)
            else timeline.after(delayOf(back), process, () => end(settle))
          }
          if (served === undefined || copy.length > served.maxBytes)
            return answer(() => reject(refuse("PEER_REFUSED", `${protocol} is not served`)))
          served.handle(from, copy).then(
            (bytes) => answer(() => resolve(bytes.slice())),
            () => answer(() => reject(refuse("PEER_REFUSED", `${to} refused ${protocol}`))),
          )
        })
        // Whoever dies with the message in hand never answers.
        fail("PEER_UNREACHABLE", 10 * UNREACHABLE_MS)
      })
    })

  return {
    link,
    lose(which) {
      isLost = which
    },
    onPublish: (listener) => void listeners.push(listener),
    join(address, process) {
      const place: Place = { process, served: new Map(), topics: new Map() }
      places.set(address, place)
      const request: Network["request"] = (to, protocol, payload, signal) =>
        exchange(address, process, to, protocol, payload, signal)
      return {
        self: address,
        peers: () =>
          addresses.filter(
            (other) =>
              other !== address && isUp(other) && !link(address, other).cut && !link(other, address).cut,
          ),
        request,
        send: async (to, protocol, payload, signal) => {
          await request(to, protocol, payload, signal)
        },
        onMessage(protocol, maxBytes, handler) {
          const handle: Handler = async (from, payload) => {
            await handler(from, payload)
            return new Uint8Array()
          }
          place.served.set(protocol, { maxBytes, handle })
        },
        onRequest: (protocol, maxBytes, handle) => void place.served.set(protocol, { maxBytes, handle }),
        async publish(topic, payload) {
          for (const listener of listeners) listener(address, topic, payload)
          trace.add(timeline.now, `${names.get(address)} publishes ${topic} ${shortHash(payload)}`)
          for (const other of addresses) {
            const way = link(address, other)
            if (other === address || way.cut || random.chance(way.loss)) continue
            const copies = random.chance(way.repeats) ? 2 : 1
            for (let i = 0; i < copies; i++) {
              const copy = payload.slice()
              timeline.after(delayOf(way), null, () => deliver(address, other, topic, copy))
            }
          }
        },
        subscribe: (topic, maxBytes, validate, handler) =>
          void place.topics.set(topic, { maxBytes, validate, handler }),
      }
    },
  }
}
