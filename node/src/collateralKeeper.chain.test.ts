/** The collateral keeper against the deployed contracts: from an empty store to one that never runs out. */
import { randomBytes } from "node:crypto"
import { deploy } from "@twinlock/contracts/deploy"
import type { CollateralKnobs } from "@twinlock/devnet/platform/collateral"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { parseRootKey } from "@twinlock/sdk/attestation/chain"
import { quoteVerifierUnder } from "@twinlock/sdk/attestation/underRoot"
import { fromHex, toHex } from "@twinlock/sdk/protocol/codec"
import { parseAddress } from "@twinlock/sdk/protocol/ids"
import { JsonRpcProvider } from "ethers"
import { afterAll, beforeAll, expect, test, vi } from "vitest"
import { heldUntil } from "./attestation/ingestPlan.ts"
import { type AnvilProcess, startAnvil } from "./chain/anvilProcess.fixture.ts"
import { type CollateralView, createCollateralView } from "./chain/collateralView.ts"
import { createContractReader } from "./chain/contractReader.ts"
import { createRpcPool, type RpcPool } from "./chain/rpcPool.ts"
import { createTransactor } from "./chain/transactor.ts"
import { createManualClock, holdingScheduler, systemClock } from "./clock.ts"
import { type CollateralKeeper, createCollateralKeeper } from "./collateralKeeper.ts"
import { address } from "./p2p/testSupport.fixture.ts"
import { Secret } from "./secret.ts"
import { silentLogger } from "./telemetry/logger.ts"

// Transactions of a few million gas on a chain of its own, on whatever machine.
vi.setConfig({ testTimeout: 60_000 })

const NOW = 1_791_158_400
const DAY = 86_400
const platform = createPlatform({ seed: "collateral keeper on chain", now: NOW })
const verifier = quoteVerifierUnder(parseRootKey(platform.root.key.publicKey))
let anvil: AnvilProcess
let pool: RpcPool
let view: CollateralView
let keeper: CollateralKeeper
/** What the collateral service serves. */
let served: CollateralKnobs = {}

beforeAll(async () => {
  anvil = await startAnvil("--timestamp", String(NOW), "--hardfork", "osaka")
  const provider = new JsonRpcProvider(`http://${anvil.endpoint.name}`, 31337, {
    staticNetwork: true,
    pollingInterval: 20,
  })
  const signer = await provider.getSigner(0)
  const owner = await signer.getAddress()
  const root = toHex(platform.root.key.publicKey)
  const { nodeRegistry } = await deploy({
    ...{ signer, chainId: 31337n, governance: owner, guardian: owner, treasury: owner },
    genesisHash: (await provider.getBlock(0))?.hash ?? "",
    rootKey: { x: BigInt(root.slice(0, 66)), y: BigInt(`0x${root.slice(66)}`) },
    ...{ baseFee: 0n, cancelWindow: 0n },
  })
  provider.destroy()
  const quiet = { logger: silentLogger, metrics: null }
  pool = createRpcPool({ endpoints: [anvil.endpoint], timeoutMs: 10_000, ...quiet })
  view = createCollateralView(createContractReader(pool), parseAddress(nodeRegistry))
  const transactor = createTransactor(
    { pool, chainId: 31337n, clock: systemClock, scheduler: holdingScheduler },
    new Secret(new Uint8Array(randomBytes(32))),
  )
  await anvil.call("anvil_setBalance", transactor.account, "0x8ac7230489e80000")
  keeper = createCollateralKeeper(
    { signer: address(1), pollMs: 1_000 },
    {
      ...{ chain: pool, view, transactor, scheduler: createManualClock(), ...quiet },
      collateral: async (terms) => verifier.verifyCollateral(platform.collateral(served), terms),
      floors: async () => ({ tcb: 0, qe: 0 }),
    },
  )
})
afterAll(() => anvil.stop())

