/** Strict JSON bodies: parsed once, checked against a schema, refused with the offending field. */
import type { Context } from "hono"
import { z } from "zod"
import { apiError } from "./httpServer.ts"

export const hexBytes = (maxBytes: number) =>
  z
    .string()
    .max(2 + 2 * maxBytes)
    .regex(/^0x([0-9a-f]{2})*$/, "want lower-case 0x hex")
export const hexOf = (bytes: number) =>
  z.string().regex(new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`), `want ${bytes} bytes of lower-case 0x hex`)
export const decimal = z.string().regex(/^(0|[1-9][0-9]{0,77})$/, "want a decimal string")

/** @throws MALFORMED_BODY */
export async function readBody<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  let body: unknown
  try {
    body = await context.req.json()
  } catch {
    throw apiError("MALFORMED_BODY", "the body is not JSON")
  }
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const problems = result.error.issues.map(({ path, message }) => `${path.join(".") || "(root)"}: ${message}`)
  throw apiError("MALFORMED_BODY", problems.slice(0, 5).join("; "))
}
