import { describe, expect, test } from "vitest"
import { createFrameReader, pongFrame, textFrame } from "./webSocketFrames.ts"

const MAX = 70_000
const FINAL = 0x80
const [CONTINUED, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10] as const

function frame(first: number, payload: Buffer | string, length = payload.length): Buffer {
  const body = Buffer.from(payload)
  if (length < 126) return Buffer.concat([Buffer.of(first, length), body])
  const head = Buffer.alloc(length < 65_536 ? 4 : 10)
  head.writeUInt8(first)
  head.writeUInt8(length < 65_536 ? 126 : 127, 1)
  if (length < 65_536) head.writeUInt16BE(length, 2)
  else head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, body])
}
const text = (of: string) => ({ kind: "text", text: of })

describe("frames of a server", () => {
  test.each([0, 5, 125, 126, 65_535, 65_536, MAX])("a text of %i bytes", (length) => {
    const said = "x".repeat(length)
    expect(createFrameReader(MAX)(frame(FINAL | TEXT, said))).toEqual([text(said)])
  })

  test("byte by byte, and several at once", () => {
    const bytes = Buffer.concat([
      frame(FINAL | TEXT, "first"),
      frame(FINAL | PING, "are you there"),
      frame(FINAL | PONG, ""),
      frame(TEXT, "sec"),
      frame(FINAL | PING, ""),
      frame(CONTINUED, "on"),
      frame(FINAL | CONTINUED, "d"),
      frame(FINAL | CLOSE, Buffer.of(3, 232)),
    ])
    const expected = [
      text("first"),
      { kind: "ping", bytes: Buffer.from("are you there") },
      { kind: "ping", bytes: Buffer.alloc(0) },
      text("second"),
      { kind: "close" },
    ]
    expect(createFrameReader(MAX)(bytes)).toEqual(expected)
    const read = createFrameReader(MAX)
    expect([...bytes].flatMap((byte) => read(Buffer.of(byte)))).toEqual(expected)
  })

  test.each<[string, Buffer]>([
    ["a message that is too long, before its bytes have come", frame(FINAL | TEXT, "", MAX + 1)],
    ["one of 2^62 bytes", frame(FINAL | TEXT, "", 2 ** 62)],
    [
      "one that is too long in its parts",
      Buffer.concat([frame(TEXT, "x".repeat(MAX)), frame(FINAL | CONTINUED, "", 1)]),
    ],
    ["bytes", frame(FINAL | BINARY, "x")],
    ["a part of nothing", frame(FINAL | CONTINUED, "x")],
    ["a text inside another", Buffer.concat([frame(TEXT, "x"), frame(FINAL | TEXT, "y")])],
    ["a ping in parts", frame(PING, "x")],
    ["a long ping", frame(FINAL | PING, "x".repeat(126))],
    ["an unknown kind", frame(FINAL | 11, "x")],
    ["a compressed text", frame(FINAL | 0x40 | TEXT, "x")],
    ["a masked text", Buffer.of(FINAL | TEXT, 0x81, 1, 2, 3, 4, 5)],
    ["another protocol", Buffer.from("HTTP/1.1 400 no\r\n\r\n")],
  ])("refused: %s", (_name, bytes) => {
    expect(() => createFrameReader(MAX)(bytes)).toThrow("WEBSOCKET_FRAME")
  })
})

test("frames of a client are masked", () => {
  const mask = Uint8Array.of(1, 2, 3, 4)
  expect(textFrame("abcde", mask)).toEqual(
    Buffer.of(0x81, 0x85, 1, 2, 3, 4, 0x61 ^ 1, 0x62 ^ 2, 0x63 ^ 3, 0x64 ^ 4, 0x65 ^ 1),
  )
  expect(pongFrame(Buffer.of(7), mask)).toEqual(Buffer.of(0x8a, 0x81, 1, 2, 3, 4, 6))
})
