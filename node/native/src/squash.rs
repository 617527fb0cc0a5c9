//! Noise squashing (protocol §5): from a ciphertext that executors compute on to the words that parties decrypt.

use crate::ciphertext::{Ciphertext, FheType};
use crate::errors::{Code, Failure, Result};
use crate::ops::server_key::ServerKey;
use tfhe::shortint::ciphertext::SquashedNoiseCiphertext;

/// Mask words of a packed block: the dimension of the noise-squashing key.
pub const MASK_WORDS: usize = 4096;
/// Bytes of a packed block: 4096 mask words and the body, u128 little-endian.
pub const PACKED_BLOCK_BYTES: usize = (MASK_WORDS + 1) * 16;

/// Squashes the noise of a canonical ciphertext of the given type. Returns canonical words: packed blocks of 65,552
/// bytes, least significant first. Deterministic.
///
/// # Errors
/// Those of [`Ciphertext::decode`]; `CIPHERTEXT_TYPE` for another type than the given one.
pub fn squash(key: &ServerKey, ciphertext: &[u8], fhe_type: FheType) -> Result<Vec<u8>> {
    let ciphertext = Ciphertext::decode(ciphertext)?;
    if ciphertext.fhe_type() != fhe_type {
        let text = format!("want a ciphertext of {fhe_type:?}, got {:?}", ciphertext.fhe_type());
        return Err(Failure::new(Code::CiphertextType, text));
    }
    let internal = |error: tfhe::Error| Failure::new(Code::Internal, error.to_string());
    let words = match &ciphertext {
        Ciphertext::Bool(block) => {
            let squashed =
                key.squashing()?.squash_boolean_block_noise(key.integer(), block).map_err(internal)?;
            canonical_words(std::slice::from_ref(squashed.packed_blocks()))
        }
        Ciphertext::Uint(_, radix) => {
            let squashed =
                key.squashing()?.squash_radix_ciphertext_noise(key.integer(), radix).map_err(internal)?;
            canonical_words(squashed.packed_blocks())
        }
    };
    if words.len() != fhe_type.packed_blocks() * PACKED_BLOCK_BYTES {
        return Err(Failure::new(Code::Internal, "a squashed ciphertext has another width than its type"));
    }
    Ok(words)
}

fn canonical_words(blocks: &[SquashedNoiseCiphertext]) -> Vec<u8> {
    let mut out = Vec::with_capacity(blocks.len() * PACKED_BLOCK_BYTES);
    for block in blocks {
        for word in block.lwe_ciphertext().as_ref() {
            out.extend_from_slice(&word.to_le_bytes());
        }
    }
    out
}
