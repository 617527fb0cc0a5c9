/**
 * Real quotes under Intel's root, each at the time at which its collateral was valid. Nobody can sign their mutants
 * again, so one is accepted only where it differs in a free place. The data belongs to others and is no part of the
 * repository: without it these cases take the simulated quotes.
 */
import { existsSync, readFileSync } from "node:fs"
import { parseCollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { INTEL_ROOT_KEY, verifyQuote } from "@twinlock/sdk/attestation/verifyQuote"
import { nameOfCollateral, nameOfQuote } from "../freePlaces.ts"
import { type JudgeOptions, judge } from "../oracle/judge.ts"
import { partsOf, type QuoteParts } from "../quoteParts.ts"
import { measured } from "../steps.ts"
import { attempt, Violation } from "../violation.ts"
import { mustAgree, type Subject, sizeOf } from "./subject.ts"
import { mutatedMember, mutatedQuote, unsignedQuote } from "./unsigned.ts"

const FOLDER = new URL("../../../../shared/attestation-samples/", import.meta.url)
const IDS = [
  "near-mpc-dstack-v4-b0c0",
  "dstack-verifier-v4-90c0",
  "dcap-qvl-v4-b0c0",
  "flashtestations-v4-b0c0",
]

type Sample = { readonly quote: Uint8Array; readonly parts: QuoteParts; readonly options: JudgeOptions }

function load(): readonly Sample[] {
  const index = new URL("index.json", FOLDER)
  if (!existsSync(index)) return []
  const entries = JSON.parse(readFileSync(index, "utf8")) as {
    readonly id: string
    readonly validAtUnix: number
  }[]
  return IDS.flatMap((id) => {
    const time = entries.find((entry) => entry.id === id)?.validAtUnix
    if (time === undefined) return []
    const read = (file: string) => readFileSync(new URL(`${id}/${file}`, FOLDER))
    const quote = new Uint8Array(read("quote.bin"))
    const collateral = parseCollateralBundle(JSON.parse(read("collateral.json").toString("utf8")))
    return [{ quote, parts: partsOf(quote), options: { collateral, time, floors: { tcb: 0, qe: 0 } } }]
  })
}

/** Empty where the folder of samples is absent. */
export const SAMPLES: readonly Sample[] = load()

export const realQuotes: Subject = {
  name: "real quotes, not signed again",
  weight: 6,
  run: (rng, target) => {
    if (SAMPLES.length === 0) return unsignedQuote.run(rng, target)
    const { quote, parts, options } = rng.pick(SAMPLES)
    const mutant = rng.oneIn(3) ? quote : mutatedQuote(rng, parts, quote)
    const member = rng.pick(Object.keys(options.collateral) as (keyof typeof options.collateral)[])
    const collateral =
      mutant === quote
        ? { ...options.collateral, [member]: mutatedMember(rng, options.collateral, member) }
        : options.collateral
    const given = { ...options, collateral }
    const outcome = measured(sizeOf(mutant, collateral), () => attempt(() => verifyQuote(mutant, given)))
    mustAgree(outcome, () => judge(mutant, given, INTEL_ROOT_KEY), false)
    const same =
      nameOfQuote(mutant) === nameOfQuote(quote) &&
      nameOfCollateral(collateral) === nameOfCollateral(options.collateral)
    if (outcome.status === "accepted" && !same)
      throw new Violation("a changed real quote or its collateral was accepted")
    return outcome
  },
}
