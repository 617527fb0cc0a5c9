/** Whom an address counts for: an IPv6 network is one source, since its users have as many addresses as they like. */
const MAPPED = /^::ffff:([0-9.]+)$/i
const GROUPS = 8
const NETWORK = 4

/** @param address as sockets name it */
export function sourceOfAddress(address: string): string {
  const [plain = ""] = address.split("%")
  const mapped = MAPPED.exec(plain)
  if (mapped?.[1] !== undefined) return mapped[1]
  if (!plain.includes(":")) return plain
  const [head = [], tail = []] = plain
    .split("::")
    .map((part) => part.split(":").filter((group) => group !== ""))
  const zeros = new Array<string>(Math.max(0, GROUPS - head.length - tail.length)).fill("0")
  const network = [...head, ...zeros, ...tail].slice(0, NETWORK)
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`
}
