//! The decryption share of one party (protocol §5): p_i = b − Σ_j a_j·⟨s_j⟩_i, plus the flooding mask ⟨E⟩_i, for every
//! packed block.
//!
//! Secret: the key share, the masks, and p_i until its mask is added. Public: words, session, result. Products are of
//! wrapping 128-bit words: neither a branch nor an address depends on a secret. The caller must have passed every
//! release check, and hands over the words in a buffer that nobody else can change.
//!
//! Masks derive from the session AND the words. A session id commits to its words already; hashing them once more means
//! that even a caller that pairs the two wrongly cannot make this party use one mask for two linear forms, whose
//! difference would be an exact equation on the key.

use crate::errors::{Code, Failure, Result};
use crate::ring::element::{GR_BYTES, Gr};
use crate::ring::key_share::{KeyShare, NS_BITS};
use crate::squash::{MASK_WORDS, PACKED_BLOCK_BYTES};
use sha2::{Digest, Sha256};
use std::hint::black_box;
use zeroize::{Zeroize, Zeroizing};

/// The widest type has this many packed blocks.
pub const MAX_BLOCKS: usize = 64;

const _: () = assert!(MASK_WORDS == NS_BITS);

const MASK_TAG: &[u8] = b"twinlock/mask-context/v1";

/// This party's share of the decryption of `words` (whole packed blocks) in one session: 64 bytes per block, in block
/// order. The same words and session always give the same bytes.
///
/// Computed twice, in opposite orders and with masks derived anew: a fault in one of the two would otherwise leave as
/// an exact equation on the key.
///
/// # Errors
/// `SHARE_WORDS` unless the words are 1..64 whole packed blocks; `SHARE_FAULT` where the two computations differ.
pub fn decryption_share(key: &KeyShare, words: &[u8], session: &[u8; 32]) -> Result<Vec<u8>> {
    let blocks = words.len() / PACKED_BLOCK_BYTES;
    if !words.len().is_multiple_of(PACKED_BLOCK_BYTES) || !(1..=MAX_BLOCKS).contains(&blocks) {
        let text = format!(
            "want 1..{MAX_BLOCKS} blocks of {PACKED_BLOCK_BYTES} bytes to decrypt, got {} bytes",
            words.len()
        );
        return Err(Failure::new(Code::ShareWords, text));
    }
    let context = mask_context(words, session);
    let share = compute(key, words, &context, Order::Forward);
    let again = compute(black_box(key), black_box(words), black_box(&context), Order::Backward);
    agreed(share, &again)
}

/// The first result if both are equal; wiped otherwise.
fn agreed(share: Zeroizing<Vec<u8>>, again: &[u8]) -> Result<Vec<u8>> {
    if *share != again {
        return Err(Failure::new(Code::ShareFault, "two computations of one decryption share differ"));
    }
    Ok(share.to_vec())
}

#[derive(Clone, Copy)]
enum Order {
    Forward,
    Backward,
}

fn compute(key: &KeyShare, words: &[u8], context: &[u8; 32], order: Order) -> Zeroizing<Vec<u8>> {
    let masks = key.prss().masks(context);
    let mut out = Zeroizing::new(vec![0; words.len() / PACKED_BLOCK_BYTES * GR_BYTES]);
    for (index, (block, out)) in
        words.chunks_exact(PACKED_BLOCK_BYTES).zip(out.chunks_exact_mut(GR_BYTES)).enumerate()
    {
        let (mask_words, body) = block.split_at(MASK_WORDS * 16);
        let mut partial = match order {
            Order::Forward => partial_decryption(mask_words.chunks_exact(16).zip(key.ns()), word(body)),
            Order::Backward => {
                partial_decryption(mask_words.chunks_exact(16).zip(key.ns()).rev(), word(body))
            }
        };
        let mut mask = masks.mask(index as u64);
        out.copy_from_slice(&(partial + mask).to_bytes());
        partial.zeroize();
        mask.zeroize();
    }
    out
}

fn mask_context(words: &[u8], session: &[u8; 32]) -> [u8; 32] {
    Sha256::new()
        .chain_update(MASK_TAG)
        .chain_update(session)
        .chain_update(Sha256::digest(words))
        .finalize()
        .into()
}

/// b − Σ a_j·⟨s_j⟩_i
fn partial_decryption<'a>(pairs: impl Iterator<Item = (&'a [u8], &'a Gr)>, body: u128) -> Gr {
    pairs.fold(Gr::scalar(body), |sum, (mask_word, share)| sum - share.scale(word(mask_word)))
}

fn word(bytes: &[u8]) -> u128 {
    u128::from_le_bytes(bytes.try_into().expect("chunk of sixteen bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_different_computations_are_a_fault_and_nothing_leaves() {
        let failure = agreed(Zeroizing::new(vec![1, 2]), &[1, 3]).unwrap_err();
        assert_eq!(failure.code, Code::ShareFault);
        assert_eq!(agreed(Zeroizing::new(vec![1, 2]), &[1, 2]).unwrap(), [1, 2]);
    }
}
