//! What bodies must be, computed from the reconstructed key: for tests only.
use super::layout::{PartId, Shape, mask_offset};
use super::masks::MaskStream;
use super::negacyclic::{Negacyclic, Spectrum, Width};
use super::words::read_words;
use rayon::prelude::*;

/// The noise of the rows of `body`, which starts at row `first` of the part: body - mask · key - message, signed.
pub fn noise_of(seed: &[u8; 32], bits: &[u128], id: PartId, first: usize, body: &[u8]) -> Vec<i128> {
    let part = id.part();
    let words = part.row_words;
    let row_bytes = words * part.word_bytes();
    let exact = Exact::new(seed, bits, id);
    body.par_chunks(row_bytes)
        .enumerate()
        .flat_map_iter(|(i, bytes)| {
            let want = exact.row(first + i);
            let mut got = vec![0; words];
            read_words(bytes, part.width, &mut got);
            got.into_iter().zip(want).map(|(got, want)| {
                let difference = got.wrapping_sub(want);
                match part.width {
                    Width::Bits64 => i128::from(difference as u64 as i64),
                    Width::Bits128 => difference as i128,
                }
            })
        })
        .collect()
}

/// Bodies without noise.
struct Exact<'a> {
    id: PartId,
    bits: &'a [u128],
    masks: MaskStream,
    /// Multiplier and transformed key; nothing for LWE rows.
    ring: Option<(Negacyclic, Vec<Spectrum>)>,
}

impl<'a> Exact<'a> {
    fn new(seed: &[u8; 32], bits: &'a [u128], id: PartId) -> Exact<'a> {
        let part = id.part();
        let ring = (part.row_words > 1).then(|| {
            let engine = Negacyclic::new(part.row_words, part.width);
            let key = bits[part.under.range()].chunks(part.row_words).map(|polynomial| {
                let mut polynomial = polynomial.to_vec();
                if part.shape == Shape::CompactPublic {
                    polynomial.reverse();
                }
                engine.forward_normalized(&polynomial)
            });
            let key = key.collect();
            (engine, key)
        });
        Exact { id, bits, masks: MaskStream::new(seed), ring }
    }

    fn row(&self, row: usize) -> Vec<u128> {
        let part = self.id.part();
        let mut mask = vec![0; part.mask_bytes_per_row()];
        self.masks.fill(mask_offset(self.id) + (row * mask.len()) as u64, &mut mask);
        let mut words = vec![0; part.mask_polynomials * part.row_words];
        read_words(&mask, part.width, &mut words);
        let mut out = vec![0u128; part.row_words];
        match &self.ring {
            Some((engine, key)) => {
                let (mut sum, mut a) = (engine.zero(), engine.zero());
                for (polynomial, key) in words.chunks(part.row_words).zip(key) {
                    engine.forward(polynomial, &mut a);
                    engine.multiply_add(&mut sum, &a, key);
                }
                engine.inverse(&mut sum, &mut out);
            }
            None => {
                let key = &self.bits[part.under.range()];
                out[0] = words.iter().zip(key).fold(0, |sum, (a, b)| sum.wrapping_add(a.wrapping_mul(*b)));
            }
        }
        self.add_message(row, &mut out);
        out
    }

    fn add_message(&self, row: usize, out: &mut [u128]) {
        let part = self.id.part();
        let (bit, k) = (row / part.rows_per_bit(), part.mask_polynomials);
        match part.shape {
            Shape::CompactPublic => {}
            Shape::PackingKeySwitch { from } | Shape::KeySwitch { from } => {
                let message = self.bits[from.range().start + bit];
                out[0] = out[0].wrapping_add(message << part.shift(row % part.levels));
            }
            Shape::Bootstrapping { from } => {
                let (message, column) = (self.bits[from.range().start + bit], row % (k + 1));
                let shift = part.shift(row / (k + 1) % part.levels);
                if column == k {
                    out[0] = out[0].wrapping_add(message << shift);
                    return;
                }
                let key = &self.bits[part.under.range()][column * part.row_words..];
                for (value, key) in out.iter_mut().zip(key) {
                    *value = value.wrapping_sub((message * key) << shift);
                }
            }
        }
    }
}
