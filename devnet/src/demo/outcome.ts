/** Names of refusals, from wherever they come: contracts' typed errors, nodes' and the SDK's codes. */
import { readArtifact } from "@twinlock/contracts/deploy"
import { isProtocolError } from "@twinlock/sdk"
import { Interface, type InterfaceAbi, isCallException } from "ethers"

const CONTRACTS = [
  "NodeRegistry",
  "KeyRegistry",
  "DecryptionVerifier",
  "DecryptionGateway",
  "Coprocessor",
  "CiphertextCommitments",
  "QuoteVerifier",
  "CollateralStore",
  "BlindVote",
]

let known: Interface | null = null

function errorsOfContracts(): Interface {
  known ??= new Interface(
    CONTRACTS.flatMap((name) =>
      [...(readArtifact(name).abi as readonly { readonly type: string }[])].filter(
        ({ type }) => type === "error",
      ),
    ) as InterfaceAbi as never,
  )
  return known
}

/** `Name(arguments)` of a typed error, or the message of anything else. */
export function refusalOf(error: unknown): string {
  if (isCallException(error) && error.data != null) {
    const parsed = errorsOfContracts().parseError(error.data)
    if (parsed !== null) return `${parsed.name}(${parsed.args.map(String).join(", ")})`
  }
  if (isProtocolError(error)) return error.message
  return error instanceof Error ? (error.message.split("\n")[0]?.slice(0, 200) ?? "error") : String(error)
}

export type Outcome = { readonly refused: boolean; readonly text: string }

/** Runs what ought to be refused. */
export async function outcomeOf(run: () => Promise<unknown>): Promise<Outcome> {
  try {
    await run()
    return { refused: false, text: "was accepted" }
  } catch (error) {
    return { refused: true, text: refusalOf(error) }
  }
}
