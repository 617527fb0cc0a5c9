/**
 * A key ceremony: the arithmetic of one party beside tfhe's own key generation, updates of a CRS, and whole ceremonies of
 * node processes.
 */
import { cpus } from "node:os"
import { arithmeticFigures } from "./ceremony/arithmetic.ts"
import { crsFigures } from "./ceremony/crs.ts"
import { networkFigures } from "./ceremony/network.ts"
import { parseSizes, type Size } from "./ceremony/size.ts"
import { type Figure, figure } from "./figure.ts"
import { loadAverage } from "./threshold/meter.ts"

export type CeremonyOptions = {
  /** Seconds instead of minutes: shows that key generation can be measured, and nothing else. */
  readonly quick: boolean
  /** `4/1,13/4` where absent. */
  readonly sizes?: string
  /** Some of {@link PARTS}, separated by commas; all where absent. */
  readonly only?: string
}

const PARTS = ["keygen", "crs", "network"] as const
type Part = (typeof PARTS)[number]
/** Updates whose median counts. */
const CRS_PARTIES = 4

const say = (text: string): void => void process.stderr.write(`${text}\n`)

function parseParts(text: string): readonly Part[] {
  return text.split(",").map((name) => {
    const part = PARTS.find((known) => known === name)
    if (part === undefined) throw new RangeError(`parts are ${PARTS.join(", ")}, not ${name}`)
    return part
  })
}

export async function ceremony(options: CeremonyOptions): Promise<readonly Figure[]> {
  const sizes = options.quick ? [{ n: 4, t: 1 }] : parseSizes(options.sizes ?? "4/1,13/4")
  const parts = options.quick ? (["keygen"] as const) : parseParts(options.only ?? PARTS.join(","))
  const hardware = `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`
  const figures: Figure[] = []
  for (const part of parts) {
    const load = loadAverage()
    say(`${part} on ${hardware}, load ${load}`)
    const params = { hardware, load }
    const found = await figuresOf(part, sizes, options.quick)
    figures.push(
      ...found.map(({ name, value, unit, params: own }) => figure(name, value, unit, { ...own, ...params })),
    )
  }
  return figures
}

async function figuresOf(part: Part, sizes: readonly Size[], quick: boolean): Promise<readonly Figure[]> {
  switch (part) {
    case "keygen":
      return arithmeticFigures(sizes, quick, say)
    case "crs":
      return crsFigures(CRS_PARTIES)
    case "network": {
      const figures: Figure[] = []
      for (const size of sizes) figures.push(...(await networkFigures(size, say)))
      return figures
    }
  }
}
