/** Composition root of `twinlock-coordinator`: node main.ts CONFIG.json */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { serve } from "@hono/node-server"
import { getConnInfo } from "@hono/node-server/conninfo"
import { pino } from "pino"
import { createApp } from "./app.ts"
import { createBlobStore } from "./blobStore.ts"
import { type CoordinatorConfig, readConfig } from "./config.ts"
import { createGate } from "./gate.ts"
import { createGateway } from "./gateway.ts"
import { createOutbox } from "./outbox.ts"
import { remembered } from "./remembered.ts"
import { repeat } from "./repeat.ts"
import { createResultCache } from "./resultCache.ts"
import { blobRoutes } from "./routes/blobs.ts"
import { certificateRoutes } from "./routes/certificates.ts"
import { createMetrics, healthRoutes } from "./routes/health.ts"
import { inputRoutes } from "./routes/inputs.ts"
import { networkRoutes } from "./routes/network.ts"
import { userDecryptionRoutes } from "./routes/userDecryptions.ts"
import { sourceOfAddress } from "./sourceAddress.ts"
import { createSubmitter } from "./submitter.ts"

const FLUSH_MS = 2000
/** As many of one account as endpoints keep where their pools are not full; what they drop is offered again. */
const TRANSACTIONS_AT_ONCE = 64
const CACHED_RESULTS = 10_000
/** A node posts up to 64 at a time, a result each, and again later what was refused. */
const SUBMISSIONS = { atWork: 8, waiting: 128, perSource: 64 }
const BODIES = { atWork: 64, waiting: 256, perSource: 64 }
const QUESTIONS = { atWork: 16, waiting: 256, perSource: 64 }
const BODY_MS = 10_000
const KEY_MS = 1000

export type Coordinator = { readonly url: string; stop(): Promise<void> }

export async function startCoordinator(config: CoordinatorConfig): Promise<Coordinator> {
  const logger = pino({ level: config.logLevel, base: { process: "coordinator" } })
  const metrics = createMetrics()
  const gateway = createGateway(config, readFileSync(config.submitterKeyFile, "utf8").trim(), (err) =>
    logger.warn({ err }, "transactions under way could not be looked after"),
  )
  const { limits } = config
  const blobs = await createBlobStore(join(config.dataDirectory, "blobs"), limits.blobBytes)
  const submitter = createSubmitter({
    gateway,
    outbox: await createOutbox(join(config.dataDirectory, "outbox"), limits.waitingResults, (path) =>
      logger.error({ path }, "a file of the outbox cannot be read"),
    ),
    atOnce: TRANSACTIONS_AT_ONCE,
    now: Date.now,
    onResult(result, requestId, err) {
      metrics.submissions.inc({ result })
      if (err === undefined) logger.info({ requestId, result }, "certificate")
      else logger.warn({ requestId, result, reason: gateway.describe(err) }, "certificate")
    },
  })
  const results = createResultCache(CACHED_RESULTS)
  const relay = {
    fetch,
    timeoutMs: limits.relayTimeoutMs,
    graceMs: limits.relayGraceMs,
    maxBytes: limits.bodyBytes * 4,
  }
  const key = remembered(() => gateway.key(), KEY_MS, Date.now)
  const ready = () =>
    key().then(
      () => true,
      () => false,
    )
  const app = createApp({
    bodyBytes: limits.bodyBytes,
    onError: (err, path) => logger.error({ err, path }, "request failed"),
    routes: [
      healthRoutes(metrics, ready),
      networkRoutes(key, { chainId: config.chainId, keyRegistry: config.contracts.keyRegistry }),
      blobRoutes(blobs, limits.blobBytes, (signer) => gateway.isLive(signer)),
      inputRoutes(config.executors, config.executorQuorum, relay),
      userDecryptionRoutes(config.nodes, config.nodeQuorum, relay),
      certificateRoutes({
        ...{ submitter, gateway, results },
        gates: {
          bodies: createGate(BODIES),
          work: createGate(SUBMISSIONS),
          questions: createGate(QUESTIONS),
        },
        bodyMs: BODY_MS,
        sourceOf: (context) => sourceOfAddress(getConnInfo(context).remote.address ?? ""),
      }),
    ],
  })
  const { server, port } = await new Promise<{ server: ReturnType<typeof serve>; port: number }>(
    (resolve) => {
      const created = serve({ fetch: app.fetch, hostname: config.host, port: config.port }, (info) =>
        resolve({ server: created, port: info.port }),
      )
    },
  )
  const stopFlushing = repeat(
    () => submitter.flush(),
    FLUSH_MS,
    (err) => logger.warn({ err }, "flush failed"),
  )
  logger.info({ host: config.host, port }, "coordinator is up")
  return {
    url: `http://${config.host}:${port}`,
    async stop() {
      stopFlushing()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

if (import.meta.main) {
  const [path] = process.argv.slice(2)
  if (path === undefined) {
    process.stderr.write("usage: twinlock-coordinator CONFIG.json\n")
    process.exit(1)
  }
  try {
    const coordinator = await startCoordinator(readConfig(path))
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => void coordinator.stop().then(() => process.exit(0)))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  }
}
