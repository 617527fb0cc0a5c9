/** Where a network's contracts live. A dApp pins one deployment; everything else is read from those contracts. */
import type { SigningDomain } from "../protocol/eip712.ts"
import { ProtocolError } from "../protocol/errors.ts"
import type { HandleDomain } from "../protocol/handles.ts"
import { type Address, parseAddress } from "../protocol/ids.ts"

export type DeploymentErrorCode = "BAD_DEPLOYMENT"

const CONTRACTS = [
  "nodeRegistry",
  "keyRegistry",
  "decryptionVerifier",
  "decryptionGateway",
  "ciphertextCommitments",
  "coprocessor",
] as const

export type ContractName = (typeof CONTRACTS)[number]

export type Deployment = Readonly<Record<ContractName, Address>> & {
  readonly chainId: bigint
  /** First block that can hold an event of these contracts. */
  readonly startBlock: bigint
}

/** JSON form: integers as decimal strings. */
export type DeploymentJson = Readonly<Record<ContractName, string>> & {
  readonly chainId: string
  readonly startBlock: string
}

/** Reads the JSON form; further fields are ignored. @throws BAD_DEPLOYMENT, BAD_ADDRESS */
export function parseDeployment(json: unknown): Deployment {
  if (typeof json !== "object" || json === null) throw bad("a deployment is an object")
  const fields = new Map<string, unknown>(Object.entries(json))
  const text = (name: string): string => {
    const value = fields.get(name)
    if (typeof value !== "string") throw bad(`a deployment has a string ${name}`)
    return value
  }
  const integer = (name: string): bigint => {
    const value = text(name)
    if (!/^(0|[1-9][0-9]{0,19})$/.test(value)) throw bad(`${name} must be a decimal integer, got ${value}`)
    return BigInt(value)
  }
  return {
    chainId: integer("chainId"),
    startBlock: integer("startBlock"),
    nodeRegistry: parseAddress(text("nodeRegistry")),
    keyRegistry: parseAddress(text("keyRegistry")),
    decryptionVerifier: parseAddress(text("decryptionVerifier")),
    decryptionGateway: parseAddress(text("decryptionGateway")),
    ciphertextCommitments: parseAddress(text("ciphertextCommitments")),
    coprocessor: parseAddress(text("coprocessor")),
  }
}

export const deploymentToJson = (deployment: Deployment): DeploymentJson => ({
  ...deployment,
  chainId: `${deployment.chainId}`,
  startBlock: `${deployment.startBlock}`,
})

const bad = (message: string): ProtocolError => new ProtocolError({ code: "BAD_DEPLOYMENT", message })

/** Domain of all typed data of the network. */
export const signingDomainOf = (deployment: Deployment): SigningDomain => ({
  chainId: deployment.chainId,
  verifyingContract: deployment.decryptionVerifier,
})

/** Domain of the handles and commitments of the network's coprocessor. */
export const handleDomainOf = (deployment: Deployment): HandleDomain => ({
  chainId: deployment.chainId,
  coprocessor: deployment.coprocessor,
})
