/** What the verification of a ceremony asks of a chain, over RPC endpoints of the reader's choice: a majority must agree. */
import { type Address, parseAddress } from "@twinlock/sdk/protocol/ids"
import { Interface } from "ethers"
import type { CeremonyBundle } from "../ceremony/bundle.ts"
import type { ChainAudit } from "../ceremony/verify/chain.ts"
import { quantity } from "../chain/agreedHead.ts"
import { resultOf } from "../chain/chainError.ts"
import type { BlockRef } from "../chain/chainView.ts"
import { createContractReader } from "../chain/contractReader.ts"
import type { ContractAddresses } from "../chain/contracts.ts"
import { createEthersChainView } from "../chain/ethersChainView.ts"
import { createEventReader } from "../chain/eventReader.ts"
import { createRpcEndpoint } from "../chain/jsonRpc.ts"
import { createRpcPool } from "../chain/rpcPool.ts"
import { silentLogger } from "../telemetry/logger.ts"

const TIMEOUT_MS = 20_000

/** Immutable parts of a DecryptionVerifier: whoever trusts it trusts them. */
const partsAbi = new Interface([
  "function keyRegistry() view returns (address)",
  "function nodeRegistry() view returns (address)",
])

/** @param urls at least one @param verifyingContract as the reader trusts it: a transcript may name one of its maker's */
export function chainAudit(
  urls: readonly string[],
  verifyingContract: Address,
  { proposal, signing }: CeremonyBundle,
): ChainAudit {
  const pool = createRpcPool({
    endpoints: urls.map(createRpcEndpoint),
    timeoutMs: TIMEOUT_MS,
    logger: silentLogger,
    metrics: null,
  })
  const reader = createContractReader(pool)
  const part = (method: "keyRegistry" | "nodeRegistry", at: BlockRef) =>
    reader.call({ to: verifyingContract, abi: partsAbi, method, args: [] }, at, ([found]) =>
      parseAddress(String(found).toLowerCase()),
    )

  const viewAt = async (at: BlockRef) => {
    const [keyRegistry, nodeRegistry] = await Promise.all([part("keyRegistry", at), part("nodeRegistry", at)])
    const { coprocessor, gateway } = proposal.host
    const contracts: ContractAddresses = {
      ...{ keyRegistry, nodeRegistry, coprocessor },
      decryptionVerifier: verifyingContract,
      decryptionGateway: gateway,
      // Nothing is asked about ciphertexts.
      ciphertextCommitments: coprocessor,
    }
    return createEthersChainView({
      ...{ pool, reader, contracts, logger: silentLogger },
      events: createEventReader(pool),
      hint: { onHead: () => () => {} },
      chainId: signing.chainId,
      deployedAt: 0n,
    })
  }

  return {
    chainId: () => pool.read("eth_chainId", [], (answer) => quantity.parse(resultOf(answer))).then(BigInt),
    head: () => pool.head(),
    block: (number) => pool.block(number),
    nodeRegistry: (at) => part("nodeRegistry", at),
    key: async (keyId, at) => (await viewAt(at)).key(keyId, at),
    node: async (signer, at) => (await viewAt(at)).node(signer, at),
  }
}
