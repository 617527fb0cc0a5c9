#!/usr/bin/env node
// Lets forge run the solc of package-lock.json: answers `--version` and `--standard-json`, nothing else.
// As the native compiler does, it reads imports that forge did not pass along, below --base-path and --allow-paths.
import { readFileSync, realpathSync } from "node:fs"
import { resolve, sep } from "node:path"
import solc from "solc"

const options = process.argv.slice(2)
const option = (name) => (options.includes(name) ? options[options.indexOf(name) + 1] : "")

function readImport(path) {
  try {
    const file = realpathSync(resolve(option("--base-path"), path))
    const allowed = option("--allow-paths")
      .split(",")
      .filter((root) => root !== "")
    if (!allowed.some((root) => file.startsWith(realpathSync(root) + sep)))
      return { error: `outside of the allowed paths: ${path}` }
    return { contents: readFileSync(file, "utf8") }
  } catch (error) {
    return { error: error.message }
  }
}

if (options.includes("--version")) {
  const version = solc.version().replace(/\.Emscripten.*$/, ".Linux.g++")
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`)
} else if (options.includes("--standard-json")) {
  process.stdin.setEncoding("utf8")
  let input = ""
  for await (const chunk of process.stdin) input += chunk
  process.stdout.write(solc.compile(input, { import: readImport }))
} else {
  process.stderr.write(`solc-shim: unsupported options ${options.join(" ")}\n`)
  process.exitCode = 1
}