const offered = (time: number) =>
  verifier.verifyCollateral(platform.collateral(served), { time, floors: { tcb: 0, qe: 0 } })
const held = async () => {
  const at = await pool.head()
  return view.held(offered(Number(at.timestamp)), at)
}

/** Lets chain time pass, and what was sent become final. */
async function later(days: number): Promise<void> {
  if (days > 0) await anvil.call("evm_increaseTime", days * DAY)
  await anvil.call("anvil_mine", "0x5")
}

test("an empty store is filled, in the order in which it takes documents", async () => {
  await later(0)
  expect(heldUntil(await held())).toBe(0)
  expect(await keeper.look()).toEqual(["root_crl", "authority", "pck_crl", "tcb_info", "qe_identity"])
  await later(0)
  expect(heldUntil(await held())).toBe(NOW + 30 * DAY)
  expect(await keeper.look()).toEqual([])
})

test("a revocation reaches the chain by the next look, however new the held list is", async () => {
  await later(0.1)
  const issuedAt = NOW + 10
  served = { issuedAt }
  expect(await keeper.look()).toEqual([])
  const machine = platform.machine("stolen")
  served = { issuedAt, revokedPck: [machine.pckSerial] }
  expect(await keeper.look()).toEqual(["pck_crl"])
  await later(0)
  expect((await held()).authority?.issuedAt).toBe(issuedAt)
  served = { issuedAt: issuedAt + 1, revokedPck: [machine.pckSerial] }
  expect(await keeper.look()).toEqual([])
  served = { ...served, revokedByRoot: [machine.pckSerial, Uint8Array.of(0x51, 2, 3, 4, 5, 6, 7, 8, 9)] }
  expect(await keeper.look()).toEqual(["root_crl"])
  await later(0)
  expect(await keeper.look()).toEqual([])
})

test("levels that changed reach the chain by the next look, new dates alone do not", async () => {
  served = { ...served, issuedAt: NOW + 20 }
  expect(await keeper.look()).toEqual([])
  served = { ...served, qeLevels: [{ isvSvn: 250, status: "UpToDate" }] }
  expect(await keeper.look()).toEqual(["qe_identity"])
  await later(0)
  served = { ...served, issuedAt: NOW + 30 }
  expect(await keeper.look()).toEqual([])
  served = { ...served, modules: [{ id: "TDX_01", levels: [{ isvSvn: 99, status: "UpToDate" }] }] }
  expect(await keeper.look()).toEqual(["tcb_info"])
  await later(0)
  expect(await keeper.look()).toEqual([])
  served = {}
})

test("what is newer by far is replaced though it says the same", async () => {
  await later(26)
  expect(await keeper.look()).toEqual([])
  served = { issuedAt: NOW + 25 * DAY }
  expect(await keeper.look()).toEqual(["root_crl", "pck_crl", "tcb_info", "qe_identity"])
  await later(0)
  expect(heldUntil(await held())).toBe(NOW + 55 * DAY)
})

test("a set of a new number is brought beside the old one", async () => {
  served = { issuedAt: NOW + 25 * DAY, evaluationNumber: 21 }
  expect(await keeper.look()).toEqual(["tcb_info", "qe_identity"])
  await later(0)
  expect((await held()).tcbSets.map(({ evaluation }) => evaluation)).toEqual([21, 20])
})

test("a CRL too long for one transaction becomes active in steps", async () => {
  const serials = Array.from({ length: 2_100 }, (_, index) =>
    fromHex(`0x40${index.toString(16).padStart(38, "0")}`),
  )
  await later(25)
  served = { issuedAt: NOW + 50 * DAY, evaluationNumber: 21, revokedPck: serials }
  expect(await keeper.look()).toEqual(["root_crl", "pck_crl", "tcb_info", "qe_identity"])
  await later(0)
  expect((await held()).authority?.issuedAt).toBe(NOW + 50 * DAY)
})
