//! Noise squashing (protocol §5): from a ciphertext that executors compute on to the words that parties decrypt.

use crate::ciphertext::{Ciphertext, FheType};
use crate::errors::{Code, Failure, Result};
use crate::ops::server_key::ServerKey;
use crate::word_format::{PACKED_MASK_WORDS, RAW_MASK_WORDS, WORD_BYTES, WordFormat};
use tfhe::core_crypto::prelude::{
    GlweCiphertext, LweCiphertextList, LweDimension,
    par_keyswitch_lwe_ciphertext_list_and_pack_in_glwe_ciphertext,
};
use tfhe::shortint::ciphertext::SquashedNoiseCiphertext;

/// Squashes the noise of a canonical ciphertext of the given type. Returns canonical words in the type's format, least
/// significant block first. Deterministic: squashing is (see the crate's features), and packing is integer arithmetic.
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
    let format = WordFormat::of(fhe_type);
    let words = match &ciphertext {
        Ciphertext::Bool(block) => {
            let squashed =
                key.squashing()?.squash_boolean_block_noise(key.integer(), block).map_err(internal)?;
            raw_words(std::slice::from_ref(squashed.packed_blocks()))
        }
        Ciphertext::Uint(_, radix) => {
            let squashed =
                key.squashing()?.squash_radix_ciphertext_noise(key.integer(), radix).map_err(internal)?;
            match format {
                WordFormat::Raw => raw_words(squashed.packed_blocks()),
                WordFormat::Packed => packed_words(key, squashed.packed_blocks()),
            }
        }
    };
    if words.len() != format.byte_length(fhe_type.packed_blocks()) {
        return Err(Failure::new(Code::Internal, "a squashed ciphertext has another width than its type"));
    }
    Ok(words)
}

fn raw_words(blocks: &[SquashedNoiseCiphertext]) -> Vec<u8> {
    encode(blocks.iter().flat_map(|block| block.lwe_ciphertext().as_ref()))
}

/// Keyswitches the blocks into the coefficients of one GLWE ciphertext under `nsc`, as the crate's compression of squashed
/// ciphertexts does; a power of two modulus needs no switch of it.
fn packed_words(key: &ServerKey, blocks: &[SquashedNoiseCiphertext]) -> Vec<u8> {
    let packing = key.packing();
    let modulus = packing.ciphertext_modulus();
    let words: Vec<u128> = blocks.iter().flat_map(|block| block.lwe_ciphertext().as_ref()).copied().collect();
    let list = LweCiphertextList::from_container(words, LweDimension(RAW_MASK_WORDS).to_lwe_size(), modulus);
    let (size, degree) = (packing.output_glwe_size(), packing.output_polynomial_size());
    let mut packed = GlweCiphertext::new(0u128, size, degree, modulus);
    par_keyswitch_lwe_ciphertext_list_and_pack_in_glwe_ciphertext(packing, &list, &mut packed);
    // the coefficients of the body that hold no block are left out: nobody may decrypt them
    encode(&packed.as_ref()[..PACKED_MASK_WORDS + blocks.len()])
}

fn encode<'a>(words: impl IntoIterator<Item = &'a u128>) -> Vec<u8> {
    let words = words.into_iter();
    let mut out = Vec::with_capacity(words.size_hint().0 * WORD_BYTES);
    for word in words {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out
}
