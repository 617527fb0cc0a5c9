//! As `ring_shares`, for parts whose rows are LWE ciphertexts: a row's share is made as it streams by, and added to its
//! patterns.
//!
//! Secret: key, shares and patterns, of which only the low halves of words are held. Public: masks, bodies and weights.
use super::super::contribution::Contributor;
use super::super::dealing::SecretVector;
use super::super::layout::{Part, Shape, mask_offset};
use super::packing::{PACKED, pack};
use super::section::Section;
use super::weights::{Term, Weights};
use crate::ring::Gr;
use rayon::prelude::*;
use std::ops::Range;
use zeroize::Zeroizing;

/// The four coefficients of a share, modulo 2^64.
type Narrow = [u64; 4];

/// Shares of the rows absorbed so far, by pattern.
pub struct LweShares {
    section: Section,
    pub weights: Weights,
    key: Zeroizing<Vec<Narrow>>,
    patterns: Zeroizing<Vec<Narrow>>,
}

impl LweShares {
    pub fn new(party: &Contributor, section: Section, weights: Weights) -> LweShares {
        let key = party.shares_of(section.part.part().under).iter().map(|&share| narrow(share));
        let patterns = Zeroizing::new(vec![[0; 4]; weights.patterns()]);
        LweShares { key: Zeroizing::new(key.collect()), patterns, section, weights }
    }

    /// The next `rows` with their bodies.
    pub fn absorb(&mut self, party: &Contributor, rows: Range<usize>, body: &[u8]) {
        debug_assert!(body.len() == 8 * rows.len());
        let bodies = body.as_chunks::<8>().0.par_iter();
        let shares = bodies.enumerate().map_init(
            || vec![0; self.section.part.part().mask_bytes_per_row()],
            |mask, (i, body)| self.share(party, rows.start + i, u64::from_le_bytes(*body), mask),
        );
        let shares = Zeroizing::new(shares.collect::<Vec<Narrow>>());
        let first = rows.start - self.section.rows.start;
        for group in self.weights.of_rows(first..first + rows.len()) {
            for (&pattern, &share) in group.iter().zip(shares.iter()) {
                add(&mut self.patterns[pattern as usize], share);
            }
        }
    }

    /// The share of body − mask · key − message.
    fn share(&self, party: &Contributor, row: usize, body: u64, mask: &mut [u8]) -> Narrow {
        let part = self.section.part.part();
        party.masks.fill(mask_offset(self.section.part) + (row * mask.len()) as u64, mask);
        let mut sum = [body.wrapping_neg(), 0, 0, 0];
        for (mask, key) in mask.as_chunks::<8>().0.iter().zip(self.key.iter()) {
            let mask = u64::from_le_bytes(*mask);
            for (sum, &key) in sum.iter_mut().zip(key) {
                *sum = sum.wrapping_add(mask.wrapping_mul(key));
            }
        }
        add(&mut sum, message(party, part, row));
        sum.map(u64::wrapping_neg)
    }

    /// The shares of all sums, packed.
    pub fn finish(self) -> SecretVector {
        let sum = |terms: &Vec<Term>| {
            let mut sum = [0; 4];
            for term in terms {
                let share = self.patterns[term.pattern];
                add(&mut sum, if term.negative { share.map(u64::wrapping_neg) } else { share });
            }
            Gr(sum.map(u128::from))
        };
        let packed = self.weights.sums().as_chunks::<PACKED>().0.iter().map(|sums| {
            let shares = Zeroizing::new(sums.each_ref().map(sum));
            pack(&shares)
        });
        Zeroizing::new(packed.collect())
    }
}

fn narrow(share: Gr) -> Narrow {
    share.0.map(|word| word as u64)
}

#[inline(always)]
fn add(sum: &mut Narrow, share: Narrow) {
    sum.iter_mut().zip(share).for_each(|(sum, word)| *sum = sum.wrapping_add(word));
}

/// The share of a row's message.
fn message(party: &Contributor, part: &Part, row: usize) -> Narrow {
    match part.shape {
        Shape::KeySwitch { from } => {
            let bit = party.shares_of(from)[row / part.rows_per_bit()];
            narrow(bit.scale(1 << part.shift(row % part.levels)))
        }
        Shape::Bootstrapping { .. } | Shape::PackingKeySwitch { .. } | Shape::CompactPublic => [0; 4],
    }
}
