/** What a server that is trusted with nothing answers, as far as it is wanted. */

/** The beginning of the body, of at most `maxBytes`; the rest is not read. */
export async function beginningOf(response: Response, maxBytes: number): Promise<string> {
  const reader = response.body?.getReader()
  if (reader === undefined) return ""
  const parts: Uint8Array[] = []
  for (let size = 0; size < maxBytes; ) {
    const { done, value } = await reader.read()
    if (done) break
    size += value.length
    parts.push(value)
  }
  // Nothing more is wanted of a server that goes on.
  await reader.cancel().catch(() => {})
  return Buffer.concat(parts).subarray(0, maxBytes).toString("utf8")
}
