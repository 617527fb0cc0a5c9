/** What a replay found, for the terminal. Everything in it comes from the closed forms of a blame file. */

import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { BlameFile } from "../ceremony/blame/blameFile.ts"
import type { Blame, Liar, Lie } from "../ceremony/blame/replay.ts"

function describeLie(lie: Lie): string {
  switch (lie.kind) {
    case "root":
      return "the root that it revealed is not the one that its first message commits to"
    case "broadcast":
      return `its message to all in round ${lie.round} is not what an honest party sends`
    case "sealed":
      return `its sealed message to party ${lie.to} in round ${lie.round} is not what an honest party sends`
    case "contribution":
      return `its contribution to chunk ${lie.chunk}, of the ${lie.part}, is wrong`
    case "sum":
      return `its sum of chunk ${lie.chunk}, of the ${lie.part}, is wrong`
    default:
      return assertNever(lie)
  }
}

export function describeBlame({ failed }: BlameFile, blame: Blame): string {
  const { proposal } = failed
  const named = (party: number): string => `party ${party} (${proposal.parties[party - 1]})`
  const lines = ({ party, lie }: Liar, verdict: string): string =>
    `${named(party)} ${verdict}: ${describeLie(lie)}`
  const clean = blame.liars.length + blame.withheld.length + blame.disputed.length === 0
  return [
    `key ${failed.keyId}, ${proposal.n} parties of whom ${proposal.t} may lie`,
    blame.honest.length === 0
      ? "no round could be replayed to its end"
      : `replayed, and all messages right: ${blame.honest.join(", ")}`,
    ...blame.liars.map((liar) => lines(liar, "LIED")),
    ...blame.withheld.map(
      (party) => `${named(party)} WITHHELD its root: what depends on it cannot be replayed`,
    ),
    ...blame.disputed.map(
      (liar) => `${lines(liar, "IN DISPUTE")}; or a party sent it other bytes than it listed`,
    ),
    ...(blame.check === null
      ? []
      : [`the check ${blame.check} fails although all messages are right: nobody is to blame`]),
    ...(clean && blame.check === null
      ? ["NOBODY LIED in what was replayed: look at later rounds, at the executors, or at silence"]
      : []),
  ].join("\n")
}
