/** Mutants signed again with the platform's keys: they get past every signature, to the checks behind them. */
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { mutateBytes, mutateField, mutateInteger } from "../byteMutation.ts"
import { jsonTreeOf, mutateDocument } from "../jsonTree.ts"
import { assemble, type Lies, type QuoteParts, resign } from "../quoteParts.ts"
import type { Rng } from "../rng.ts"
import { collateral, options, SCENARIOS, signerKey, TIME } from "../world.ts"
import { judged, type Subject, withCollateral } from "./subject.ts"

type Field = readonly [offset: number, length: number]

const HEADER: readonly Field[] = [
  [0, 2],
  [2, 2],
  [4, 4],
  [8, 2],
  [10, 2],
  [12, 16],
  [28, 20],
]
const BODY: readonly Field[] = [
  ...[
    [0, 1],
    [1, 1],
    [2, 14],
    [16, 48],
    [64, 48],
    [112, 8],
    [120, 8],
    [120, 1],
    [123, 1],
    [128, 8],
  ],
  ...[
    [136, 48],
    [184, 48],
    [232, 48],
    [280, 48],
    [328, 48],
    [376, 48],
    [424, 48],
    [472, 48],
    [520, 64],
  ],
] as unknown as readonly Field[]
const BODY_15: readonly Field[] = [...BODY, [584, 16], [600, 48]]
const ENCLAVE: readonly Field[] = [
  [0, 16],
  [16, 4],
  [20, 28],
  [48, 16],
  [64, 32],
  [96, 32],
  [128, 32],
  [160, 96],
  [256, 2],
  [258, 2],
  [260, 60],
]

function withFields(rng: Rng, bytes: Uint8Array, fields: readonly Field[]): Uint8Array {
  const [offset, length] = rng.pick(fields)
  return mutateField(rng, bytes, offset, length)
}

function mutatedFields(rng: Rng, parts: QuoteParts): QuoteParts {
  switch (rng.below(5)) {
    case 0:
      return { ...parts, header: withFields(rng, parts.header, HEADER) }
    case 1:
    case 2:
      return { ...parts, body: withFields(rng, parts.body, parts.body.length === 648 ? BODY_15 : BODY) }
    case 3:
      return { ...parts, qeReport: withFields(rng, parts.qeReport, ENCLAVE) }
    default:
      return { ...parts, qeAuth: mutateBytes(rng, parts.qeAuth) }
  }
}

export const signedFields: Subject = {
  name: "fields of the quote, signed again",
  weight: 14,
  run: (rng, target) => {
    const { parts, keys } = rng.pick(SCENARIOS)
    let mutant = mutatedFields(rng, parts)
    if (rng.oneIn(5)) mutant = mutatedFields(rng, mutant)
    return judged(target, assemble(resign(mutant, keys, true)), { ...options, collateral }, true)
  },
}

function lie(rng: Rng, length: 2 | 4, truth: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = Math.floor(truth / 256 ** i)
  return mutateInteger(rng, bytes, 0, length)
}

function liesFor(rng: Rng, parts: QuoteParts): Lies {
  const inner = 456 + parts.qeAuth.length + parts.chain.length
  return rng.pick<() => Lies>([
    () => ({ authLength: lie(rng, 4, 134 + inner) }),
    () => ({ outerType: lie(rng, 2, 6) }),
    () => ({ outerLength: lie(rng, 4, inner) }),
    () => ({ qeAuthLength: lie(rng, 2, parts.qeAuth.length) }),
    () => ({ innerType: lie(rng, 2, 5) }),
    () => ({ innerLength: lie(rng, 4, parts.chain.length) }),
  ])()
}

export const signedLayout: Subject = {
  name: "layout of the quote, signed again",
  weight: 6,
  run: (rng, target) => {
    const { parts, keys } = rng.pick(SCENARIOS)
    const other = rng.pick(SCENARIOS).parts
    const mutant = rng.pick<() => QuoteParts>([
      () => ({ ...parts, announcement: mutateBytes(rng, parts.announcement) }),
      () => ({ ...parts, body: mutateBytes(rng, parts.body) }),
      () => ({ ...parts, body: other.body, announcement: other.announcement }),
      () => ({ ...parts, header: other.header, announcement: other.announcement }),
      () => ({ ...parts, padding: mutateBytes(rng, new Uint8Array(8)) }),
      () => parts,
    ])()
    const lies = mutant === parts ? liesFor(rng, parts) : {}
    const quote = assemble(resign(mutant, keys, true), lies)
    return judged(target, quote, { ...options, collateral }, false)
  },
}

const signatureOf = (text: string): string => Buffer.from(signerKey.sign(utf8ToBytes(text))).toString("hex")

export const signTcbInfo = (text: string): Partial<CollateralBundle> => ({
  tcb_info: text,
  tcb_info_signature: signatureOf(text),
})
export const signQeIdentity = (text: string): Partial<CollateralBundle> => ({
  qe_identity: text,
  qe_identity_signature: signatureOf(text),
})

const tcbTree = jsonTreeOf(JSON.parse(collateral.tcb_info))
const qeTree = jsonTreeOf(JSON.parse(collateral.qe_identity))

export const signedTcbInfo: Subject = {
  name: "TCB info, signed again",
  weight: 8,
  run: (rng, target) => {
    const bundle = withCollateral(signTcbInfo(mutateDocument(rng, tcbTree)))
    return judged(target, rng.pick(SCENARIOS).quote, { ...options, collateral: bundle }, false)
  },
}

export const signedQeIdentity: Subject = {
  name: "QE identity, signed again",
  weight: 6,
  run: (rng, target) => {
    const bundle = withCollateral(signQeIdentity(mutateDocument(rng, qeTree)))
    return judged(target, rng.pick(SCENARIOS).quote, { ...options, collateral: bundle }, false)
  },
}

const YEAR = 365 * 86_400

const NO_TERMS = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1]

/** Moments around every date of the genuine collateral, far from them, and what is no moment at all. */
export const clock: Subject = {
  name: "time and floors",
  weight: 3,
  run: (rng, target) => {
    const near =
      rng.pick([-86_400, 29 * 86_400, 364 * 86_400, -YEAR, -2 * YEAR, 24 * YEAR, 0]) + rng.below(5) - 2
    const terms = { time: TIME + near, tcb: 18 + rng.below(4), qe: 18 + rng.below(4) }
    if (rng.oneIn(10)) terms[rng.pick(["time", "tcb", "qe"] as const)] = rng.pick(NO_TERMS)
    const { time, ...floors } = terms
    return judged(target, rng.pick(SCENARIOS).quote, { collateral, floors, time }, true)
  },
}
