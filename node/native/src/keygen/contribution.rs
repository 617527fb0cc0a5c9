//! One party's additive contribution to the bodies of a key (protocol §4, keygen.md §0, §3).
//!
//! Shamir shares become additive shares locally: coef0(lambda_p · share_p), and coef0(lambda_p · share_p(s) · share_p(S))
//! for a product, which is linear in the body and opened at once. Bit i uses the sets {i, …, i + t} and {i, …, i + 2t}
//! modulo n, so the work is spread. To this the party adds its own noise and a pairwise zero sharing; without the latter
//! one body would show a multiple of a share. Secret: shares, root, pair keys. Public: seed and result.
//!
//! A chunk is a function of the party's state: made twice, it has the same bytes and tells nothing new. Every stream has a
//! key per part and is read at the position of the coefficient, so no position is used twice (layout tests).
use super::context::{Context, Purpose, Root};
use super::layout::{Chunk, Part, Shape, mask_offset};
use super::masks::{MaskStream, PUBLIC_SEED_BYTES};
use super::negacyclic::{Negacyclic, Spectrum, Width};
use super::noise::{NoiseSource, noise_bound};
use crate::params::Secret;
use crate::ring::Gr;
use crate::ring::shamir::{cyclic_set, lagrange};
use crate::stream::{BLOCK, SecretStream};
use rayon::prelude::*;
use std::sync::OnceLock;
use zeroize::{Zeroize, Zeroizing};

/// What a party contributes from.
pub struct Contributor {
    context: Context,
    root: Root,
    /// Shares of all key bits.
    shares: Zeroizing<Vec<Gr>>,
    /// Keys shared with each other party.
    pairs: Vec<PairKey>,
    public_seed: [u8; PUBLIC_SEED_BYTES],
    masks: MaskStream,
    /// By bit position modulo n: the Lagrange coefficient of this party in the linear and in the product set, if a member.
    linear: Vec<Option<Gr>>,
    product: Vec<Option<Gr>>,
}

/// A key that exactly this party and `other` hold.
#[derive(Clone)]
pub struct PairKey {
    pub other: usize,
    pub key: Zeroizing<[u8; 32]>,
}

