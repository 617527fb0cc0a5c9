/** n parties of which t may be faulty. */
export type Size = { readonly n: number; readonly t: number }

/** `4/1,13/4`. @throws RangeError */
export const parseSizes = (text: string): readonly Size[] =>
  text.split(",").map((size) => {
    const [, n, t] = /^(\d{1,2})\/(\d)$/.exec(size) ?? []
    if (n === undefined || t === undefined) throw new RangeError(`a size is n/t, such as 4/1, not ${size}`)
    return { n: Number(n), t: Number(t) }
  })
