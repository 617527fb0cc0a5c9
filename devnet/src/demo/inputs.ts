/** Encrypted inputs that must not get in: a tampered proof, and a ballot copied from another voter. */
import { parseAddress } from "@twinlock/sdk"
import { handleDomainOf } from "@twinlock/sdk/chain/deployments"
import { readActiveKey } from "@twinlock/sdk/chain/read"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { inputMetadata } from "@twinlock/sdk/protocol/inputMetadata"
import type { Setting } from "./setting.ts"

async function submit(
  coordinator: string,
  list: Uint8Array,
  contract: string,
  user: string,
): Promise<{ readonly refused: boolean; readonly text: string }> {
  const response = await fetch(new URL("/v1/inputs", coordinator), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ list: toHex(list), contract, user }),
  })
  const body = (await response.json()) as {
    readonly error?: { readonly code: string; readonly message: string }
  }
  return body.error === undefined
    ? { refused: false, text: "was accepted" }
    : { refused: true, text: `${body.error.code}: ${body.error.message}` }
}

/** One list proven for voter 0, then misused. */
export async function tryBadInputs(
  { network, client, prover, report }: Setting,
  address: string,
): Promise<void> {
  const [alice, bob] = [0, 1].map((voter) => network.accounts.voter(voter).address) as [string, string]
  const list = await report.step("inputs.prove_one", "voter 1 proves a ballot for the attacks", async () => {
    const at = await client.chain.endpoints.head()
    const key = await readActiveKey(client.chain, at)
    const [publicKey, crs] = await Promise.all([
      client.coordinators.file(key.publicKeyDigest, "PUBLIC_KEY_DIGEST_MISMATCH"),
      client.coordinators.file(key.crsDigest, "CRS_DIGEST_MISMATCH"),
    ])
    report.size("public_key", publicKey.length)
    report.size("crs", crs.length)
    const context = {
      ...handleDomainOf(network.deployment),
      contract: parseAddress(address),
      user: parseAddress(alice),
      keyId: key.keyId,
      crsDigest: key.crsDigest,
    }
    const values = [
      { type: "uint8", value: 1 },
      { type: "uint16", value: 500 },
    ] as const
    return prover.prove({ publicKey, crs, metadata: inputMetadata(context), values })
  })
  report.size("proven_ballot", list.length)
  const tampered = Uint8Array.from(list)
  const middle = Math.floor(list.length / 2)
  tampered[middle] = (tampered[middle] ?? 0) ^ 1
  const changed = await submit(network.coordinatorUrl, tampered, address, alice)
  report.check("input.tampered", changed.refused, `a list with one flipped bit: ${changed.text}`)
  const copied = await submit(network.coordinatorUrl, list, address, bob)
  report.check("input.copied", copied.refused, `voter 1's list handed in by voter 2: ${copied.text}`)
}
