/** `compute` with its latest results kept by name: most parts of a mutant are those of the genuine input. */
export function remembered<I, O>(
  nameOf: (input: I) => string,
  compute: (input: I) => O,
  kept: number,
): (input: I) => O {
  const results = new Map<string, O>()
  return (input) => {
    const name = nameOf(input)
    const known = results.get(name)
    if (known !== undefined) return known
    const made = compute(input)
    if (results.size >= kept) results.clear()
    results.set(name, made)
    return made
  }
}
