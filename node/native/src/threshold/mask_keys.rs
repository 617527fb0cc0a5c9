//! The flooding masks of a party (protocol §5): ⟨E⟩_i of block k is Σ_A (φ_A(2k) + φ_A(2k + 1))·f_A(α_i), where φ_A(c) is
//! block c of AES-256-CTR under HKDF(r_A, "twinlock/prss/v1" ‖ context ‖ "phi"), little-endian, reduced to [−B, B).
//!
//! Everything that does not depend on the context is computed once: the factors f_A(α_i), which are public, and HKDF's
//! extraction with the keyed states of its HMAC, which are as secret as r_A.
//!
//! Secret: keys, states, streams, masks. AES runs on the processor's instructions where it has them, else bit-sliced;
//! SHA-256 has no table. Neither a branch nor an address depends on a secret.

use crate::ring::element::Gr;
use crate::ring::prss::{PRSS_TAG, PrssKeys, log_flood_bound, subset_factor};
use aes::Aes256Enc;
use aes::cipher::{BlockEncrypt, KeyInit};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing, zeroize_flat_type};

/// The widest type has this many blocks.
pub const MAX_BLOCKS: usize = 64;
/// Values φ per block: their sum is masked by either where the other is known.
const VALUES: usize = 2;
const PURPOSE: &[u8] = b"phi";

/// The extracted key of one set A, ready to expand.
struct SetKey(Hkdf<Sha256>);

impl Drop for SetKey {
    fn drop(&mut self) {
        // SAFETY: the type is flat, two keyed states of SHA-256 with a counter and a buffer each, and has no drop of its
        // own; it is not used again.
        unsafe { zeroize_flat_type(&raw mut self.0) }
    }
}

pub struct MaskKeys {
    log_range: u32,
    sets: Vec<(Gr, SetKey)>,
}

impl MaskKeys {
    pub fn new(prss: &PrssKeys) -> Self {
        let factor = |subset| subset_factor(prss.committee(), subset, prss.index());
        Self {
            log_range: log_flood_bound(prss.committee()) + 1,
            sets: prss
                .by_subset()
                .map(|(subset, key)| (factor(subset), SetKey(Hkdf::new(None, key))))
                .collect(),
        }
    }

    /// Adds ⟨E⟩_i of blocks 0, 1, … to the values. Deterministic: a repeated context repeats its masks.
    /// @param reversed goes through the sets in the opposite order
    pub fn add_masks(&self, context: &[u8; 32], values: &mut [Gr], reversed: bool) {
        debug_assert!(values.len() <= MAX_BLOCKS);
        if reversed {
            self.add_each(self.sets.iter().rev(), context, values);
        } else {
            self.add_each(self.sets.iter(), context, values);
        }
    }

