/** Checklist line 2, second part: what a certificate is allowed to do. */
import * as der from "@twinlock/devnet/platform/der"
import { extension } from "@twinlock/devnet/platform/pki"
import { accepted, type Case, refused } from "./case.ts"
import { authorityWith, leafWith, WRONG_FORM } from "./certificateScenes.ts"
import { simulated } from "./scene.ts"

const constraints = (critical: boolean, ...content: readonly Uint8Array[]) =>
  extension("2.5.29.19", critical, der.sequence(...content))
const usage = (critical: boolean, ...bits: readonly number[]) =>
  extension("2.5.29.15", critical, der.tlv(0x03, Uint8Array.from(bits)))
const NO_AUTHORITY = refused("CHAIN_AUTHORITY", "WrongCertificateExtensions")
const WRONG_PATH = refused("CHAIN_PATH_LENGTH", "WrongCertificateExtensions")
const NO_END_ENTITY = refused("CHAIN_END_ENTITY", "WrongCertificateExtensions")

const roles: readonly Case[] = [
  simulated("2 ca", "a CA without authorities below, an end entity", {}, accepted()),
  simulated(
    "2 ca",
    "the CA is none",
    authorityWith(() => ({ basicConstraints: constraints(true) })),
    NO_AUTHORITY,
  ),
  simulated(
    "2 ca",
    "the CA has no basic constraints",
    authorityWith(() => ({ basicConstraints: [] })),
    WRONG_FORM,
  ),
  simulated(
    "2 ca",
    "the CA has no path length",
    authorityWith(() => ({ basicConstraints: constraints(true, der.boolean(true)) })),
    WRONG_PATH,
  ),
  simulated(
    "2 ca",
    "the CA allows one more below it",
    authorityWith(() => ({ basicConstraints: constraints(true, der.boolean(true), der.integer(1)) })),
    WRONG_PATH,
  ),
  simulated(
    "2 ca",
    "the CA's basic constraints are not critical",
    authorityWith(() => ({ basicConstraints: constraints(false, der.boolean(true), der.integer(0)) })),
    WRONG_FORM,
  ),
  simulated(
    "2 ca",
    "the leaf is a CA",
    leafWith(() => ({ basicConstraints: constraints(true, der.boolean(true)) })),
    NO_END_ENTITY,
  ),
  simulated(
    "2 ca",
    "the leaf says that it is none",
    leafWith(() => ({ basicConstraints: constraints(true, der.boolean(false)) })),
    WRONG_FORM,
  ),
  simulated(
    "2 ca",
    "the leaf has a path length",
    leafWith(() => ({ basicConstraints: constraints(true, der.integer(0)) })),
    NO_END_ENTITY,
  ),
  simulated(
    "2 ca",
    "the leaf has no basic constraints",
    leafWith(() => ({ basicConstraints: [] })),
    WRONG_FORM,
  ),
  simulated(
    "2 ca",
    "the leaf's basic constraints are not critical",
    leafWith(() => ({ basicConstraints: constraints(false) })),
    WRONG_FORM,
  ),
]

const usages: readonly Case[] = [
  simulated("2 key usage", "Intel's key usage", {}, accepted()),
  simulated(
    "2 key usage",
    "the CA signs certificates only",
    authorityWith(() => ({ keyUsage: usage(true, 2, 0x04) })),
    NO_AUTHORITY,
  ),
  simulated(
    "2 key usage",
    "the CA signs lists only",
    authorityWith(() => ({ keyUsage: usage(true, 1, 0x02) })),
    NO_AUTHORITY,
  ),
  simulated(
    "2 key usage",
    "the CA signs data as well",
    authorityWith(() => ({ keyUsage: usage(true, 1, 0x86) })),
    NO_AUTHORITY,
  ),
  simulated(
    "2 key usage",
    "the CA signs data only",
    authorityWith(() => ({ keyUsage: usage(true, 6, 0xc0) })),
    NO_AUTHORITY,
  ),
  simulated(
    "2 key usage",
    "the CA has no key usage",
    authorityWith(() => ({ keyUsage: [] })),
    WRONG_FORM,
  ),
  simulated(
    "2 key usage",
    "the CA's key usage is not critical",
    authorityWith(() => ({ keyUsage: usage(false, 1, 0x06) })),
    WRONG_FORM,
  ),
  simulated(
    "2 key usage",
    "the leaf signs certificates",
    leafWith(() => ({ keyUsage: usage(true, 2, 0xc4) })),
    NO_END_ENTITY,
  ),
  simulated(
    "2 key usage",
    "the leaf signs lists",
    leafWith(() => ({ keyUsage: usage(true, 1, 0xc2) })),
    NO_END_ENTITY,
  ),
  simulated(
    "2 key usage",
    "the leaf lacks non-repudiation",
    leafWith(() => ({ keyUsage: usage(true, 7, 0x80) })),
    NO_END_ENTITY,
  ),
  simulated(
    "2 key usage",
    "the leaf has no key usage",
    leafWith(() => ({ keyUsage: [] })),
    WRONG_FORM,
  ),
  simulated(
    "2 key usage",
    "the leaf's key usage is not critical",
    leafWith(() => ({ keyUsage: usage(false, 6, 0xc0) })),
    WRONG_FORM,
  ),
  simulated(
    "2 key usage",
    "the leaf's key usage has surplus bits",
    leafWith(() => ({ keyUsage: usage(true, 0, 0xc0) })),
    WRONG_FORM,
  ),
]

export const roleCases: readonly Case[] = [...roles, ...usages]
