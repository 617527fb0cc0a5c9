/**
 * `twinlock-node register` (protocol §2): a quote over this node's keys and a finalised block, as the transaction that
 * the operator sends. The operator's key is outside the enclave; a key file is for development networks.
 */
import { readFileSync } from "node:fs"
import { fromHex, toHex } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, Digest, Hex } from "@twinlock/sdk/protocol/ids"
import { addressOfSecretKey } from "@twinlock/sdk/protocol/signature"
import type { Quoter } from "../attestation/quoter.ts"
import { prepareRegistration } from "../attestation/registration.ts"
import type { ChainView } from "../chain/chainView.ts"
import { nodeRegistryInterface } from "../chain/contracts.ts"
import type { Call, Transactor } from "../chain/transactor.ts"
import { configHash, type NodeConfig } from "../config.ts"
import { type NodeIdentity, type PublicIdentity, publicIdentity } from "../identity.ts"
import { Secret } from "../secret.ts"

export type RegisterErrorCode =
  /** the key file does not hold a key of 32 bytes in 0x hex. */
  | "OPERATOR_KEY_FILE"
  /** the key is not that of the configured operator. */
  | "OPERATOR_KEY_FOREIGN"
  /** the signer is registered already; its standing is renewed by `run`. */
  | "ALREADY_REGISTERED"

export type RegisterDeps = {
  readonly chain: Pick<ChainView, "head" | "node">
  readonly quoter: Quoter
  readonly transactorFor: (key: Secret<Uint8Array>) => Transactor
}

export type Registered = PublicIdentity & {
  readonly configHash: Digest
  readonly challengeBlock: string
  /** What the operator sends from its account. */
  readonly transaction: {
    readonly from: Address
    readonly to: Address
    readonly data: Hex
    readonly value: "0"
  }
  /** Null where the operator still has to send it. */
  readonly sent: { readonly hash: Digest; readonly gasUsed: string } | null
}

const refuse = (code: RegisterErrorCode, message: string): ProtocolError =>
  new ProtocolError({ code, message })

function readOperatorKey(path: string, operator: Address): Secret<Uint8Array> {
  let key: Uint8Array
  try {
    key = fromHex(readFileSync(path, "utf8").trim())
    if (key.length !== 32) throw new RangeError("length")
  } catch {
    throw refuse("OPERATOR_KEY_FILE", `${path} must hold 32 bytes of 0x hex`)
  }
  const account = addressOfSecretKey(key)
  if (account !== operator)
    throw refuse("OPERATOR_KEY_FOREIGN", `the key is of ${account}, the configured operator is ${operator}`)
  return new Secret(key)
}

/** @throws RegisterErrorCode, AGENT_*, CHAIN_*, TRANSACTION_* */
export async function register(
  config: NodeConfig,
  identity: NodeIdentity,
  operatorKeyFile: string | undefined,
  { chain, quoter, transactorFor }: RegisterDeps,
): Promise<Registered> {
  const { operator, role, contracts } = config
  const operatorKey = operatorKeyFile === undefined ? null : readOperatorKey(operatorKeyFile, operator)
  const challenge = await chain.head()
  const { signer, peerIdHash, peerId } = publicIdentity(identity)
  if ((await chain.node(signer, challenge)) !== null)
    throw refuse("ALREADY_REGISTERED", `signer ${signer} is registered; \`run\` renews its standing`)
  const hash = configHash(config)
  const { registration, evidence } = await prepareRegistration(
    {
      ...{ operator, role, signer, peerIdHash, challenge, configHash: hash },
      chainId: BigInt(config.chain.id),
      nodeRegistry: contracts.nodeRegistry,
    },
    quoter,
  )
  const call: Call = {
    to: contracts.nodeRegistry,
    abi: nodeRegistryInterface,
    method: "register",
    // The operator sends it: its consent is the sender.
    args: [registration, evidence, "0x"],
  }
  const data = toHex(fromHex(call.abi.encodeFunctionData(call.method, [...call.args])))
  const sent = operatorKey === null ? null : await transactorFor(operatorKey).send(call)
  operatorKey?.wipe()
  return {
    ...{ signer, peerId, peerIdHash, configHash: hash, challengeBlock: `${challenge.number}` },
    transaction: { from: operator, to: contracts.nodeRegistry, data, value: "0" },
    sent: sent === null ? null : { hash: sent.hash, gasUsed: `${sent.gasUsed}` },
  }
}
