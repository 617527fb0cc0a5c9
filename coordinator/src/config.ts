/** Configuration of the coordinator: one JSON file, nothing from the environment but its path. Unknown keys are fatal. */
import { readFileSync } from "node:fs"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { z } from "zod"

export type ConfigErrorCode = "CONFIG_UNREADABLE" | "CONFIG_INVALID"

const address = z.string().regex(/^0x[0-9a-f]{40}$/, "want a lower-case 0x address")
const url = z.url({ protocol: /^https?$/ })
const gwei = z.number().positive().max(1_000_000).multipleOf(0.001)

export const configSchema = z.strictObject({
  host: z.string().default("127.0.0.1"),
  port: z.number().int().min(0).max(65_535),
  logLevel: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  dataDirectory: z.string().min(1),
  /** RPC endpoints of the host chain, the preferred first; the coordinator is untrusted, so it needs no majority. */
  rpc: z.array(url).min(1),
  chainId: z.number().int().positive(),
  startBlock: z.number().int().min(0),
  contracts: z.strictObject({
    nodeRegistry: address,
    keyRegistry: address,
    decryptionGateway: address,
    coprocessor: address,
  }),
  /** HTTP APIs of the keyholder nodes and of the executors. */
  nodes: z.array(url),
  executors: z.array(url),
  /** Executors that must answer alike. */
  executorQuorum: z.number().int().min(2),
  /** Nodes whose shares a client needs (2t+1). */
  nodeQuorum: z.number().int().min(3),
  /** File with the 0x-hex private key that pays for submissions. */
  submitterKeyFile: z.string().min(1),
  limits: z
    .strictObject({
      blobBytes: z
        .number()
        .int()
        .positive()
        .default(16 * 1024 * 1024),
      bodyBytes: z
        .number()
        .int()
        .positive()
        .default(1024 * 1024),
      /** Results that wait for the chain at a time; what comes then is refused. */
      waitingResults: z.number().int().positive().default(4096),
      /** Milliseconds to wait for an RPC endpoint before the next one is asked. */
      rpcTimeoutMs: z.number().int().positive().default(5000),
      /** Most that a unit of gas may cost, in gwei; results wait while the chain asks for more. */
      maxFeeGwei: gwei.default(200),
      /** Most of it that goes to whoever makes the block. */
      maxTipGwei: gwei.default(5),
      /** Milliseconds to wait for nodes and executors. */
      relayTimeoutMs: z.number().int().positive().default(20_000),
      /** Milliseconds that slower nodes get once a quorum answered. */
      relayGraceMs: z.number().int().min(0).default(500),
    })
    .prefault({}),
})

export type CoordinatorConfig = z.infer<typeof configSchema>

/** @throws CONFIG_INVALID naming each bad key. */
export function parseConfig(value: unknown): CoordinatorConfig {
  const result = configSchema.safeParse(value)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => `${issue.path.join(".") || "(root)"}: ${issue.message}`)
  throw new ProtocolError({ code: "CONFIG_INVALID" satisfies ConfigErrorCode, message: problems.join("; ") })
}

/** @throws CONFIG_UNREADABLE where the file is absent or no JSON. */
export function readConfig(path: string): CoordinatorConfig {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, "utf8"))
  } catch (cause) {
    throw new ProtocolError(
      { code: "CONFIG_UNREADABLE" satisfies ConfigErrorCode, message: `cannot read ${path} as JSON` },
      { cause },
    )
  }
  return parseConfig(value)
}
