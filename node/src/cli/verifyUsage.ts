/** Usage of `twinlock verify-ceremony`, apart from it: printing it must not load the native addon. */

export const VERIFY_USAGE = `usage: twinlock verify-ceremony FILE [--policy FILE] [--deployment FILE] [--rpc URL]...
                               [--chunks DIR|URL] [--json]

  FILE               transcript bundle, as every party keeps it; - for stdin
  --policy FILE      JSON, the key that you expect: parties, transcriptDigest,
                     publicKeyDigest, serverKeyDigest, crsDigest; keyId, chainId,
                     verifyingContract, coprocessor, gateway, executors, t (these
                     anybody can write into a transcript of his own); and quotes, the
                     policy of attest explain for every party's quote: images,
                     composeHashes and providers name the code
  --deployment FILE  the deployment that your dApp pins, as JSON: the transcript must
                     be of its contracts
  --rpc URL          compare with the chain: registry entry, activation, standing of
                     the parties when they were quoted. Wants the contract from you,
                     by --deployment or --policy. Given more than once, a majority
                     must agree. Old blocks need an archive endpoint
  --chunks DIR|URL   hash the published chunks, public key and CRS: a folder of files
                     named by digest, or a coordinator
  --json             one JSON object instead of text

  exit code: 0 HOLDS: no step failed, and key and code are those that you named
             (parties or a digest; images, composeHashes and providers) or that the
             chain admitted (--rpc). Steps that nobody asked for are listed
             3 HOLDS AS WRITTEN: no step failed, but key or code may be anybody's
             2 refused
             1 wrong usage, or a file, endpoint or service that does not answer`
