#!/usr/bin/env node
// Lets forge run the solc of package-lock.json: answers `--version` and `--standard-json`, nothing else.
import solc from "solc"

const options = process.argv.slice(2)
if (options.includes("--version")) {
  const version = solc.version().replace(/\.Emscripten.*$/, ".Linux.g++")
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`)
} else if (options.includes("--standard-json")) {
  process.stdin.setEncoding("utf8")
  let input = ""
  for await (const chunk of process.stdin) input += chunk
  process.stdout.write(solc.compile(input))
} else {
  process.stderr.write(`solc-shim: unsupported options ${options.join(" ")}\n`)
  process.exitCode = 1
}
