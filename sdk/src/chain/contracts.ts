/** Calling the contracts through their generated ABIs; what comes back is untyped and is parsed by its reader. */
import { Interface, type InterfaceAbi, type Result } from "ethers"
import { type Address, type Hex, parseAddress } from "../protocol/ids.ts"
import {
  ciphertextCommitmentsAbi,
  coprocessorAbi,
  decryptionGatewayAbi,
  decryptionVerifierAbi,
  keyRegistryAbi,
  nodeRegistryAbi,
} from "./abi.ts"
import type { ContractName, Deployment } from "./deployments.ts"
import type { ChainBlock, Endpoints } from "./endpoints.ts"

export type Chain = { readonly deployment: Deployment; readonly endpoints: Endpoints }

const interfaceOf = (abi: readonly unknown[]): Interface => new Interface(abi as InterfaceAbi)
export const INTERFACES: Readonly<Record<ContractName, Interface>> = /* @__PURE__ */ (() => ({
  nodeRegistry: interfaceOf(nodeRegistryAbi),
  keyRegistry: interfaceOf(keyRegistryAbi),
  decryptionVerifier: interfaceOf(decryptionVerifierAbi),
  decryptionGateway: interfaceOf(decryptionGatewayAbi),
  ciphertextCommitments: interfaceOf(ciphertextCommitmentsAbi),
  coprocessor: interfaceOf(coprocessorAbi),
}))()

/** Calls a view function; the result has one entry per return value. @throws EndpointErrorCode */
export async function view(
  chain: Chain,
  at: ChainBlock,
  contract: ContractName,
  name: string,
  ...args: readonly unknown[]
): Promise<Result> {
  const codec = INTERFACES[contract]
  const data = codec.encodeFunctionData(name, [...args]) as Hex
  const answer = await chain.endpoints.call(chain.deployment[contract], data, at)
  return codec.decodeFunctionResult(name, answer)
}

export const integer = (value: unknown): number => Number(value)
export const wide = (value: unknown): bigint => BigInt(value as bigint)
export const addresses = (value: unknown): readonly Address[] =>
  [...(value as Result)].map((item) => parseAddress(item))
