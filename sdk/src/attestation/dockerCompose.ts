/**
 * Rules on the Docker Compose document inside app-compose.json: what runs is named by digest, on what an allowed
 * member says, with nothing of the host but the allowed paths. Members that are not listed here are refused, since
 * each could start other code (`build`, `include`, `extends`, `provider`) or open the guest (`privileged`, `pid`).
 * Public data.
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
const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/
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
  const known = VOLUME_NAME.test(source) || hostPaths.includes(source)
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

function checkService(service: string, value: unknown, hostPaths: readonly string[]): PinnedImage {
  const members = membersOf(value, `service ${service}`, SERVICE_MEMBERS)
  const { image } = members
  const digest = typeof image === "string" ? PINNED.exec(image)?.[1] : undefined
  if (typeof image !== "string" || digest === undefined)
    throw attestationError(
      "COMPOSE_IMAGE",
      `image ${JSON.stringify(image)} of service ${service} is not pinned by its digest`,
    )
  for (const volume of listOf(members["volumes"], `volumes of service ${service}`))
    checkVolume(volume, service, hostPaths)
  if (members["logging"] !== undefined) checkLogging(service, members["logging"])
  for (const option of listOf(members["security_opt"], `security options of service ${service}`))
    if (!SECURITY_OPTIONS.some((allowed) => allowed === option))
      throw attestationError(
        "COMPOSE_FIELD",
        `security option ${JSON.stringify(option)} of service ${service} is not allowed`,
      )
  return { service, reference: image, digest: `0x${digest}` }
}

/** Volumes and networks are the runtime's own: a driver or an external one would come from elsewhere. */
function checkResources(value: unknown, what: string, allowed: readonly string[]): void {
  if (value === undefined) return
  for (const [name, resource] of Object.entries(membersOf(value, what, null)))
    if (resource !== null) membersOf(resource, `${what} ${name}`, allowed)
}

/**
 * @param document the parsed Docker Compose document.
 * @param hostPaths absolute paths of the guest that services may mount, such as the guest agent's socket.
 * @returns every image that runs.
 * @throws COMPOSE_MALFORMED, COMPOSE_FIELD, COMPOSE_IMAGE
 */
export function checkDockerCompose(document: unknown, hostPaths: readonly string[]): readonly PinnedImage[] {
  const top = membersOf(document, "the Docker Compose document", TOP_MEMBERS)
  checkResources(top["volumes"], "volumes", ["name"])
  checkResources(top["networks"], "networks", ["name", "internal"])
  const services = Object.entries(membersOf(top["services"], "services", null))
  if (services.length === 0) throw attestationError("COMPOSE_MALFORMED", "there is no service")
  return services.map(([name, service]) => checkService(name, service, hostPaths))
}
