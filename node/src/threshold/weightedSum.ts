/**
 * Sums of curve points by the addon: the costly part of a FROST signing (protocol §6). Public inputs. Accepts exactly what
 * the SDK's own `nobleSum` accepts.
 */
import type { WeightedSum } from "@twinlock/sdk/threshold/frostRound"
import { callNative } from "./native.ts"

export const weightedSum: WeightedSum = (points, scalars) =>
  callNative((addon) => addon.weightedSum(points, scalars))
