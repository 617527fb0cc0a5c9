//! One section while its rows stream through, in the way that its shape asks for.
use super::super::context::{Context, Purpose};
use super::super::contribution::Contributor;
use super::super::dealing::SecretVector;
use super::lwe_shares::LweShares;
use super::ring_shares::ring_shares;
use super::section::Section;
use super::sums::Sums;
use super::weights::Weights;
use std::ops::Range;

/// What the coin makes of a section.
pub fn weights(context: &Context, section: &Section, coin: &[u8; 32]) -> Weights {
    let stream = |group| context.stream(coin, Purpose::RowWeights, section.part.number(), &[group]);
    Weights::draw(section, stream)
}

/// See the module.
pub enum Accumulation {
    Ring(Sums),
    Lwe(LweShares),
}

impl Accumulation {
    /// Nothing yet.
    pub fn new(party: &Contributor, section: &Section, coin: &[u8; 32]) -> Accumulation {
        let weights = weights(&party.context, section, coin);
        if section.part.part().row_words == 1 {
            return Accumulation::Lwe(LweShares::new(party, section.clone(), weights));
        }
        Accumulation::Ring(Sums::new(section.clone(), weights, party.masks.clone()))
    }

    /// The next rows of the part with their body bytes.
    pub fn absorb(&mut self, party: &Contributor, rows: Range<usize>, body: &[u8]) {
        match self {
            Accumulation::Ring(sums) => sums.absorb(body),
            Accumulation::Lwe(shares) => shares.absorb(party, rows, body),
        }
    }

    pub const fn weights(&self) -> &Weights {
        match self {
            Accumulation::Ring(sums) => &sums.weights,
            Accumulation::Lwe(shares) => &shares.weights,
        }
    }

    /// This party's shares of all sums, without noise.
    pub fn finish(self, party: &Contributor, section: &Section) -> SecretVector {
        match self {
            Accumulation::Ring(mut sums) => {
                sums.finish();
                ring_shares(party, section, &sums)
            }
            Accumulation::Lwe(shares) => shares.finish(),
        }
    }
}
