//! What the bytes of a key rest on in the tfhe crate (docs/upgrades.md): its version, dimensions, masks and serialised forms.
//!
//! Where one of these tests fails after an update of the crate, its keys are another parameter set. They are not to be
//! adapted: a new set gets its own.
use super::assembly::public_key::{assemble_public_key, compressed_public_key};
use super::assembly::server_key::{
    Bodies, COMPRESSED_COUNT, SQUASHED_COMPRESSED_COUNT, STORAGE_LOG_MODULUS, compressed_server_key,
};
use super::assembly::server_key_file::skeleton;
use super::layout::{PARTS, PartId, mask_offset};
use super::masks::{MaskStream, PUBLIC_SEED_BYTES, xof_seed};
use super::negacyclic::Width;
use crate::params::{META, TFHE_VERSION};
use sha2::{Digest, Sha256};
use std::io::Write;
use tfhe::core_crypto::prelude::{DynamicDistribution, UnsignedInteger};
use tfhe::shortint::parameters::list_compression::CompressionParameters;
use tfhe::shortint::parameters::noise_squashing::NoiseSquashingParameters;
use tfhe::shortint::parameters::{
    AtomicPatternParameters, CompactPublicKeyEncryptionParameters, ModulusSwitchType, ShortintParameterSet,
};
use tfhe::shortint::{EncryptionKeyChoice, PBSParameters};
use tfhe::xof_key_set::CompressedXofKeySet;

const SEED: [u8; PUBLIC_SEED_BYTES] = [42; PUBLIC_SEED_BYTES];
const MASK_DIGEST: &str = "5bbdd6360de1297ce34e513a058dbe26f9be4db83f73cba77930fdb8cd3e5c22";
const SERVER_KEY_FORM: &str = "8ef197263db23b4d546b33289890fbb53cd412f1414b16c986d68304ff26bfd8";
const PUBLIC_KEY_FORM: &str = "ad62bb04cf9783f116d9113379280c5873243aea34565e00bfab5bf47cc9a01d";

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_crates_are_pinned_to_the_version_of_the_parameter_set() {
    let (manifest, lock) = (include_str!("../../Cargo.toml"), include_str!("../../Cargo.lock"));
    assert!(manifest.contains(&format!("tfhe = {{ version = \"={TFHE_VERSION}\"")));
    assert!(lock.contains(&format!("name = \"tfhe\"\nversion = \"{TFHE_VERSION}\"\n")));
    for name in ["tfhe", "tfhe-csprng", "tfhe-ntt", "tfhe-zk-pok"] {
        assert_eq!(lock.matches(&format!("name = \"{name}\"\n")).count(), 1, "one {name}");
    }
    for name in ["tfhe-csprng", "tfhe-ntt", "tfhe-zk-pok"] {
        let (_, pinned) = manifest.split_once(&format!("{name} = \"=")).expect("an exact pin");
        let version = pinned.split('"').next().expect("a version");
        assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n")), "{name}");
    }
}

/// b of TUniform(b).
fn tuniform<T: UnsignedInteger>(noise: DynamicDistribution<T>) -> u32 {
    match noise {
        DynamicDistribution::TUniform(uniform) => uniform.bound_log2(),
        DynamicDistribution::Gaussian(_) => panic!("want TUniform noise"),
    }
}

/// (row words, mask polynomials, base log, levels, noise).
type Form = (usize, usize, usize, usize, u32);

fn form(id: PartId) -> Form {
    let part = id.part();
    (part.row_words, part.mask_polynomials, part.base_log as usize, part.levels, part.noise_log)
}

