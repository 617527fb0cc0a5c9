/** Runs a TypeScript entry on the Node 24 that comes with the dependencies: node devnet/run24.mjs FILE [ARGS…] */
import { spawn } from "node:child_process"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const child = spawn(join(root, "node_modules", ".bin", "node"), process.argv.slice(2), {
  stdio: "inherit",
  cwd: root,
})
// The terminal sends Ctrl-C to the whole group; the child decides when it has stopped everything it started.
process.on("SIGINT", () => {})
process.on("SIGTERM", () => child.kill("SIGTERM"))
child.on("error", (error) => {
  process.stderr.write(
    `could not start Node 24 from node_modules: ${error.message}; run \`node devnet/setup.mjs\` first\n`,
  )
  process.exit(1)
})
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)))
