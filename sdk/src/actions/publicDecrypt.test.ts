import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { certify, endorse, endorsements, resultOf } from "../../../test/support/fakeCertificate.ts"
import type { FakeAnswers, FakeEvent } from "../../../test/support/fakeChain.ts"
import {
  commitmentEvents,
  commitmentOf,
  fakeClient,
  healthyAnswers,
  keyId,
  requestRecord,
} from "../../../test/support/fakeNetwork.ts"
import type { Certificate, EndorsedCertificate } from "../protocol/certificate.ts"
import { tagHash } from "../protocol/codec.ts"
import { certificateToBody, certifiedToBody, resultToBody } from "../protocol/http.ts"
import { parseRequestId } from "../protocol/ids.ts"
import { publicDecrypt } from "./publicDecrypt.ts"

const tally = commitmentOf("tally", 3)
const requestId = parseRequestId(tagHash("request"))
const result = resultOf(requestId, [[tally, 42n]])
const [certificate] = certify([result]) as [Certificate]
const certified = {
  kind: "group",
  result: resultToBody(result),
  certificate: certificateToBody(certificate),
}
const path = `GET /v1/requests/${requestId}`

const status = (code: number): FakeAnswers => ({
  ...healthyAnswers([tally]),
  "decryptionGateway.requestOf": () => [requestRecord({ status: code, handles: [tally.handle] })],
})
const fulfilled: FakeEvent = {
  contract: "decryptionGateway",
  name: "DecryptionFulfilled",
  values: [requestId, keyId, 3, 1, [[tally.handle, result.sessions[0], 42n]]],
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
    expect(await publicDecrypt(client(1, answer), { requestId })).toEqual({
      values,
      result,
      rule: "group",
      certified: { kind: "group", result, certificate },
    })
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
    expect(await publicDecrypt(accepted, { requestId })).toEqual({
      values,
      result,
      rule: "endorsed",
      certified: null,
    })
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
      kind: "group",
      result: resultToBody(other),
      certificate: certificateToBody(own),
    })
    expect(await rejectionCodeOf(() => publicDecrypt(client(1, answer), { requestId }))).toBe(
      "REQUEST_MISMATCH",
    )
  })

  test("a validly signed result of other handles is refused", async () => {
    const other = commitmentOf("other", 3)
    const swapped = resultOf(requestId, [[other, 42n]])
    const [own] = certify([swapped]) as [Certificate]
    const body = certifiedToBody({ kind: "group", result: swapped, certificate: own })
    const chain = { answers: status(1), events: commitmentEvents([tally, other]) }
    const lying = fakeClient(chain, { [path]: () => ({ status: "certified", ...body }) })
    expect(await rejectionCodeOf(() => publicDecrypt(lying, { requestId }))).toBe("CERTIFICATE_HANDLES")
  })

  test("a validly signed result of a cancelled request is refused", async () => {
    const late = client(2, () => ({ status: "certified", ...certified }))
    expect(await rejectionCodeOf(() => publicDecrypt(late, { requestId }))).toBe("REQUEST_CLOSED")
  })

  test.each([
    ["no status", {}],
    ["no certificate", { status: "certified", kind: "group", result: certified.result }],
    ["an unknown kind", { status: "certified", ...certified, kind: "batch" }],
    ["no kind", { status: "certified", ...certified, kind: undefined }],
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

  test("a result by a quorum's endorsements says so", async () => {
    const [own] = endorse([result]) as [EndorsedCertificate]
    const body = certifiedToBody({ kind: "endorsed", result, certificate: own })
    const decryption = await publicDecrypt(
      client(1, () => ({ status: "certified", ...body })),
      { requestId },
    )
    expect(decryption).toMatchObject({ values, rule: "endorsed", certified: { certificate: own } })
  })

  test("a result with evidence says so", async () => {
    const evidence = { endorsers: 0b11n, signatures: endorsements([result], [1, 2]), quotes: [] }
    const body = certifiedToBody({ kind: "policy", result, certificate, evidence })
    const decryption = await publicDecrypt(
      client(1, () => ({ status: "certified", ...body })),
      { requestId },
    )
    expect(decryption).toMatchObject({ values, rule: "policy", certified: { evidence } })
  })

  test("a certificate of a request that the endpoints do not have yet is waited for", async () => {
    let code = 0
    const known: FakeAnswers = {
      ...healthyAnswers([tally]),
      "decryptionGateway.requestOf": () => [requestRecord({ status: code, handles: [tally.handle] })],
    }
    const wait = async () => {
      code = 1
    }
    const waiting = fakeClient(
      { answers: known, events: commitmentEvents([tally]) },
      { [path]: () => ({ status: "certified", ...certified }) },
      { wait },
    )
    expect((await publicDecrypt(waiting, { requestId })).values).toEqual(values)
  })

  test("the signal ends the waiting", async () => {
    const controller = new AbortController()
    const wait = async () => controller.abort(new Error("enough"))
    const pending = client(1, () => ({ status: "pending" }), { wait })
    await expect(publicDecrypt(pending, { requestId, signal: controller.signal })).rejects.toThrow("enough")
  })
})
