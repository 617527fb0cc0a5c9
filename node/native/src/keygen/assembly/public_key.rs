//! The compact public key that encryptors use.
use super::super::layout::{PartId, mask_offset};
use super::super::masks::{PUBLIC_SEED_BYTES, compression_seed};
use crate::errors::{Code, Failure, Result};
use crate::params::META;
use tfhe::core_crypto::prelude::{CiphertextModulus, SeededLweCompactPublicKey};
use tfhe::safe_serialization::safe_serialize;
use tfhe::{CompactPublicKey, CompressedCompactPublicKey};

/// Bytes of the serialised key.
pub const PUBLIC_KEY_BYTES: usize = 33_018;

fn internal(text: &str) -> Failure {
    Failure::new(Code::Internal, text)
}

/// The key in tfhe's seeded form, from the public seed and the summed chunk of `PartId::CompactPublic`.
///
/// # Errors
/// `KEYGEN_KEY_LAYOUT` for a chunk of another length.
pub fn compressed_public_key(
    public_seed: &[u8; PUBLIC_SEED_BYTES],
    chunk: &[u8],
) -> Result<CompressedCompactPublicKey> {
    let id = PartId::CompactPublic;
    let want = id.part().words() * id.part().word_bytes();
    if chunk.len() != want {
        let text = format!("want {want} bytes of the compact public key, got {}", chunk.len());
        return Err(Failure::new(Code::KeyLayout, text));
    }
    let body: Vec<u64> = chunk.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
    let parameters = META
        .dedicated_compact_public_key_parameters
        .ok_or_else(|| internal("the parameter set has no dedicated public key"))?
        .pke_params;
    let key = SeededLweCompactPublicKey::from_container(
        body,
        compression_seed(public_seed, mask_offset(id)),
        CiphertextModulus::new_native(),
    );
    let shortint = tfhe::shortint::CompressedCompactPublicKey::from_raw_parts(key, parameters);
    let integer = tfhe::integer::CompressedCompactPublicKey::from_raw_parts(shortint);
    Ok(CompressedCompactPublicKey::from_raw_parts(integer, tfhe::Tag::default()))
}

/// The serialised `CompactPublicKey`.
///
/// # Errors
/// As [`compressed_public_key`].
pub fn assemble_public_key(public_seed: &[u8; PUBLIC_SEED_BYTES], chunk: &[u8]) -> Result<Vec<u8>> {
    let public_key: CompactPublicKey = compressed_public_key(public_seed, chunk)?.decompress();
    let mut out = Vec::with_capacity(PUBLIC_KEY_BYTES);
    safe_serialize(&public_key, &mut out, 1 << 20).map_err(|error| internal(&error.to_string()))?;
    Ok(out)
}
