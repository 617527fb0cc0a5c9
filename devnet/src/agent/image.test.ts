import { appraiseComposeFile, type ComposePolicy } from "@twinlock/sdk/attestation/composeFile"
import { composeHashOf } from "@twinlock/sdk/attestation/composeHash"
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { expect, test } from "vitest"
import { devnetCompose } from "./image.ts"
import { createKeyService } from "./keyService.ts"

const keys = createKeyService("image")
const policy: ComposePolicy = {
  ...{ allowedEnvs: [], keyProvider: { kind: "kms" as const, id: keys.rootKey } },
  ...{ gateway: false, publicLogs: false, publicSysinfo: false, publicTcbinfo: true },
  ...{ secureTime: true, instanceId: true, hostPaths: ["/var/run/dstack.sock"] },
}

test.each(["keyholder", "executor"] as const)("the compose file of a %s keeps every rule", (role) => {
  const bytes = utf8ToBytes(devnetCompose(role, { keyProviderId: keys.rootKey }))
  const { images } = appraiseComposeFile(bytes, composeHashOf(bytes), policy)
  expect(images.map(({ service }) => service)).toEqual([role])
})

test("another release and another key provider have another hash", () => {
  const hashOf = (...given: Parameters<typeof devnetCompose>) =>
    composeHashOf(utf8ToBytes(devnetCompose(...given)))
  expect(hashOf("keyholder", { variant: "2" })).not.toBe(hashOf("keyholder"))
  expect(hashOf("keyholder", { keyProviderId: "0x00" })).not.toBe(hashOf("keyholder"))
  const other = utf8ToBytes(devnetCompose("keyholder"))
  expect(() => appraiseComposeFile(other, composeHashOf(other), policy)).toThrow("COMPOSE_KEY_PROVIDER")
})
