import { expect, test } from "vitest"
import { beginningOf } from "./responseText.ts"

const KIB = 1024

test("a short answer is whole, an endless one is left where enough of it came", async () => {
  expect(await beginningOf(new Response("no such thing"), KIB)).toBe("no such thing")
  expect(await beginningOf(new Response(null), KIB)).toBe("")
  let sent = 0
  let cancelled = false
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += KIB
      controller.enqueue(new Uint8Array(KIB).fill(120))
    },
    cancel() {
      cancelled = true
    },
  })
  expect(await beginningOf(new Response(endless), 4 * KIB)).toBe("x".repeat(4 * KIB))
  expect(sent).toBeLessThan(8 * KIB)
  expect(cancelled).toBe(true)
})
