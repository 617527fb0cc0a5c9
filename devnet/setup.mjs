/**
 * Sets up everything that a fresh clone lacks: npm dependencies, the native addon, the contracts.
 * Runs on the system's Node (>= 20.19) because nothing is installed yet; each step is skipped when its inputs
 * are those of the last success. Usage: node devnet/setup.mjs [--only dependencies|native|contracts] [--quiet]
 */
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs"
import { delimiter, dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const quiet = process.argv.includes("--quiet")
const onlyAt = process.argv.indexOf("--only")
const only = onlyAt < 0 ? undefined : process.argv[onlyAt + 1]
const stamps = join(root, ".cache", "setup")

const say = (text) => quiet || process.stdout.write(`${text}\n`)

function stop(text) {
  process.stderr.write(`\n${text}\n`)
  process.exit(1)
}

/** Paths of all files below `path` (or the file itself), sorted. */
function filesBelow(path) {
  const full = join(root, path)
  if (!existsSync(full)) return []
  const entries = readdirSync(full, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .sort()
}

function digestOf(files) {
  const hash = createHash("sha256").update(process.platform + process.arch)
  for (const file of files)
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(root, file)))
      .update("\0")
  return hash.digest("hex")
}

function run(command, args, cwd = root) {
  const started = Date.now()
  // npm puts node_modules/.bin first: a step that replaces node_modules must not run on the Node inside it.
  const PATH = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes("node_modules"))
    .join(delimiter)
  const result = spawnSync(command, args, {
    env: { ...process.env, PATH },
    cwd,
    stdio: quiet ? ["ignore", "ignore", "inherit"] : ["ignore", "inherit", "inherit"],
  })
  if (result.error) stop(`could not run ${command}: ${result.error.message}`)
  if (result.status !== 0)
    stop(`${command} ${args.join(" ")} failed with exit code ${result.status ?? result.signal}`)
  return Math.round((Date.now() - started) / 1000)
}

/** Runs `build` unless the inputs and the outputs are those of the last success. */
function step(name, title, inputs, outputs, build) {
  if (only !== undefined && only !== name) return
  const stamp = join(stamps, name)
  const digest = digestOf(inputs)
  const fresh =
    outputs.every((path) => existsSync(join(root, path))) &&
    existsSync(stamp) &&
    readFileSync(stamp, "utf8") === digest
  if (fresh) return say(`setup: ${name} up to date`)
  say(`setup: ${title}`)
  const seconds = build()
  mkdirSync(stamps, { recursive: true })
  writeFileSync(stamp, digest)
  say(`setup: ${name} done in ${seconds} s`)
}

function needNode() {
  const [major, minor] = process.versions.node.split(".").map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    stop(
      `Twinlock needs Node 20.19 or newer to start (this is ${process.versions.node}). Get it at https://nodejs.org or with your package manager.`,
    )
  }
}

function needTool(command, how) {
  const result = spawnSync(command, ["--version"], { stdio: "ignore" })
  if (result.error || result.status !== 0) stop(`Twinlock needs \`${command}\`, which was not found. ${how}`)
}

/** The native crate is written in edition 2024 and built on this version or newer in CI. */
const RUST = [1, 91]

function needRust() {
  const how = `Install Rust (${RUST.join(".")} or newer) from https://rustup.rs and run the command again.`
  needTool("cargo", how)
  const text = spawnSync("rustc", ["--version"], { encoding: "utf8" }).stdout ?? ""
  const [major, minor] = (/rustc (\d+)\.(\d+)/.exec(text) ?? []).slice(1).map(Number)
  if (major === undefined || major < RUST[0] || (major === RUST[0] && minor < RUST[1]))
    stop(`Twinlock needs a newer Rust than ${text.trim() || "what was found"}. ${how}`)
}

/** npm ci; the install scripts allowed are those named in package.json (`allowScripts`). */
function installDependencies() {
  return run("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts=false", "--loglevel=error"])
}

function buildNative() {
  needRust()
  needTool(
    "cc",
    "Install a C linker (Debian and Ubuntu: apt-get install build-essential; macOS: xcode-select --install).",
  )
  const crate = join(root, "node", "native")
  const seconds = run("cargo", ["build", "--release", "--locked", ...(quiet ? ["--quiet"] : [])], crate)
  const library = process.platform === "darwin" ? "libtwinlock_native.dylib" : "libtwinlock_native.so"
  // Rename over the old file: a running process keeps its mapping of the old one.
  copyFileSync(join(crate, "target", "release", library), join(crate, "twinlock.node.new"))
  renameSync(join(crate, "twinlock.node.new"), join(crate, "twinlock.node"))
  return seconds
}

function buildContracts() {
  const contracts = join(root, "contracts")
  const seconds = run(process.execPath, [join(contracts, "forge.mjs"), "build", "--skip", "test"])
  return seconds + run(join(root, "node_modules", ".bin", "node"), ["generate-abi.ts"], contracts)
}

needNode()
const manifests = [
  "package.json",
  "package-lock.json",
  ...["sdk", "node", "coordinator", "contracts", "devnet"].map((name) => `${name}/package.json`),
]
step(
  "dependencies",
  "installing npm dependencies (about a minute)",
  manifests,
  ["node_modules/.bin/node", "node_modules/.bin/forge"],
  installDependencies,
)
step(
  "native",
  "building the native addon (the first time about 8 CPU-minutes)",
  [
    "node/native/Cargo.toml",
    "node/native/Cargo.lock",
    "node/native/build.rs",
    ...filesBelow("node/native/src"),
  ],
  ["node/native/twinlock.node"],
  buildNative,
)
step(
  "contracts",
  "compiling the contracts",
  [
    "contracts/foundry.toml",
    "contracts/forge.mjs",
    "contracts/solc-shim.mjs",
    "contracts/generate-abi.ts",
    "package-lock.json",
    ...filesBelow("contracts/src"),
  ],
  ["contracts/out", "sdk/src/chain/abi.ts"],
  buildContracts,
)
