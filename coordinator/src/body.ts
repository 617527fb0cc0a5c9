/** Reads and checks a JSON body. */
import type { Context } from "hono"
import type { z } from "zod"
import { coordinatorError } from "./httpError.ts"

const tooSlow = (ms: number) =>
  coordinatorError({ code: "BODY_TOO_SLOW", message: `the body did not come within ${ms} ms` })

/** @throws MALFORMED_BODY naming each bad field, BODY_TOO_SLOW where it is not there within `timeoutMs` */
export async function readBody<T>(context: Context, schema: z.ZodType<T>, timeoutMs = 60_000): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(tooSlow(timeoutMs)), timeoutMs)
  const read = context.req.json().catch(() => {
    throw coordinatorError({ code: "MALFORMED_BODY", message: "the body is no JSON" })
  })
  const value: unknown = await Promise.race([read, late.promise]).finally(() => clearTimeout(timer))
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const problems = result.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join(".") || "(root)"}: ${issue.message}`)
  throw coordinatorError({ code: "MALFORMED_BODY", message: problems.join("; ") })
}
