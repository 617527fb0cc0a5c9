/**
 * Parameter sets (protocol §1, upgrades.md). A set is the TFHE parameters of a key together with the form of everything
 * that is made under them: masks, key files, ciphertexts, words. What changes any of these bytes is another set, with
 * another hash, so that keys of both may live side by side and nobody reads one as the other.
 */
import { keccak, utf8ToBytes } from "./codec.ts"
import type { Digest } from "./ids.ts"

export type ParameterSet = {
  /** tfhe's own name of the parameters; from the second version of our bytes under them on with "/2", "/3", … */
  readonly name: string
  readonly version: number
  /** The tfhe crate whose bytes they are; a newer one serves the set only where the gates of upgrades.md hold. */
  readonly tfhe: string
  /** Names the set in proposals, on chain, in transcripts and in session ids. */
  readonly hash: Digest
}

/** @param name with the version at its end, where it is not the first */
export function parameterSet(name: string, tfhe: string): ParameterSet {
  const version = Number(/\/(\d+)$/.exec(name)?.[1] ?? 1)
  return { name, version, tfhe, hash: keccak(utf8ToBytes(name)) }
}

/** What new keys are proposed with. */
export const CURRENT_PARAMETERS: ParameterSet = parameterSet(
  "V1_7_META_PARAM_CPU_2_2_KS_PBS_PKE_TO_SMALL_ZKV2_TUNIFORM_2M128",
  "1.7.1",
)

/** Every set whose keys are served. Sets of tests are not in it. */
export const PARAMETER_SETS: readonly ParameterSet[] = [CURRENT_PARAMETERS]

/** Null where no key of that set is served. */
export const parametersOf = (hash: Digest): ParameterSet | null =>
  PARAMETER_SETS.find((set) => set.hash === hash) ?? null

export const describeParameters = ({ name, version, tfhe }: ParameterSet): string =>
  `${name}, version ${version}, of tfhe ${tfhe}`
