//! The linear forms of raw words (protocol §5): b − Σ_j a_j·⟨s_j⟩ per block, under this party's shares of the key `ns`.
//!
//! Public: the words. Secret: shares, products, results. Only additions and multiplications of wrapping 128-bit words:
//! neither a branch nor an address depends on a secret.

use super::fault;
use crate::ring::element::Gr;
use crate::word_format::{RAW_BLOCK_BYTES, RAW_MASK_WORDS, WORD_BYTES, word};
use zeroize::Zeroizing;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Forward,
    Backward,
}

/// The phases of all blocks: what the words decrypt to under these shares, before masking.
///
/// `words` are words of the raw format (its length is checked by the caller), `ns` the 4096 shares.
pub fn phases(words: &[u8], ns: &[Gr], order: Order) -> Zeroizing<Vec<Gr>> {
    let blocks = words.chunks_exact(RAW_BLOCK_BYTES);
    let mut out = Zeroizing::new(Vec::with_capacity(blocks.len()));
    out.extend(blocks.map(|block| {
        let (mask, body) = block.split_at(RAW_MASK_WORDS * WORD_BYTES);
        let pairs = mask.chunks_exact(WORD_BYTES).zip(ns);
        let mut phase = match order {
            Order::Forward => subtract_products(word(body), pairs),
            Order::Backward => subtract_products(word(body), pairs.rev()),
        };
        fault::touch(&mut phase);
        phase
    }));
    out
}

#[inline(always)]
fn subtract_products<'a>(body: u128, pairs: impl Iterator<Item = (&'a [u8], &'a Gr)>) -> Gr {
    pairs.fold(Gr::scalar(body), |phase, (mask_word, share)| phase - share.scale(word(mask_word)))
}
