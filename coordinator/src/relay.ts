/** Asks several HTTP peers the same thing at once and keeps every answer apart, good or bad. */
import { z } from "zod"
import { boundedText } from "./boundedText.ts"

export type Answer<T> =
  | { readonly url: string; readonly ok: true; readonly value: T }
  | { readonly url: string; readonly ok: false; readonly code: string; readonly message: string }

export type RelayOptions = {
  readonly fetch: typeof fetch
  readonly timeoutMs: number
  /** Milliseconds that slower peers get once the others' answers decide. */
  readonly graceMs: number
  readonly maxBytes: number
}

const errorBody = z.object({ error: z.object({ code: z.string().max(64), message: z.string().max(1024) }) })

async function ask<T>(
  url: string,
  path: string,
  body: string,
  schema: z.ZodType<T>,
  options: RelayOptions,
  over: AbortSignal,
): Promise<Answer<T>> {
  try {
    const response = await options.fetch(new URL(path, url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: AbortSignal.any([AbortSignal.timeout(options.timeoutMs), over]),
      redirect: "error",
    })
    const value: unknown = JSON.parse(await boundedText(response, options.maxBytes))
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

/** When to stop waiting: what is still open is left behind, and named as silent. */
export type Patience<T> = {
  /** True where the answers so far suffice; slower peers get `graceMs` more. */
  readonly enough: (answers: readonly Answer<T>[]) => boolean
  /** True where no further answer can make them suffice; peers that refuse get their say within `graceMs`. */
  readonly hopeless: (answers: readonly Answer<T>[]) => boolean
}

/**
 * POSTs `body` to `path` of every url in parallel.
 * @returns the answers in order of arrival, then a refusal for each peer that had not answered by then
 */
export async function askAll<T>(
  urls: readonly string[],
  path: string,
  body: unknown,
  schema: z.ZodType<T>,
  options: RelayOptions,
  { enough, hopeless }: Patience<T>,
): Promise<readonly Answer<T>[]> {
  const text = JSON.stringify(body)
  const answers: Answer<T>[] = []
  const over = new AbortController()
  let grace: ReturnType<typeof setTimeout> | undefined
  await new Promise<void>((resolve) => {
    if (urls.length === 0) resolve()
    for (const url of urls)
      void ask(url, path, text, schema, options, over.signal).then((answer) => {
        if (over.signal.aborted) return
        answers.push(answer)
        if (answers.length === urls.length) resolve()
        else if (grace === undefined && (enough(answers) || hopeless(answers)))
          grace = setTimeout(resolve, options.graceMs)
      })
  })
  clearTimeout(grace)
  over.abort()
  const heard = new Set(answers.map(({ url }) => url))
  const silent = urls
    .filter((url) => !heard.has(url))
    .map((url): Answer<T> => ({ url, ok: false, code: "PEER_SILENT", message: "no answer in time" }))
  return [...answers, ...silent]
}

/** What to tell a client about the peers that refused or were silent. */
export const refusals = (
  answers: readonly Answer<unknown>[],
): readonly { url: string; code: string; message: string }[] =>
  answers.flatMap((answer) =>
    answer.ok ? [] : [{ url: answer.url, code: answer.code, message: answer.message }],
  )
