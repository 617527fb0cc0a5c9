/**
 * Where another verifier says something else than ours, case by case, with the reason: the content of
 * docs/attestation-differences.md. What ours says is the case's expectation, which the agreement test proves.
 */
import type { Case, Root } from "./corpus/case.ts"
import { corpus, titleOf } from "./corpus/corpus.ts"
import { GOOD } from "./corpus/scene.ts"
import { reasonFor } from "./differenceReasons.ts"
import {
  INTEL_ROOT_CERTIFICATE,
  javascriptVerifier,
  type OtherVerdict,
  type OtherVerifier,
  webVerifier,
} from "./otherVerifiers.ts"

export const OTHERS = { js: "@phala/dcap-qvl 0.3.9", web: "@phala/dcap-qvl-web 0.3.3" } as const
export type OtherName = keyof typeof OTHERS

export type Difference = {
  readonly item: Case
  readonly other: OtherName
  /** Our status or code. */
  readonly ours: string
  /** Their status, or "refused: message". */
  readonly theirs: string
  /** Whether ours accepts what theirs refuses. */
  readonly oursAccepts: boolean
  readonly theirsAccepts: boolean
}

type Pair = Readonly<Record<OtherName, OtherVerifier | null>>

/** Both verifiers under every root for which they can be made. */
async function openOthers(): Promise<Readonly<Partial<Record<Root, Pair>>>> {
  const pair = async (label: string, root: Uint8Array): Promise<Pair> => ({
    js: javascriptVerifier(root),
    web: await webVerifier(label, root),
  })
  return {
    simulator: await pair("simulator", GOOD.rootCertificate),
    intel: await pair("intel", INTEL_ROOT_CERTIFICATE),
  }
}

/** No policy takes a revoked TCB, so that status counts as a refusal. */
const oursAccepts = ({ expected }: Case) => expected.code === null && expected.status !== "Revoked"

function compare(item: Case, other: OtherName, verdict: OtherVerdict): Difference | null {
  const mine = oursAccepts(item)
  const theirs = verdict.verdict === "accepted" && verdict.status !== "Revoked"
  const sameStatus = verdict.verdict === "accepted" && verdict.status === item.expected.status
  if (mine === theirs && (!mine || sameStatus)) return null
  return {
    item,
    other,
    ours: item.expected.code ?? item.expected.status ?? "",
    theirs: verdict.verdict === "accepted" ? verdict.status : `refused: ${verdict.message}`,
    oursAccepts: mine,
    theirsAccepts: theirs,
  }
}

/** Every difference over the corpus, and how many comparisons were made. */
export async function findDifferences(): Promise<{
  readonly differences: readonly Difference[]
  readonly compared: number
}> {
  const others = await openOthers()
  const differences: Difference[] = []
  let compared = 0
  for (const item of corpus) {
    const pair = others[item.root]
    const input = item.build()
    if (!pair || input.subject.kind !== "quote") continue
    for (const other of ["js", "web"] as const) {
      const verify = pair[other]
      if (!verify) throw new Error(`no ${OTHERS[other]} under the root of ${titleOf(item)}`)
      compared++
      const found = compare(item, other, verify(input))
      if (found) differences.push(found)
    }
  }
  return { differences, compared }
}

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ")

/** One row of the document. */
const rowOf = ({ item, ours, theirs }: Difference) => `| ${cell(titleOf(item))} | ${ours} | ${cell(theirs)} |`

/** The generated part of the document: per verifier and reason, one row per case. */
export function documentOf(differences: readonly Difference[]): string {
  const sections = (Object.keys(OTHERS) as readonly OtherName[]).flatMap((other) => {
    const found = differences.filter((difference) => difference.other === other)
    const reasons = [...new Set(found.map(reasonFor))]
    return [
      `## ${OTHERS[other]}`,
      ...reasons.flatMap((reason) => [
        `### ${reason.text}`,
        [
          "| case | ours | theirs |",
          "|---|---|---|",
          ...found.filter((one) => reasonFor(one) === reason).map(rowOf),
        ].join("\n"),
      ]),
    ]
  })
  return `${sections.join("\n\n")}\n`
}
