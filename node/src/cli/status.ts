/** `twinlock-node status`: what the running node says of itself, and what the registry says of it. */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { parseAddress } from "@twinlock/sdk/protocol/ids"
import { z } from "zod"
import type { ChainView } from "../chain/chainView.ts"
import type { NodeConfig } from "../config.ts"

export type StatusErrorCode = "NODE_NOT_RUNNING"

const part = z.object({ ready: z.boolean(), reason: z.string() })
const healthSchema = z.object({ ready: z.boolean(), parts: z.record(z.string(), part) })
const statusSchema = z.object({
  name: z.string(),
  role: z.string(),
  signer: z.string(),
  peerId: z.string(),
  configHash: z.string(),
  addresses: z.array(z.string()),
  peers: z.array(z.string()),
  services: z.array(z.string()),
})

const ceremonySchema = z.object({
  ceremony: z
    .object({
      keyId: z.string(),
      phase: z.string(),
      round: z.number(),
      rounds: z.number(),
      percent: z.number(),
      bytesSent: z.number(),
      secondsLeft: z.number(),
    })
    .nullable(),
})

export type StatusReport = z.infer<typeof statusSchema> & {
  /** The running key ceremony; null where none runs. */
  readonly ceremony: z.infer<typeof ceremonySchema>["ceremony"]
  readonly health: z.infer<typeof healthSchema>
  /** Null where the signer is not registered. */
  readonly registry: {
    readonly operator: string
    readonly liveUntil: string
    readonly secondsLeft: string
    readonly revoked: boolean
  } | null
}

export type StatusDeps = {
  readonly chain: Pick<ChainView, "head" | "node">
  readonly fetch: typeof fetch
}

/** Where the running node answers. */
export function baseUrlOf({ listen }: Pick<NodeConfig, "listen">): string {
  const { host, port } = listen.http
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`
}

/** @throws NODE_NOT_RUNNING, CHAIN_* */
export async function status(config: NodeConfig, { chain, fetch }: StatusDeps): Promise<StatusReport> {
  const base = baseUrlOf(config)
  const ask = async <T>(path: string, schema: z.ZodType<T>): Promise<T> => {
    try {
      const response = await fetch(`${base}${path}`, { signal: AbortSignal.timeout(5_000) })
      return schema.parse(await response.json())
    } catch (cause) {
      throw new ProtocolError(
        { code: "NODE_NOT_RUNNING" satisfies StatusErrorCode, message: `no node answers at ${base}${path}` },
        { cause },
      )
    }
  }
  const [own, health] = [await ask("/v1/status", statusSchema), await ask("/health", healthSchema)]
  // Executors take part in no ceremony.
  const { ceremony } =
    own.role === "keyholder" ? await ask("/v1/ceremony", ceremonySchema) : { ceremony: null }
  const head = await chain.head()
  const node = await chain.node(parseAddress(own.signer), head)
  const left = node === null || node.liveUntil < head.timestamp ? 0n : node.liveUntil - head.timestamp
  return {
    ...own,
    ceremony,
    health,
    registry:
      node === null
        ? null
        : {
            operator: node.operator,
            liveUntil: `${node.liveUntil}`,
            secondsLeft: `${left}`,
            revoked: node.revoked,
          },
  }
}
