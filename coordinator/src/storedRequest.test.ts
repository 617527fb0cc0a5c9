import { decryptionGatewayAbi } from "@twinlock/sdk/chain/abi"
import { Interface } from "ethers"
import { expect, test } from "vitest"
import { address, bytes32 } from "./http.fixture.ts"
import { requestFacts } from "./storedRequest.ts"

const abi = new Interface(decryptionGatewayAbi)
const stored = ({ status = 1, endorsements = 0, freshQuotes = 0, groupOnly = false }) =>
  abi.encodeFunctionResult("requestOf", [
    {
      ...{ status, endorsements, freshQuotes, groupOnly },
      ...{ requester: address("ab"), requestedAt: 11, callback: "0x12345678", deadline: 22 },
      ...{ callbackGas: 5_000_000, fee: 33, handlesHash: bytes32("44") },
    },
  ])

test("requester and gas are where the ABI has them", () => {
  expect(requestFacts(stored({}))).toEqual({
    state: "pending",
    requester: address("ab"),
    callbackGas: 5_000_000n,
  })
})

test.each([
  [{ status: 0 }, "unknown"],
  [{ status: 1, groupOnly: true }, "pending"],
  [{ status: 1, endorsements: 1 }, "demanding"],
  [{ status: 1, freshQuotes: 1 }, "demanding"],
  [{ status: 2 }, "closed"],
  [{ status: 3 }, "fulfilled"],
  [{ status: 4 }, "fulfilled"],
  [{ status: 5 }, "pending"],
  [{ status: 6, endorsements: 1 }, "fulfilled"],
] as const)("%o is %s", (request, state) => {
  expect(requestFacts(stored(request)).state).toBe(state)
})

test("what is no request is none", () => {
  for (const data of ["0x", stored({}).slice(0, -2), `${stored({})}00`])
    expect(() => requestFacts(data)).toThrow("no stored request")
})
