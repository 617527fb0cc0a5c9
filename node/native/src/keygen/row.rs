//! One row of a contribution: mask times additive key share, plus the message's share, plus noise, plus zero sharing.
//!
//! Secret: everything but the mask. No branch depends on it. Every stream is read at the position of the coefficient.
use super::context::Purpose;
use super::contribution::Contributor;
use super::layout::{Chunk, Part, Shape, mask_offset};
use super::negacyclic::{Negacyclic, Spectrum, Width};
use super::noise::{NoiseSource, noise_bound};
use super::words::{read_word, read_words, truncate, write_words};
use crate::params::Secret;
use crate::stream::SecretStream;
use std::sync::OnceLock;
use zeroize::{Zeroize, Zeroizing};

/// Buffers of one thread. Wiped on drop.
pub struct Scratch {
    bytes: Vec<u8>,
    sum: Vec<u128>,
    mask: Option<(Spectrum, Spectrum)>,
}

impl Scratch {
    pub fn new(part: &Part) -> Scratch {
        let mask = engine(part).map(|engine| (engine.zero(), engine.zero()));
        // One mask polynomial or one LWE mask, one row of noise words, one row of zero sharing.
        let bytes = part.word_bytes() * part.row_words.max(part.mask_polynomials);
        Scratch { bytes: vec![0; bytes], sum: vec![0; part.row_words], mask }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.bytes.zeroize();
        self.sum.zeroize();
    }
}

/// The key under which a part's rows are encrypted, as additive shares of one set.
enum KeyShares {
    /// Transformed polynomials.
    Polynomials(Vec<Spectrum>),
    /// LWE coefficients modulo 2^64.
    Coefficients(Zeroizing<Vec<u64>>),
}

/// Everything that the rows of one chunk share.
pub struct RowJob<'a> {
    party: &'a Contributor,
    part: &'static Part,
    mask_offset: u64,
    keys: Vec<Option<KeyShares>>,
    noise: NoiseSource,
    /// Zero sharing with each other party; the lower index adds, the higher subtracts.
    zeros: Vec<(bool, SecretStream)>,
}

