/** Test build of a keyholder that sends wrong decryption shares: everything else about it is honest. */
import type { ServiceFactory } from "@twinlock/node/nodeContext"
import { keyholderServices } from "@twinlock/node/roles/keyholder"

/** Byte and bit of the lie: bit 90 of the first coefficient, where a check modulo 2 would not look. */
const BYTE = 11
const BIT = 4

export const lyingServices: ServiceFactory = (context) =>
  keyholderServices(context, {
    holderOf: (share) => ({
      async decryptionShares(work) {
        const shares = await share.decryptionShares(work)
        return shares.map((honest) => {
          const bytes = Uint8Array.from(honest)
          bytes[BYTE] = (bytes[BYTE] ?? 0) ^ BIT
          return bytes
        })
      },
    }),
  })
