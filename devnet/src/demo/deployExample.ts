/** Puts an example contract on the chain, as its organiser. */
import { readArtifact } from "@twinlock/contracts/deploy"
import { ContractFactory } from "ethers"
import type { Setting } from "./setting.ts"

/** @param name of the contract of an example. @param args of its constructor. */
export async function deployExample(
  { network }: Setting,
  name: string,
  args: readonly unknown[],
): Promise<string> {
  const { abi, bytecode } = readArtifact(name)
  const contract = await new ContractFactory(abi, bytecode, network.accounts.organiser.signer).deploy(...args)
  await contract.waitForDeployment()
  return (await contract.getAddress()).toLowerCase()
}
