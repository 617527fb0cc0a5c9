/** Checklist line 2, third part: extensions, and the strict form of a certificate. */
import * as der from "@twinlock/devnet/platform/der"
import { extension } from "@twinlock/devnet/platform/pki"
import { concatBytes } from "@twinlock/sdk/protocol/codec"
import { accepted, type Case, type Expected } from "./case.ts"
import {
  authorityWith,
  certificateWith,
  leafWith,
  MALFORMED,
  signerWith,
  WRONG_FORM,
} from "./certificateScenes.ts"
import { END_OF_2049, NOW, type Scene, simulated } from "./scene.ts"

const POLICIES = "2.5.29.32"
const unknown = (critical: boolean) => extension(POLICIES, critical, der.sequence())

const ofRole = (role: string, scene: typeof leafWith): readonly Case[] => [
  simulated(
    "2 extensions",
    `an unknown extension on the ${role}`,
    scene((all) => ({ keyUsage: [all.keyUsage, unknown(false)] })),
    accepted(),
  ),
  simulated(
    "2 extensions",
    `an unknown critical extension on the ${role}`,
    scene((all) => ({ keyUsage: [all.keyUsage, unknown(true)] })),
    MALFORMED,
  ),
  simulated(
    "2 extensions",
    `key usage twice on the ${role}`,
    scene((all) => ({ keyUsage: [all.keyUsage, all.keyUsage] })),
    WRONG_FORM,
  ),
  simulated(
    "2 extensions",
    `basic constraints twice on the ${role}`,
    scene((all) => ({ basicConstraints: [all.basicConstraints, all.basicConstraints] })),
    WRONG_FORM,
  ),
  simulated(
    "2 extensions",
    `the subject key id twice on the ${role}`,
    scene((all) => ({ subjectKey: [all.subjectKey, all.subjectKey] })),
    WRONG_FORM,
  ),
]

/** An extension whose `critical` is written out as FALSE, which DER forbids. */
const explicitFalse = der.sequence(
  der.objectIdentifier(POLICIES),
  der.boolean(false),
  der.octetString(der.sequence()),
)
/** SEQUENCE with a length of 0x81 below 128, which BER alone allows. */
const longLength = (content: Uint8Array) => concatBytes(Uint8Array.of(0x30, 0x81, content.length), content)
const serial = (...bytes: readonly number[]) => Uint8Array.from(bytes)
const utc = (text: string) => der.tlv(0x17, new TextEncoder().encode(text))
const generalized = (text: string) => der.tlv(0x18, new TextEncoder().encode(text))
const strictForm: readonly (readonly [name: string, scene: Scene, expected: Expected])[] = [
  [
    "critical written out as FALSE",
    leafWith((all) => ({ keyUsage: [all.keyUsage, explicitFalse] })),
    MALFORMED,
  ],
  [
    "an extension with a length that is not the shortest",
    leafWith((all) => ({
      keyUsage: [
        all.keyUsage,
        longLength(concatBytes(der.objectIdentifier(POLICIES), der.octetString(der.sequence()))),
      ],
    })),
    MALFORMED,
  ],
  ["version 2", certificateWith({ version: 2 }), MALFORMED],
  ["version 1 in the field of version 3", certificateWith({ version: 1 }), MALFORMED],
  [
    "ECDSA with SHA-384",
    certificateWith({ algorithm: der.sequence(der.objectIdentifier("1.2.840.10045.4.3.3")) }),
    MALFORMED,
  ],
  [
    "parameters after the algorithm",
    certificateWith({ algorithm: der.sequence(der.objectIdentifier("1.2.840.10045.4.3.2"), der.tlv(0x05)) }),
    MALFORMED,
  ],
  ["a serial number of 21 bytes", certificateWith({ serial: new Uint8Array(21).fill(0x41) }), MALFORMED],
  [
    "a serial number of 20 bytes with the top bit set",
    certificateWith({ serial: new Uint8Array(20).fill(0x81) }),
    accepted(),
  ],
  ["a serial number of one byte", certificateWith({ serial: serial(9) }), accepted()],
  [
    "dates as GeneralizedTime",
    certificateWith({ validity: [generalized("20250101000000Z"), generalized("20491231235959Z")] }),
    MALFORMED,
  ],
  [
    "notAfter in 1950",
    certificateWith({ validity: [utc("250101000000Z"), utc("500101000000Z")] }),
    MALFORMED,
  ],
  [
    "a date without Z",
    certificateWith({ validity: [utc("2501010000000"), der.time(END_OF_2049)] }),
    MALFORMED,
  ],
  [
    "a date with an offset",
    certificateWith({ validity: [utc("250101000000+0000"), der.time(END_OF_2049)] }),
    MALFORMED,
  ],
  [
    "a date without seconds",
    certificateWith({ validity: [utc("2501010000Z"), der.time(END_OF_2049)] }),
    MALFORMED,
  ],
  ["month 13", certificateWith({ validity: [utc("251301000000Z"), der.time(END_OF_2049)] }), MALFORMED],
  ["30 February", certificateWith({ validity: [utc("250230000000Z"), der.time(END_OF_2049)] }), MALFORMED],
  ["hour 24", certificateWith({ validity: [utc("250101240000Z"), der.time(END_OF_2049)] }), MALFORMED],
  [
    "three dates",
    certificateWith({ validity: [der.time(NOW), der.time(END_OF_2049), der.time(END_OF_2049)] }),
    MALFORMED,
  ],
]
export const extensionCases: readonly Case[] = [
  ...ofRole("CA", authorityWith),
  ...ofRole("leaf", leafWith),
  ...ofRole("TCB signer", signerWith),
  ...strictForm.map(([name, scene, expected]) => simulated("2 extensions", name, scene, expected)),
]
