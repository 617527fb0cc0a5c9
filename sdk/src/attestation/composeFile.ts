/**
 * Rules on app-compose.json, the file whose hash the quote binds: it decides what runs in the guest, who provides the
 * keys and what the host may still choose (docs/attestation.md §6). The file is opaque to the hash, so
 * reading it is only worth anything together with its exact bytes. Unknown members are refused: a later guest may
 * give them a meaning that opens the machine. Public data.
 *
 * The Docker Compose document inside is YAML, whose readers differ (anchors, merges, types, several documents). Our
 * own files write it as JSON, which every YAML reader understands alike, and only that is read here. Whoever must
 * judge a third party's YAML passes a parser, which has to refuse duplicate keys, aliases, tags and further documents.
 */
import type { Digest, Hex } from "../protocol/ids.ts"
import { composeHashOf } from "./composeHash.ts"
import { checkDockerCompose, type PinnedImage } from "./dockerCompose.ts"
import { attestationError } from "./errors.ts"
import { parseStrictJson } from "./strictJson.ts"

export type KeyProviderKind = "none" | "kms" | "local" | "tpm"

export type ComposePolicy = {
  /** Names of environment variables that the host may set. */
  readonly allowedEnvs: readonly string[]
  readonly keyProvider: {
    readonly kind: Exclude<KeyProviderKind, "none">
    /** The provider's public key or measurement. Without one the host may offer a provider of its own. */
    readonly id: Hex
  }
  readonly gateway: boolean
  readonly publicLogs: boolean
  readonly publicSysinfo: boolean
  readonly publicTcbinfo: boolean
  /** Whether the clock comes from authenticated time servers. */
  readonly secureTime: boolean
  /** Whether each instance has an id, and with it a disk key, of its own. */
  readonly instanceId: boolean
  /** Absolute paths of the guest that services may mount. */
  readonly hostPaths: readonly string[]
}

export type ComposeFacts = {
  readonly composeHash: Digest
  readonly name: string
  readonly images: readonly PinnedImage[]
}

const FILE_LIMIT = 256 * 1024

/** Members with their meaning in dstack's `AppCompose`; those without security implication need only a type. */
const MEMBERS: readonly string[] = [
  "allowed_envs",
  "docker_compose_file",
  "event_log_version",
  "features",
  "gateway_enabled",
  "key_provider",
  "key_provider_id",
  "kms_enabled",
  "local_key_provider_enabled",
  "manifest_version",
  "name",
  "no_instance_id",
  "public_logs",
  "public_sysinfo",
  "public_tcbinfo",
  "runner",
  "secure_time",
  "storage_fs",
  "swap_size",
  "tproxy_enabled",
]
/** Run by the guest before or instead of the containers. */
const SCRIPTS: readonly string[] = ["pre_launch_script", "init_script", "bash_script"]

type Members = Readonly<Record<string, unknown>>

const malformed = (message: string) => attestationError("COMPOSE_MALFORMED", message)

function flagOf(file: Members, name: string, absent: boolean): boolean {
  const value = file[name] ?? absent
  if (typeof value !== "boolean") throw malformed(`${name} must be true or false`)
  return value
}

function textOf(file: Members, name: string, absent?: string): string {
  const value = file[name] ?? absent
  if (typeof value !== "string") throw malformed(`${name} must be a string`)
  return value
}

function textsOf(file: Members, name: string): readonly string[] {
  const value = file[name] ?? []
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
    throw malformed(`${name} must be a list of strings`)
  return value
}

function membersOf(text: string): Members {
  const value = parseStrictJson(text, "COMPOSE_MALFORMED")
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformed("a compose file must be an object")
  for (const name of Object.keys(value)) {
    if (SCRIPTS.includes(name))
      throw attestationError("COMPOSE_SCRIPT", `${name} runs code that no image digest names`)
    if (!MEMBERS.includes(name))
      throw attestationError("COMPOSE_FIELD", `member ${JSON.stringify(name.slice(0, 80))} is not known`)
  }
  return value as Members
}

function checkForm(file: Members): void {
  const version = file["manifest_version"]
  if (version !== 2 && version !== "2" && version !== "3")
    throw malformed(`manifest_version must be 2 or "3", got ${JSON.stringify(version)}`)
  const runner = textOf(file, "runner")
  if (runner !== "docker-compose")
    throw attestationError("COMPOSE_RUNNER", `runner must be docker-compose, got ${JSON.stringify(runner)}`)
  const digests = file["event_log_version"] ?? 1
  if (digests !== 1 && digests !== 2) throw malformed("event_log_version must be 1 or 2")
  if (textsOf(file, "features").length > 0)
    throw attestationError("COMPOSE_FIELD", "features are another way to set flags and must be empty")
  if (!["ext4", "zfs"].includes(textOf(file, "storage_fs", "ext4")))
    throw malformed("storage_fs must be ext4 or zfs")
  if ((file["swap_size"] ?? 0) !== 0)
    throw attestationError("COMPOSE_FLAG", "swap_size must be 0: memory must not reach the disk")
}

