/** A voter reads the own weight back through sealed shares; nobody else can. */
import { parseAddress, signPermit, userDecrypt } from "@twinlock/sdk"
import { outcomeOf } from "./outcome.ts"
import type { Setting } from "./setting.ts"
import type { Vote } from "./vote.ts"

export async function readBack(
  { network, client, report }: Setting,
  { address, ballots }: Vote,
): Promise<void> {
  const [ballot] = ballots
  const handle = ballot?.encrypted.handles[1]
  if (ballot === undefined || handle === undefined) throw new Error("there is no ballot")
  const contract = parseAddress(address)
  const handles = [{ handle, contract }]
  const read = await report.step("user.decrypt", "voter 1 reads the own weight back", async () => {
    const permit = await signPermit(client, {
      signer: network.accounts.voter(ballot.voter).signer,
      contracts: [contract],
    })
    return userDecrypt(client, { permit, handles })
  })
  const [value] = read.values
  report.check(
    "user.own",
    value?.value === BigInt(ballot.weight),
    `voter 1 put in ${ballot.weight} and reads ${value?.value}`,
  )
  const other = await outcomeOf(async () => {
    const permit = await signPermit(client, {
      signer: network.accounts.voter(1).signer,
      contracts: [contract],
    })
    return userDecrypt(client, { permit, handles })
  })
  report.check(
    "user.other",
    other.refused && other.text.includes("NODES_REFUSED"),
    `voter 2 asks for the same handle: ${other.text}`,
  )
}
