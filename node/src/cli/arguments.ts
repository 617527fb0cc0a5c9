/** Command line of `twinlock-node`: strict, no abbreviations, unknown options are refused. */
import { parseArgs } from "node:util"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"

export const COMMANDS = ["init", "register", "run", "status", "attest status"] as const
export type Command = (typeof COMMANDS)[number]

export type Arguments = {
  readonly command: Command
  readonly config: string | undefined
  readonly json: boolean
  readonly operatorKeyFile: string | undefined
}

export type ArgumentErrorCode = "USAGE"

export const USAGE = `usage: twinlock-node COMMAND [--config FILE] [--json]

  init       make this node's keys in the enclave, seal them, print its public identity
  register   quote this node for the registry; prints the operator's transaction,
             or sends it with --operator-key-file FILE
  run        run the node until SIGTERM
  status     ask the running node and the registry
  attest status
             when this node's standing ends, and how long its machine stays accepted

  --config FILE   YAML or JSON; TWINLOCK_CONFIG otherwise
  --json          one JSON object instead of text`

const usage = (message: string): ProtocolError =>
  new ProtocolError({ code: "USAGE" satisfies ArgumentErrorCode, message: `${message}\n\n${USAGE}` })

/** @param argv without the program's name. @throws USAGE */
export function parseArguments(argv: readonly string[]): Arguments {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(argv)
  } catch (error) {
    throw usage(error instanceof Error ? error.message : "bad arguments")
  }
  const name = parsed.positionals.join(" ")
  const command = COMMANDS.find((known) => known === name)
  if (command === undefined) throw usage(`want one command, got ${name || "none"}`)
  const operatorKeyFile = parsed.values["operator-key-file"]
  if (operatorKeyFile !== undefined && command !== "register")
    throw usage("--operator-key-file belongs to register")
  return { command, config: parsed.values.config, json: parsed.values.json ?? false, operatorKeyFile }
}

const parse = (argv: readonly string[]) =>
  parseArgs({
    args: [...argv],
    strict: true,
    allowPositionals: true,
    options: {
      config: { type: "string" },
      json: { type: "boolean" },
      "operator-key-file": { type: "string" },
    },
  })
