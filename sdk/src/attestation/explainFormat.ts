/** Values of a diagnosis as short text. */

/** ISO 8601 in UTC, whole seconds. @param time unix seconds. */
export const isoDate = (time: number): string => {
  const date = new Date(time * 1000)
  return Number.isNaN(date.getTime()) ? `unix ${time}` : date.toISOString().replace(/\.\d+Z$/, "Z")
}

/** SVNs as dotted decimals, without the zeros at the end. */
export function svnList(svns: readonly number[]): string {
  let length = svns.length
  while (length > 1 && svns[length - 1] === 0) length--
  return svns.slice(0, length).join(".")
}
