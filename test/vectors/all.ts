import type { Subject } from "./subject.ts"
import { codec } from "./subjects/codec.ts"
import { eip712 } from "./subjects/eip712.ts"
import { frost } from "./subjects/frost.ts"
import { merkle } from "./subjects/merkle.ts"
import { names } from "./subjects/names.ts"
import { reconstruct } from "./subjects/reconstruct.ts"
import { ring } from "./subjects/ring.ts"
import { sealedShare } from "./subjects/sealedShare.ts"
import { shamir } from "./subjects/shamir.ts"
import { decryptionShare } from "./subjects/share.ts"

export const SUBJECTS: readonly Subject[] = [
  names,
  codec,
  ring,
  shamir,
  decryptionShare,
  reconstruct,
  frost,
  merkle,
  eip712,
  sealedShare,
]
