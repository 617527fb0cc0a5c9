import { fromHex, sha256Digest, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { hashInputAttestation, typedDigest } from "@twinlock/sdk/protocol/eip712"
import { recoverSigner } from "@twinlock/sdk/protocol/signature"
import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { alice, bob, domain, keyId, scene, signing, vote } from "./executor.fixture.ts"

describe("inputs", () => {
  test("an attested input carries the executor's signature over exactly its handles", async () => {
    const { inputs, blobs } = await scene()
    const list = utf8ToBytes("alice:x,y")
    const answer = await inputs.attest({ list, contract: vote, user: alice })
    const statement = {
      keyId,
      coprocessor: domain.coprocessor,
      contractAddress: vote,
      user: alice,
      listDigest: sha256Digest(list),
      handles: answer.handles,
    }
    expect(
      recoverSigner(typedDigest(signing, hashInputAttestation(statement)), fromHex(answer.signature)),
    ).toBe(answer.signer)
    expect(answer.handles).toHaveLength(2)
    expect(blobs.get(sha256Digest(list))).toEqual(list)
  })

  test("INPUT_REFUSED: a list copied from another user", async () => {
    const { inputs } = await scene()
    expect(
      await rejectionCodeOf(() => inputs.attest({ list: utf8ToBytes("alice:x"), contract: vote, user: bob })),
    ).toBe("INPUT_REFUSED")
  })

  test("INPUT_TOO_LARGE before anything is computed", async () => {
    const { inputs } = await scene()
    expect(
      await rejectionCodeOf(() =>
        inputs.attest({ list: new Uint8Array(65_537), contract: vote, user: alice }),
      ),
    ).toBe("INPUT_TOO_LARGE")
  })
})
