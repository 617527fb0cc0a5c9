/** Step "order": the transcript has the rounds of the protocol, all of them and no others, each with its speakers. */
import { type Committee, partyIndexes, quorum } from "@twinlock/sdk/protocol/committee"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { KeygenRounds } from "./keygenAudit.ts"
import { refuse } from "./step.ts"
import type { Transcript } from "./transcript.ts"

export type PlannedRound = {
  readonly name: string
  readonly speakers: readonly PartyIndex[]
  /** Whether the transcript holds the broadcasts beside their hashes. */
  readonly kept: boolean
}

/** Every round of a ceremony, in order. Of the row check only the points, its last round, are not kept. */
export function plannedRounds(
  committee: Committee,
  { rounds, rowRounds }: KeygenRounds,
): readonly PlannedRound[] {
  const everyone = partyIndexes(committee)
  const by = (speakers: readonly PartyIndex[], ...names: readonly string[]): readonly PlannedRound[] =>
    names.map((name) => ({ name, speakers, kept: true }))
  return [
    ...by(everyone, "standing", ...rounds, "chunk-digests"),
    ...rowRounds.map((name) => ({ name, speakers: everyone, kept: name !== rowRounds.at(-1) })),
    ...by(everyone, "public-key"),
    ...everyone.map((party) => ({ name: `crs-${party}`, speakers: [party], kept: false })),
    ...by(everyone.slice(0, 1), "self-test-input"),
    ...by(everyone, "self-test-verdicts", "self-test-shares"),
    ...by(everyone, "dkg-commit", "dkg-shares", "dkg-confirm", "activation"),
    ...by(everyone.slice(0, quorum(committee)), "group-signature"),
  ]
}

export function checkOrder({ bundle, attempt }: Transcript, keygen: KeygenRounds): string {
  const { records, signed } = bundle
  const all = plannedRounds(attempt.committee, keygen)
  const planned = signed.groupSignature === null ? all.slice(0, -1) : all
  planned.forEach(({ name, speakers, kept }, at) => {
    const record = records[at]
    if (record?.name !== name) throw refuse(`round ${at} must be ${name}, is ${record?.name ?? "missing"}`)
    const spoke = record.headers.map(({ header }) => header.party)
    if (spoke.join() !== speakers.join())
      throw refuse(`in round ${name} parties ${speakers} speak, not ${spoke}`)
    if ((record.broadcasts !== null) !== kept)
      throw refuse(`the broadcasts of round ${name} ${kept ? "are missing" : "do not belong here"}`)
  })
  if (records.length !== planned.length) throw refuse(`want ${planned.length} rounds, got ${records.length}`)
  return `the ${planned.length} rounds of the protocol, from ${planned[0]?.name} to ${planned.at(-1)?.name}`
}
