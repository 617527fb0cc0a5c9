/**
 * Client of the dstack guest agent (dstack 0.5): quotes, keys and facts about the own trust domain. Own
 * implementation, because the public client needs another major version of the curve library and ignores HTTP status.
 *
 * Security: `getKey` returns key material; it MUST stay inside the process. The socket path is a compile-time constant
 * of production images.
 */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import { z } from "zod"
import { Secret } from "../secret.ts"
import { agentError, postToAgent } from "./agentHttp.ts"

/** Where containers of a dstack guest find the agent. */
export const AGENT_SOCKET = "/var/run/dstack.sock"

export type GuestAgentOptions = {
  readonly socketPath: string
  readonly timeoutMs?: number
  readonly maxBytes?: number
}

export type AgentQuote = {
  readonly quote: Uint8Array
  /** JSON text; nothing in it is trusted before it replays to the quote's RTMR3. */
  readonly eventLog: string
}

export type AgentKey = {
  /** 32 bytes. */
  readonly key: Secret<Uint8Array>
  /** Signature of the application key over this key, then of the provider over the application key. */
  readonly signatureChain: readonly Uint8Array[]
}

/** Facts as the agent states them; only what a quote confirms may be relied on. */
export type AgentInfo = {
  readonly appId: Uint8Array
  readonly instanceId: Uint8Array
  readonly composeHash: Uint8Array
  readonly appName: string
  readonly keyProvider: string
}

export type KeyRequest = {
  readonly path: string
  readonly purpose: string
  /** One path gives the same 32 bytes for every algorithm: paths MUST name their algorithm. */
  readonly algorithm: "secp256k1" | "ed25519"
}

export type GuestAgent = {
  /** @param reportData 64 bytes. */
  getQuote(reportData: Uint8Array): Promise<AgentQuote>
  getKey(request: KeyRequest): Promise<AgentKey>
  info(): Promise<AgentInfo>
  version(): Promise<{ readonly version: string; readonly revision: string }>
}

const hexBytes = (max: number) =>
  z
    .string()
    .regex(/^(0x)?([0-9a-fA-F]{2})*$/)
    .transform((text) => fromHex(`0x${text.replace(/^0x/, "")}`))
    .refine((bytes) => bytes.length <= max)

const quoteAnswer = z.object({
  quote: hexBytes(16 * 1024).refine((bytes) => bytes.length > 0),
  /** A JSON text inside the JSON. */
  event_log: z.string(),
})
const keyAnswer = z.object({
  key: hexBytes(32).refine((bytes) => bytes.length === 32),
  signature_chain: z.array(hexBytes(128)).max(4),
})
const infoAnswer = z.object({
  app_id: hexBytes(32),
  instance_id: hexBytes(32),
  compose_hash: hexBytes(32),
  app_name: z.string(),
  key_provider_info: z.string(),
})
const versionAnswer = z.object({ version: z.string(), rev: z.string().default("") })
const refusal = z.object({ error: z.string() })

/** @returns a client; nothing is connected before the first call. */
export function createGuestAgent(options: GuestAgentOptions): GuestAgent {
  const { socketPath, timeoutMs = 10_000, maxBytes = 1024 * 1024 } = options

  async function call<T>(method: string, body: Readonly<Record<string, unknown>>, answer: z.ZodType<T>) {
    const { status, text } = await postToAgent({ socketPath, method, body, timeoutMs, maxBytes })
    const json = parseJson(text)
    const refused = refusal.safeParse(json)
    if (status !== 200 || refused.success)
      throw agentError(
        "AGENT_REFUSED",
        `${method} answered ${status}: ${reasonOf(refused.data?.error ?? text)}`,
      )
    if (json === undefined) throw agentError("AGENT_MALFORMED", `the answer to ${method} is not JSON`)
    const parsed = answer.safeParse(json)
    if (!parsed.success) throw agentError("AGENT_MALFORMED", `the answer to ${method} has another shape`)
    return parsed.data
  }

  return {
    async getQuote(reportData) {
      if (reportData.length !== 64) throw new RangeError(`report data has 64 bytes, got ${reportData.length}`)
      const report_data = Buffer.from(reportData).toString("hex")
      const answer = await call("GetQuote", { report_data }, quoteAnswer)
      return { quote: answer.quote, eventLog: answer.event_log }
    },
    async getKey({ path, purpose, algorithm }) {
      const answer = await call("GetKey", { path, purpose, algorithm }, keyAnswer)
      return { key: new Secret(answer.key), signatureChain: answer.signature_chain }
    },
    async info() {
      const answer = await call("Info", {}, infoAnswer)
      return {
        appId: answer.app_id,
        instanceId: answer.instance_id,
        composeHash: answer.compose_hash,
        appName: answer.app_name,
        keyProvider: answer.key_provider_info,
      }
    },
    async version() {
      const answer = await call("Version", {}, versionAnswer)
      return { version: answer.version, revision: answer.rev }
    },
  }
}

/** Some errors come as plain text: their beginning, without what could disturb a log. */
const reasonOf = (text: string): string =>
  text
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim()
    .slice(0, 200) || "no reason"

/** Undefined where the text is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
