/** @throws where the body of an answer is above `maxBytes`, without reading more of it */
export async function boundedText(response: Response, maxBytes: number): Promise<string> {
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
