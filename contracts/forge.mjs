/**
 * Forge from npm, run without its npm wrapper: the wrapper exits 0 whatever forge says.
 * Usage: node contracts/forge.mjs ARGUMENTS…  runs it in contracts/ and exits as it does.
 */
import { spawnSync } from "node:child_process"
import { createRequire } from "node:module"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"

/** Path of the platform's binary. Throws where npm did not install it. */
export function forgeBinary() {
  const wrapper = createRequire(import.meta.url).resolve("@foundry-rs/forge/package.json")
  const cpu = process.arch === "x64" ? "amd64" : process.arch
  const name = process.platform === "win32" ? "forge.exe" : "forge"
  return createRequire(wrapper).resolve(`@foundry-rs/forge-${process.platform}-${cpu}/bin/${name}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const cwd = dirname(fileURLToPath(import.meta.url))
  const { status } = spawnSync(forgeBinary(), process.argv.slice(2), { cwd, stdio: "inherit" })
  process.exit(status ?? 1)
}
