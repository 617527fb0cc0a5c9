//! As `ring_shares`, for parts whose rows are LWE ciphertexts: every row is a sum of its own, made as it streams by.
use super::super::contribution::Contributor;
use super::super::dealing::SecretVector;
use super::super::layout::{Part, Shape, mask_offset};
use super::packing::{PACKED, pack};
use super::section::Section;
use crate::ring::Gr;
use rayon::prelude::*;
use std::ops::Range;
use zeroize::Zeroizing;

/// Four key coefficients of one share, modulo 2^64.
type Narrow = [u64; 4];

/// Shares of the rows absorbed so far, packed.
pub struct LweShares {
    section: Section,
    key: Zeroizing<Vec<Narrow>>,
    shares: SecretVector,
}

impl LweShares {
    pub fn new(party: &Contributor, section: Section) -> LweShares {
        let part = section.part.part();
        let key = party.shares_of(part.under).iter().map(|share| share.0.map(|word| word as u64));
        let shares = Zeroizing::new(Vec::with_capacity(section.coefficients() / PACKED));
        LweShares { key: Zeroizing::new(key.collect()), shares, section }
    }

    /// `rows` come in order, a multiple of [`PACKED`] at a time.
    pub fn absorb(&mut self, party: &Contributor, rows: Range<usize>, body: &[u8]) {
        debug_assert!(rows.len().is_multiple_of(PACKED) && body.len() == 8 * rows.len());
        let bodies = body.as_chunks::<8>().0.par_chunks(PACKED);
        let packed = bodies.enumerate().map_init(
            || vec![0; self.section.part.part().mask_bytes_per_row()],
            |mask, (i, bodies)| {
                let mut shares = Zeroizing::new([Gr::ZERO; PACKED]);
                for (k, (share, body)) in shares.iter_mut().zip(bodies).enumerate() {
                    *share = self.share(party, rows.start + PACKED * i + k, u64::from_le_bytes(*body), mask);
                }
                pack(&shares)
            },
        );
        let mut packed = Zeroizing::new(packed.collect::<Vec<Gr>>());
        self.shares.append(&mut packed);
    }

    /// The share of body − mask · key − message, modulo 2^64 in the low halves.
    fn share(&self, party: &Contributor, row: usize, body: u64, mask: &mut [u8]) -> Gr {
        let part = self.section.part.part();
        party.masks.fill(mask_offset(self.section.part) + (row * mask.len()) as u64, mask);
        let mut sum = [0u64; 4];
        for (mask, key) in mask.as_chunks::<8>().0.iter().zip(self.key.iter()) {
            let mask = u64::from_le_bytes(*mask);
            for (sum, &key) in sum.iter_mut().zip(key) {
                *sum = sum.wrapping_add(mask.wrapping_mul(key));
            }
        }
        Gr::scalar(body.into()) - Gr(sum.map(u128::from)) - message(party, part, row)
    }

    pub fn finish(self) -> SecretVector {
        self.shares
    }
}

/// The share of a row's message.
fn message(party: &Contributor, part: &Part, row: usize) -> Gr {
    match part.shape {
        Shape::KeySwitch { from } => {
            let bit = party.shares_of(from)[row / part.rows_per_bit()];
            bit.scale(1 << part.shift(row % part.levels))
        }
        Shape::Bootstrapping { .. } | Shape::PackingKeySwitch { .. } | Shape::CompactPublic => Gr::ZERO,
    }
}
