/** The parameter set of the addon, as the addon itself names it: what a key is proposed with is compared with this. */
import { type ParameterSet, parameterSet } from "@twinlock/sdk/protocol/parameters"
import { callNative } from "./native.ts"

export function addonParameters(): ParameterSet {
  const { name, tfhe } = callNative((addon) => addon.parameters())
  return parameterSet(name, tfhe)
}
