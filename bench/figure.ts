/** One measured number, as every benchmark prints it. */
export type Figure = {
  readonly name: string
  readonly value: number
  /** ms, s, gas, bytes, MB, ratio, rounds, results/s */
  readonly unit: string
  /** n and t of the committee, p for a percentile, what else the number depends on. */
  readonly params: Readonly<Record<string, number | string>>
}

export const figure = (name: string, value: number, unit: string, params: Figure["params"] = {}): Figure => ({
  name,
  value,
  unit,
  params,
})

/** Nearest-rank percentile; `values` need not be sorted. @throws RangeError where there are none */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)]
  if (value === undefined) throw new RangeError("a percentile of nothing")
  return value
}

/** @throws RangeError naming the first figure that is no sane number. */
export function assertSane(figures: readonly Figure[]): void {
  if (figures.length === 0) throw new RangeError("the benchmark measured nothing")
  for (const { name, value } of figures)
    if (!Number.isFinite(value) || value <= 0) throw new RangeError(`${name} is ${value}`)
}
