/** What is asked often and changes seldom: asked once in a while, whoever wants it. A failure counts as an answer. */
export function remembered<T>(ask: () => Promise<T>, forMs: number, now: () => number): () => Promise<T> {
  let last: { readonly answer: Promise<T>; readonly at: number } | undefined
  return () => {
    if (last === undefined || now() - last.at >= forMs) last = { answer: ask(), at: now() }
    return last.answer
  }
}
