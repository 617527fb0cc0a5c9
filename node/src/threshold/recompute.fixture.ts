/** What another executor does: loads the key, repeats an operation and squashes it, prints the digest of both results. */
import { createHash } from "node:crypto"
import { FHE_TYPES } from "@twinlock/sdk/protocol/fheType"
import { loadServerKey } from "./serverKey.ts"

const { TWINLOCK_SERVER_KEY: path, TWINLOCK_OPERAND: operand } = process.env
if (path === undefined || operand === undefined) throw new Error("want a server key and an operand")
const server = await loadServerKey(path)
const byte = new Uint8Array(Buffer.from(operand, "base64"))
const product = await server.compute({ operator: "mul", operands: [byte, byte] })
const wide = await server.compute({ operator: "cast", operands: [product], toType: FHE_TYPES.uint32 })
const [raw, packed] = [
  await server.squash(product, FHE_TYPES.uint8),
  await server.squash(wide, FHE_TYPES.uint32),
]
process.stdout.write(createHash("sha256").update(product).update(raw).update(packed).digest("hex"))
