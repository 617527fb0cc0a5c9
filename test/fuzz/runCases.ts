/** Runs cases by number: seed and number name a case completely, on every machine and in every order. */
import { createRng } from "./rng.ts"
import { countSteps } from "./steps.ts"
import { collateralChains, pckChain, revocationLists } from "./subjects/certificates.ts"
import { composeFile } from "./subjects/composeFile.ts"
import { diagnosedLog, diagnosis } from "./subjects/diagnosis.ts"
import { eventLog } from "./subjects/eventLog.ts"
import { levels } from "./subjects/levels.ts"
import { machine } from "./subjects/machine.ts"
import { largeInputs, largeLists, largeTexts } from "./subjects/oversized.ts"
import {
  bundleShape,
  certificateParser,
  crlParser,
  pemParser,
  qeIdentityParser,
  tcbInfoParser,
} from "./subjects/parsers.ts"
import { realQuotes } from "./subjects/realQuotes.ts"
import { signatures } from "./subjects/signatures.ts"
import { clock, signedFields, signedLayout, signedQeIdentity, signedTcbInfo } from "./subjects/signed.ts"
import type { Subject } from "./subjects/subject.ts"
import { evidence, unsignedCollateral, unsignedQuote } from "./subjects/unsigned.ts"
import type { Target } from "./target.ts"
import { Violation } from "./violation.ts"

export const SUBJECTS: readonly Subject[] = [
  ...[unsignedQuote, unsignedCollateral, evidence, realQuotes],
  ...[signedFields, signedLayout, signedTcbInfo, signedQeIdentity, levels, clock],
  ...[pckChain, collateralChains, revocationLists],
  ...[certificateParser, crlParser, tcbInfoParser, qeIdentityParser, pemParser, bundleShape, eventLog],
  ...[machine, composeFile, diagnosis, diagnosedLog],
  ...[largeLists, largeTexts, largeInputs, signatures],
]

export type Finding = {
  readonly seed: string
  readonly caseNumber: number
  readonly subject: string
  readonly message: string
}

/** How often each subject ended how: "accepted", or the code of the refusal. */
export type Tally = Record<string, Record<string, number>>

export type Run = { readonly cases: number; readonly tally: Tally; readonly findings: readonly Finding[] }

let prepared = false

/** Counted steps, for the whole process. */
function prepare(): void {
  if (prepared) return
  prepared = true
  countSteps()
}

const TOTAL = SUBJECTS.reduce((sum, subject) => sum + subject.weight, 0)

function subjectAt(share: number): Subject {
  let rest = share * TOTAL
  const found = SUBJECTS.find((subject) => {
    rest -= subject.weight
    return rest < 0
  })
  return found ?? signatures
}

/** One case. @returns the subject with its outcome or its finding */
export function runCase(
  seed: string,
  caseNumber: number,
  target: Target,
): { readonly subject: string; readonly outcome: string } | Finding {
  prepare()
  const rng = createRng(seed, caseNumber)
  const { name, run } = subjectAt(rng.below(2 ** 31) / 2 ** 31)
  try {
    const outcome = run(rng, target)
    return { subject: name, outcome: outcome.status === "accepted" ? "accepted" : outcome.code }
  } catch (error) {
    const message = error instanceof Violation ? error.message : `the fuzzer itself: ${String(error)}`
    return { seed, caseNumber, subject: name, message }
  }
}

const FINDINGS_KEPT = 50

function count(tally: Tally, subject: string, outcome: string): void {
  const outcomes = tally[subject] ?? {}
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  tally[subject] = outcomes
}

export type RunOptions = {
  readonly seed: string
  readonly first: number
  readonly cases: number
  readonly target: Target
  /** Called before each case. */
  readonly onCase?: (caseNumber: number) => void
  /** Ends at the first finding. */
  readonly untilFirst?: boolean
}

export function runCases({ seed, first, cases, target, onCase, untilFirst = false }: RunOptions): Run {
  const tally: Tally = {}
  const findings: Finding[] = []
  let done = 0
  for (; done < cases; done++) {
    onCase?.(first + done)
    const result = runCase(seed, first + done, target)
    count(tally, result.subject, "message" in result ? "finding" : result.outcome)
    if ("message" in result && findings.length < FINDINGS_KEPT) findings.push(result)
    if (untilFirst && findings.length > 0) break
  }
  return { cases: done, tally, findings }
}
