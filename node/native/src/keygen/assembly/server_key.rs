//! The compressed server key from its raw parts: bodies and the public seed of their masks.
//!
//! Each part stores a compression seed that points at its range of the one mask stream, so tfhe expands exactly the masks
//! that the contributions were made with.
use super::super::layout::{Part, PartId, mask_offset};
use super::super::masks::{PUBLIC_SEED_BYTES, compression_seed};
use crate::errors::{Code, Failure, Result};
use crate::params::META;
use tfhe::CompressedServerKey;
use tfhe::core_crypto::prelude::*;
use tfhe::shortint::PBSParameters;
use tfhe::shortint::atomic_pattern::compressed::{
    CompressedAtomicPatternServerKey, CompressedStandardAtomicPatternServerKey,
};
use tfhe::shortint::list_compression as compression;
use tfhe::shortint::noise_squashing as squashing;
use tfhe::shortint::parameters::{
    AtomicPatternParameters, CompactPublicKeyEncryptionParameters, ShortintParameterSet,
};
use tfhe::shortint::server_key::{
    CompressedModulusSwitchConfiguration as ModulusSwitch, ShortintCompressedBootstrappingKey,
};
use tfhe::shortint::{EncryptionKeyChoice, key_switching_key, oprf};

/// Ciphertexts packed into one compressed list of computation ciphertexts, and of squashed ones.
pub(in super::super) const COMPRESSED_COUNT: LweCiphertextCount = LweCiphertextCount(256);
pub(in super::super) const SQUASHED_COMPRESSED_COUNT: LweCiphertextCount = LweCiphertextCount(128);
pub(in super::super) const STORAGE_LOG_MODULUS: CiphertextModulusLog = CiphertextModulusLog(12);
const MAX_DEGREE: u64 = 12;

/// Where bodies come from, part by part: words in storage order.
pub trait Bodies {
    fn narrow(&mut self, part: PartId) -> Vec<u64>;
    fn wide(&mut self, part: PartId) -> Vec<u128>;
}

/// Builds parts of the key under one public seed.
struct Builder<'a, B> {
    public_seed: &'a [u8; PUBLIC_SEED_BYTES],
    bodies: &'a mut B,
}

/// The whole key. The number of rows follows the bodies, so a few rows give a key of the same form.
///
/// # Errors
/// `NATIVE_INTERNAL` if the parameter set is not the one that this code was written for.
pub fn compressed_server_key(
    public_seed: &[u8; PUBLIC_SEED_BYTES],
    bodies: &mut impl Bodies,
) -> Result<CompressedServerKey> {
    let AtomicPatternParameters::Standard(parameters) = META.compute_parameters else {
        return Err(Failure::new(Code::Internal, "the parameter set has another atomic pattern"));
    };
    let mut builder = Builder { public_seed, bodies };
    let integer = builder.integer(&parameters);
    let compact = builder.compact_key_switching();
    let compression = builder.compression();
    let decompression = builder.decompression();
    let squashing = builder.squashing(&parameters);
    let squashed_compression = builder.squashed_compression();
    let rerandomisation = builder.rerandomisation()?;
    let oprf = builder.pseudo_random_function();
    Ok(CompressedServerKey::from_raw_parts(
        integer,
        Some(compact),
        Some(compression),
        Some(decompression),
        Some(squashing),
        Some(squashed_compression),
        Some(rerandomisation),
        Some(oprf),
        tfhe::Tag::default(),
    ))
}

fn base_log(part: &Part) -> DecompositionBaseLog {
    DecompositionBaseLog(part.base_log as usize)
}

fn levels(part: &Part) -> DecompositionLevelCount {
    DecompositionLevelCount(part.levels)
}

fn glwe_size(part: &Part) -> GlweSize {
    GlweSize(part.mask_polynomials + 1)
}

