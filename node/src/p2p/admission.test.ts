import type { Connection, MultiaddrConnection } from "@libp2p/interface"
import { describe, expect, test } from "vitest"
import {
  type Admission,
  createAdmission,
  PENDING_LIMITS,
  REGISTERED_LIMITS,
  STRANGER_LIMITS,
} from "./admission.ts"

type Fake = Connection & { aborted: boolean }

const fake = (peer: string, address: string): Fake => {
  const made = {
    aborted: false,
    remotePeer: { toString: () => peer },
    remoteAddr: { toString: () => `/ip4/${address}/tcp/4001` },
    abort() {
      made.aborted = true
    },
  }
  return made as unknown as Fake
}

const open = ({ opened }: Admission, connection: Fake): Fake => {
  opened(connection)
  return connection
}

const kept = (connections: readonly Fake[]): number => connections.filter(({ aborted }) => !aborted).length

const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))

/** More outsiders than there are places, from one address and from many. */
const flood = (admission: Admission): Fake[] => [
  ...times(100, (i) => open(admission, fake(`outsider ${i}`, "10.0.0.1"))),
  ...times(100, (i) => open(admission, fake("one outsider", `10.0.1.${i}`))),
]

const admissionOf = (...configured: string[]): Admission =>
  createAdmission({ configured: new Set(configured), metrics: null })

describe("admission", () => {
  test("outsiders share few places, and one address fewer", () => {
    const admission = admissionOf()
    const one = times(100, (i) => open(admission, fake(`outsider ${i}`, "10.0.0.1")))
    expect(kept(one)).toBe(STRANGER_LIMITS.perGroup)
    expect(kept([...one, ...flood(admission)])).toBe(STRANGER_LIMITS.total)
  })

  test.each<[string, string[], (admission: Admission, peer: Fake) => void]>([
    ["a configured peer", ["carol"], () => {}],
    ["a peer whose hello named its registration", [], ({ registered }, peer) => registered(peer)],
    ["an attested peer", [], ({ attested }, peer) => attested(peer)],
  ])("%s keeps its place in a flood", (_name, configured, happen) => {
    const admission = admissionOf(...configured)
    flood(admission)
    const carol = open(admission, fake("carol", "10.0.0.1"))
    expect(carol.aborted).toBe(false)
    happen(admission, carol)
    flood(admission)
    expect(carol.aborted).toBe(false)
  })

  test("one stolen peer key opens few connections, and takes no attested one", () => {
    const admission = admissionOf("carol")
    const carol = open(admission, fake("carol", "10.0.0.1"))
    admission.attested(carol)
    const stolen = times(20, (i) => open(admission, fake("carol", `10.0.0.${i}`)))
    expect(kept(stolen)).toBe(REGISTERED_LIMITS.perGroup)
    expect(carol.aborted).toBe(false)
  })

  test("a closed connection gives its place back", () => {
    const admission = admissionOf("carol")
    const first = times(STRANGER_LIMITS.perGroup, () => open(admission, fake("outsider", "10.0.0.1")))
    const second = times(REGISTERED_LIMITS.perGroup, () => open(admission, fake("carol", "10.0.0.1")))
    for (const [i, each] of [...first, ...second].entries()) if (i % 2 === 0) admission.closed(each)
    open(admission, fake("outsider", "10.0.0.1"))
    open(admission, fake("carol", "10.0.0.1"))
    expect(kept([...first, ...second])).toBe(first.length + second.length)
  })

  test("before noise an address has few places, which its later connections take", () => {
    const { gater } = admissionOf()
    const dialled = times(PENDING_LIMITS.perGroup + 3, () => {
      const connection = Object.assign(new EventTarget(), fake("", "10.0.0.1")) as unknown as Fake &
        MultiaddrConnection
      const target = connection as unknown as { abort(): void; aborted: boolean }
      target.abort = () => {
        target.aborted = true
        ;(connection as unknown as EventTarget).dispatchEvent(new Event("close"))
      }
      expect(gater.denyInboundConnection(connection)).toBe(false)
      return connection
    })
    expect(dialled.map(({ aborted }) => aborted).indexOf(false)).toBe(3)
    // Who got through noise holds no place any more.
    for (const each of dialled.slice(3)) gater.denyInboundUpgradedConnection(each.remotePeer, each)
    const later = fake("", "10.0.0.1")
    gater.denyInboundConnection(Object.assign(new EventTarget(), later) as unknown as MultiaddrConnection)
    expect(kept(dialled)).toBe(PENDING_LIMITS.perGroup)
  })
})
