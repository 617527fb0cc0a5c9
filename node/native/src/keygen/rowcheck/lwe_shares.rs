//! As `ring_shares`, for parts whose rows are LWE ciphertexts: every row is a value of its own, made as it streams by, and
//! stands in one place of noise each time.
use super::super::contribution::Contributor;
use super::super::dealing::SecretVector;
use super::super::layout::{Part, Shape, mask_offset};
use super::packing::{PACKED, pack};
use super::section::Section;
use super::slots::Slots;
use crate::ring::Gr;
use rayon::prelude::*;
use std::ops::Range;
use zeroize::Zeroizing;

/// Four key coefficients of one share, modulo 2^64.
type Narrow = [u64; 4];

/// Shares of the rows absorbed so far.
pub struct LweShares {
    section: Section,
    slots: Slots,
    key: Zeroizing<Vec<Narrow>>,
    shares: SecretVector,
}

impl LweShares {
    pub fn new(party: &Contributor, section: Section, slots: Slots) -> LweShares {
        let part = section.part.part();
        let key = party.shares_of(part.under).iter().map(|share| share.0.map(|word| word as u64));
        let shares = Zeroizing::new(Vec::with_capacity(section.rows.len()));
        LweShares { key: Zeroizing::new(key.collect()), shares, section, slots }
    }

    /// `rows` come in order.
    pub fn absorb(&mut self, party: &Contributor, rows: Range<usize>, body: &[u8]) {
        debug_assert!(body.len() == 8 * rows.len());
        let rows = body.as_chunks::<8>().0.par_iter().zip(rows).map_init(
            || vec![0; self.section.part.part().mask_bytes_per_row()],
            |mask, (body, row)| self.share(party, row, u64::from_le_bytes(*body), mask),
        );
        let mut shares = Zeroizing::new(rows.collect::<Vec<Gr>>());
        self.shares.append(&mut shares);
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

    /// Time after time: all places, packed.
    pub fn finish(self) -> SecretVector {
        let LweShares { slots: Slots { slots, times }, shares, .. } = self;
        let mut packed = Zeroizing::new(Vec::with_capacity(slots * times.len() / PACKED));
        let mut places = Zeroizing::new(vec![Gr::ZERO; slots]);
        for time in times {
            places.fill(Gr::ZERO);
            for (slot, &share) in time.iter().zip(shares.iter()) {
                places[slot.index] = if slot.negative { -share } else { share };
            }
            packed.extend(places.as_chunks::<PACKED>().0.iter().map(pack));
        }
        packed
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
