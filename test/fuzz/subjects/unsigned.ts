/** Mutants that are not signed again: accepted only where they differ from the genuine input in a free place. */
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { evidenceOf } from "@twinlock/sdk/attestation/evidence"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { mutateBytes, mutateInteger } from "../byteMutation.ts"
import { encodeDer, mutateDer, parseDer } from "../derTree.ts"
import { nameOfCollateral, nameOfEvidence, nameOfQuote } from "../freePlaces.ts"
import { negated } from "../quickKey.ts"
import { assemble, type QuoteParts } from "../quoteParts.ts"
import type { Rng } from "../rng.ts"
import { attempt, Violation } from "../violation.ts"
import { collateral, options, SCENARIOS } from "../world.ts"
import { judged, type Subject, withCollateral } from "./subject.ts"

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1")

/** A quote with its bytes, a length, a free place or its chain changed. */
export function mutatedQuote(rng: Rng, parts: QuoteParts, quote: Uint8Array): Uint8Array {
  switch (rng.below(6)) {
    case 0:
      return mutateInteger(rng, quote, rng.below(quote.length - 4), rng.oneIn(2) ? 2 : 4)
    case 1:
      return assemble({ ...parts, signature: negated(parts.signature) })
    case 2:
      return assemble({ ...parts, padding: mutateBytes(rng, new Uint8Array(rng.below(64))) })
    case 3:
      return assemble({ ...parts, chain: mutateBytes(rng, parts.chain) })
    default:
      return mutateBytes(rng, quote)
  }
}

/** A CRL with its tree changed and its signature kept. */
function brokenDer(rng: Rng, der: Uint8Array): Uint8Array {
  const [root] = parseDer(der) ?? []
  return root === undefined ? der : encodeDer(mutateDer(rng, root))
}

/** A member with its bytes, its DER or its spelling changed, or another member's text. */
export function mutatedMember(rng: Rng, bundle: CollateralBundle, name: keyof CollateralBundle): string {
  const text = bundle[name]
  const isHex = /^[0-9a-f]+$/.test(text)
  if (isHex && rng.oneIn(3)) return Buffer.from(mutateBytes(rng, Buffer.from(text, "hex"))).toString("hex")
  if (isHex && text.length > 128 && rng.oneIn(2))
    return Buffer.from(brokenDer(rng, Buffer.from(text, "hex"))).toString("hex")
  switch (rng.below(8)) {
    case 0:
      return text.toUpperCase()
    case 1:
      return text.replaceAll("\n", "\r\n")
    case 2:
      return bundle[rng.pick(Object.keys(bundle) as (keyof CollateralBundle)[])]
    default:
      return latin1(mutateBytes(rng, Buffer.from(text, "latin1")))
  }
}

export const unsignedQuote: Subject = {
  name: "quote, not signed again",
  weight: 12,
  run: (rng, target) => {
    const { parts, quote } = rng.pick(SCENARIOS)
    const mutant = mutatedQuote(rng, parts, quote)
    const outcome = judged(target, mutant, { ...options, collateral }, false)
    if (outcome.status === "accepted" && nameOfQuote(mutant) !== nameOfQuote(quote))
      throw new Violation("a changed quote was accepted under its old signatures")
    return outcome
  },
}

export const unsignedCollateral: Subject = {
  name: "collateral, not signed again",
  weight: 8,
  run: (rng, target) => {
    const name = rng.pick(Object.keys(collateral) as (keyof CollateralBundle)[])
    const bundle = withCollateral({ [name]: mutatedMember(rng, collateral, name) })
    const outcome = judged(target, rng.pick(SCENARIOS).quote, { ...options, collateral: bundle }, false)
    if (outcome.status === "accepted" && nameOfCollateral(bundle) !== nameOfCollateral(collateral))
      throw new Violation(`a changed ${name} was accepted under its old signature`)
    return outcome
  },
}

const evidences = SCENARIOS.map(({ quote }) => evidenceOf(quote))

export const evidence: Subject = {
  name: "evidence, not signed again",
  weight: 8,
  run: (rng, target) => {
    const genuine = rng.pick(evidences)
    const other = rng.pick(evidences)
    const mutant = rng.pick([
      () => ({ ...genuine, quote: mutateBytes(rng, genuine.quote) }),
      () => ({ ...genuine, auth: mutateBytes(rng, genuine.auth) }),
      () => ({ ...genuine, pckLeaf: mutateBytes(rng, genuine.pckLeaf) }),
      () => ({ ...genuine, pckLeaf: brokenDer(rng, genuine.pckLeaf) }),
      () => ({
        ...genuine,
        caId: toHex(mutateBytes(rng, Buffer.from(genuine.caId.slice(2), "hex"))) as never,
      }),
      () => ({ ...genuine, quote: other.quote }),
      () => ({ ...genuine, auth: other.auth }),
      () => ({ ...genuine, pckLeaf: other.pckLeaf }),
    ])()
    const outcome = attempt(() => target.verifyEvidence(mutant, options))
    if (outcome.status === "accepted" && nameOfEvidence(mutant) !== nameOfEvidence(genuine))
      throw new Violation("changed evidence was accepted under its old signatures")
    return outcome
  },
}
