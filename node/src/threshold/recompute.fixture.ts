/** What another executor does: loads the key, repeats an operation and squashes it, prints the digest of both results. */
import { createHash } from "node:crypto"
import { FHE_TYPES } from "@twinlock/sdk/protocol/fheType"
import { loadServerKey } from "./serverKey.ts"

function setting(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set`)
  return value
}
const bytes = (name: string): Uint8Array => new Uint8Array(Buffer.from(setting(name), "base64"))

const server = await loadServerKey({
  path: setting("TWINLOCK_SERVER_KEY"),
  sha256: bytes("TWINLOCK_SERVER_KEY_SHA256"),
})
const byte = bytes("TWINLOCK_OPERAND")
const product = await server.compute({ operator: "mul", operands: [byte, byte] })
const wide = await server.compute({ operator: "cast", operands: [product], toType: FHE_TYPES.uint32 })
const [raw, packed] = [
  await server.squash(product, FHE_TYPES.uint8),
  await server.squash(wide, FHE_TYPES.uint32),
]
process.stdout.write(createHash("sha256").update(product).update(raw).update(packed).digest("hex"))
