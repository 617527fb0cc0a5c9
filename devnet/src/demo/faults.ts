/** Up to t = 1 faulty nodes change nothing: a crash, then a liar that is named. */
import { waitFor } from "../network/waitFor.ts"
import { readMetric } from "./metrics.ts"
import type { Setting } from "./setting.ts"
import { awaitSum, requestSum, type Sums } from "./sums.ts"

const CULPRITS = "twinlock_culprits_total"

export async function showFaults(setting: Setting, sums: Sums): Promise<void> {
  const { network, report } = setting
  const [, , third, fourth] = network.keyholders
  if (third === undefined || fourth === undefined) throw new Error("there are no four keyholders")

  await third.kill()
  const crashed = await report.step(
    "fault.crash",
    `${third.member.name} is killed with SIGKILL, a decryption is requested`,
    async () => {
      const request = await requestSum(setting, sums, 42)
      return { request, ...(await awaitSum(setting, request)) }
    },
  )
  report.timing("decrypt.with_crash", crashed.latencyMs)
  report.check(
    "fault.crash",
    crashed.value === crashed.request.expected && ((crashed.signers >> 2n) & 1n) === 0n,
    `the others opened ${crashed.value}, signers ${crashed.signers.toString(2).padStart(4, "0")}`,
  )
  await report.step("fault.back", `${third.member.name} starts again`, () => third.start())
  const next = await requestSum(setting, sums, 55)
  const healthy = await awaitSum(setting, next)
  report.check(
    "fault.back",
    third.process().isRunning() && healthy.value === next.expected,
    `it is ready again; the next sum is ${healthy.value}`,
  )

  await fourth.stop()
  await fourth.start("lying")
  const party = String(network.keyholders.indexOf(fourth) + 1)
  const honest = network.keyholders.filter((keyholder) => keyholder !== fourth)
  const lied = await report.step("fault.liar", `${fourth.member.name} sends wrong shares`, async () => {
    const request = await requestSum(setting, sums, 777)
    const result = { request, ...(await awaitSum(setting, request)) }
    await waitFor(
      async () =>
        (await Promise.all(honest.map(({ url }) => readMetric(url, CULPRITS, { party })))).every(
          (count) => count > 0,
        ),
      {
        what: "the liar to be named by every honest node",
        timeoutMs: 30_000,
        everyMs: 100,
      },
    )
    return result
  })
  report.check(
    "fault.liar_harmless",
    lied.value === lied.request.expected,
    `the sum is right nevertheless: ${lied.value}`,
  )
  const named = await Promise.all(honest.map(({ url }) => readMetric(url, CULPRITS, { party })))
  const others = await Promise.all(
    honest.map(
      async ({ url }) => (await readMetric(url, CULPRITS)) - (await readMetric(url, CULPRITS, { party })),
    ),
  )
  report.check(
    "fault.liar_named",
    named.every((count) => count > 0) && others.every((count) => count === 0),
    `party ${party} is named as culprit by ${named.filter((count) => count > 0).length} honest nodes, nobody else is`,
  )
  await fourth.stop()
  await fourth.start("honest")
}
