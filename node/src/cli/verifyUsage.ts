/** Usage of `twinlock verify-ceremony`, apart from it: printing it must not load the native addon. */

export const VERIFY_USAGE = `usage: twinlock verify-ceremony FILE [--policy FILE] [--rpc URL]... [--deployment FILE]
                               [--chunks DIR|URL] [--json]

  FILE               transcript bundle, as every party keeps it; - for stdin
  --policy FILE      JSON, the key that you expect: keyId, chainId, verifyingContract,
                     coprocessor, gateway, parties, executors, t, publicKeyDigest,
                     serverKeyDigest, crsDigest, transcriptDigest, and quotes, the
                     policy of attest explain for every party's quote
  --rpc URL          compare with the chain: registry entry, activation, standing of
                     the parties when they were quoted. Given more than once, a
                     majority must agree. Old blocks need an archive endpoint
  --deployment FILE  the deployment that your dApp pins, as JSON: the transcript must
                     be of its contracts
  --chunks DIR|URL   hash the published chunks, public key and CRS: a folder of files
                     named by digest, or a coordinator
  --json             one JSON object instead of text

  exit code: 0 every step passed, 2 refused, 1 wrong usage, or a file, endpoint or
             service that does not answer`
