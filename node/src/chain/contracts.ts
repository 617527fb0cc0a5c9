/** Addresses of the deployment, from the measured configuration, and interfaces to read them with. */
import {
  ciphertextCommitmentsAbi,
  coprocessorAbi,
  decryptionGatewayAbi,
  decryptionVerifierAbi,
  keyRegistryAbi,
  nodeRegistryAbi,
} from "@twinlock/sdk/chain/abi"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { Interface } from "ethers"

export type ContractAddresses = {
  readonly nodeRegistry: Address
  readonly keyRegistry: Address
  readonly decryptionVerifier: Address
  readonly decryptionGateway: Address
  readonly coprocessor: Address
  readonly ciphertextCommitments: Address
}

/** Getters of the immutable parts behind the registry, from it down to the pinned root. */
export const attestationPartsInterface: Interface = new Interface([
  "function quoteVerifier() view returns (address)",
  "function collateral() view returns (address)",
  "function rootKeyHash() view returns (bytes32)",
])
export const nodeRegistryInterface: Interface = new Interface(nodeRegistryAbi)
export const keyRegistryInterface: Interface = new Interface(keyRegistryAbi)
export const decryptionVerifierInterface: Interface = new Interface(decryptionVerifierAbi)
export const decryptionGatewayInterface: Interface = new Interface(decryptionGatewayAbi)
export const coprocessorInterface: Interface = new Interface(coprocessorAbi)
export const ciphertextCommitmentsInterface: Interface = new Interface(ciphertextCommitmentsAbi)
