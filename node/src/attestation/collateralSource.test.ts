import { createServer, type RequestListener, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { signEvaluationNumbers } from "@twinlock/devnet/agent/evaluationNumbers"
import { type RunningPccs, startPccs } from "@twinlock/devnet/agent/pccs"
import type { CollateralKnobs } from "@twinlock/devnet/platform/collateral"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { parseRootKey } from "@twinlock/sdk/attestation/chain"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { quoteVerifierUnder } from "@twinlock/sdk/attestation/underRoot"
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest"
import { createManualClock } from "../clock.ts"
import { createMetrics } from "../telemetry/metrics.ts"
import { type CollateralSourceOptions, createCollateralSource, withinFloors } from "./collateralSource.ts"
import { fetchCollateral, fetchEvaluationNumbers } from "./pccs.ts"

const platform = createPlatform({ seed: "collateral source", now: 1_791_158_400 })
const DAY = 86_400
const wanted = { fmspc: "b0c06f000000", authority: "platform" } as const
const timeoutMs = 2_000
const terms = { time: platform.now, floors: { tcb: 20, qe: 20 } }
const verifier = quoteVerifierUnder(parseRootKey(platform.root.key.publicKey))
const numbers = signEvaluationNumbers(platform, [{ number: 21, recoveryEvent: platform.now - 90 * DAY }])

describe("a service in Intel's shape", () => {
  let pccs: RunningPccs
  beforeAll(async () => {
    pccs = await startPccs({
      collateral: (set) => {
        if (set === "standard" || set === 20) return platform.collateral()
        return set === "early" || set === 21 ? platform.collateral({ evaluationNumber: 21 }) : null
      },
      evaluationNumbers: () => numbers,
      host: "127.0.0.1",
      port: 0,
    })
  })
  afterAll(() => pccs.stop())

  test("gives the bundle byte for byte", async () => {
    expect(await fetchCollateral(wanted, { url: pccs.url, timeoutMs })).toEqual(platform.collateral())
  })

  test("gives the early set and sets by number", async () => {
    const early = platform.collateral({ evaluationNumber: 21 })
    for (const set of ["early", 21] as const)
      expect(await fetchCollateral(wanted, { url: pccs.url, timeoutMs, set })).toEqual(early)
    await expect(fetchCollateral(wanted, { url: pccs.url, timeoutMs, set: 19 })).rejects.toThrow("404")
  })

  test("gives the signed list of sets", async () => {
    expect(await fetchEvaluationNumbers({ url: pccs.url, timeoutMs })).toEqual(numbers)
  })

  test("refuses a query that names two sets, or none", async () => {
    for (const query of [
      "update=early&tcbEvaluationDataNumber=20",
      "update=late",
      "tcbEvaluationDataNumber=x",
    ])
      expect((await fetch(`${pccs.url}/tdx/certification/v4/qe/identity?${query}`)).status).toBe(400)
  })

  test("does not know other processor families", async () => {
    const other = { ...wanted, fmspc: "90c06f000000" }
    await expect(fetchCollateral(other, { url: pccs.url, timeoutMs })).rejects.toThrow("COLLATERAL_RESPONSE")
  })
})

/** Good signed documents under the given headers. */
const documents =
  (headers: Readonly<Record<string, string>>): RequestListener =>
  (request, response) => {
    const [name, bundle] = [
      request.url?.includes("/tcb") ? "tcbInfo" : "enclaveIdentity",
      platform.collateral(),
    ]
    const text = name === "tcbInfo" ? bundle.tcb_info : bundle.qe_identity
    response.writeHead(200, headers).end(`{"${name}":${text},"signature":"${"00".repeat(64)}"}`)
  }

describe("a broken service", () => {
  let server: Server
  afterEach(() => {
    server.close()
    server.closeAllConnections()
  })
  /** @param patience milliseconds: short only where the service is never going to answer. */
  const against = async (listener: RequestListener, path = "", patience = 10_000) => {
    server = createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
    return fetchCollateral(wanted, { url, timeoutMs: patience })
  }

  test.each<[string, RequestListener, string]>([
    ["an error status", (_, response) => void response.writeHead(503).end(), "answered 503"],
    ["another document", (_, response) => void response.end("{}"), "not a signed tcbInfo"],
    ["garbage", (_, response) => void response.end(Buffer.from([0xff, 0, 0xfe])), "not a signed tcbInfo"],
    ["no certificate chains", documents({}), "SGX-PCK-CRL-Issuer-Chain is missing"],
    ["a chain that is not URL-encoded", documents({ "SGX-PCK-CRL-Issuer-Chain": "%" }), "is not URL-encoded"],
    ["a huge body", (_, response) => void response.end("x".repeat(300_000)), "answered more than"],
    [
      "a redirect",
      (_, response) => void response.writeHead(302, { location: "/" }).end(),
      "COLLATERAL_UNREACHABLE",
    ],
    ["a cut connection", (request) => void request.socket.destroy(), "COLLATERAL_UNREACHABLE"],
    [
      "a body shorter than announced",
      (request, response) => {
        response.writeHead(200, { "content-length": 100 }).write("{}", () => request.socket.destroy())
      },
      "COLLATERAL_UNREACHABLE",
    ],
  ])("%s", async (_, listener, code) => {
    await expect(against(listener)).rejects.toThrow(code)
  })

  test.each<[string, RequestListener]>([
    ["silence", () => {}],
    ["a body that never ends", (_, response) => void response.write("{")],
  ])("%s", async (_, listener) => {
    await expect(against(listener, "", 200)).rejects.toThrow("COLLATERAL_UNREACHABLE")
  })

  test("Intel's own service has the root's CRL elsewhere, where its certificates say", async () => {
    const bundle = platform.collateral()
    const chain = (name: string, pem: string) => ({ headers: { [name]: encodeURIComponent(pem) } })
    const signed = (name: string, text: string, signature: string) =>
      `{"${name}":${text},"signature":"${signature}"}`
    const answers: Readonly<Record<string, () => Response>> = {
      "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der": () =>
        new Response(
          Buffer.from(bundle.pck_crl, "hex"),
          chain("SGX-PCK-CRL-Issuer-Chain", bundle.pck_crl_issuer_chain),
        ),
      "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der": () =>
        new Response(Buffer.from(bundle.root_ca_crl, "hex")),
      "https://api.trustedservices.intel.com/tdx/certification/v4/tcb?fmspc=B0C06F000000": () =>
        new Response(
          signed("tcbInfo", bundle.tcb_info, bundle.tcb_info_signature),
          chain("TCB-Info-Issuer-Chain", bundle.tcb_info_issuer_chain),
        ),
      "https://api.trustedservices.intel.com/tdx/certification/v4/qe/identity": () =>
        new Response(
          signed("enclaveIdentity", bundle.qe_identity, bundle.qe_identity_signature),
          chain("SGX-Enclave-Identity-Issuer-Chain", bundle.qe_identity_issuer_chain),
        ),
    }
    const asked = async (url: unknown) => answers[String(url)]?.() ?? new Response("", { status: 404 })
    const options = { url: "https://api.trustedservices.intel.com", timeoutMs, fetch: asked as typeof fetch }
    expect(await fetchCollateral(wanted, options)).toEqual(bundle)
  })

  test("a path in the base URL is kept", async () => {
    const asked: string[] = []
    await against((request, response) => {
      asked.push(request.url ?? "")
      response.writeHead(404).end()
    }, "/cache/").catch(() => {})
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.every((path) => path.startsWith("/cache/sgx/") || path.startsWith("/cache/tdx/"))).toBe(true)
  })
})

