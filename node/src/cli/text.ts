/** Results as text for people: one line per value, nested values indented. */

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** `key: value` lines; long hex is shortened, for which `--json` is there. */
export function describeResult(result: Readonly<Record<string, unknown>>, indent = ""): string {
  return Object.entries(result)
    .map(([key, value]) =>
      isRecord(value)
        ? `${indent}${key}:\n${describeResult(value, `${indent}  `)}`
        : `${indent}${key}: ${describeValue(value)}`,
    )
    .join("\n")
}

function describeValue(value: unknown): string {
  if (value === null) return "-"
  if (Array.isArray(value)) return value.length === 0 ? "-" : value.map(describeValue).join(", ")
  const text = String(value)
  return text.length > 200 ? `${text.slice(0, 64)}… (${(text.length - 2) / 2} bytes)` : text
}
