import { OPERATOR } from "@twinlock/sdk/chain/abi"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import type { Handle } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import type { ComputeRequest } from "./computer.ts"
import { handleOf, zeroWord } from "./executor.fixture.ts"
import { computeRequest, operandHandles, type SymbolicOperation } from "./operations.ts"

describe("operations", () => {
  const a = handleOf(taggedHash("a"), 3)
  const b = handleOf(taggedHash("b"), 3)
  const c = handleOf(taggedHash("c"), 0)
  const base = { result: a, third: zeroWord, digest: taggedHash("op"), scalar: false, lhs: a, rhs: b }
  const cases: readonly (readonly [string, SymbolicOperation, readonly Handle[], Partial<ComputeRequest>])[] =
    [
      ["add", { ...base, operator: OPERATOR.add }, [a, b], { operator: "add" }],
      [
        "eq with a clear value",
        { ...base, operator: OPERATOR.eq, scalar: true, rhs: `0x${"00".repeat(31)}02` },
        [a],
        { operator: "eq" },
      ],
      [
        "select",
        { ...base, operator: OPERATOR.select, lhs: c, rhs: a, third: b },
        [c, a, b],
        { operator: "select" },
      ],
      [
        "cast",
        { ...base, operator: OPERATOR.cast, lhs: b, rhs: zeroWord },
        [b],
        { operator: "cast", toType: 3 },
      ],
      ["not", { ...base, operator: OPERATOR.not, rhs: zeroWord }, [a], { operator: "not" }],
      ["bitwise and", { ...base, operator: OPERATOR.bitAnd }, [a, b], { operator: "and" }],
      [
        "trivial",
        { ...base, operator: OPERATOR.trivialEncrypt, lhs: `0x${"00".repeat(31)}07`, rhs: zeroWord },
        [],
        { operator: "trivial", toType: 3 },
      ],
    ]
  test.each(cases)("%s", (_, operation, operands, request) => {
    expect(operandHandles(operation)).toEqual(operands)
    expect(computeRequest(operation, [])).toMatchObject(request)
  })
  test("the clear value of a scalar operation is passed as it stands on chain", () => {
    const operation = { ...base, operator: OPERATOR.eq, scalar: true, rhs: `0x${"00".repeat(31)}02` as const }
    expect(computeRequest(operation, []).scalar?.[31]).toBe(2)
  })
})
