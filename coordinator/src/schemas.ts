/** The bodies of the HTTP API (docs/protocol.md, HTTP): strict shapes with hard maxima. */
import { z } from "zod"

const hex = (maxBytes: number) =>
  z
    .string()
    .max(2 + 2 * maxBytes)
    .regex(/^0x([0-9a-f]{2})*$/, "want lower-case 0x hex")
const exactHex = (bytes: number) =>
  z.string().regex(new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`), `want ${bytes} bytes of lower-case 0x hex`)
const address = exactHex(20)
const bytes32 = exactHex(32)
const decimal = z.string().regex(/^(0|[1-9][0-9]{0,77})$/, "want a decimal string")
const uint32 = z.number().int().min(0).max(0xffff_ffff)

export const MAX_HANDLES = 32
const signature = hex(65)

export const inputRequest = z.strictObject({ list: hex(65_536), contract: address, user: address })
export const inputAnswer = z.strictObject({
  handles: z.array(bytes32).min(1).max(MAX_HANDLES),
  signer: address,
  signature,
})

const permit = z.strictObject({
  user: address,
  transportKeyHash: bytes32,
  contracts: z.array(address).min(1).max(10),
  notBefore: decimal,
  notAfter: decimal,
  nonce: decimal,
  chainId: decimal,
  extra: hex(1024),
})

export const userDecryptionRequest = z.strictObject({
  permit,
  /** 65 bytes of a key holder, or whatever a contract account wants (ERC-1271). */
  signature: hex(4096),
  transportKey: hex(2048),
  handles: z
    .array(z.strictObject({ handle: bytes32, contract: address }))
    .min(1)
    .max(MAX_HANDLES),
})

export const userDecryptionAnswer = z.strictObject({
  party: z.number().int().min(1).max(15),
  signer: address,
  sealed: z.array(hex(65_536)).min(1).max(MAX_HANDLES),
  signature,
})

export const certificateSubmission = z.strictObject({
  requestId: bytes32,
  sessions: z.array(bytes32).min(1).max(MAX_HANDLES),
  plaintexts: hex(32 * MAX_HANDLES),
  certificate: z.strictObject({
    keyId: bytes32,
    epoch: uint32,
    signers: decimal,
    leaves: uint32,
    index: uint32,
    path: z.array(bytes32).max(20),
    r: address,
    s: decimal,
  }),
})

export type CertificateSubmission = z.infer<typeof certificateSubmission>
