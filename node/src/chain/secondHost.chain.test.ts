import { deploy, deployHost, readArtifact } from "@twinlock/contracts/deploy"
import { parseAddress, parseDigest } from "@twinlock/sdk/protocol/ids"
import { keyIdOf } from "@twinlock/sdk/protocol/keyId"
import { Contract, JsonRpcProvider } from "ethers"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type AnvilProcess, startAnvil } from "./anvilProcess.fixture.ts"

describe("a second host of a network", () => {
  let anvil: AnvilProcess
  let provider: JsonRpcProvider

  beforeAll(async () => {
    anvil = await startAnvil("--hardfork", "osaka", "--gas-limit", "60000000")
    const options = { staticNetwork: true, pollingInterval: 20 }
    provider = new JsonRpcProvider(`http://${anvil.endpoint.name}`, 31337, options)
  })
  afterAll(() => {
    provider.destroy()
    anvil.stop()
  })

  test("has contracts of its own under the same registries, and keys of its own", async () => {
    const signer = await provider.getSigner(0)
    const owner = await signer.getAddress()
    const genesisHash = (await provider.getBlock(0))?.hash ?? ""
    const common = { signer, chainId: 31_337n, treasury: owner, baseFee: 0n, cancelWindow: 0n }
    const network = await deploy({
      ...{ ...common, genesisHash, governance: owner, guardian: owner, rootKey: { x: 1n, y: 2n } },
    })
    const second = await deployHost({ ...common, network })
    const read = (name: string, address: string, method: string, ...args: readonly unknown[]) =>
      new Contract(address, readArtifact(name).abi, provider).getFunction(method).staticCall(...args)
    const addresses = [second.decryptionGateway, second.ciphertextCommitments, second.coprocessor]
    expect(new Set([...Object.values(network), ...addresses]).size).toBe(Object.keys(network).length + 3)
    const { coprocessor, ciphertextCommitments, decryptionGateway } = second
    const links = await Promise.all([
      read("DecryptionGateway", decryptionGateway, "verifier"),
      read("CiphertextCommitments", ciphertextCommitments, "coprocessor"),
      read("CiphertextCommitments", ciphertextCommitments, "keyRegistry"),
      read("Coprocessor", coprocessor, "commitments"),
      read("Coprocessor", coprocessor, "keyRegistry"),
      read("Coprocessor", coprocessor, "nodeRegistry"),
      read("Coprocessor", coprocessor, "verifier"),
    ])
    expect(links.map((address) => String(address).toLowerCase())).toEqual([
      ...[network.decryptionVerifier, coprocessor, network.keyRegistry, ciphertextCommitments],
      ...[network.keyRegistry, network.nodeRegistry, network.decryptionVerifier],
    ])
    const ids = await Promise.all(
      [network, second].map(async (one) => {
        const host = { chainId: 31_337n, coprocessor: one.coprocessor, gateway: one.decryptionGateway }
        const id = await read("KeyRegistry", network.keyRegistry, "keyIdOf", 0n, host)
        const parsed = {
          chainId: 31_337n,
          coprocessor: parseAddress(one.coprocessor),
          gateway: parseAddress(one.decryptionGateway),
        }
        const place = { genesisHash: parseDigest(genesisHash), chainId: 31_337n, ceremonyNonce: 0n }
        expect(id).toBe(keyIdOf({ ...place, keyRegistry: parseAddress(network.keyRegistry), host: parsed }))
        return id
      }),
    )
    expect(new Set(ids).size).toBe(2)
  })
})
