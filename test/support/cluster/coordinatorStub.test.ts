import { expect, test } from "vitest"
import { startCoordinatorStub } from "./coordinatorStub.ts"

const certified = (requestId: string, plaintexts: string) => ({
  result: { requestId, plaintexts },
  certificate: {},
})

test("blobs are served, and the first certificate of a request counts, whenever it is asked for", async () => {
  const stub = await startCoordinatorStub(0, (digest) => (digest === "ab" ? Uint8Array.of(1, 2) : null))
  try {
    const blob = await fetch(`${stub.url}/v1/blobs/ab`)
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(Uint8Array.of(1, 2))
    expect((await fetch(`${stub.url}/v1/blobs/cd`)).status).toBe(404)
    const early = stub.delivery("0x01")
    for (const body of [certified("0x01", "0x11"), certified("0x01", "0x22")]) {
      const response = await fetch(`${stub.url}/v1/certificates`, {
        method: "POST",
        body: JSON.stringify(body),
      })
      expect(response.status).toBe(202)
    }
    expect((await early).result.plaintexts).toBe("0x11")
    expect((await stub.delivery("0x01")).result.plaintexts).toBe("0x11")
    const batch = { kind: "batch", results: [{ requestId: "0x02" }, { requestId: "0x03" }], certificate: {} }
    await fetch(`${stub.url}/v1/certificates`, { method: "POST", body: JSON.stringify(batch) })
    expect((await stub.delivery("0x03")).submission).toEqual(batch)
    expect([stub.delivered.size, stub.deliveries()]).toEqual([3, 4])
    expect(stub.contradicted()).toEqual(["0x01"])
    await fetch(`${stub.url}/v1/certificates`, { method: "POST", body: JSON.stringify(batch) })
    expect(stub.contradicted()).toEqual(["0x01"])
  } finally {
    await stub.stop()
  }
})
