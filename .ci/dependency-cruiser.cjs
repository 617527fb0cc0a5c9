/** The import rules of the package graph (docs/protocol.md, architecture): every edge that is not wanted fails the build. */
const tests = "\\.(test|test-d|fixture)\\.ts$"
const ours = "^(sdk|node|coordinator|contracts|devnet|test|bench)/"

/** `from` may import, of our own modules, only `to` (and itself). */
const only = (name, from, to, comment) => ({
  name,
  comment,
  severity: "error",
  from: { path: from, pathNot: tests },
  to: { path: ours, pathNot: [from, "node_modules/", ...to] },
})

/** `from` must not import `to`. */
const never = (name, from, to, comment) => ({
  name,
  comment,
  severity: "error",
  from: { path: from, pathNot: tests },
  to: { path: to },
})

/** Built-in modules that do I/O; the rule checker strips `node:`. */
const io = "^(fs|fs/promises|net|http|https|http2|tls|dgram|dns|child_process|cluster|sqlite|worker_threads)$"

const secretCode = ["^node/native/", "^node/src/threshold/"]

module.exports = {
  forbidden: [
    {
      name: "no-circular",
      severity: "error",
      from: { pathNot: tests },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    { name: "no-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "sdk-no-builtins",
      comment: "the SDK runs in browsers",
      severity: "error",
      from: { path: "^sdk/src/", pathNot: tests },
      to: { dependencyTypes: ["core"] },
    },
    only("sdk-alone", "^sdk/src/", [], "the SDK is the bottom of the graph"),
    only("sdk-protocol", "^sdk/src/protocol/", [], "protocol imports @noble/hashes and @noble/curves only"),
    only(
      "sdk-threshold",
      "^sdk/src/threshold/",
      ["^sdk/src/protocol/"],
      "threshold imports protocol and noble only",
    ),
    only(
      "sdk-attestation",
      "^sdk/src/attestation/",
      ["^sdk/src/protocol/"],
      "attestation imports protocol and noble only",
    ),
    only(
      "sdk-chain",
      "^sdk/src/chain/",
      ["^sdk/src/(protocol|attestation|threshold)/"],
      "chain stands on the pure parts",
    ),
    only("sdk-fhe", "^sdk/src/fhe/", ["^sdk/src/(protocol|threshold)/"], "fhe stands on the pure parts"),
    never(
      "sdk-pure-no-ethers",
      "^sdk/src/(protocol|threshold|attestation)/",
      "node_modules/ethers",
      "pure parts have no ethers",
    ),
    only(
      "node-threshold",
      "^node/src/threshold/",
      ["^node/native/", "^sdk/src/(threshold|protocol)/"],
      "no I/O beside the native addon",
    ),
    only(
      "node-p2p",
      "^node/src/p2p/",
      ["^sdk/src/(protocol|attestation)/", "^node/src/(attestation|chain|telemetry|clock|secret)"],
      "p2p knows no shares",
    ),
    only(
      "node-storage",
      "^node/src/storage/",
      ["^sdk/src/protocol/", "^node/src/(attestation|secret|clock)"],
      "storage knows no protocol",
    ),
    never(
      "node-core-no-io",
      "^node/src/(ceremony|decryption)/",
      ["node_modules/(libp2p|@libp2p|@chainsafe|ethers|hono|@hono)", io],
      "ceremony and decryption stay free of I/O libraries",
    ),
    never(
      "node-threshold-no-io",
      "^node/src/threshold/",
      [io],
      "the seam to the addon does no I/O of its own",
    ),
    never("node-api-no-secrets", "^node/src/api/", secretCode, "the HTTP API reads models only"),
    never(
      "node-cli-no-threshold",
      "^node/src/cli/",
      ["^node/src/threshold/"],
      "the CLI never touches shares",
    ),
    never(
      "node-executor",
      "^node/src/executor/",
      ["^node/src/(ceremony|threshold|decryption)/"],
      "executors hold no shares and take no part in decryptions",
    ),
    only(
      "coordinator-sdk-only",
      "^coordinator/src/",
      ["^sdk/src/"],
      "the coordinator cannot import code that handles a secret",
    ),
    never(
      "production-no-simulator",
      "^(sdk|node|coordinator)/",
      ["^devnet/", "^test/", "^bench/"],
      "nothing shipped imports a simulator or test code",
    ),
    never(
      "production-no-fixtures",
      "^(sdk|node|coordinator|devnet|bench)/",
      ["\\.(test|test-d|fixture)\\.ts$"],
      "what tests share stays with the tests",
    ),
  ],
  options: {
    parser: "swc",
    tsPreCompilationDeps: true,
    doNotFollow: { path: ["node_modules"] },
    exclude: { path: ["(^|/)target/", "contracts/out", "\\.cache"] },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
      extensions: [".ts", ".mjs", ".js", ".cjs", ".json"],
    },
    builtInModules: { add: ["node:sqlite"] },
  },
}
