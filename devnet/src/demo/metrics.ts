/** Reads a node's metrics as its operator's monitoring would. */

/** Sum of a metric's samples whose labels include all given; 0 where there is none. */
export async function readMetric(
  url: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const response = await fetch(new URL("/metrics", url))
  const text = await response.text()
  let sum = 0
  for (const line of text.split("\n")) {
    if (!line.startsWith(name) || !/^[{ ]/.test(line.slice(name.length))) continue
    if (!Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`))) continue
    sum += Number(line.slice(line.lastIndexOf(" ") + 1))
  }
  return sum
}
