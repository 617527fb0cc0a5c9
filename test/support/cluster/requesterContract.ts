/** Builds the load's contract: it is no part of the product, so it is not among the built artifacts. */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import type { InterfaceAbi } from "ethers"

type Solc = { compile(input: string): string }
type Output = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[]
  readonly contracts?: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          { readonly abi: InterfaceAbi; readonly evm: { readonly bytecode: { readonly object: string } } }
        >
      >
    >
  >
}

const FILE = "Requester.sol"

/** @throws Error with the compiler's words */
export function requesterContract(): { readonly abi: InterfaceAbi; readonly bytecode: string } {
  const solc = createRequire(import.meta.url)("solc") as Solc
  const content = readFileSync(join(import.meta.dirname, FILE), "utf8")
  const input = {
    language: "Solidity",
    sources: { [FILE]: { content } },
    settings: {
      optimizer: { enabled: true },
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
    },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as Output
  const built = output.contracts?.[FILE]?.["Requester"]
  if (built === undefined)
    throw new Error((output.errors ?? []).map(({ formattedMessage }) => formattedMessage).join("\n"))
  return { abi: built.abi, bytecode: `0x${built.evm.bytecode.object}` }
}
