/** The SDK's ECDSA, with and without tables of a key's multiples, against OpenSSL on mutated signatures and keys. */
import { p256 } from "@noble/curves/nist.js"
import { createSignatureCheck, verifyP256 } from "@twinlock/sdk/attestation/p256"
import { joined, mutateBytes, mutateField } from "../byteMutation.ts"
import { verifyP256 as opensslVerify } from "../openssl.ts"
import { negated } from "../quickKey.ts"
import type { Rng } from "../rng.ts"
import { type Attempt, Violation } from "../violation.ts"
import { signerKey } from "../world.ts"
import type { Subject } from "./subject.ts"

const last = p256.Point.Fn.toBytes(p256.Point.Fn.ORDER - 1n)
const order = Uint8Array.from(last, (byte, index) => (index === 31 ? byte + 1 : byte))
const withTables = createSignatureCheck()

function mutatedSignature(rng: Rng, signature: Uint8Array): Uint8Array {
  const half = 32 * rng.below(2)
  const scalar = rng.pick([new Uint8Array(32), last, order, new Uint8Array(32).fill(0xff)])
  switch (rng.below(5)) {
    case 0:
      return negated(signature)
    case 1:
      return half === 0 ? joined(scalar, signature.subarray(32)) : joined(signature.subarray(0, 32), scalar)
    case 2:
      return mutateBytes(rng, signature)
    case 3:
      return signature
    default:
      return mutateField(rng, signature, half, 32)
  }
}

export const signatures: Subject = {
  name: "signatures against OpenSSL",
  weight: 1,
  run: (rng): Attempt<boolean> => {
    const message = rng.bytes(rng.below(100))
    const signature = mutatedSignature(rng, signerKey.sign(message))
    const foreign = rng.oneIn(3)
    const key = foreign ? mutateBytes(rng, signerKey.publicKey) : signerKey.publicKey
    const expected = opensslVerify(signature, message, key)
    const actual = [verifyP256(signature, message, key), foreign || withTables(signature, message, key)]
    if (actual[0] !== expected || (!foreign && actual[1] !== expected))
      throw new Violation(`OpenSSL says ${expected}, the SDK ${actual.join(" and ")}`)
    return expected ? { status: "accepted", value: true } : { status: "refused", code: "QUOTE_SIGNATURE" }
  },
}
