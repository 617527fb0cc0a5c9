import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { sha256Digest, utf8ToBytes } from "../protocol/codec.ts"
import { createCoordinators } from "./coordinator.ts"

const read = (body: unknown) => body
const connect = (
  answer: (url: URL, init?: RequestInit) => Response | Promise<Response>,
  urls = ["http://a.test"],
) =>
  createCoordinators({
    urls,
    cache: null,
    fetch: async (input, init) => answer(new URL(String(input)), init),
  })
const endless = () =>
  new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(1 << 20)) })

describe("coordinators", () => {
  test("are asked in order until one gives a usable answer", async () => {
    const asked: string[] = []
    const coordinators = connect(
      ({ host }) => {
        asked.push(host)
        if (host === "a.test") throw new TypeError("refused")
        return host === "b.test" ? new Response("<html>") : Response.json({ fine: true })
      },
      ["http://a.test", "http://b.test", "http://c.test", "http://d.test"],
    )
    expect(await coordinators.get("/v1/network", read)).toEqual({ fine: true })
    expect(asked).toEqual(["a.test", "b.test", "c.test"])
  })

  test("an answer that the caller does not accept leads to the next one", async () => {
    const coordinators = connect(({ host }) => Response.json({ host }), ["http://a.test", "http://b.test"])
    const accept = (body: unknown) => {
      if (JSON.stringify(body).includes("a.test")) throw new Error("not this one")
      return body
    }
    expect(await coordinators.post("/x", {}, accept)).toEqual({ host: "b.test" })
  })

  test("none, or none that answers, is an error", async () => {
    const silent = connect(() => {
      throw new TypeError("refused")
    })
    expect(await rejectionCodeOf(() => silent.get("/x", read))).toBe("COORDINATOR_UNREACHABLE")
    expect(await rejectionCodeOf(() => connect(() => Response.json({}), []).get("/x", read))).toBe(
      "COORDINATOR_UNREACHABLE",
    )
  })

  test("a refusal is quoted, shortened", async () => {
    const body = { error: { code: "INPUT_REFUSED", message: "x".repeat(9999) } }
    const refusing = connect(() => Response.json(body, { status: 422 }))
    const error = await refusing.get("/x", read).catch((caught: unknown) => caught)
    expect(String(error)).toContain("status 422 INPUT_REFUSED")
    expect(String(error).length).toBeLessThan(500)
    const blunt = connect(() => new Response("<html>", { status: 500 }))
    expect(await rejectionCodeOf(() => blunt.get("/x", read))).toBe("COORDINATOR_REFUSED")
  })

  test("endless answers are cut off", async () => {
    const flooding = connect(() => new Response(endless()))
    expect(await rejectionCodeOf(() => flooding.get("/x", read))).toBe("COORDINATOR_MALFORMED")
    const digest = sha256Digest(utf8ToBytes("file"))
    expect(await rejectionCodeOf(() => flooding.file(digest, "CRS_DIGEST_MISMATCH"))).toBe(
      "COORDINATOR_MALFORMED",
    )
  })

  test("redirects are not followed, and bodies are JSON", async () => {
    const seen: RequestInit[] = []
    const coordinators = connect((_, init) => {
      if (init !== undefined) seen.push(init)
      return Response.json({})
    })
    await coordinators.post("/x", { a: 1 }, read)
    expect(seen[0]).toMatchObject({ method: "POST", redirect: "error", body: '{"a":1}' })
  })

  test("an aborted call asks nobody else", async () => {
    const controller = new AbortController()
    let asked = 0
    const coordinators = connect(() => {
      asked += 1
      controller.abort(new Error("enough"))
      throw new TypeError("aborted")
    }, ["http://a.test", "http://b.test"])
    await expect(coordinators.get("/x", read, controller.signal)).rejects.toThrow("enough")
    expect(asked).toBe(1)
  })
})
