import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { VoidSigner, ZeroAddress } from "ethers"
import { describe, expect, test } from "vitest"
import { type DeployOptions, deploy } from "./deploy.ts"

/** Signs nothing and is on no chain: whatever gets past the options fails with that. */
const options: DeployOptions = {
  signer: new VoidSigner(ZeroAddress),
  chainId: 1n,
  genesisHash: `0x${"00".repeat(32)}`,
  rootKey: { x: 1n, y: 2n },
  governance: ZeroAddress,
  guardian: ZeroAddress,
  treasury: ZeroAddress,
  baseFee: 0n,
  cancelWindow: 0n,
}

const failureOf = (changed: Partial<DeployOptions>): Promise<unknown> =>
  deploy({ ...options, ...changed }).then(
    () => null,
    (error: unknown) => error,
  )

describe("deployment", () => {
  test("wants floors where collateral is real", async () => {
    expect(isProtocolError(await failureOf({}), "FLOORS_MISSING")).toBe(true)
    expect(String(await failureOf({ floors: { tcb: 0, qe: 0 } }))).toContain(
      "signer is on chain none, want 1",
    )
  })

  test("starts the local test network without", async () => {
    expect(String(await failureOf({ chainId: 31_337n }))).toContain("signer is on chain none, want 31337")
  })
})
