/**
 * Gas of whole transactions on anvil, calldata included: quotes of both versions, every kind of collateral, and what
 * the registry does with them. Data of the simulated platform, in the shape and sizes of Intel's.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DEVNET_IMAGE, devnetCompose } from "@twinlock/devnet/agent/image"
import { type Accounts, createAccounts } from "@twinlock/devnet/network/accounts"
import { type Chain, startAnvil } from "@twinlock/devnet/network/anvil"
import { contractAt, setUpChain } from "@twinlock/devnet/network/contracts"
import { createProcesses } from "@twinlock/devnet/network/processes"
import { deriveBytes } from "@twinlock/devnet/platform/keys"
import { createPlatform, type Platform } from "@twinlock/devnet/platform/platform"
import type { QuoteKnobs } from "@twinlock/devnet/platform/quote"
import { DEFAULT_LEVELS } from "@twinlock/devnet/platform/tcbLevels"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { composeHashOf, configIdOf } from "@twinlock/sdk/attestation/composeHash"
import { evidenceOf } from "@twinlock/sdk/attestation/evidence"
import { type AllowListEntry, imageIdOf } from "@twinlock/sdk/attestation/policy"
import { concatBytes, fromHex, keccak, tagHash, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import type { Hex } from "@twinlock/sdk/protocol/ids"
import type { Contract } from "ethers"
import { type Figure, figure } from "./figure.ts"

const DAY = 86_400
const SERIALS = 57
const COMPOSE_HASH = composeHashOf(utf8ToBytes(devnetCompose("keyholder")))
const MEASURED: QuoteKnobs = { measurements: { ...DEVNET_IMAGE, mrConfigId: configIdOf(COMPOSE_HASH) } }
const ENTRY: AllowListEntry = {
  role: "keyholder",
  imageId: imageIdOf(DEVNET_IMAGE),
  composeHash: COMPOSE_HASH,
  providerId: tagHash("bench/provider"),
  version: 1,
}
const KEYHOLDER = 1

function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.on("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

const split = (signature: string): readonly bigint[] =>
  [0, 64].map((from) => BigInt(`0x${signature.slice(from, from + 64)}`))

/** TCB info of about `bytes` bytes: that many levels, filled up with advisories as Intel's longer lists are. */
function tcbInfoOf(platform: Platform, fmspc: string, levels: number, bytes: number): CollateralBundle {
  const made = (advisories: number): CollateralBundle => {
    const list = Array.from(
      { length: advisories },
      (_, index) => `INTEL-SA-${String(1000 + index).padStart(5, "0")}`,
    )
    const chosen = DEFAULT_LEVELS.slice(0, levels).map((level, index) =>
      index === levels - 1 ? { ...level, status: "OutOfDate" as const, advisories: list } : level,
    )
    return platform.collateral({ fmspc, levels: chosen })
  }
  let [count, bundle] = [1, made(1)]
  while (bundle.tcb_info.length < bytes) bundle = made(++count)
  return bundle
}

type Site = {
  readonly chain: Chain
  readonly accounts: Accounts
  readonly platform: Platform
  readonly contract: (
    name: "collateralStore" | "quoteVerifier" | "nodeRegistry",
    account?: Accounts["deployer"],
  ) => Contract
}

/** Whole transactions, views included: what a contract that calls the view pays on top of its own. */
async function gasOf(contract: Contract, method: string, ...args: readonly unknown[]): Promise<number> {
  const request = await contract.getFunction(method).populateTransaction(...args)
  const signer = contract.runner
  if (signer?.sendTransaction === undefined) throw new Error("the contract has no signer")
  const response = await signer.sendTransaction(request)
  const receipt = await response.wait()
  if (receipt?.status !== 1) throw new Error(`${method} was not included`)
  return Number(receipt.gasUsed)
}

async function quoteFigures({ platform, contract }: Site): Promise<readonly Figure[]> {
  const verify = async (knobs: QuoteKnobs) => {
    const evidence = evidenceOf(platform.quote({ ...MEASURED, ...knobs }))
    return gasOf(contract("quoteVerifier"), "verify", evidence, 20, 20)
  }
  return [
    figure("gas.quote_v4", await verify({ version: 4 }), "gas", { body: "td10", authority: "platform" }),
    figure("gas.quote_v5", await verify({ version: 5 }), "gas", { body: "td15", authority: "platform" }),
    figure("gas.quote_v5_td10", await verify({ version: 5, body: "td10" }), "gas", {
      body: "td10",
      authority: "platform",
    }),
  ]
}

