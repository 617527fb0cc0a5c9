import { AbiCoder, id, keccak256, solidityPacked } from "ethers"
import { describe, expect, test } from "vitest"
import { tagHash, toHex } from "./codec.ts"
import { commitmentLeaf } from "./commitment.ts"
import { parseAddress, parseEpoch, parseHandle, parseKeyId, parseRequestId } from "./ids.ts"
import { inputMetadata } from "./inputMetadata.ts"
import { keyIdOf } from "./keyId.ts"
import { CURRENT_PARAMETERS } from "./parameters.ts"
import { sessionIdOf } from "./session.ts"
import { requestSubject, sessionsHash, userSubject } from "./subjects.ts"

const abi = AbiCoder.defaultAbiCoder()
const address = (digit: string) => parseAddress(`0x${digit.repeat(40)}`)
const keyId = parseKeyId(tagHash("key"))
const handle = parseHandle(tagHash("handle"))
const session = {
  ...{ keyId, epoch: parseEpoch(2), blockCount: 4, squashedDigest: tagHash("words") },
  parametersHash: CURRENT_PARAMETERS.hash,
}

test("a key id binds registry, ceremony and host", () => {
  const host = { chainId: 10n, coprocessor: address("c"), gateway: address("d") }
  const key = {
    genesisHash: tagHash("genesis"),
    chainId: 31337n,
    keyRegistry: address("a"),
    ceremonyNonce: 4n,
    host,
  }
  expect(keyIdOf(key)).toBe(
    keccak256(
      abi.encode(
        ["bytes32", "bytes32", "uint256", "address", "uint256", "uint256", "address", "address"],
        [
          id("twinlock/key/v1"),
          key.genesisHash,
          31337n,
          key.keyRegistry,
          4n,
          10n,
          host.coprocessor,
          host.gateway,
        ],
      ),
    ),
  )
})

describe("session id", () => {
  test("is the tagged hash of key, part, format, parameters and words", () => {
    expect(CURRENT_PARAMETERS.hash).toBe(
      id("V1_7_META_PARAM_CPU_2_2_KS_PBS_PKE_TO_SMALL_ZKV2_TUNIFORM_2M128"),
    )
    expect(sessionIdOf(session)).toBe(
      keccak256(
        abi.encode(
          ["bytes32", "bytes32", "uint32", "uint256", "uint256", "bytes32", "uint256", "bytes32"],
          [id("twinlock/session/v1"), keyId, 2, 1, 1, CURRENT_PARAMETERS.hash, 4, session.squashedDigest],
        ),
      ),
    )
  })

  test("of packed words names the other key part and format", () => {
    expect(sessionIdOf({ ...session, blockCount: 16 })).toBe(
      keccak256(
        abi.encode(
          ["bytes32", "bytes32", "uint32", "uint256", "uint256", "bytes32", "uint256", "bytes32"],
          [id("twinlock/session/v1"), keyId, 2, 2, 2, CURRENT_PARAMETERS.hash, 16, session.squashedDigest],
        ),
      ),
    )
  })

  test("differs between the two readings of one digest, at any block count", () => {
    for (const blockCount of [1, 4, 8, 16, 64]) {
      const [raw, packed] = (["raw", "packed"] as const).map((format) =>
        sessionIdOf({ ...session, blockCount, format }),
      )
      expect(raw).not.toBe(packed)
      expect(sessionIdOf({ ...session, blockCount })).toBe(blockCount < 8 ? raw : packed)
    }
  })

  test("differs by words, block count, epoch, key and parameters", () => {
    const ids = [
      session,
      { ...session, squashedDigest: tagHash("other") },
      { ...session, blockCount: 8 },
      { ...session, epoch: parseEpoch(3) },
      { ...session, parametersHash: tagHash("next parameters") },
      { ...session, keyId: parseKeyId(tagHash("k2")) },
    ].map((one) => sessionIdOf(one))
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe("subjects", () => {
  test("a request is its own subject", () => {
    expect(requestSubject(parseRequestId(tagHash("r")))).toBe(tagHash("r"))
  })

  test("a user subject binds permit and handles in order", () => {
    const other = parseHandle(tagHash("other"))
    const packed = keccak256(solidityPacked(["bytes32[]"], [[handle, other]]))
    expect(userSubject(tagHash("permit"), [handle, other])).toBe(
      keccak256(
        abi.encode(
          ["bytes32", "bytes32", "bytes32"],
          [id("twinlock/user-subject/v1"), tagHash("permit"), packed],
        ),
      ),
    )
    expect(userSubject(tagHash("permit"), [other, handle])).not.toBe(
      userSubject(tagHash("permit"), [handle, other]),
    )
  })

  test("sessions hash as packed words", () => {
    const sid = sessionIdOf(session)
    expect(sessionsHash([sid])).toBe(keccak256(sid))
  })
})

test("input metadata is 224 bytes of ABI words", () => {
  const context = {
    chainId: 31337n,
    coprocessor: address("c"),
    contract: address("d"),
    user: address("e"),
    keyId,
    crsDigest: tagHash("crs"),
  }
  const bytes = inputMetadata(context)
  expect(bytes.length).toBe(224)
  expect(toHex(bytes)).toBe(
    abi.encode(
      ["bytes32", "uint256", "address", "address", "address", "bytes32", "bytes32"],
      [
        id("twinlock/input/v1"),
        31337n,
        context.coprocessor,
        context.contract,
        context.user,
        keyId,
        context.crsDigest,
      ],
    ),
  )
})

test("a commitment leaf is the tagged hash of its fields", () => {
  const commitment = {
    handle,
    operationDigest: tagHash("op"),
    inputsDigest: tagHash("in"),
    ciphertextDigest: tagHash("ct"),
    squashedDigest: tagHash("sq"),
    fheType: 3,
    blockCount: 4,
  } as const
  expect(commitmentLeaf({ chainId: 31337n, coprocessor: address("c") }, commitment)).toBe(
    keccak256(
      abi.encode(
        ["bytes32", "uint256", "address", ...Array(5).fill("bytes32"), "uint8", "uint256"],
        [
          id("twinlock/commitment/v1"),
          31337n,
          address("c"),
          handle,
          commitment.operationDigest,
          commitment.inputsDigest,
          commitment.ciphertextDigest,
          commitment.squashedDigest,
          3,
          4,
        ],
      ),
    ),
  )
})
