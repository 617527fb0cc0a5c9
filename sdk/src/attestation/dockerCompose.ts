/**
 * Rules on the Docker Compose document inside app-compose.json: what runs is named by digest, on what an allowed
 * member says, with nothing of the host but the allowed paths. Members that are not listed here are refused, since
 * each could start other code (`build`, `include`, `extends`, `provider`) or open the guest (`privileged`, `pid`).
 * Docker Compose replaces `$NAME` and `${NAME}` in every text by what the host set, so a text holds none, but for an
 * environment variable that takes the host's value of its own name, where the host may set it. Public data.
 */
import type { Hex } from "../protocol/ids.ts"
import { attestationError } from "./errors.ts"

export type PinnedImage = {
  readonly service: string
  /** As it stands there, with registry and digest. */
  readonly reference: string
  /** SHA-256 of the image's manifest. */
  readonly digest: Hex
}

const TOP_MEMBERS = ["version", "name", "services", "volumes", "networks"]
const SERVICE_MEMBERS = [
  "cap_drop",
  "command",
  "container_name",
  "cpus",
  "depends_on",
  "entrypoint",
  "environment",
  "expose",
  "healthcheck",
  "hostname",
  "image",
  "init",
  "labels",
  "logging",
  "mem_limit",
  "networks",
  "pids_limit",
  "ports",
  "read_only",
  "restart",
  "security_opt",
  "stop_grace_period",
  "stop_signal",
  "tmpfs",
  "ulimits",
  "user",
  "volumes",
  "working_dir",
]
const PINNED = /^[a-z0-9][a-z0-9._/:-]*@sha256:([0-9a-f]{64})$/
const RESOURCE_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/
/** Networks of the container runtime that are already there: to name one is to join it. */
const OLD_NETWORKS = ["host", "bridge", "none"]
const MAX_DEPTH = 32
const SECURITY_OPTIONS = ["no-new-privileges:true", "no-new-privileges=true", "no-new-privileges"]

type Members = Readonly<Record<string, unknown>>

function membersOf(value: unknown, what: string, allowed: readonly string[] | null): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw attestationError("COMPOSE_MALFORMED", `${what} must be an object`)
  const unknown = Object.keys(value).find((name) => allowed !== null && !allowed.includes(name))
  if (unknown !== undefined)
    throw attestationError("COMPOSE_FIELD", `member ${JSON.stringify(unknown)} of ${what} is not allowed`)
  return value as Members
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw attestationError("COMPOSE_MALFORMED", `${what} must be a list`)
  return value
}

/** Only the short form "SOURCE:TARGET" or "SOURCE:TARGET:MODE", with a named volume or an allowed path. */
function checkVolume(volume: unknown, service: string, hostPaths: readonly string[]): void {
  const [source = "", target = "", mode = "rw", ...rest] = typeof volume === "string" ? volume.split(":") : []
  const known = RESOURCE_NAME.test(source) || hostPaths.includes(source)
  if (!known || !target.startsWith("/") || !["ro", "rw"].includes(mode) || rest.length > 0)
    throw attestationError(
      "COMPOSE_FIELD",
      `volume ${JSON.stringify(volume)} of service ${service} is no named volume and no allowed path`,
    )
}

/** Logs stay on the machine. */
function checkLogging(service: string, value: unknown): void {
  const { driver } = membersOf(value, `logging of service ${service}`, ["driver", "options"])
  if (driver !== "json-file" && driver !== "local" && driver !== "none")
    throw attestationError(
      "COMPOSE_FIELD",
      `logging driver ${JSON.stringify(driver)} of service ${service} is not local`,
    )
}

/** A text that Docker Compose takes as it stands: `$$` is a dollar sign. */
const isLiteral = (text: string): boolean => !text.replaceAll("$$", "").includes("$")

/** @throws COMPOSE_ENVIRONMENT, COMPOSE_MALFORMED for what is no JSON */
function checkLiteral(value: unknown, what: string, depth = 0): void {
  if (typeof value === "string") {
    if (!isLiteral(value))
      throw attestationError(
        "COMPOSE_ENVIRONMENT",
        `${what} takes text from the host: ${JSON.stringify(value.slice(0, 80))}`,
      )
  } else if (typeof value === "object" && value !== null) {
    if (depth >= MAX_DEPTH) throw attestationError("COMPOSE_MALFORMED", `${what} is too deep`)
    const parent: unknown = Object.getPrototypeOf(value)
    if (!Array.isArray(value) && parent !== Object.prototype && parent !== null)
      throw attestationError("COMPOSE_MALFORMED", `${what} holds what is no JSON`)
    for (const [name, member] of Object.entries(value)) {
      checkLiteral(name, what, depth + 1)
      checkLiteral(member, what, depth + 1)
    }
  } else if (value !== null && typeof value !== "number" && typeof value !== "boolean")
    throw attestationError("COMPOSE_MALFORMED", `${what} holds what is no JSON`)
}

