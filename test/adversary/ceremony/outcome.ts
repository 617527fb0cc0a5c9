/** What must hold after any attempt that did not finish. */
import type { EndState } from "@twinlock/node/ceremony/runner"
import { FROST_SHARE_KIND, KEY_SHARE_KIND } from "@twinlock/node/ceremony/shareVault"
import type { Cause } from "@twinlock/node/ceremony/state"
import type { World } from "@twinlock/node/ceremony/world.fixture"
import { expect } from "vitest"

export const causeOf = (state: EndState | undefined): Cause | null =>
  state?.status === "aborted" || state?.status === "awaiting-chain" ? state.cause : null

/** No share, no activation, no secret in memory, at no party. */
export async function expectNothingKept(world: World): Promise<void> {
  expect(world.submitted).toEqual([])
  expect(world.chain.record.status).not.toBe("active")
  for (const store of world.stores) {
    expect(await store.list(KEY_SHARE_KIND)).toEqual([])
    expect(await store.list(FROST_SHARE_KIND)).toEqual([])
  }
  for (const { made } of world.engines) for (const party of made) expect(party.destroyed).toBe(true)
}

/** Runs to the end and expects all parties to have aborted. @returns the causes by party index − 1 */
export async function runToAbort(world: World): Promise<readonly Cause[]> {
  const ends = await world.run()
  expect(ends.map(({ status }) => status)).toEqual(ends.map(() => "aborted"))
  await expectNothingKept(world)
  return ends.flatMap((state) => causeOf(state) ?? [])
}
