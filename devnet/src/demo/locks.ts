/** Both locks, one at a time: what the contract says to a certificate when either is missing. */
import { contractResult } from "@twinlock/sdk/chain/acceptance"
import type { CertificatesRequest } from "@twinlock/sdk/protocol/http"
import { hexlify, randomBytes } from "ethers"
import { contractAt, proposeEntry, sent, TIMELOCK_SECONDS } from "../network/contracts.ts"
import { waitFor } from "../network/waitFor.ts"
import { gasOfVerification } from "./acceptanceGas.ts"
import { type Outcome, outcomeOf } from "./outcome.ts"
import type { Setting } from "./setting.ts"
import type { Vote } from "./vote.ts"

/** Asks the verifier in the newest block. */
async function verify({ network }: Setting, { result, certificate }: CertificatesRequest): Promise<Outcome> {
  const verifier = contractAt(
    "DecryptionVerifier",
    network.contracts.decryptionVerifier,
    network.accounts.organiser,
  )
  return outcomeOf(() => verifier.getFunction("verify").staticCall(contractResult(result), certificate))
}

export async function showLocks(setting: Setting, { certified }: Vote): Promise<void> {
  const { report } = setting
  const genuine = await verify(setting, certified)
  report.check("lock.genuine", !genuine.refused, `the tally's certificate ${genuine.text}`)
  report.gas("accept", await gasOfVerification(setting, certified))

  const { plaintexts } = certified.result
  const altered = {
    ...certified,
    result: {
      ...certified.result,
      plaintexts: `${plaintexts.slice(0, -1)}${plaintexts.endsWith("0") ? "1" : "0"}` as typeof plaintexts,
    },
  }
  const changed = await verify(setting, altered)
  report.check(
    "lock.altered_plaintext",
    changed.refused && changed.text.startsWith("BadGroupSignature"),
    `one digit of the tally changed: ${changed.text}`,
  )

  const forged = {
    ...certified,
    certificate: { ...certified.certificate, s: BigInt(hexlify(randomBytes(31))).toString() },
  }
  const unsigned = await verify(setting, forged)
  report.check(
    "lock.no_group_signature",
    unsigned.refused && unsigned.text.startsWith("BadGroupSignature"),
    `all four seats live, but no group signature: ${unsigned.text}`,
  )
  await showStanding(setting, certified)
}

/** The same certificate without and with live standing of its signers. */
async function showStanding(setting: Setting, certified: CertificatesRequest): Promise<void> {
  const { network, report } = setting
  const registry = contractAt("NodeRegistry", network.contracts.nodeRegistry, network.accounts.governance)
  const entry = network.entryOf("keyholder")
  const id = await registry.getFunction("entryFor").staticCall(1, entry.imageId, entry.composeHash)
  const removal = await sent(registry.getFunction("removeEntry").send(id))
  report.gas("remove_entry", removal.gasUsed)
  const dead = await verify(setting, certified)
  report.check(
    "lock.no_standing",
    dead.refused && dead.text.startsWith("SignerNotLive"),
    `the keyholders' measurement is removed: ${dead.text}`,
  )

  await report.step(
    "lock.restore",
    `the entry comes back through the ${TIMELOCK_SECONDS} s timelock, the same signers renew`,
    async (progress) => {
      const restored = await proposeEntry(registry, entry)
      progress("timelock runs")
      await waitFor(
        async () =>
          !(await outcomeOf(() => registry.getFunction("activateEntry").staticCall(restored))).refused,
        {
          what: "the timelock",
          timeoutMs: (TIMELOCK_SECONDS + 30) * 1000,
          everyMs: 500,
        },
      )
      await sent(registry.getFunction("activateEntry").send(restored))
      progress("nodes renew")
      await waitFor(async () => !(await verify(setting, certified)).refused, {
        what: "renewals of the signers",
        timeoutMs: 120_000,
        everyMs: 250,
      })
    },
  )
  report.gas("quote_renew", await gasOfRenewal(setting, removal.blockNumber))
  const again = await verify(setting, certified)
  report.check(
    "lock.standing_restored",
    !again.refused,
    `after renewal by the same signers the same certificate ${again.text}`,
  )
}

/** Gas of the newest renewal since a block. */
async function gasOfRenewal({ network }: Setting, since: number): Promise<bigint> {
  const registry = contractAt("NodeRegistry", network.contracts.nodeRegistry, network.accounts.governance)
  const event = (await registry.queryFilter("NodeAttested", since)).at(-1)
  const receipt =
    event === undefined ? null : await network.chain.provider.getTransactionReceipt(event.transactionHash)
  return receipt?.gasUsed ?? 0n
}