#[test]
fn the_parts_are_those_of_the_parameter_set() {
    let AtomicPatternParameters::Standard(PBSParameters::PBS(pbs)) = META.compute_parameters else {
        panic!("want the classic pattern");
    };
    let Some(CompressionParameters::Classic(list)) = META.compression_parameters else {
        panic!("want classic compression");
    };
    let squashing = META.noise_squashing_parameters.expect("squashing");
    let NoiseSquashingParameters::Classic(ns) = squashing.parameters else {
        panic!("want classic squashing")
    };
    let nsc = squashing.compression_parameters.expect("compressed squashing");
    let public = META.dedicated_compact_public_key_parameters.expect("dedicated key");
    let derived: CompactPublicKeyEncryptionParameters =
        ShortintParameterSet::from(META.compute_parameters).try_into().expect("derived");

    let (n, k, glwe) = (pbs.polynomial_size.0, pbs.glwe_dimension.0, tuniform(pbs.glwe_noise_distribution));
    let (lwe, lwe_noise) = (pbs.lwe_dimension.0, tuniform(pbs.lwe_noise_distribution));
    let ksk = public.ksk_params;
    let (large, derived_noise) =
        (derived.encryption_lwe_dimension.0, tuniform(derived.encryption_noise_distribution));
    let encryption = public.pke_params;
    let expected: [(PartId, Form); 10] = [
        (
            PartId::CompactPublic,
            (
                encryption.encryption_lwe_dimension.0,
                1,
                0,
                1,
                tuniform(encryption.encryption_noise_distribution),
            ),
        ),
        (
            PartId::Compression,
            (
                list.packing_ks_polynomial_size.0,
                list.packing_ks_glwe_dimension.0,
                list.packing_ks_base_log.0,
                list.packing_ks_level.0,
                tuniform(list.packing_ks_key_noise_distribution),
            ),
        ),
        (PartId::Decompression, (n, k, list.br_base_log.0, list.br_level.0, glwe)),
        (PartId::KeySwitching, (1, lwe, pbs.ks_base_log.0, pbs.ks_level.0, lwe_noise)),
        (PartId::Bootstrapping, (n, k, pbs.pbs_base_log.0, pbs.pbs_level.0, glwe)),
        (
            PartId::Squashing,
            (
                ns.polynomial_size.0,
                ns.glwe_dimension.0,
                ns.decomp_base_log.0,
                ns.decomp_level_count.0,
                tuniform(ns.glwe_noise_distribution),
            ),
        ),
        (PartId::CompactKeySwitching, (1, lwe, ksk.ks_base_log.0, ksk.ks_level.0, lwe_noise)),
        (PartId::Rerandomisation, (large, 1, 0, 1, derived_noise)),
        (
            PartId::SquashedCompression,
            (
                nsc.packing_ks_polynomial_size.0,
                nsc.packing_ks_glwe_dimension.0,
                nsc.packing_ks_base_log.0,
                nsc.packing_ks_level.0,
                tuniform(nsc.packing_ks_key_noise_distribution),
            ),
        ),
        (PartId::PseudoRandomFunction, (n, k, pbs.pbs_base_log.0, pbs.pbs_level.0, glwe)),
    ];
    for (id, want) in expected {
        assert_eq!(form(id), want, "{}", id.part().name);
    }

    assert!(pbs.ciphertext_modulus.is_native_modulus() && encryption.ciphertext_modulus.is_native_modulus());
    assert!(ns.ciphertext_modulus.is_native_modulus() && nsc.ciphertext_modulus.is_native_modulus());
    for part in &PARTS {
        let wide = part.name.starts_with("squash");
        assert_eq!(part.width, if wide { Width::Bits128 } else { Width::Bits64 }, "{}", part.name);
    }
    assert_eq!(pbs.modulus_switch_noise_reduction_params, ModulusSwitchType::CenteredMeanNoiseReduction);
    assert_eq!(ns.modulus_switch_noise_reduction_params, ModulusSwitchType::CenteredMeanNoiseReduction);
    assert_eq!(ksk.destination_key, EncryptionKeyChoice::Small);
    assert_eq!(list.lwe_per_glwe, COMPRESSED_COUNT);
    assert_eq!(list.storage_log_modulus, STORAGE_LOG_MODULUS);
    assert_eq!(nsc.lwe_per_glwe, SQUASHED_COMPRESSED_COUNT);
}

#[test]
fn the_first_masks_of_every_part_are_the_known_ones() {
    let stream = MaskStream::new(&SEED);
    let mut digest = Sha256::new();
    for id in PartId::ALL {
        let mut masks = [0; 4096];
        stream.fill(mask_offset(id), &mut masks);
        digest.update(masks);
    }
    assert_eq!(hex(digest.finalize()), MASK_DIGEST);
}

/// Headers, names, version tags and order of everything that tfhe writes around the bodies.
#[test]
fn serialised_keys_have_the_known_form() {
    let server_key = skeleton(&SEED).expect("serialises");
    assert_eq!(hex(Sha256::digest(&server_key)), SERVER_KEY_FORM);
    let public_key = assemble_public_key(&SEED, &[0; 16_384]).expect("assembles");
    assert_eq!(hex(Sha256::digest(&public_key)), PUBLIC_KEY_FORM);
}

/// A key whose rows hold masks and nothing else.
struct Empty;

impl Bodies for Empty {
    fn narrow(&mut self, part: PartId) -> Vec<u64> {
        vec![0; part.part().words()]
    }

    fn wide(&mut self, part: PartId) -> Vec<u128> {
        vec![0; part.part().words()]
    }
}

struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn digest_of(key: &tfhe::ServerKey) -> [u8; 32] {
    let mut out = Hashing(Sha256::new());
    bincode::serialize_into(&mut out, key).expect("serialises");
    out.0.finalize().into()
}

/// Each part from its own place of the stream, and all of them from one pass of tfhe over it: the same 2.1 GB.
#[test]
fn the_expansion_of_tfhes_key_set_is_that_of_its_parts() {
    let public_body = [0; 16_384];
    let server_key = compressed_server_key(&SEED, &mut Empty).expect("builds");
    let public_key = compressed_public_key(&SEED, &public_body).expect("builds");
    let by_parts = digest_of(&server_key.decompress());
    let set = CompressedXofKeySet::from_raw_parts(xof_seed(&SEED), public_key, server_key);
    let (set_public, set_server) = set.decompress().into_raw_parts();
    assert_eq!(digest_of(&set_server), by_parts);
    let mut bytes = Vec::new();
    tfhe::safe_serialization::safe_serialize(&set_public, &mut bytes, 1 << 20).expect("serialises");
    assert_eq!(bytes, assemble_public_key(&SEED, &public_body).expect("assembles"));
}