impl Contributor {
    /// `shares` holds all 17,196 key bits, `pairs` one key per other party.
    pub fn new(
        context: Context,
        root: Root,
        shares: Zeroizing<Vec<Gr>>,
        pairs: Vec<PairKey>,
        public_seed: &[u8; PUBLIC_SEED_BYTES],
    ) -> Contributor {
        let committee = context.committee;
        let coefficient = |first: usize, length: usize| {
            let set = cyclic_set(committee, first, length);
            let place = set.iter().position(|&p| p == context.index)?;
            Some(lagrange(&set, 0)[place])
        };
        Contributor {
            linear: committee.parties().map(|first| coefficient(first, committee.t() + 1)).collect(),
            product: committee.parties().map(|first| coefficient(first, committee.quorum())).collect(),
            public_seed: *public_seed,
            masks: MaskStream::new(public_seed),
            context,
            root,
            shares,
            pairs,
        }
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    pub fn public_seed(&self) -> &[u8; PUBLIC_SEED_BYTES] {
        &self.public_seed
    }

    pub fn shares(&self) -> &[Gr] {
        &self.shares
    }

    /// The body bytes of `chunk`, little-endian words, row after row.
    pub fn contribution(&self, chunk: &Chunk) -> Vec<u8> {
        let part = chunk.part.part();
        let job = RowJob::new(self, chunk);
        let mut body = vec![0u8; chunk.byte_length()];
        body.par_chunks_mut(part.row_words * part.word_bytes())
            .zip(chunk.rows.clone())
            .for_each_init(|| Scratch::new(part), |scratch, (out, row)| job.row(row, scratch, out));
        body
    }

    /// Additive share of key bit `bit` of `secret`, for the set that starts at `first`, if this party is in it.
    #[inline(always)]
    fn additive(&self, secret: Secret, bit: usize, first: usize) -> Option<u128> {
        self.linear[first].map(|lambda| lambda.coef0_product(self.shares[secret.range().start + bit]))
    }

    fn shares_of(&self, secret: Secret) -> &[Gr] {
        &self.shares[secret.range()]
    }
}

/// Buffers of one thread. Wiped on drop.
struct Scratch {
    bytes: Vec<u8>,
    sum: Vec<u128>,
    mask: Option<(Spectrum, Spectrum)>,
}

impl Scratch {
    fn new(part: &Part) -> Scratch {
        let mask = engine(part).map(|engine| (engine.zero(), engine.zero()));
        // One mask polynomial or one LWE mask, one row of noise words, one row of zero sharing.
        let bytes = part.word_bytes() * part.row_words.max(part.mask_polynomials);
        Scratch { bytes: vec![0; bytes.max(BLOCK)], sum: vec![0; part.row_words], mask }
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
struct RowJob<'a> {
    party: &'a Contributor,
    part: &'static Part,
    mask_offset: u64,
    keys: Vec<Option<KeyShares>>,
    noise: NoiseSource,
    /// Zero sharing with each other party; the lower index adds, the higher subtracts.
    zeros: Vec<(bool, SecretStream)>,
}

impl<'a> RowJob<'a> {
    fn new(party: &'a Contributor, chunk: &Chunk) -> RowJob<'a> {
        let (id, part, context) = (chunk.part, chunk.part.part(), &party.context);
        let number = id as u8 + 1;
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

    fn row(&self, row: usize, scratch: &mut Scratch, out: &mut [u8]) {
        let bit = row / self.part.rows_per_bit();
        let first = bit % self.party.context.committee.n();
        scratch.sum.fill(0);
        match &self.keys[first] {
            Some(KeyShares::Polynomials(keys)) => self.mask_times_key(row, keys, scratch),
            Some(KeyShares::Coefficients(key)) => self.inner_product(row, key, scratch),
            None => {}
        }
        self.add_message(row, bit, first, &mut scratch.sum);
        let words = self.part.row_words;
        self.add_noise(row, scratch);
        self.add_zeros(row, scratch);
        debug_assert_eq!(scratch.sum.len(), words);
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
        if words == 1 {
            // An LWE row: coefficients come in pairs of one block, take the right half.
            let mut pair = [0u128; 2];
            self.noise.add((row & !1) as u64, &mut pair, &mut scratch.bytes[..BLOCK]);
            scratch.sum[0] = scratch.sum[0].wrapping_add(pair[row & 1]);
            pair.zeroize();
            return;
        }
        self.noise.add((row * words) as u64, &mut scratch.sum, &mut scratch.bytes[..8 * words]);
    }

    fn add_zeros(&self, row: usize, scratch: &mut Scratch) {
        let word_bytes = self.part.word_bytes();
        let start = row * self.part.row_words * word_bytes;
        // An LWE row may start inside a block.
        let skip = start % BLOCK;
        let length = self.part.row_words * word_bytes;
        for (adds, stream) in &self.zeros {
            let bytes = &mut scratch.bytes[..skip + length];
            stream.fill((start / BLOCK) as u128, bytes);
            let words = bytes[skip..].chunks_exact(word_bytes).map(read_word);
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
fn engine(part: &Part) -> Option<&'static Negacyclic> {
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

fn truncate(value: u128, width: Width) -> u128 {
    match width {
        Width::Bits64 => u128::from(value as u64),
        Width::Bits128 => value,
    }
}

/// A little-endian word of 8 or 16 bytes.
#[inline(always)]
fn read_word(bytes: &[u8]) -> u128 {
    match (bytes.first_chunk::<16>(), bytes.first_chunk::<8>()) {
        (Some(word), _) => u128::from_le_bytes(*word),
        (None, Some(word)) => u64::from_le_bytes(*word).into(),
        (None, None) => 0,
    }
}

fn read_words(bytes: &[u8], width: Width, out: &mut [u128]) {
    match width {
        Width::Bits64 => out
            .iter_mut()
            .zip(bytes.as_chunks::<8>().0)
            .for_each(|(word, bytes)| *word = u64::from_le_bytes(*bytes).into()),
        Width::Bits128 => out
            .iter_mut()
            .zip(bytes.as_chunks::<16>().0)
            .for_each(|(word, bytes)| *word = u128::from_le_bytes(*bytes)),
    }
}

fn write_words(words: &[u128], width: Width, out: &mut [u8]) {
    match width {
        Width::Bits64 => out
            .as_chunks_mut::<8>()
            .0
            .iter_mut()
            .zip(words)
            .for_each(|(bytes, word)| *bytes = (*word as u64).to_le_bytes()),
        Width::Bits128 => out
            .as_chunks_mut::<16>()
            .0
            .iter_mut()
            .zip(words)
            .for_each(|(bytes, word)| *bytes = word.to_le_bytes()),
    }
}