impl<B: Bodies> Builder<'_, B> {
    fn seed(&self, id: PartId) -> tfhe::core_crypto::commons::math::random::CompressionSeed {
        compression_seed(self.public_seed, mask_offset(id))
    }

    fn bootstrapping(&mut self, id: PartId) -> SeededLweBootstrapKeyOwned<u64> {
        let part = id.part();
        SeededLweBootstrapKey::from_container(
            self.bodies.narrow(id),
            glwe_size(part),
            PolynomialSize(part.row_words),
            base_log(part),
            levels(part),
            self.seed(id),
            CiphertextModulus::new_native(),
        )
    }

    fn key_switching(&mut self, id: PartId) -> SeededLweKeyswitchKeyOwned<u64> {
        let part = id.part();
        SeededLweKeyswitchKey::from_container(
            self.bodies.narrow(id),
            base_log(part),
            levels(part),
            LweSize(part.mask_polynomials + 1),
            self.seed(id),
            CiphertextModulus::new_native(),
        )
    }

    fn integer(&mut self, parameters: &PBSParameters) -> tfhe::integer::CompressedServerKey {
        let bootstrapping = ShortintCompressedBootstrappingKey::Classic {
            bsk: self.bootstrapping(PartId::Bootstrapping),
            modulus_switch_noise_reduction_key: ModulusSwitch::CenteredMeanNoiseReduction,
        };
        let pattern = CompressedStandardAtomicPatternServerKey::from_raw_parts(
            self.key_switching(PartId::KeySwitching),
            bootstrapping,
            parameters.encryption_key_choice().into(),
        );
        let shortint = tfhe::shortint::CompressedServerKey::from_raw_parts(
            CompressedAtomicPatternServerKey::Standard(pattern),
            parameters.message_modulus(),
            parameters.carry_modulus(),
            tfhe::shortint::ciphertext::MaxDegree::new(MAX_DEGREE),
            parameters.max_noise_level(),
        );
        tfhe::integer::CompressedServerKey::from_raw_parts(shortint)
    }

    fn compact_key_switching(
        &mut self,
    ) -> tfhe::integer::key_switching_key::CompressedKeySwitchingKeyMaterial {
        let material = key_switching_key::CompressedKeySwitchingKeyMaterial::from_raw_parts(
            self.key_switching(PartId::CompactKeySwitching),
            0,
            EncryptionKeyChoice::Small,
            key_switching_key::KeySwitchingKeyDestinationAtomicPattern::Standard,
        );
        tfhe::integer::key_switching_key::CompressedKeySwitchingKeyMaterial::from_raw_parts(material)
    }

    fn compression(&mut self) -> tfhe::integer::compression_keys::CompressedCompressionKey {
        let id = PartId::Compression;
        let part = id.part();
        let packing = SeededLwePackingKeyswitchKey::from_container(
            self.bodies.narrow(id),
            base_log(part),
            levels(part),
            glwe_size(part),
            PolynomialSize(part.row_words),
            self.seed(id),
            CiphertextModulus::new_native(),
        );
        let key = compression::CompressedCompressionKey {
            packing_key_switching_key: packing,
            lwe_per_glwe: COMPRESSED_COUNT,
            storage_log_modulus: STORAGE_LOG_MODULUS,
        };
        tfhe::integer::compression_keys::CompressedCompressionKey::from_raw_parts(key)
    }

    fn decompression(&mut self) -> tfhe::integer::compression_keys::CompressedDecompressionKey {
        let bootstrapping = ShortintCompressedBootstrappingKey::Classic {
            bsk: self.bootstrapping(PartId::Decompression),
            modulus_switch_noise_reduction_key: ModulusSwitch::Standard,
        };
        let key = compression::CompressedDecompressionKey::from_raw_parts(bootstrapping, COMPRESSED_COUNT);
        tfhe::integer::compression_keys::CompressedDecompressionKey::from_raw_parts(key)
    }

    fn squashing(
        &mut self,
        parameters: &PBSParameters,
    ) -> tfhe::integer::noise_squashing::CompressedNoiseSquashingKey {
        use squashing::atomic_pattern::compressed::CompressedAtomicPatternNoiseSquashingKey;
        use squashing::atomic_pattern::compressed::standard::CompressedStandardAtomicPatternNoiseSquashingKey;
        let id = PartId::Squashing;
        let part = id.part();
        let bsk = SeededLweBootstrapKey::from_container(
            self.bodies.wide(id),
            glwe_size(part),
            PolynomialSize(part.row_words),
            base_log(part),
            levels(part),
            self.seed(id),
            CiphertextModulus::new_native(),
        );
        let bootstrapping = squashing::CompressedShortint128BootstrappingKey::Classic {
            bsk,
            modulus_switch_noise_reduction_key: ModulusSwitch::CenteredMeanNoiseReduction,
        };
        let key = squashing::CompressedNoiseSquashingKey::from_raw_parts(
            CompressedAtomicPatternNoiseSquashingKey::Standard(
                CompressedStandardAtomicPatternNoiseSquashingKey::from_raw_parts(bootstrapping),
            ),
            parameters.message_modulus(),
            parameters.carry_modulus(),
            CiphertextModulus::new_native(),
        );
        tfhe::integer::noise_squashing::CompressedNoiseSquashingKey::from_raw_parts(key)
    }

    fn squashed_compression(&mut self) -> tfhe::integer::ciphertext::CompressedNoiseSquashingCompressionKey {
        let id = PartId::SquashedCompression;
        let part = id.part();
        let packing = SeededLwePackingKeyswitchKey::from_container(
            self.bodies.wide(id),
            base_log(part),
            levels(part),
            glwe_size(part),
            PolynomialSize(part.row_words),
            self.seed(id),
            CiphertextModulus::new_native(),
        );
        let key = compression::CompressedNoiseSquashingCompressionKey::from_raw_parts(
            packing,
            SQUASHED_COMPRESSED_COUNT,
        );
        tfhe::integer::ciphertext::CompressedNoiseSquashingCompressionKey::from_raw_parts(key)
    }

    fn rerandomisation(&mut self) -> Result<tfhe::CompressedReRandomizationKey> {
        let parameters: CompactPublicKeyEncryptionParameters =
            ShortintParameterSet::from(META.compute_parameters)
                .try_into()
                .map_err(|error: tfhe::Error| Failure::new(Code::Internal, error.to_string()))?;
        let id = PartId::Rerandomisation;
        let key = SeededLweCompactPublicKey::from_container(
            self.bodies.narrow(id),
            self.seed(id),
            CiphertextModulus::new_native(),
        );
        let shortint = tfhe::shortint::CompressedCompactPublicKey::from_raw_parts(key, parameters);
        let cpk = tfhe::integer::CompressedCompactPublicKey::from_raw_parts(shortint);
        Ok(tfhe::CompressedReRandomizationKey::DerivedCPKWithoutKeySwitch { cpk })
    }

    fn pseudo_random_function(&mut self) -> tfhe::integer::oprf::CompressedOprfServerKey {
        let key = oprf::CompressedOprfBootstrappingKey::Classic {
            seeded_bsk: self.bootstrapping(PartId::PseudoRandomFunction),
        };
        tfhe::integer::oprf::CompressedOprfServerKey::from_raw_parts(
            oprf::CompressedOprfServerKey::from_raw_parts(key),
        )
    }
}
