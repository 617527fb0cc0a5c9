/** The whole demonstration on a running network: a blind vote, its privacy, and both locks holding. */
import { verifyNetwork } from "@twinlock/sdk"
import { showFaults } from "./faults.ts"
import { tryBadInputs } from "./inputs.ts"
import { showLocks } from "./locks.ts"
import { readBack } from "./readBack.ts"
import { showRefusals } from "./refusals.ts"
import type { Setting } from "./setting.ts"
import { openSums } from "./sums.ts"
import { castBallots, closeVote, openVote } from "./vote.ts"

export async function runDemo(setting: Setting): Promise<void> {
  const { report, client } = setting

  report.section("The network, as a dApp checks it before it trusts it")
  const checked = await verifyNetwork(client)
  for (const { name, ok, detail } of checked.checks) report.check(`network.${name}`, ok, detail)

  report.section("A blind vote on encrypted ballots")
  const address = await openVote(setting)
  await tryBadInputs(setting, address)
  const ballots = await castBallots(setting, address)
  const vote = await closeVote(setting, address, ballots)

  report.section("Private reading")
  await readBack(setting, vote)

  report.section("What nodes refuse to open")
  const sums = await openSums(setting)
  await showRefusals(setting, vote, sums)

  report.section("Faulty nodes")
  await showFaults(setting, sums)

  report.section("Both locks")
  await showLocks(setting, vote)
}