describe("the cache", () => {
  const HOUR = 3_600_000
  const down = new Error("down")

  /** A source over scripted answers; each fetch takes the next one. */
  const scripted = (
    answers: readonly (CollateralBundle | Error | Promise<CollateralBundle>)[],
    options: Partial<CollateralSourceOptions> = {},
  ) => {
    const clock = createManualClock()
    const metrics = createMetrics()
    const asked: string[] = []
    const queue = [...answers]
    const source = createCollateralSource(
      { urls: ["first", "second"], ...options },
      {
        ...{ clock, scheduler: clock },
        verifier,
        metrics,
        fetchBundle: async ({ fmspc }, { url }) => {
          asked.push(`${url} ${fmspc}`)
          const answer = queue.shift()
          if (answer === undefined || answer instanceof Error) throw answer ?? new Error("nothing left")
          return answer
        },
      },
    )
    return { source, asked, clock, metrics }
  }
  const [first, second] = [platform.collateral(), platform.collateral({ evaluationNumber: 21 })]

  test("answers from the cache until it is old", async () => {
    const { source, asked, clock } = scripted([first, second])
    expect((await source.collateralFor(wanted, terms)).bundle).toEqual(first)
    clock.advance(HOUR / 2 - 1)
    const upperCase = { ...wanted, fmspc: "B0C06F000000" }
    expect((await source.collateralFor(upperCase, terms)).bundle).toEqual(first)
    clock.advance(1)
    expect((await source.collateralFor(wanted, terms)).bundle).toEqual(second)
    expect(asked).toHaveLength(2)
  })

  const edited = { ...first, tcb_info: first.tcb_info.replace("UpToDate", "Revoked") }
  test.each<[string, CollateralBundle | Error]>([
    ["is down", down],
    ["serves collateral that does not verify", edited],
    ["serves an expired bundle", platform.collateral({ issuedAt: platform.now - 31 * DAY })],
    ["serves a set below the floors", platform.collateral({ evaluationNumber: 19 })],
    ["serves another platform's", platform.collateral({ fmspc: "90C06F000000" })],
    ["serves another root's", createPlatform({ seed: "foreign", now: platform.now }).collateral()],
  ])("asks the next service when one %s", async (_, answer) => {
    const { source, asked } = scripted([answer, second])
    expect((await source.collateralFor(wanted, terms)).bundle).toEqual(second)
    expect(asked).toEqual(["first b0c06f000000", "second b0c06f000000"])
  })

  test("what does not verify is not kept", async () => {
    const { source, clock } = scripted([edited, edited, first])
    await expect(source.collateralFor(wanted, terms)).rejects.toThrow("TCB_INFO_SIGNATURE")
    clock.advance(30_000)
    expect((await source.collateralFor(wanted, terms)).bundle).toEqual(first)
  })

  test("keeps an old bundle while every service is down, up to the maximum age", async () => {
    const { source, clock } = scripted([first], { maxAgeMs: 3 * HOUR })
    await source.collateralFor(wanted, terms)
    clock.advance(2 * HOUR)
    expect((await source.collateralFor(wanted, terms)).bundle).toEqual(first)
    clock.advance(HOUR)
    await expect(source.collateralFor(wanted, terms)).rejects.toThrow("COLLATERAL_STALE")
  })

  test.each([
    ["its nextUpdate", { ...terms, time: platform.now + 31 * DAY }],
    ["the floors", { ...terms, floors: { tcb: 21, qe: 20 } }],
  ])("never serves what is past %s, however young", async (_, later) => {
    const { source } = scripted([first])
    await source.collateralFor(wanted, terms)
    await expect(source.collateralFor(wanted, later)).rejects.toThrow("COLLATERAL_STALE")
    expect((await source.collateralFor(wanted, terms)).bundle).toEqual(first)
  })

  test("a raised floor fetches at once what the service has meanwhile", async () => {
    const { source } = scripted([first, second])
    await source.collateralFor(wanted, terms)
    const raised = { ...terms, floors: { tcb: 21, qe: 21 } }
    expect((await source.collateralFor(wanted, raised)).bundle).toEqual(second)
  })

  test("pauses after every service failed", async () => {
    const { source, asked, clock } = scripted([down, down, first])
    await expect(source.collateralFor(wanted, terms)).rejects.toThrow("down")
    await expect(source.collateralFor(wanted, terms)).rejects.toThrow("down")
    expect(asked).toHaveLength(2)
    clock.advance(30_000)
    await source.collateralFor(wanted, terms)
    expect(asked).toHaveLength(3)
  })

  test("one fetch serves all who wait", async () => {
    const { source, asked } = scripted([first])
    await Promise.all([source.collateralFor(wanted, terms), source.collateralFor(wanted, terms)])
    expect(asked).toHaveLength(1)
  })

  test("sets are kept apart, and the oldest goes beyond the size", async () => {
    const { source, asked } = scripted([first, second, first], { maxBundles: 1 })
    await source.collateralFor(wanted, terms)
    expect((await source.collateralFor(wanted, terms, "early")).bundle).toEqual(second)
    expect((await source.collateralFor(wanted, terms)).bundle).toEqual(first)
    expect(asked).toHaveLength(3)
  })

  test("the early set serves where the standard one is below the floors", async () => {
    const raised = { ...terms, floors: { tcb: 21, qe: 21 } }
    const { source, asked } = scripted([first, first, second])
    expect((await withinFloors(source, wanted, raised)).bundle).toEqual(second)
    expect(asked).toHaveLength(3)
    const none = scripted([down, down]).source
    await expect(withinFloors(none, wanted, terms)).rejects.toThrow("down")
  })

  const aged = (days: number, knobs: CollateralKnobs = {}) =>
    platform.collateral({ issuedAt: platform.now - days * DAY, ...knobs })

  test.each<[string, CollateralKnobs, string]>([
    ["a list of revocations", { pckCrl: { thisUpdate: platform.now - DAY } }, "pckCrl"],
    ["the root's list", { rootCrl: { thisUpdate: platform.now - DAY } }, "rootCrl"],
    ["TCB info of the same number", { tcbInfoMembers: { issueDate: "2026-10-03T00:00:00Z" } }, "tcbInfo"],
    [
      "an identity of the same number",
      { qeIdentityMembers: { issueDate: "2026-10-03T00:00:00Z" } },
      "qeIdentity",
    ],
    ["everything", { issuedAt: platform.now - 20 * DAY }, "rootCrl, pckCrl, tcbInfo, qeIdentity"],
    [
      "a lower number",
      { evaluationNumber: 19, tcbInfoMembers: { issueDate: "2026-10-03T00:00:00Z" } },
      "tcbInfo",
    ],
  ])("a service that rolls back %s is passed over for the next one", async (_, knobs, named) => {
    const low = { ...terms, floors: { tcb: 0, qe: 0 } }
    const back = platform.collateral(knobs)
    const { source, asked, clock } = scripted([first, back, second, back, back])
    await source.collateralFor(wanted, low)
    clock.advance(HOUR)
    expect((await source.collateralFor(wanted, low)).bundle).toEqual(second)
    expect(asked).toHaveLength(3)
    const alone = scripted([first, back, back, back, back], { maxAgeMs: 2 * HOUR })
    await alone.source.collateralFor(wanted, low)
    alone.clock.advance(HOUR)
    expect((await alone.source.collateralFor(wanted, low)).bundle).toEqual(first)
    alone.clock.advance(HOUR)
    await expect(alone.source.collateralFor(wanted, low)).rejects.toMatchObject({
      cause: { message: expect.stringContaining(`${named} of the service is older than what is kept`) },
    })
  })

  test("a set of a higher number replaces, however early it was issued", async () => {
    const next = platform.collateral({
      evaluationNumber: 21,
      tcbInfoMembers: { issueDate: "2026-10-01T00:00:00Z" },
    })
    const { source, clock } = scripted([first, next])
    await source.collateralFor(wanted, terms)
    clock.advance(HOUR)
    expect((await source.collateralFor(wanted, terms)).bundle).toEqual(next)
  })

  test("lists cannot be rolled back through another set", async () => {
    const { source } = scripted([first, aged(3, { evaluationNumber: 21 }), second])
    await source.collateralFor(wanted, terms)
    expect((await source.collateralFor(wanted, terms, "early")).bundle).toEqual(second)
  })

  test("ages by chain time while the host holds the machine's clock, and by that while the chain stands", async () => {
    const hour = (hours: number) => ({ ...terms, time: terms.time + hours * 3_600 })
    const { source, asked } = scripted([first, down, down, down, down, second], { maxAgeMs: 3 * HOUR })
    await source.collateralFor(wanted, terms)
    expect((await source.collateralFor(wanted, hour(0.4))).bundle).toEqual(first)
    expect(asked).toHaveLength(1)
    expect((await source.collateralFor(wanted, hour(1))).bundle).toEqual(first)
    expect(asked).toHaveLength(3)
    // The pause after a failure ends by chain time, too.
    await expect(source.collateralFor(wanted, hour(3))).rejects.toThrow("COLLATERAL_STALE")
    expect(asked).toHaveLength(5)
    expect((await source.collateralFor(wanted, hour(4))).bundle).toEqual(second)
  })

  test("a service that hangs keeps nobody waiting who has something, and is heard when it answers", async () => {
    const { promise, resolve } = Promise.withResolvers<CollateralBundle>()
    const { source, asked, clock, metrics } = scripted([first, promise])
    await source.collateralFor(wanted, terms)
    clock.advance(HOUR)
    const waiting = source.collateralFor(wanted, terms)
    clock.advance(2_500)
    expect((await waiting).bundle).toEqual(first)
    const again = source.collateralFor(wanted, terms)
    clock.advance(2_500)
    expect((await again).bundle).toEqual(first)
    expect(asked).toHaveLength(2)
    resolve(second)
    expect((await source.collateralFor(wanted, terms)).bundle).toEqual(second)
    expect(clock.pending()).toEqual([])
    expect(await metrics.text()).toContain('twinlock_collateral_served_total{from="cache_while_slow"} 2')
  })

  test("who asks under other floors waits for no fetch under laxer ones", async () => {
    const { promise, resolve } = Promise.withResolvers<CollateralBundle>()
    const { source, asked } = scripted([promise, second])
    const lax = source.collateralFor(wanted, terms)
    const raised = { ...terms, floors: { tcb: 21, qe: 21 } }
    expect((await source.collateralFor(wanted, raised)).bundle).toEqual(second)
    resolve(second)
    await lax
    expect(asked).toHaveLength(2)
  })

  test("who joins a fetch judges its result at the own time", async () => {
    const { source } = scripted([first])
    const [early, late] = await Promise.allSettled([
      source.collateralFor(wanted, terms),
      source.collateralFor(wanted, { ...terms, time: platform.now + 31 * DAY }),
    ])
    expect(early.status).toBe("fulfilled")
    expect(String((late as PromiseRejectedResult).reason)).toContain("COLLATERAL_STALE")
  })

  test("says what it did as figures", async () => {
    const { source, metrics } = scripted([down, edited, first])
    await source.collateralFor(wanted, terms).catch(() => {})
    const text = await metrics.text()
    expect(text).toContain('twinlock_collateral_fetches_total{outcome="refused"}')
  })
})
