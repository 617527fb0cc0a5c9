import { createServer, type RequestListener, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { type RunningPccs, startPccs } from "@twinlock/devnet/agent/pccs"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest"
import { createManualClock } from "../clock.ts"
import { createCollateralSource } from "./collateralSource.ts"
import { fetchCollateral } from "./pccs.ts"

const platform = createPlatform({ seed: "collateral source", now: 1_791_158_400 })
const wanted = { fmspc: "b0c06f000000", authority: "platform" } as const
const timeoutMs = 2_000

describe("a service in Intel's shape", () => {
  let pccs: RunningPccs
  beforeAll(async () => {
    pccs = await startPccs({ collateral: () => platform.collateral(), host: "127.0.0.1", port: 0 })
  })
  afterAll(() => pccs.stop())

  test("gives the bundle byte for byte", async () => {
    expect(await fetchCollateral(wanted, { url: pccs.url, timeoutMs })).toEqual(platform.collateral())
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
  const against = async (listener: RequestListener) => {
    server = createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return fetchCollateral(wanted, { url, timeoutMs: 200 })
  }

  test.each<[string, RequestListener, string]>([
    ["an error status", (_, response) => void response.writeHead(503).end(), "answered 503"],
    ["another document", (_, response) => void response.end("{}"), "not a signed tcbInfo"],
    ["no certificate chains", documents({}), "SGX-PCK-CRL-Issuer-Chain is missing"],
    ["a chain that is not URL-encoded", documents({ "SGX-PCK-CRL-Issuer-Chain": "%" }), "is not URL-encoded"],
    ["a huge body", (_, response) => void response.end("x".repeat(300_000)), "answered more than"],
    [
      "a redirect",
      (_, response) => void response.writeHead(302, { location: "/" }).end(),
      "COLLATERAL_UNREACHABLE",
    ],
    ["silence", () => {}, "COLLATERAL_UNREACHABLE"],
  ])("%s", async (_, listener, code) => {
    await expect(against(listener)).rejects.toThrow(code)
  })
})

describe("the cache", () => {
  const clock = createManualClock()
  const bundle = (label: string): CollateralBundle => ({ ...platform.collateral(), pck_crl: label })

  /** A source over scripted answers; each fetch takes the next one. */
  const scripted = (
    answers: readonly (CollateralBundle | Error)[],
    options: { maxPlatforms?: number } = {},
  ) => {
    const asked: string[] = []
    const queue = [...answers]
    const source = createCollateralSource(
      { urls: ["first", "second"], refreshAfterMs: 1_000, ...options },
      {
        clock,
        fetchBundle: async ({ fmspc }, { url }) => {
          asked.push(`${url} ${fmspc}`)
          const answer = queue.shift()
          if (answer === undefined || answer instanceof Error) throw answer ?? new Error("nothing left")
          return answer
        },
      },
    )
    return { source, asked }
  }
  const down = new Error("down")

  test("answers from the cache until it is old", async () => {
    const { source, asked } = scripted([bundle("a"), bundle("b")])
    expect((await source.collateralFor(wanted)).pck_crl).toBe("a")
    clock.advance(999)
    expect((await source.collateralFor({ ...wanted, fmspc: "B0C06F000000" })).pck_crl).toBe("a")
    clock.advance(1)
    expect((await source.collateralFor(wanted)).pck_crl).toBe("b")
    expect(asked).toHaveLength(2)
  })

  test("asks the next service when one is down", async () => {
    const { source, asked } = scripted([down, bundle("a")])
    expect((await source.collateralFor(wanted)).pck_crl).toBe("a")
    expect(asked).toEqual(["first b0c06f000000", "second b0c06f000000"])
  })

  test("keeps an old bundle while every service is down, and fails where there is none", async () => {
    const { source } = scripted([bundle("a"), down, down])
    await source.collateralFor(wanted)
    clock.advance(1_000)
    expect((await source.collateralFor(wanted)).pck_crl).toBe("a")
    await expect(scripted([down, down]).source.collateralFor(wanted)).rejects.toThrow("down")
  })

  test("one fetch serves all who wait", async () => {
    const { source, asked } = scripted([bundle("a")])
    await Promise.all([source.collateralFor(wanted), source.collateralFor(wanted)])
    expect(asked).toHaveLength(1)
  })

  test("forgets the oldest platform beyond its size", async () => {
    const { source, asked } = scripted([bundle("a"), bundle("b"), bundle("c")], { maxPlatforms: 1 })
    await source.collateralFor(wanted)
    await source.collateralFor({ ...wanted, authority: "processor" })
    expect((await source.collateralFor(wanted)).pck_crl).toBe("c")
    expect(asked).toHaveLength(3)
  })
})