/** As the guest chooses: the explicit kind, else the older flags. */
function keyProviderOf(file: Members): KeyProviderKind {
  const [kms, local] = [flagOf(file, "kms_enabled", false), flagOf(file, "local_key_provider_enabled", false)]
  const implied = kms ? "kms" : local ? "local" : "none"
  const kind = textOf(file, "key_provider", implied)
  if (kind !== "none" && kind !== "kms" && kind !== "local" && kind !== "tpm")
    throw malformed(`key_provider ${JSON.stringify(kind)} is not known`)
  if ((kms && local) || (kms && kind !== "kms") || (local && kind !== "local"))
    throw attestationError("COMPOSE_KEY_PROVIDER", `key_provider ${kind} contradicts the flags of the file`)
  return kind
}

function checkKeyProvider(file: Members, { keyProvider }: ComposePolicy): void {
  const kind = keyProviderOf(file)
  const id = textOf(file, "key_provider_id", "").toLowerCase()
  if (kind !== keyProvider.kind || id === "" || `0x${id}` !== keyProvider.id)
    throw attestationError(
      "COMPOSE_KEY_PROVIDER",
      `want key provider ${keyProvider.kind} ${keyProvider.id}, got ${kind} with ${id === "" ? "no id" : `0x${id}`}`,
    )
}

function checkFlags(file: Members, policy: ComposePolicy): void {
  const found = {
    gateway: flagOf(file, "gateway_enabled", false) || flagOf(file, "tproxy_enabled", false),
    publicLogs: flagOf(file, "public_logs", false),
    publicSysinfo: flagOf(file, "public_sysinfo", false),
    publicTcbinfo: flagOf(file, "public_tcbinfo", true),
    secureTime: flagOf(file, "secure_time", true),
    instanceId: !flagOf(file, "no_instance_id", false),
  } as const
  for (const name of Object.keys(found) as (keyof typeof found)[])
    if (found[name] !== policy[name])
      throw attestationError(
        "COMPOSE_FLAG",
        `policy wants ${name} ${policy[name]}, the file has ${found[name]}`,
      )
}

/** The host sets the values of these, so an image or option that is taken from one would be the host's choice. */
function checkEnvironment(file: Members, policy: ComposePolicy): readonly string[] {
  const names = textsOf(file, "allowed_envs")
  const unknown = names.filter((name) => !policy.allowedEnvs.includes(name))
  if (unknown.length > 0)
    throw attestationError("COMPOSE_ENVIRONMENT", `the host may not set ${unknown.join(", ").slice(0, 300)}`)
  return names
}

/** @param boundHash SHA-256 that the quote binds. @throws COMPOSE_HASH */
export function checkComposeHash(bytes: Uint8Array, boundHash: Digest): void {
  const found = composeHashOf(bytes)
  if (found !== boundHash)
    throw attestationError("COMPOSE_HASH", `the file hashes to ${found}, the quote binds ${boundHash}`)
}

/**
 * Judges the bytes of app-compose.json.
 * @param boundHash from `appraiseMachine` or the allow-list entry: SHA-256 that the quote binds.
 * @param parseDocument reads `docker_compose_file`; by default only JSON is accepted.
 * @throws COMPOSE_*
 */
export function appraiseComposeFile(
  bytes: Uint8Array,
  boundHash: Digest,
  policy: ComposePolicy,
  parseDocument: (text: string) => unknown = (text) => parseStrictJson(text, "COMPOSE_MALFORMED"),
): ComposeFacts {
  checkComposeHash(bytes, boundHash)
  if (bytes.length > FILE_LIMIT)
    throw malformed(`a compose file has at most ${FILE_LIMIT} bytes, got ${bytes.length}`)
  const file = membersOf(decode(bytes))
  checkForm(file)
  checkKeyProvider(file, policy)
  checkFlags(file, policy)
  const allowedEnvs = checkEnvironment(file, policy)
  const document = parsed(textOf(file, "docker_compose_file"), parseDocument)
  const images = checkDockerCompose(document, policy.hostPaths, allowedEnvs)
  return { composeHash: boundHash, name: textOf(file, "name"), images }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw attestationError("COMPOSE_MALFORMED", "a compose file must be UTF-8", { cause })
  }
}

/** Parsers of third parties throw what they like. */
function parsed(text: string, parseDocument: (text: string) => unknown): unknown {
  try {
    return parseDocument(text)
  } catch (cause) {
    throw attestationError("COMPOSE_MALFORMED", "docker_compose_file cannot be read", { cause })
  }
}
