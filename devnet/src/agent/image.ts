/** What the local network pretends to run: one measured machine image and one compose file per role. */
import { createHash } from "node:crypto"
import type { Role } from "@twinlock/sdk/attestation/role"
import { toHex } from "@twinlock/sdk/protocol/codec"
import type { Hex } from "@twinlock/sdk/protocol/ids"

export type MachineImage = {
  readonly mrTd: Hex
  readonly rtMr0: Hex
  readonly rtMr1: Hex
  readonly rtMr2: Hex
}

/** Registers that a real image's build would fix; any other name gives another image. */
export function machineImage(name: string): MachineImage {
  const register = (part: string) => toHex(createHash("sha384").update(`${name}:${part}`).digest())
  return {
    mrTd: register("firmware"),
    rtMr0: register("machine shape"),
    rtMr1: register("kernel"),
    rtMr2: register("root file system"),
  }
}

export const DEVNET_IMAGE: MachineImage = machineImage("twinlock devnet image")

/**
 * The text of app-compose.json, keys sorted, as the guest measures it byte by byte.
 * @param variant another value gives another compose hash, as a new release would.
 */
export function devnetCompose(role: Role, variant = "1"): string {
  const program = role === "keyholder" ? "twinlock-node" : "twinlock-executor"
  const digest = createHash("sha256").update(`${program}:${variant}`).digest("hex")
  const service = [
    `services:`,
    `  ${role}:`,
    `    image: ${program}@sha256:${digest}`,
    `    read_only: true`,
    ``,
  ]
  return JSON.stringify({
    allowed_envs: [],
    docker_compose_file: service.join("\n"),
    gateway_enabled: false,
    kms_enabled: true,
    local_key_provider_enabled: false,
    manifest_version: 2,
    name: program,
    no_instance_id: false,
    public_logs: false,
    public_sysinfo: false,
    runner: "docker-compose",
    secure_time: true,
  })
}
