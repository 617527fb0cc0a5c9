/** POST /v1/inputs of an executor. */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { parseAddress } from "@twinlock/sdk/protocol/ids"
import type { Hono } from "hono"
import { z } from "zod"
import { MAX_LIST_BYTES } from "./inputs.ts"
import type { ExecutorService } from "./service.ts"

const body = z.strictObject({
  list: z.string().max(2 + 2 * MAX_LIST_BYTES),
  contract: z.string().max(42),
  user: z.string().max(42),
})

/** Status per code; the caller's fault unless it is listed, or of a store or chain. */
const STATUS: Readonly<Record<string, 413 | 429 | 503>> = {
  KEY_NOT_READY: 503,
  INPUT_QUEUE_FULL: 429,
  INPUT_TOO_LARGE: 413,
}
const statusOf = (code: string) => STATUS[code] ?? (/^(BLOB|STORE|CHAIN)_/.test(code) ? 503 : 422)

export function executorRoutes(service: ExecutorService): (app: Hono) => void {
  return (app) => {
    app.post("/v1/inputs", async (context) => {
      const parsed = body.safeParse(await context.req.json().catch(() => null))
      if (!parsed.success)
        return context.json(
          { error: { code: "MALFORMED_BODY", message: "want list, contract and user" } },
          400,
        )
      try {
        const { list, contract, user } = parsed.data
        return context.json(
          await service.attest({
            list: fromHex(list),
            contract: parseAddress(contract),
            user: parseAddress(user),
          }),
        )
      } catch (error) {
        if (!isProtocolError(error)) throw error
        const { code, message } = error.detail
        return context.json({ error: { code, message } }, statusOf(code))
      }
    })
  }
}
