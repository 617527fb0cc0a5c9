/** A TCP proxy on the loopback interface for the connections that one node dials to another: slow, held, or cut. */
import { connect, createServer, type Socket } from "node:net"
import { holdingScheduler, systemClock } from "@twinlock/node/clock"
import { CALM, createLane, type Weather } from "./lane.ts"

export type LinkState = {
  /** From who dials. */
  readonly there: Weather
  readonly back: Weather
  /** Connections are reset, open ones and new ones. */
  readonly refuses: boolean
}

export const OPEN_LINK: LinkState = { there: CALM, back: CALM, refuses: false }

export type LinkProxy = {
  readonly port: number
  /** For open connections as well as new ones. */
  set(state: LinkState): void
  stop(): Promise<void>
}

type Way = "there" | "back"
type Joint = { set(state: LinkState): void; break(): void }

const clock = { ...systemClock, ...holdingScheduler }

/** @param target port on the loopback interface, asked for at every connection. */
export async function startLinkProxy(target: () => number): Promise<LinkProxy> {
  let state = OPEN_LINK
  const joints = new Set<Joint>()

  function join(dialled: Socket): void {
    if (state.refuses) return void dialled.resetAndDestroy()
    const served = connect({ port: target(), host: "127.0.0.1", allowHalfOpen: true, noDelay: true })
    const lanes = { there: laneOf("there", dialled, served), back: laneOf("back", served, dialled) }
    const joint: Joint = {
      set(next) {
        lanes.there.set(next.there)
        lanes.back.set(next.back)
      },
      break() {
        for (const lane of Object.values(lanes)) lane.stop()
        for (const socket of [dialled, served]) socket.resetAndDestroy()
      },
    }
    joints.add(joint)
    let open = 2
    for (const socket of [dialled, served])
      socket.once("close", () => {
        if (--open === 0) joints.delete(joint)
      })
  }

  function laneOf(way: Way, from: Socket, to: Socket) {
    const lane = createLane(clock, state[way], {
      write: (bytes) => void (to.writable && to.write(bytes)),
      finish: (ending) => (ending === "end" ? to.end() : to.resetAndDestroy()),
      hold: (wait) => void (wait ? from.pause() : from.resume()),
    })
    from.on("data", (bytes) => lane.push(bytes))
    from.once("end", () => lane.end("end"))
    from.on("error", () => {}) // told by close
    from.once("close", (failed) => {
      if (failed || !from.readableEnded) lane.end("break")
    })
    return lane
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, join)
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", resolve)
  })
  const bound = server.address()
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : 0,
    set(next) {
      state = next
      for (const joint of [...joints]) {
        if (next.refuses) joint.break()
        else joint.set(next)
      }
    },
    async stop() {
      for (const joint of [...joints]) joint.break()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
