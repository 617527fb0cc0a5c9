/**
 * Configuration of a node (protocol §2). What decides about security (chain, contracts, endpoints, collateral, key
 * provider, k) comes only from the file, which the compose file measures, and its hash stands in the quote. The
 * environment sets names, ports, log level and folder. Whatever is unknown or bad is fatal.
 */
import { readFileSync } from "node:fs"
import { hashWords, keccak, taggedHash, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Digest, type Hex, parseAddress, parseDigest } from "@twinlock/sdk/protocol/ids"
import { parse as parseYaml } from "yaml"
import { z } from "zod"
import { LOG_LEVELS } from "./telemetry/logger.ts"

export type ConfigErrorCode =
  | "CONFIG_UNREADABLE"
  | "CONFIG_INVALID"
  | "CONFIG_UNKNOWN_ENVIRONMENT"
  /** fewer independent endpoints than a majority needs, outside the local development chain. */
  | "CONFIG_TOO_FEW_ENDPOINTS"

/** anvil's chain id: the only one on which a single endpoint is enough. */
export const DEVELOPMENT_CHAIN: number = 31_337
const MIN_ENDPOINTS = 3

const hexOf = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`), `want ${bytes} bytes of lower-case 0x hex, in quotes`)
const address = hexOf(20).transform(parseAddress)
const digest = hexOf(32).transform(parseDigest)
const hex = (bytes: number) => hexOf(bytes).transform((text) => text as Hex)
const url = z.url({ protocol: /^https?$/ })
const port = z.number().int().min(0).max(65_535)
const multiaddr = z
  .string()
  .regex(/^\/(ip4|ip6|dns4|dns6)\/[^/]+\/tcp\/\d+(\/p2p\/[a-zA-Z0-9]+)?$/, "want a TCP multiaddr")

const fileSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,40}$/, "want 1 to 40 of a-z, 0-9 and -"),
  role: z.enum(["keyholder", "executor"]),
  /** Account of the human or company that registers the node. */
  operator: address,
  logLevel: z.enum(LOG_LEVELS).default("info"),
  dataDirectory: z.string().min(1),
  chain: z.strictObject({
    id: z.number().int().positive().max(Number.MAX_SAFE_INTEGER),
    genesisHash: digest,
    /** Endpoints of different providers; a majority must agree. */
    rpc: z.array(url).min(1).max(15),
    /** WebSocket of an endpoint that tells of new blocks: saves waiting; nothing that it says is believed. */
    heads: z.url({ protocol: /^wss?$/ }).optional(),
    /** Block of the contracts' deployment. */
    deployedAt: z.number().int().min(0),
  }),
  contracts: z.strictObject({
    nodeRegistry: address,
    keyRegistry: address,
    decryptionVerifier: address,
    decryptionGateway: address,
    coprocessor: address,
    ciphertextCommitments: address,
  }),
  attestation: z.strictObject({
    /** Collateral services, in order of preference. */
    collateral: z.array(url).min(1),
    /** Compressed secp256k1 key of the key provider whose keys seal the store. */
    providerKey: hex(33),
    /** Application under which the provider issues them. */
    appId: hex(20),
  }),
  /** Executors that must agree on a ciphertext: keys with another number are refused. */
  executorQuorum: z.number().int().min(2).max(15),
  listen: z.strictObject({
    p2p: z.strictObject({ host: z.union([z.ipv4(), z.ipv6()]), port }),
    /** How peers reach this node, where that differs. */
    announce: z.array(multiaddr).default([]),
    http: z.strictObject({ host: z.string().min(1).default("127.0.0.1"), port }),
  }),
  peers: z.array(z.strictObject({ signer: address, multiaddr })).default([]),
  /** Coordinators: blobs, relays, submission. */
  coordinators: z.array(url).default([]),
})

export type NodeConfig = Readonly<z.infer<typeof fileSchema>>
export type Environment = Readonly<Record<string, string | undefined>>

/** Path of the file, where the command line names none. */
const CONFIG_VARIABLE = "TWINLOCK_CONFIG"

/** What the environment may set, and where it goes. */
const VARIABLES: Readonly<Record<string, (config: RawConfig, value: string) => void>> = {
  TWINLOCK_NAME: (config, value) => {
    config["name"] = value
  },
  TWINLOCK_LOG_LEVEL: (config, value) => {
    config["logLevel"] = value
  },
  TWINLOCK_DATA_DIR: (config, value) => {
    config["dataDirectory"] = value
  },
  TWINLOCK_P2P_PORT: (config, value) => setPort(config, "p2p", value),
  TWINLOCK_HTTP_PORT: (config, value) => setPort(config, "http", value),
}

type RawConfig = Record<string, unknown>

const configError = (code: ConfigErrorCode, message: string, cause?: unknown): ProtocolError =>
  new ProtocolError({ code, message }, { cause })

const isRecord = (value: unknown): value is RawConfig =>
  typeof value === "object" && value !== null && !Array.isArray(value)

function setPort(config: RawConfig, service: "p2p" | "http", value: string): void {
  const listen = isRecord(config["listen"]) ? config["listen"] : {}
  const own = isRecord(listen[service]) ? listen[service] : {}
  config["listen"] = { ...listen, [service]: { ...own, port: /^\d+$/.test(value) ? Number(value) : value } }
}

/** YAML without its reading of 0x… as an integer: addresses are text whether quoted or not. */
function parseText(text: string): unknown {
  return parseYaml(text, {
    schema: "core",
    strict: true,
    uniqueKeys: true,
    maxAliasCount: 0,
    customTags: (tags) =>
      tags.filter((tag) => typeof tag === "string" || !("format" in tag) || tag.format !== "HEX"),
  })
}

/**
 * @param text YAML or JSON. @param environment of the process.
 * @throws CONFIG_UNREADABLE, CONFIG_INVALID (naming each bad key), CONFIG_UNKNOWN_ENVIRONMENT, CONFIG_TOO_FEW_ENDPOINTS
 */
export function parseConfig(text: string, environment: Environment): NodeConfig {
  let raw: unknown
  try {
    raw = parseText(text)
  } catch (cause) {
    throw configError("CONFIG_UNREADABLE", "the configuration is neither YAML nor JSON", cause)
  }
  if (!isRecord(raw)) throw configError("CONFIG_INVALID", "(root): want a mapping")
  const merged = { ...raw }
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith("TWINLOCK_") || variable === CONFIG_VARIABLE || value === undefined) continue
    const apply = VARIABLES[variable]
    if (apply === undefined)
      throw configError(
        "CONFIG_UNKNOWN_ENVIRONMENT",
        `${variable} is not one of ${[CONFIG_VARIABLE, ...Object.keys(VARIABLES)].join(", ")}`,
      )
    apply(merged, value)
  }
  const result = fileSchema.safeParse(merged)
  if (!result.success) {
    const problems = result.error.issues.map(
      (issue) => `${issue.path.join(".") || "(root)"}: ${issue.message}`,
    )
    throw configError("CONFIG_INVALID", problems.join("; "))
  }
  const { chain } = result.data
  const hosts = new Set(chain.rpc.map((endpoint) => new URL(endpoint).host))
  const wanted = chain.id === DEVELOPMENT_CHAIN ? 1 : MIN_ENDPOINTS
  if (hosts.size < wanted || hosts.size !== chain.rpc.length)
    throw configError(
      "CONFIG_TOO_FEW_ENDPOINTS",
      `want ${wanted} different RPC hosts or more, each once, got ${hosts.size}`,
    )
  return result.data
}

/** @param path of the file; `TWINLOCK_CONFIG` where absent. @throws as {@link parseConfig} */
export function readConfig(path: string | undefined, environment: Environment = process.env): NodeConfig {
  const file = path ?? environment[CONFIG_VARIABLE]
  if (file === undefined)
    throw configError("CONFIG_UNREADABLE", `name the configuration with --config or ${CONFIG_VARIABLE}`)
  let text: string
  try {
    text = readFileSync(file, "utf8")
  } catch (cause) {
    throw configError("CONFIG_UNREADABLE", `cannot read ${file}`, cause)
  }
  return parseConfig(text, environment)
}

const hashTexts = (texts: readonly string[]): Digest =>
  hashWords(texts.map((text) => keccak(utf8ToBytes(text))))

/** Hash over everything that decides about security, as registration quotes carry it. Order of lists counts. */
export function configHash({ role, chain, contracts, attestation, executorQuorum }: NodeConfig): Digest {
  return taggedHash(
    "twinlock/config/v1",
    keccak(utf8ToBytes(role)),
    chain.id,
    chain.genesisHash,
    chain.deployedAt,
    hashTexts(chain.rpc),
    contracts.nodeRegistry,
    contracts.keyRegistry,
    contracts.decryptionVerifier,
    contracts.decryptionGateway,
    contracts.coprocessor,
    contracts.ciphertextCommitments,
    hashTexts(attestation.collateral),
    keccak(utf8ToBytes(attestation.providerKey)),
    attestation.appId,
    executorQuorum,
  )
}
