/**
 * The calls of the dstack guest agent (dstack 0.5) on one simulated guest: JSON in, JSON out, bytes as hex
 * without 0x. A refused call throws RpcRefusal with the HTTP status.
 */
import { createHash } from "node:crypto"
import { ed25519 } from "@noble/curves/ed25519.js"
import { secp256k1 } from "@noble/curves/secp256k1.js"
import { fromHex } from "@twinlock/sdk/protocol/codec"
import type { Cvm } from "./cvm.ts"
import type { KeyAlgorithm } from "./keyService.ts"

export type RpcArguments = Readonly<Record<string, unknown>>
export type RpcResult = Readonly<Record<string, unknown>>

export class RpcRefusal extends Error {
  override readonly name = "RpcRefusal"
  readonly status: 400 | 404

  constructor(status: 400 | 404, message: string) {
    super(message)
    this.status = status
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest())

function text(given: RpcArguments, name: string): string {
  const value = given[name] ?? ""
  if (typeof value !== "string") throw new RpcRefusal(400, `${name} must be a string`)
  return value
}

function bytes(given: RpcArguments, name: string): Uint8Array {
  const value = text(given, name).replace(/^0x/, "")
  if (!/^([0-9a-fA-F]{2})*$/.test(value)) throw new RpcRefusal(400, `${name} must be hex`)
  return fromHex(`0x${value}`)
}

function reportDataOf(given: RpcArguments): Uint8Array {
  const data = bytes(given, "report_data")
  if (data.length > 64) throw new RpcRefusal(400, "Report data is too long")
  const padded = new Uint8Array(64)
  padded.set(data)
  return padded
}

function algorithmOf(given: RpcArguments): KeyAlgorithm {
  const algorithm = text(given, "algorithm")
  if (algorithm === "" || algorithm === "secp256k1" || algorithm === "k256") return "secp256k1"
  if (algorithm === "ed25519") return "ed25519"
  throw new RpcRefusal(400, `Unsupported algorithm: ${algorithm}`)
}

const VM_CONFIG = JSON.stringify({ cpu_count: 2, memory_size: 2_147_483_648, os_image_hash: "00".repeat(32) })

function getQuote(cvm: Cvm, given: RpcArguments): RpcResult {
  const reportData = reportDataOf(given)
  return {
    quote: hex(cvm.quote(reportData)),
    event_log: JSON.stringify(cvm.events()),
    report_data: hex(reportData),
    vm_config: VM_CONFIG,
    attestation: "",
  }
}

function getKey(cvm: Cvm, given: RpcArguments): RpcResult {
  const derived = cvm.deriveKey(text(given, "path"), text(given, "purpose"), algorithmOf(given))
  return { key: hex(derived.key), signature_chain: derived.signatureChain.map(hex) }
}

/** What Sign and Verify sign: the data, or its hash, or a hash that was made outside. */
function signedBytes(given: RpcArguments): {
  readonly message: Uint8Array
  readonly algorithm: KeyAlgorithm
} {
  const data = bytes(given, "data")
  if (text(given, "algorithm") === "secp256k1_prehashed") {
    if (data.length !== 32) throw new RpcRefusal(400, "Pre-hashed signing requires a 32-byte digest")
    return { message: data, algorithm: "secp256k1" }
  }
  const algorithm = algorithmOf(given)
  return { message: algorithm === "ed25519" ? data : sha256(data), algorithm }
}

function sign(cvm: Cvm, given: RpcArguments): RpcResult {
  const { message, algorithm } = signedBytes(given)
  const { key, publicKey, signatureChain } = cvm.deriveKey("vms", "signing", algorithm)
  const signature =
    algorithm === "ed25519" ? ed25519.sign(message, key) : secp256k1.sign(message, key, { prehash: false })
  return {
    signature: hex(signature),
    signature_chain: [signature, ...signatureChain].map(hex),
    public_key: hex(publicKey),
  }
}

function verify(given: RpcArguments): RpcResult {
  const { message, algorithm } = signedBytes(given)
  const [signature, publicKey] = [bytes(given, "signature"), bytes(given, "public_key")]
  try {
    const valid =
      algorithm === "ed25519"
        ? ed25519.verify(signature, message, publicKey)
        : secp256k1.verify(signature, message, publicKey, { prehash: false, lowS: false })
    return { valid }
  } catch {
    return { valid: false }
  }
}

function info(cvm: Cvm): RpcResult {
  const { mrTd, rtMr0, rtMr1, rtMr2 } = cvm.image
  const registers = [mrTd, rtMr0, rtMr1, rtMr2].map((register) => register.slice(2))
  const composeHash = cvm.entry.composeHash.slice(2)
  const configId = Buffer.from(`01${composeHash}${"00".repeat(15)}${"00".repeat(96)}`, "hex")
  const aggregated = hex(
    sha256(Buffer.concat([Buffer.from(registers.join(""), "hex"), cvm.rtMr3(), configId])),
  )
  const deviceId = hex(sha256(fromHex(cvm.machine.ppid)))
  const tcbInfo = {
    mrtd: registers[0],
    rtmr0: registers[1],
    rtmr1: registers[2],
    rtmr2: registers[3],
    rtmr3: hex(cvm.rtMr3()),
    mr_aggregated: aggregated,
    os_image_hash: "00".repeat(32),
    compose_hash: composeHash,
    device_id: deviceId,
    event_log: cvm.events(),
    app_compose: cvm.compose,
  }
  return {
    app_id: hex(cvm.appId),
    instance_id: hex(cvm.instanceId),
    app_cert: "",
    tcb_info: JSON.stringify(tcbInfo, null, 2),
    app_name: (JSON.parse(cvm.compose) as { name?: string }).name ?? "",
    device_id: deviceId,
    mr_aggregated: aggregated,
    os_image_hash: tcbInfo.os_image_hash,
    key_provider_info: cvm.keyProvider,
    compose_hash: composeHash,
    vm_config: VM_CONFIG,
    cloud_vendor: "",
    cloud_product: "",
  }
}

/** Runs one call. @throws RpcRefusal */
export function callAgent(cvm: Cvm, method: string, given: RpcArguments): RpcResult {
  switch (method) {
    case "GetQuote":
      return getQuote(cvm, given)
    case "GetKey":
      return getKey(cvm, given)
    case "Info":
      return info(cvm)
    case "Sign":
      return sign(cvm, given)
    case "Verify":
      return verify(given)
    case "Version":
      return { version: "0.5.9", rev: "simulator" }
    case "EmitEvent":
      cvm.emitEvent(text(given, "event"), bytes(given, "payload"))
      return {}
    default:
      throw new RpcRefusal(404, `Service not found: ${method}`)
  }
}
