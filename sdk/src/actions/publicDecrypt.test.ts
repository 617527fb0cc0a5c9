import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { certify, resultOf } from "../../../test/support/fakeCertificate.ts"
import type { FakeAnswers, FakeEvent } from "../../../test/support/fakeChain.ts"
import {
  commitmentEvents,
  commitmentOf,
  fakeClient,
  healthyAnswers,
  keyId,
} from "../../../test/support/fakeNetwork.ts"
import type { Certificate } from "../protocol/certificate.ts"
import { tagHash } from "../protocol/codec.ts"
import { certificateToBody, resultToBody } from "../protocol/http.ts"
import { parseAddress, parseRequestId } from "../protocol/ids.ts"
import { publicDecrypt } from "./publicDecrypt.ts"

const tally = commitmentOf("tally", 3)
const requestId = parseRequestId(tagHash("request"))
const result = resultOf(requestId, [[tally, 42n]])
const [certificate] = certify([result]) as [Certificate]
const certified = { result: resultToBody(result), certificate: certificateToBody(certificate) }
const path = `GET /v1/requests/${requestId}`
const requester = parseAddress(`0x${"e".repeat(40)}`)

const status = (code: number): FakeAnswers => ({
  ...healthyAnswers([tally]),
  "decryptionGateway.requestOf": () => [[requester, 0, code, "0x00000000", 0, 0, 0, `0x${"00".repeat(32)}`]],
})
const fulfilled: FakeEvent = {
  contract: "decryptionGateway",
  name: "DecryptionFulfilled",
  values: [requestId, keyId, 3, [[tally.handle, result.sessions[0], 42n]]],
}
const client = (
  code: number,
  answer: () => unknown,
  options: Parameters<typeof fakeClient>[2] = {},
  events: readonly FakeEvent[] = [],
) =>
  fakeClient(
    { answers: status(code), events: [...commitmentEvents([tally]), ...events] },
    { [path]: answer },
    options,
  )
const values = [{ handle: tally.handle, type: "uint16", value: 42n }]

describe("publicDecrypt", () => {
  test("returns a certified result that it verified itself", async () => {
    const answer = () => ({ status: "certified", ...certified })
    expect(await publicDecrypt(client(1, answer), { requestId })).toEqual({ values, result, certificate })
  })

  test("waits while nothing is certified", async () => {
    let asked = 0
    const waited: number[] = []
    const answer = () => (++asked < 3 ? { status: "pending" } : { status: "certified", ...certified })
    const wait = async (ms: number) => void waited.push(ms)
    const decryption = await publicDecrypt(client(1, answer, { wait }), { requestId, interval: 250 })
    expect(decryption.values).toEqual(values)
    expect(waited).toEqual([250, 250])
  })

  test("takes what the gateway accepted where no coordinator answers", async () => {
    const accepted = client(3, () => 503, {}, [fulfilled])
    expect(await publicDecrypt(accepted, { requestId })).toEqual({ values, result, certificate: null })
  })

  test.each([2, 5])("ends where the request is closed (status %i)", async (code) => {
    const closed = client(code, () => ({ status: "pending" }))
    expect(await rejectionCodeOf(() => publicDecrypt(closed, { requestId }))).toBe("REQUEST_CLOSED")
  })

  test("a forged result is refused", async () => {
    const forged = { ...certified, result: { ...certified.result, plaintexts: `0x${"00".repeat(31)}2b` } }
    const lying = client(1, () => ({ status: "certified", ...forged }))
    expect(await rejectionCodeOf(() => publicDecrypt(lying, { requestId }))).toBe("CERTIFICATE_SIGNATURE")
  })

  test("a forged result does not hide the accepted one", async () => {
    const forged = { ...certified, result: { ...certified.result, plaintexts: `0x${"00".repeat(31)}2b` } }
    const lying = client(3, () => ({ status: "certified", ...forged }), {}, [fulfilled])
    expect((await publicDecrypt(lying, { requestId })).values).toEqual(values)
  })

  test("the result of another request is refused", async () => {
    const other = resultOf(parseRequestId(tagHash("other")), [[tally, 42n]])
    const [own] = certify([other]) as [Certificate]
    const answer = () => ({
      status: "certified",
      result: resultToBody(other),
      certificate: certificateToBody(own),
    })
    expect(await rejectionCodeOf(() => publicDecrypt(client(1, answer), { requestId }))).toBe(
      "REQUEST_MISMATCH",
    )
  })

  test.each([
    ["no status", {}],
    ["no certificate", { status: "certified", result: certified.result }],
    [
      "a bad certificate",
      { status: "certified", ...certified, certificate: { ...certified.certificate, s: "x" } },
    ],
    ["a list", []],
  ])("an answer with %s is malformed", async (_, answer) => {
    expect(
      await rejectionCodeOf(() =>
        publicDecrypt(
          client(1, () => answer),
          { requestId },
        ),
      ),
    ).toBe("COORDINATOR_MALFORMED")
  })

  test("the signal ends the waiting", async () => {
    const controller = new AbortController()
    const wait = async () => controller.abort(new Error("enough"))
    const pending = client(1, () => ({ status: "pending" }), { wait })
    await expect(publicDecrypt(pending, { requestId, signal: controller.signal })).rejects.toThrow("enough")
  })
})
