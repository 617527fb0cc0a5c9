//! One block of an opening: error correction of a ring sharing, bit by bit (protocol §3), continued with every share.
//!
//! The prescribed correction decodes the residues of all shares mod 2, subtracts, and goes on with the next bit, dropping
//! the shares that are no longer divisible. Here the polynomial through t + 1 shares (the base) is subtracted at once: below
//! the lowest bit at which any share differs from it, all decodings are trivial, so only that bit is decoded. Each decoding
//! drops at least one share.
//!
//! A share is dropped because more than 2t symbols of a word of GF(16) lie on one polynomial without it. At least t + 1 of
//! these are honest, and t + 1 determine the polynomial: no later share brings it back, and nothing that was dropped is
//! looked at again.
use super::field::{self, Symbol};
use super::newton::Newton;
use crate::ring::Gr;
use crate::ring::committee::MAX_PARTIES;

#[derive(Clone, Copy, Debug)]
struct Point {
    party: usize,
    value: Gr,
    /// Value minus the base's polynomial at this point.
    off: Gr,
}

/// Work in all of an opening: one evaluation of t additive steps per share; per party dropped at most one decoding, and, if
/// it was in the base, t(t+1)/2 ring products and one evaluation per share; one decoding more per arrival, which fails.
#[derive(Clone, Debug)]
pub struct Block {
    t: usize,
    base: Newton,
    /// Shares that were not dropped, in order of arrival.
    active: Vec<Point>,
    /// Parties dropped, bit party - 1.
    dropped: u16,
}

/// Bits up to the lowest one set in any coefficient; 128 for zero.
fn valuation(element: Gr) -> u32 {
    element.0.iter().fold(0, |bits, coefficient| bits | coefficient).trailing_zeros()
}

/// Image in GF(16) of the element divided by 2^shift.
fn residue(element: Gr, shift: u32) -> u8 {
    element.0.iter().enumerate().fold(0, |image, (i, c)| image | ((c >> shift & 1) as u8) << i)
}

impl Block {
    pub fn new(n: usize, t: usize) -> Block {
        Block { t, base: Newton::with_capacity(t + 1), active: Vec::with_capacity(n), dropped: 0 }
    }

    /// Parties whose shares are off, bit party - 1.
    pub const fn dropped(&self) -> u16 {
        self.dropped
    }

    /// Takes the share of a party that was not heard before.
    pub fn hear(&mut self, party: usize, value: Gr) {
        let off = if self.base.len() <= self.t {
            self.base.push(party, value);
            Gr::ZERO
        } else {
            value - self.base.at(party)
        };
        self.active.push(Point { party, value, off });
    }

    /// Corrects at most `budget` errors in all. Whether all shares but those dropped now lie on one polynomial; the caller
    /// then knows that those are more than 2t. The budget is that of all shares heard, more than 2t.
    pub fn settle(&mut self, budget: usize) -> bool {
        loop {
            let bit = self.active.iter().map(|point| valuation(point.off)).min().unwrap_or(128);
            if bit == 128 {
                return true;
            }
            let Some(wrong) = self.errors_at(bit, budget) else { return false };
            self.drop(wrong);
        }
    }

    /// The parties whose shares are wrong at the lowest bit at which any differs.
    fn errors_at(&self, bit: u32, budget: usize) -> Option<u16> {
        let spare = budget.checked_sub(self.dropped.count_ones() as usize)?;
        let mut word = [Symbol { x: 0, y: 0 }; MAX_PARTIES];
        let word = &mut word[..self.active.len()];
        for (symbol, point) in word.iter_mut().zip(&self.active) {
            *symbol = Symbol { x: point.party as u8, y: residue(point.off, bit) };
        }
        let off =
            word.iter().filter(|symbol| symbol.y != 0).fold(0u16, |mask, symbol| mask | 1 << (symbol.x - 1));
        // The base's own polynomial, zero here, is near enough: there is no other.
        if off.count_ones() as usize <= spare {
            return Some(off);
        }
        if spare == 0 {
            return None;
        }
        field::errors(word, self.t + 1, spare)
    }

    fn drop(&mut self, wrong: u16) {
        let is_wrong = |party: usize| wrong >> (party - 1) & 1 == 1;
        let keep_base =
            !self.active.iter().any(|point| is_wrong(point.party) && self.base.contains(point.party));
        self.dropped |= wrong;
        self.active.retain(|point| !is_wrong(point.party));
        if keep_base {
            return;
        }
        self.base.clear();
        for point in &mut self.active {
            if self.base.len() <= self.t {
                self.base.push(point.party, point.value);
                point.off = Gr::ZERO;
            } else {
                point.off = point.value - self.base.at(point.party);
            }
        }
    }

    /// Value at the point of a party (0: the secret) of the polynomial that the base's shares fix.
    pub fn at(&self, party: usize) -> Gr {
        self.base.at(party)
    }

    /// Forgets the shares: what is left is the polynomial.
    pub fn close(&mut self) {
        self.active = Vec::new();
    }
}
