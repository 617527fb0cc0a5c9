/** Reads and checks a JSON body. */
import type { Context } from "hono"
import type { z } from "zod"
import { coordinatorError } from "./httpError.ts"

/** @throws MALFORMED_BODY naming each bad field. */
export async function readBody<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  const value: unknown = await context.req.json().catch(() => {
    throw coordinatorError({ code: "MALFORMED_BODY", message: "the body is no JSON" })
  })
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const problems = result.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join(".") || "(root)"}: ${issue.message}`)
  throw coordinatorError({ code: "MALFORMED_BODY", message: problems.join("; ") })
}