/** A list of "NAME=VALUE" or "NAME", or an object; a name without value takes the host's. */
function variablesOf(value: unknown, what: string): readonly (readonly [string, unknown])[] {
  if (!Array.isArray(value)) return Object.entries(membersOf(value, what, null))
  return value.map((item: unknown) => {
    if (typeof item !== "string")
      throw attestationError("COMPOSE_MALFORMED", `${what} must be a list of texts`)
    const at = item.indexOf("=")
    return at < 0 ? [item, null] : [item.slice(0, at), item.slice(at + 1)]
  })
}

/** @param allowedEnvs what the host may set. */
function checkVariables(value: unknown, what: string, allowedEnvs: readonly string[]): void {
  for (const [name, given] of variablesOf(value, what)) {
    const fromHost = given === null || given === `\${${name}}`
    if (!fromHost) checkLiteral([name, given], what)
    else if (!allowedEnvs.includes(name))
      throw attestationError(
        "COMPOSE_ENVIRONMENT",
        `the host may not set ${JSON.stringify(name.slice(0, 80))} of ${what}`,
      )
  }
}

/** By name alone, or with further names in it. */
function checkServiceNetworks(value: unknown, service: string, declared: readonly string[]): void {
  const what = `networks of service ${service}`
  checkLiteral(value, what)
  const entries: readonly (readonly [unknown, unknown])[] = Array.isArray(value)
    ? value.map((name: unknown) => [name, null] as const)
    : Object.entries(membersOf(value, what, null))
  for (const [name, members] of entries) {
    if (name !== "default" && !declared.some((known) => known === name))
      throw attestationError(
        "COMPOSE_FIELD",
        `network ${JSON.stringify(name)} of service ${service} is not declared`,
      )
    if (members !== null) membersOf(members, what, ["aliases"])
  }
}

/** What holds for every service. */
type Rules = {
  readonly hostPaths: readonly string[]
  readonly allowedEnvs: readonly string[]
  readonly networks: readonly string[]
}

function checkService(service: string, value: unknown, rules: Rules): PinnedImage {
  const members = membersOf(value, `service ${service}`, SERVICE_MEMBERS)
  const { image, environment, networks, ...literal } = members
  const digest = typeof image === "string" ? PINNED.exec(image)?.[1] : undefined
  if (typeof image !== "string" || digest === undefined)
    throw attestationError(
      "COMPOSE_IMAGE",
      `image ${typeof image === "string" ? JSON.stringify(image) : "without name"} of service ${service} is not pinned by its digest`,
    )
  checkLiteral(literal, `service ${service}`)
  if (environment !== undefined)
    checkVariables(environment, `the environment of service ${service}`, rules.allowedEnvs)
  if (networks !== undefined) checkServiceNetworks(networks, service, rules.networks)
  for (const volume of listOf(members["volumes"], `volumes of service ${service}`))
    checkVolume(volume, service, rules.hostPaths)
  if (members["logging"] !== undefined) checkLogging(service, members["logging"])
  for (const option of listOf(members["security_opt"], `security options of service ${service}`))
    if (!SECURITY_OPTIONS.some((allowed) => allowed === option))
      throw attestationError(
        "COMPOSE_FIELD",
        `security option ${JSON.stringify(option)} of service ${service} is not allowed`,
      )
  return { service, reference: image, digest: `0x${digest}` }
}

/**
 * Volumes and networks are the runtime's own: a driver, an external one or one that is already there would come from
 * elsewhere. @returns their names in the document.
 */
function checkResources(value: unknown, what: string, flags: readonly string[]): readonly string[] {
  if (value === undefined) return []
  const resources = Object.entries(membersOf(value, what, null))
  for (const [id, resource] of resources) {
    if (resource === null) continue
    const { name = id, ...rest } = membersOf(resource, `${what} ${id}`, ["name", ...flags])
    if (typeof name !== "string" || !RESOURCE_NAME.test(name) || OLD_NETWORKS.includes(name))
      throw attestationError("COMPOSE_FIELD", `name ${JSON.stringify(name)} of ${what} ${id} is not allowed`)
    if (!Object.values(rest).every((flag) => typeof flag === "boolean"))
      throw attestationError("COMPOSE_MALFORMED", `members of ${what} ${id} must be true or false`)
  }
  return resources.map(([id]) => id)
}

/**
 * @param document the parsed Docker Compose document.
 * @param hostPaths absolute paths of the guest that services may mount, such as the guest agent's socket.
 * @param allowedEnvs names of the environment variables that the host may set.
 * @returns every image that runs.
 * @throws COMPOSE_MALFORMED, COMPOSE_FIELD, COMPOSE_IMAGE, COMPOSE_ENVIRONMENT
 */
export function checkDockerCompose(
  document: unknown,
  hostPaths: readonly string[],
  allowedEnvs: readonly string[],
): readonly PinnedImage[] {
  const top = membersOf(document, "the Docker Compose document", TOP_MEMBERS)
  const { services: named, ...literal } = top
  checkLiteral(literal, "the Docker Compose document")
  checkResources(top["volumes"], "volumes", [])
  const networks = checkResources(top["networks"], "networks", ["internal"])
  const services = Object.entries(membersOf(named, "services", null))
  if (services.length === 0) throw attestationError("COMPOSE_MALFORMED", "there is no service")
  return services.map(([name, service]) => {
    checkLiteral(name, "a service's name")
    return checkService(name, service, { hostPaths, allowedEnvs, networks })
  })
}
