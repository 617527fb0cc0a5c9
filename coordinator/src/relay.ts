/** Asks several HTTP peers the same thing at once and keeps every answer apart, good or bad. */
import { z } from "zod"

export type Answer<T> =
  | { readonly url: string; readonly ok: true; readonly value: T }
  | { readonly url: string; readonly ok: false; readonly code: string; readonly message: string }

export type RelayOptions = {
  readonly fetch: typeof fetch
  readonly timeoutMs: number
  readonly maxBytes: number
}

const errorBody = z.object({ error: z.object({ code: z.string().max(64), message: z.string().max(1024) }) })

async function limitedText(response: Response, maxBytes: number): Promise<string> {
  const reader = response.body?.getReader()
  const parts: Uint8Array[] = []
  let size = 0
  for (;;) {
    const next = await reader?.read()
    if (next === undefined || next.done) break
    size += next.value.byteLength
    if (size > maxBytes) {
      await reader?.cancel()
      throw new Error(`answer above ${maxBytes} bytes`)
    }
    parts.push(next.value)
  }
  return Buffer.concat(parts).toString("utf8")
}

async function ask<T>(
  url: string,
  path: string,
  body: string,
  schema: z.ZodType<T>,
  options: RelayOptions,
): Promise<Answer<T>> {
  try {
    const response = await options.fetch(new URL(path, url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: AbortSignal.timeout(options.timeoutMs),
      redirect: "error",
    })
    const value: unknown = JSON.parse(await limitedText(response, options.maxBytes))
    if (!response.ok) {
      const refused = errorBody.safeParse(value)
      return refused.success
        ? { url, ok: false, ...refused.data.error }
        : {
            url,
            ok: false,
            code: "PEER_MALFORMED",
            message: `status ${response.status} without an error body`,
          }
    }
    const parsed = schema.safeParse(value)
    return parsed.success
      ? { url, ok: true, value: parsed.data }
      : { url, ok: false, code: "PEER_MALFORMED", message: "the answer has not the agreed form" }
  } catch (error) {
    return {
      url,
      ok: false,
      code: "PEER_UNREACHABLE",
      message: error instanceof Error ? error.message : "no answer",
    }
  }
}

/**
 * POSTs `body` to `path` of every url in parallel. `enough` may end the wait early: it sees the answers so far.
 * @returns the answers that had come by then, in order of arrival.
 */
export async function askAll<T>(
  urls: readonly string[],
  path: string,
  body: unknown,
  schema: z.ZodType<T>,
  options: RelayOptions,
  enough: (answers: readonly Answer<T>[]) => boolean = () => false,
): Promise<readonly Answer<T>[]> {
  const text = JSON.stringify(body)
  const answers: Answer<T>[] = []
  await new Promise<void>((resolve) => {
    if (urls.length === 0) resolve()
    let open = urls.length
    for (const url of urls)
      void ask(url, path, text, schema, options).then((answer) => {
        answers.push(answer)
        open -= 1
        if (open === 0 || enough(answers)) resolve()
      })
  })
  return [...answers]
}

/** What to tell a client about the peers that refused or were silent. */
export const refusals = (
  answers: readonly Answer<unknown>[],
): readonly { url: string; code: string; message: string }[] =>
  answers.flatMap((answer) =>
    answer.ok ? [] : [{ url: answer.url, code: answer.code, message: answer.message }],
  )
