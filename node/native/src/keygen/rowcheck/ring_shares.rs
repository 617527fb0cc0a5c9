//! What one party's shares of key and message make of the public sums: its shares of Σ c·(body − mask · key − message),
//! without noise. For parts whose rows are polynomials.
//!
//! Secret: shares of the key, and all results until the shared noise is added. Public: sums and weights; branches and
//! positions depend on these only.
use super::super::contribution::Contributor;
use super::super::dealing::SecretVector;
use super::super::layout::{Part, Shape};
use super::super::negacyclic::{Negacyclic, Spectrum};
use super::super::row::engine;
use super::super::words::truncate;
use super::packing::{PACKED, pack};
use super::section::Section;
use super::sums::Sums;
use super::weights::Weights;
use crate::ring::Gr;
use rayon::prelude::*;
use zeroize::{Zeroize, Zeroizing};

/// This party's shares of all sums, sum by sum, packed.
pub fn ring_shares(party: &Contributor, section: &Section, sums: &Sums) -> SecretVector {
    let part = section.part.part();
    let mut out = Zeroizing::new(vec![Gr::ZERO; section.coefficients() / PACKED]);
    let Some(engine) = engine(part) else { return out };
    let key = key_spectra(party, part, engine);
    let messages = messages(party, section, &sums.weights);
    out.par_chunks_mut(part.row_words / PACKED).enumerate().for_each_init(
        || Scratch::new(part, engine),
        |scratch, (index, out)| {
            sums.sum(index, &mut scratch.public);
            scratch.subtract_key(part, engine, &key);
            if let Some(columns) = messages.get(index) {
                scratch.subtract_message(party, part, columns);
            }
            let packed = scratch.shares.as_chunks::<PACKED>().0.iter().map(pack);
            out.iter_mut().zip(packed).for_each(|(out, share)| *out = share);
        },
    );
    out
}

/// By mask polynomial: the four coefficients of this party's key shares, transformed.
fn key_spectra(party: &Contributor, part: &Part, engine: &Negacyclic) -> Vec<[Spectrum; 4]> {
    let spectrum = |polynomial: &[Gr], coefficient: usize| {
        let words = polynomial.iter().map(|share| truncate(share.0[coefficient], part.width));
        let mut words = Zeroizing::new(words.collect::<Vec<u128>>());
        if part.shape == Shape::CompactPublic {
            words.reverse();
        }
        engine.forward_normalized(&words)
    };
    let polynomials = party.shares_of(part.under).chunks_exact(part.row_words);
    polynomials.map(|polynomial| [0, 1, 2, 3].map(|coefficient| spectrum(polynomial, coefficient))).collect()
}

/// By sum: shares of Σ c · bit · 2^shift over the rows of every column of a ciphertext. The last column's message is the
/// bit alone, that of an earlier column −bit times its key polynomial. Nothing where rows have no message.
fn messages(party: &Contributor, section: &Section, weights: &Weights) -> Vec<SecretVector> {
    let part = section.part.part();
    let (from, columns) = match part.shape {
        Shape::Bootstrapping { from } => (from, part.mask_polynomials + 1),
        Shape::PackingKeySwitch { from } | Shape::KeySwitch { from } => (from, 1),
        Shape::CompactPublic => return Vec::new(),
    };
    let (bits, slots) = (party.shares_of(from), part.rows_per_bit());
    let mut patterns = Zeroizing::new(vec![Gr::ZERO; weights.patterns() * slots]);
    for group in weights.of_rows(0..section.rows.len()) {
        for (row, &pattern) in section.rows.clone().zip(group) {
            patterns[pattern as usize * slots + row % slots] += bits[row / slots];
        }
    }
    let sum = |terms: &Vec<super::weights::Term>| {
        let mut sums = Zeroizing::new(vec![Gr::ZERO; columns]);
        for term in terms {
            let pattern = &patterns[term.pattern * slots..(term.pattern + 1) * slots];
            for (slot, &share) in pattern.iter().enumerate() {
                let share = share.scale(1 << part.shift(slot / columns));
                sums[slot % columns] += if term.negative { -share } else { share };
            }
        }
        sums
    };
    weights.sums().iter().map(sum).collect()
}

/// Buffers of one thread. Wiped on drop.
struct Scratch {
    public: Vec<u128>,
    masks: Vec<Spectrum>,
    product: Spectrum,
    words: Vec<u128>,
    shares: Vec<Gr>,
}

impl Scratch {
    fn new(part: &Part, engine: &Negacyclic) -> Scratch {
        let size = part.row_words;
        Scratch {
            public: vec![0; (part.mask_polynomials + 1) * size],
            masks: vec![engine.zero(); part.mask_polynomials],
            product: engine.zero(),
            words: vec![0; size],
            shares: vec![Gr::ZERO; size],
        }
    }

    /// shares = body − mask · key, from the public sums.
    fn subtract_key(&mut self, part: &Part, engine: &Negacyclic, key: &[[Spectrum; 4]]) {
        let (masks, body) = self.public.split_at(part.mask_polynomials * part.row_words);
        for (mask, spectrum) in masks.chunks_exact(part.row_words).zip(&mut self.masks) {
            engine.forward(mask, spectrum);
        }
        self.shares.iter_mut().zip(body).for_each(|(share, &body)| *share = Gr::scalar(body));
        for coefficient in 0..4 {
            self.product.clear();
            for (mask, key) in self.masks.iter().zip(key) {
                engine.multiply_add(&mut self.product, mask, &key[coefficient]);
            }
            engine.inverse(&mut self.product, &mut self.words);
            for (share, &word) in self.shares.iter_mut().zip(&self.words) {
                share.0[coefficient] = share.0[coefficient].wrapping_sub(word);
            }
        }
    }

    fn subtract_message(&mut self, party: &Contributor, part: &Part, columns: &[Gr]) {
        let Some((&constant, products)) = columns.split_last() else { return };
        self.shares[0] -= constant;
        let key = party.shares_of(part.under).chunks_exact(part.row_words);
        for (&bit, polynomial) in products.iter().zip(key) {
            for (share, &key) in self.shares.iter_mut().zip(polynomial) {
                *share += bit * key;
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.words.zeroize();
        self.shares.zeroize();
    }
}
