/**
 * `twinlock-node` on the simulated platform, as devnet/src/twinlockNode.ts runs it, with a meter beside it: CPU time, bytes on
 * its sockets by port, CPU profiles. The node's own code is not touched.
 *
 *   node measuredNode.ts honest SOCKET ROOT_KEY COMMAND [OPTIONS…]      meter at SOCKET.meter
 */
import { subscribe } from "node:diagnostics_channel"
import { rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { Session } from "node:inspector/promises"
import type { Socket } from "node:net"
import { runCli } from "@twinlock/node/cli/runCli"
import { terminated } from "@twinlock/node/cli/termination"
import { nodeServices } from "@twinlock/node/nodeServices"
import { createDevnetQuoteVerifier } from "@twinlock/sdk/attestation/devnetRoot"
import { fromHex } from "@twinlock/sdk/protocol/codec"
import type { Reading } from "./meter.ts"

const [, agentSocket = "", rootKey = "0x", ...argv] = process.argv.slice(2)

type Traffic = { sent: number; received: number }
const closed = new Map<number, Traffic>()
const open = new Map<Socket, () => number>()

function track(socket: Socket, portOf: () => number): void {
  open.set(socket, portOf)
  let port = 0
  socket.once("connect", () => {
    port = portOf()
  })
  socket.once("close", () => {
    open.delete(socket)
    add(closed, portOf() || port, socket)
  })
}

function add(sums: Map<number, Traffic>, port: number, socket: Socket): void {
  const sum = sums.get(port) ?? { sent: 0, received: 0 }
  sum.sent += socket.bytesWritten
  sum.received += socket.bytesRead
  sums.set(port, sum)
}

subscribe("net.client.socket", (message) => {
  const { socket } = message as { readonly socket: Socket }
  track(socket, () => socket.remotePort ?? 0)
})
subscribe("net.server.socket", (message) => {
  const { socket } = message as { readonly socket: Socket }
  const port = socket.localPort ?? 0
  track(socket, () => port)
})

function read(): Reading {
  const sums = new Map([...closed].map(([port, traffic]) => [port, { ...traffic }]))
  for (const [socket, portOf] of open) add(sums, portOf(), socket)
  const { user, system } = process.cpuUsage()
  return { cpuMs: (user + system) / 1000, traffic: Object.fromEntries(sums) }
}

const session = new Session()

async function answer(path: string): Promise<unknown> {
  const { pathname, searchParams } = new URL(path, "http://meter")
  switch (pathname) {
    case "/read":
      return read()
    case "/profile/start":
      session.connect()
      await session.post("Profiler.enable")
      await session.post("Profiler.setSamplingInterval", { interval: 500 })
      return session.post("Profiler.start")
    case "/profile/stop": {
      const { profile } = await session.post("Profiler.stop")
      session.disconnect()
      writeFileSync(searchParams.get("file") ?? "", JSON.stringify(profile))
      return {}
    }
    default:
      throw new RangeError(`the meter has no ${pathname}`)
  }
}

if (argv[0] === "run") {
  const path = `${agentSocket}.meter`
  rmSync(path, { force: true })
  const server = createServer((request, response) => {
    answer(request.url ?? "").then(
      (value) => response.end(JSON.stringify(value)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  server.listen(path)
  server.unref()
}

process.exitCode = await runCli(argv, {
  platform: {
    agentSocket,
    verifierFor: (contractRootId, chainId) =>
      createDevnetQuoteVerifier({ contractRootId, chainId, rootKey: fromHex(rootKey) }),
  },
  services: nodeServices,
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  terminated,
})