async function collateralFigures({ platform, contract }: Site): Promise<readonly Figure[]> {
  const store = contract("collateralStore")
  const tcbInfo = async (name: string, fmspc: string, levels: number, size: number) => {
    const { tcb_info, tcb_info_signature } = tcbInfoOf(platform, fmspc, levels, size)
    const bytes = utf8ToBytes(tcb_info)
    const gas = await gasOf(store, "storeTcbInfo", bytes, ...split(tcb_info_signature))
    return figure(name, gas, "gas", { bytes: bytes.length, levels, fmspc: "new" })
  }
  const refreshed = crlOf(platform, platform.now + DAY)
  const caId = keccak(platform.platformCa.key.publicKey)
  const { qe_identity, qe_identity_signature } = platform.collateral({ qeEvaluationNumber: 21 })
  const identity = utf8ToBytes(qe_identity)
  return [
    await tcbInfo("gas.tcb_info_2k9", "90c06f000000", 2, 2_900),
    await tcbInfo("gas.tcb_info_4k1", "50806f000000", 3, 4_100),
    figure("gas.crl_refresh", await gasOf(store, "storeCrl", caId, refreshed), "gas", {
      serials: SERIALS,
      bytes: refreshed.length,
    }),
    figure(
      "gas.qe_identity",
      await gasOf(store, "storeQeIdentity", identity, ...split(qe_identity_signature)),
      "gas",
      {
        bytes: identity.length,
      },
    ),
  ]
}

const serials = Array.from({ length: SERIALS }, (_, index) =>
  deriveBytes("benchmark", `revoked:${index}`, 20),
)
const crlOf = (platform: Platform, issuedAt: number): Uint8Array =>
  fromHex(`0x${platform.collateral({ issuedAt, revokedPck: serials }).pck_crl}`)

async function registryFigures({ chain, accounts, platform, contract }: Site): Promise<readonly Figure[]> {
  const operator = accounts.operator(0)
  const registry = contract("nodeRegistry", operator)
  const signer = accounts.operator(1).address
  const registration = async () => ({
    operator: operator.address,
    role: KEYHOLDER,
    signer,
    peerIdHash: tagHash("bench/peer"),
    configHash: tagHash("bench/config"),
    challengeBlock: (await chain.provider.getBlockNumber()) - 1,
  })
  const evidenceFor = async (given: Awaited<ReturnType<typeof registration>>) => {
    const head = (await registry.getFunction("reportDataOf").staticCall(given)) as Hex
    const block = await chain.provider.getBlock(given.challengeBlock)
    const reportData = concatBytes(fromHex(head), fromHex(block?.hash ?? "0x"))
    return evidenceOf(platform.quote({ ...MEASURED, reportData }))
  }
  const first = await registration()
  const registered = await gasOf(registry, "register", first, await evidenceFor(first), "0x")
  await chain.provider.send("anvil_mine", ["0x10", "0x1"])
  const second = await registration()
  const renewed = await gasOf(registry, "renew", signer, second.challengeBlock, await evidenceFor(second))
  const removed = await gasOf(contract("nodeRegistry", accounts.governance), "removeEntry", 1)
  return [
    figure("gas.quote_register", registered, "gas", { signer: "new" }),
    figure("gas.quote_renew", renewed, "gas", { seat: "none" }),
    figure("gas.remove_entry", removed, "gas", { seats: 0, registrations: 1 }),
  ]
}

async function withSite<T>(run: (site: Site) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "twinlock-bench-"))
  const processes = createProcesses(join(folder, "logs"))
  const root = join(import.meta.dirname, "..")
  try {
    const port = await freePort()
    const chain = await startAnvil({ processes, root, port, stateFile: join(folder, "state.json") })
    const accounts = createAccounts(chain.provider)
    const now = (await chain.provider.getBlock("latest"))?.timestamp ?? 0
    const platform = createPlatform({ seed: "benchmark", now: now - 2 * DAY })
    const { contracts } = await setUpChain({
      chain,
      accounts,
      rootKey: `0x${Buffer.from(platform.root.key.publicKey).toString("hex")}`,
      collateral: platform.collateral({ revokedPck: serials }),
      entries: [ENTRY],
      operators: [accounts.operator(0).address],
    })
    const names = {
      collateralStore: "CollateralStore",
      quoteVerifier: "QuoteVerifier",
      nodeRegistry: "NodeRegistry",
    }
    return await run({
      chain,
      accounts,
      platform,
      contract: (field, account = accounts.funder) => contractAt(names[field], contracts[field], account),
    })
  } finally {
    await processes.stopAll()
    rmSync(folder, { recursive: true, force: true })
  }
}

export const attestationGas = (): Promise<readonly Figure[]> =>
  withSite(async (site) => [
    ...(await quoteFigures(site)),
    ...(await registryFigures(site)),
    ...(await collateralFigures(site)),
  ])