    fn add_each<'a>(
        &self,
        sets: impl Iterator<Item = &'a (Gr, SetKey)>,
        context: &[u8; 32],
        values: &mut [Gr],
    ) {
        let range = (1u128 << self.log_range) - 1;
        let half = 1u128 << (self.log_range - 1);
        let counters: [aes::Block; VALUES * MAX_BLOCKS] =
            std::array::from_fn(|counter| (counter as u128).to_be_bytes().into());
        let counters = &counters[..VALUES * values.len()];
        let mut stream = [aes::Block::default(); VALUES * MAX_BLOCKS];
        let stream = &mut stream[..counters.len()];
        let mut key = Zeroizing::new([0; 32]);
        for (factor, SetKey(extracted)) in sets {
            extracted
                .expand_multi_info(&[PRSS_TAG, context, PURPOSE], key.as_mut())
                .expect("32 bytes are within the limit of HKDF");
            stream.copy_from_slice(counters);
            Aes256Enc::new((&*key).into()).encrypt_blocks(stream);
            for (value, words) in values.iter_mut().zip(stream.as_chunks::<VALUES>().0) {
                let phi =
                    |word: &aes::Block| (u128::from_le_bytes((*word).into()) & range).wrapping_sub(half);
                *value += factor.scale(phi(&words[0]).wrapping_add(phi(&words[1])));
            }
        }
        for block in stream {
            block.as_mut_slice().zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::committee::{Committee, binomial};
    use crate::ring::prss::PRSS_KEY_BYTES;
    use crate::ring::shamir::PolynomialTest;
    use crate::stream::{SecretStream, derive_key};

    const BLOCKS: usize = 64;

    /// Keys as the vectors below use them: every byte of r_A is the bitmask of A.
    fn keys_of(committee: Committee, index: usize) -> PrssKeys {
        let keys =
            committee.subsets_with(index).iter().map(|subset| [subset.0 as u8; PRSS_KEY_BYTES]).collect();
        PrssKeys::new(committee, index, keys).expect("complete")
    }

    fn context() -> [u8; 32] {
        std::array::from_fn(|i| i as u8)
    }

    fn masks(keys: &PrssKeys, context: &[u8; 32], blocks: usize) -> Vec<Gr> {
        let mut values = vec![Gr::ZERO; blocks];
        MaskKeys::new(keys).add_masks(context, &mut values, false);
        values
    }

    #[test]
    fn masks_equal_the_reference_model() {
        // threshold-ref.mjs's fA and ring with node:crypto's HKDF and AES-256-CTR, keys and session as above.
        let committee = Committee::new(4, 1).expect("allowed");
        let cases = [
            (
                1,
                0,
                [
                    0x0034_4d05_4c86_9f14_b4c9_0d18_2745_a77a,
                    0xfff4_92e0_6f77_6daa_1c1c_3bd2_f19c_98a2,
                    0xfff7_2c81_6ee7_330a_736e_82f1_7cdf_145e,
                    0x0028_b090_ffa0_65aa_d8e7_e5b1_1df5_730e,
                ],
            ),
            (
                3,
                5,
                [
                    0xff62_83ed_8606_ac5d_79d7_ce3c_9ff3_53e0,
                    0x000f_6d38_8f52_9d9e_7454_580f_b0b1_4dbc,
                    0xffb8_da46_1b89_29fd_7ca1_fad1_59d7_3a63,
                    0xffa9_a9a7_6a7d_825f_fd35_d36b_461c_197d,
                ],
            ),
        ];
        for (index, block, want) in cases {
            assert_eq!(masks(&keys_of(committee, index), &context(), block + 1)[block], Gr(want));
        }
    }

    #[test]
    fn masks_equal_the_definition_in_either_order() {
        for (n, t) in [(4, 1), (5, 1), (7, 2), (10, 3), (13, 4), (15, 4)] {
            let committee = Committee::new(n, t).expect("allowed");
            let keys = keys_of(committee, n);
            let log = log_flood_bound(committee);
            let want: Vec<Gr> = (0..BLOCKS as u128)
                .map(|block| {
                    keys.by_subset().fold(Gr::ZERO, |sum, (subset, key)| {
                        let stream = SecretStream::new(&derive_key(key, &[PRSS_TAG, &context(), b"phi"]));
                        let phi = |counter| (stream.word(counter) % (2 << log)).wrapping_sub(1 << log);
                        let value = phi(2 * block).wrapping_add(phi(2 * block + 1));
                        sum + subset_factor(committee, subset, n).scale(value)
                    })
                })
                .collect();
            assert_eq!(masks(&keys, &context(), BLOCKS), want, "{n}/{t}");
            let mut values = vec![Gr::ONE; 3];
            MaskKeys::new(&keys).add_masks(&context(), &mut values, true);
            assert_eq!(values, want[..3].iter().map(|&mask| mask + Gr::ONE).collect::<Vec<_>>());
        }
    }

    #[test]
    fn masks_are_small_scalars_of_degree_t() {
        for (n, t) in [(4, 1), (7, 2)] {
            let committee = Committee::new(n, t).expect("allowed");
            let shares: Vec<Vec<Gr>> =
                committee.parties().map(|i| masks(&keys_of(committee, i), &context(), BLOCKS)).collect();
            for block in 0..BLOCKS {
                let points: Vec<Gr> = shares.iter().map(|share| share[block]).collect();
                let value = PolynomialTest::new(committee, t).value(&points).expect("degree t");
                assert_eq!(value.0[1..], [0, 0, 0]);
                let bound = (2 * binomial(n, t) as i128) << log_flood_bound(committee);
                assert!((value.0[0] as i128).abs() <= bound);
            }
        }
    }

    #[test]
    fn another_context_or_block_has_other_masks() {
        let keys = keys_of(Committee::new(4, 1).expect("allowed"), 2);
        let all = masks(&keys, &context(), BLOCKS);
        assert_ne!(all[0], masks(&keys, &[0; 32], 1)[0]);
        assert!((1..BLOCKS).all(|block| all[block] != all[0]));
    }
}
