import { describe, expect, test } from "vitest"
import { type AttestMessage, decodeAttestMessage, encodeAttestMessage, type Hello } from "./attestMessages.ts"
import { address, CHAIN_ID, REGISTRY } from "./testSupport.fixture.ts"

const hello: Hello = {
  kind: "hello",
  chainId: CHAIN_ID,
  registry: REGISTRY,
  signer: address(1),
  role: "executor",
  nonce: new Uint8Array(32).fill(9),
}
const messages: readonly AttestMessage[] = [
  hello,
  { kind: "evidence", quote: new Uint8Array([1, 2, 3]) },
  { kind: "accept" },
  { kind: "refuse", code: "ATTEST_REVOKED" },
]

describe("attestation frames", () => {
  test.each(messages.map((message) => [message.kind, message] as const))(
    "%s round trip",
    (_kind, message) => {
      const bytes = encodeAttestMessage(message)
      expect(decodeAttestMessage(bytes)).toEqual(message)
      expect(encodeAttestMessage(decodeAttestMessage(bytes))).toEqual(bytes)
    },
  )

  test.each<[string, Uint8Array]>([
    ["empty", new Uint8Array()],
    ["another version", encodeAttestMessage(hello).with(0, 2)],
    ["unknown kind", encodeAttestMessage(hello).with(1, 9)],
    ["unknown role", encodeAttestMessage(hello).with(50, 3)],
    ["role zero", encodeAttestMessage(hello).with(50, 0)],
    ["short", encodeAttestMessage(hello).slice(0, -1)],
    ["trailing byte", new Uint8Array([...encodeAttestMessage(hello), 0])],
    ["refusal without code", new Uint8Array([1, 3, 0, 0, 0, 0])],
    ["refusal in lower case", new Uint8Array([1, 3, 0, 0, 0, 2, 97, 98])],
  ])("refused: %s", (_name, bytes) => {
    expect(() => decodeAttestMessage(bytes)).toThrow("ATTEST_MALFORMED")
  })
})