impl<'a> RowJob<'a> {
    pub fn new(party: &'a Contributor, chunk: &Chunk) -> RowJob<'a> {
        let (id, part, context) = (chunk.part, chunk.part.part(), &party.context);
        let number = id.number();
        let bound = noise_bound(part.noise_log, part.budget.shares(context.committee));
        let stream = |purpose| party.root.stream(context, purpose, number, b"");
        let zeros = party
            .pairs
            .iter()
            .map(|pair| {
                let stream = context.stream(pair.key.as_ref(), Purpose::ZeroSharing, number, b"");
                (context.index < pair.other, stream)
            })
            .collect();
        RowJob {
            party,
            part,
            mask_offset: mask_offset(id),
            keys: (0..context.committee.n()).map(|first| key_shares(party, part, first)).collect(),
            noise: NoiseSource::new(bound, stream(Purpose::Noise), stream(Purpose::NoiseRetry)),
            zeros,
        }
    }

    /// Writes the body bytes of `row`, counted from the part's first.
    pub fn row(&self, row: usize, scratch: &mut Scratch, out: &mut [u8]) {
        debug_assert!(row < self.part.rows(), "positions beyond the part are not this part's");
        let bit = row / self.part.rows_per_bit();
        let first = bit % self.party.context.committee.n();
        scratch.sum.fill(0);
        match &self.keys[first] {
            Some(KeyShares::Polynomials(keys)) => self.mask_times_key(row, keys, scratch),
            Some(KeyShares::Coefficients(key)) => self.inner_product(row, key, scratch),
            None => {}
        }
        self.add_message(row, bit, first, &mut scratch.sum);
        self.add_noise(row, scratch);
        self.add_zeros(row, scratch);
        write_words(&scratch.sum, self.part.width, out);
    }

    fn mask_times_key(&self, row: usize, keys: &[Spectrum], scratch: &mut Scratch) {
        let Some((engine, (mask, accumulator))) = engine(self.part).zip(scratch.mask.as_mut()) else {
            return;
        };
        let polynomial_bytes = self.part.row_words * self.part.word_bytes();
        let row_offset = self.mask_offset + (row * self.part.mask_bytes_per_row()) as u64;
        accumulator.clear();
        for (j, key) in keys.iter().enumerate() {
            let bytes = &mut scratch.bytes[..polynomial_bytes];
            self.party.masks.fill(row_offset + (j * polynomial_bytes) as u64, bytes);
            read_words(bytes, self.part.width, &mut scratch.sum);
            engine.forward(&scratch.sum, mask);
            engine.multiply_add(accumulator, mask, key);
        }
        engine.inverse(accumulator, &mut scratch.sum);
    }

    fn inner_product(&self, row: usize, key: &[u64], scratch: &mut Scratch) {
        let length = self.part.mask_bytes_per_row();
        let bytes = &mut scratch.bytes[..length];
        self.party.masks.fill(self.mask_offset + (row * length) as u64, bytes);
        let sum = bytes.as_chunks::<8>().0.iter().zip(key).fold(0u64, |sum, (mask, &share)| {
            sum.wrapping_add(u64::from_le_bytes(*mask).wrapping_mul(share))
        });
        scratch.sum[0] = sum.into();
    }

    /// Adds this party's share of the row's message.
    fn add_message(&self, row: usize, bit: usize, first: usize, sum: &mut [u128]) {
        let part = self.part;
        match part.shape {
            Shape::CompactPublic => {}
            Shape::PackingKeySwitch { from } | Shape::KeySwitch { from } => {
                let level = row % part.levels;
                if let Some(share) = self.party.additive(from, bit, first) {
                    sum[0] = sum[0].wrapping_add(share << part.shift(level));
                }
            }
            Shape::Bootstrapping { from } => {
                let k = part.mask_polynomials;
                let (column, level) = (row % (k + 1), row / (k + 1) % part.levels);
                if column < k {
                    self.add_product(from, bit, first, column, part.shift(level), sum);
                } else if let Some(share) = self.party.additive(from, bit, first) {
                    sum[0] = sum[0].wrapping_add(share << part.shift(level));
                }
            }
        }
    }

    /// Subtracts the share of bit · S_column · 2^shift, made from a local product of degree 2t.
    fn add_product(
        &self,
        from: Secret,
        bit: usize,
        first: usize,
        column: usize,
        shift: u32,
        sum: &mut [u128],
    ) {
        let Some(lambda) = self.party.product[first] else { return };
        let weighted = lambda * self.party.shares_of(from)[bit];
        let words = self.part.row_words;
        let key = &self.party.shares_of(self.part.under)[column * words..(column + 1) * words];
        for (value, &share) in sum.iter_mut().zip(key) {
            *value = value.wrapping_sub(weighted.coef0_product(share) << shift);
        }
    }

    fn add_noise(&self, row: usize, scratch: &mut Scratch) {
        let words = self.part.row_words;
        self.noise.add((row * words) as u64, &mut scratch.sum, &mut scratch.bytes[..8 * words]);
    }

    fn add_zeros(&self, row: usize, scratch: &mut Scratch) {
        let word_bytes = self.part.word_bytes();
        let length = self.part.row_words * word_bytes;
        for (adds, stream) in &self.zeros {
            let bytes = &mut scratch.bytes[..length];
            stream.read((row * length) as u128, bytes);
            let words = bytes.chunks_exact(word_bytes).map(read_word);
            if *adds {
                scratch.sum.iter_mut().zip(words).for_each(|(sum, zero)| *sum = sum.wrapping_add(zero));
            } else {
                scratch.sum.iter_mut().zip(words).for_each(|(sum, zero)| *sum = sum.wrapping_sub(zero));
            }
        }
    }
}

/// This party's additive shares of the part's key in the set that starts at `first`, or `None` if it is no member.
fn key_shares(party: &Contributor, part: &Part, first: usize) -> Option<KeyShares> {
    let lambda = party.linear[first]?;
    let additive = Zeroizing::new(
        party
            .shares_of(part.under)
            .iter()
            .map(|&share| truncate(lambda.coef0_product(share), part.width))
            .collect::<Vec<u128>>(),
    );
    let Some(engine) = engine(part) else {
        let coefficients = additive.iter().map(|&share| share as u64).collect();
        return Some(KeyShares::Coefficients(Zeroizing::new(coefficients)));
    };
    let polynomials = additive.chunks_exact(part.row_words).map(|polynomial| match part.shape {
        Shape::CompactPublic => {
            let mut reversed = Zeroizing::new(polynomial.to_vec());
            reversed.reverse();
            engine.forward_normalized(&reversed)
        }
        Shape::Bootstrapping { .. } | Shape::PackingKeySwitch { .. } | Shape::KeySwitch { .. } => {
            engine.forward_normalized(polynomial)
        }
    });
    Some(KeyShares::Polynomials(polynomials.collect()))
}

/// The multiplier for a part's ring, or `None` for LWE rows.
pub(super) fn engine(part: &Part) -> Option<&'static Negacyclic> {
    static ENGINES: [OnceLock<Negacyclic>; 4] = [const { OnceLock::new() }; 4];
    let slot = match (part.row_words, part.width) {
        (1, _) => return None,
        (256, Width::Bits64) => 0,
        (1024, Width::Bits128) => 1,
        (_, Width::Bits64) => 2,
        (_, Width::Bits128) => 3,
    };
    Some(ENGINES[slot].get_or_init(|| Negacyclic::new(part.row_words, part.width)))
}
