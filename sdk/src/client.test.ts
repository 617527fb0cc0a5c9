import { expect, test } from "vitest"
import { codeOf } from "../../test/support/codeOf.ts"
import { fakeDeployment, fakeEndpoint } from "../../test/support/fakeChain.ts"
import { createTwinlockClient } from "./client.ts"

const endpoint = fakeEndpoint({ answers: {} })
const options = {
  deployment: fakeDeployment,
  endpoints: [endpoint, endpoint],
  coordinators: ["http://a.test"],
}

test("one endpoint is not enough", () => {
  expect(codeOf(() => createTwinlockClient({ ...options, endpoints: [endpoint] }))).toBe("ENDPOINTS_TOO_FEW")
})

test("waiting ends with time or with its signal", async () => {
  const { wait } = createTwinlockClient(options)
  await wait(0)
  const controller = new AbortController()
  const waiting = wait(1_000_000, controller.signal)
  controller.abort(new Error("enough"))
  await expect(waiting).rejects.toThrow("enough")
  await expect(wait(0, controller.signal)).rejects.toThrow("enough")
})
