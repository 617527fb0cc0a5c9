/**
 * Points by the addon: the costly part of a FROST signing (protocol §6). Nonces' multiples are computed in constant time.
 * Accepts exactly what the SDK's own `nobleCurve` accepts.
 */
import { toHex } from "@twinlock/sdk/protocol/codec"
import { parseAddress } from "@twinlock/sdk/protocol/ids"
import type { CurveKernel } from "@twinlock/sdk/threshold/curve"
import { callNative } from "./native.ts"

export const nativeCurve: CurveKernel = {
  sum: (points, scalars) => callNative((addon) => addon.weightedSum(points, scalars)),
  multiple: (scalar) =>
    scalar.length === 32 ? callNative((addon) => addon.generatorMultiple(scalar)) : null,
  addressOf(point) {
    const address = callNative((addon) => addon.addressOfPoint(point))
    return address === null ? null : parseAddress(toHex(address))
  },
}
