/** Group signatures with an ideal functionality in their place; packages that come again are not checked again. */
import { toHex } from "../../../sdk/src/protocol/codec.ts"
import type { Address, Digest } from "../../../sdk/src/protocol/ids.ts"
import type { CurveKernel } from "../../../sdk/src/threshold/curve.ts"
import * as real from "../../../sdk/src/threshold/frost.ts"
import { ledger } from "./ledger.ts"

export * from "../../../sdk/src/threshold/frost.ts"

export const signatureName = (groupX: bigint, message: Digest, r: Address, s: bigint): string =>
  `group ${groupX} ${message} ${r} ${s}`

export function verifyGroupSignature(
  key: real.GroupKey,
  message: Digest,
  signature: real.GroupSignature,
  ...curve: [CurveKernel?]
): boolean {
  const { r, s } = signature
  return ledger.real
    ? real.verifyGroupSignature(key, message, signature, ...curve)
    : ledger.valid.has(signatureName(key.groupX, message, r, s))
}

const groupKeys = new WeakMap<real.PublicKeyPackage, real.GroupKey>()
export function groupKey(publicKey: real.PublicKeyPackage): real.GroupKey {
  const known = groupKeys.get(publicKey) ?? real.groupKey(publicKey)
  groupKeys.set(publicKey, known)
  return known
}

const packages = new Map<string, real.PublicKeyPackage>()
const KEPT = 64

export function decodePublicKeyPackage(bytes: Uint8Array): real.PublicKeyPackage {
  const name = toHex(bytes)
  const known = packages.get(name) ?? real.decodePublicKeyPackage(bytes)
  if (packages.size > KEPT) packages.clear()
  packages.set(name, known)
  return known
}
