//! One section while its rows stream through, in the way that its shape asks for.
use super::super::context::Purpose;
use super::super::contribution::Contributor;
use super::super::dealing::SecretVector;
use super::lwe_shares::LweShares;
use super::ring_shares::ring_shares;
use super::section::Section;
use super::sums::Sums;
use super::weights::Weights;
use std::ops::Range;

/// See the module.
pub enum Accumulation {
    Ring(Sums),
    Lwe(LweShares),
}

impl Accumulation {
    /// Nothing yet; `coin` decides the weights.
    pub fn new(party: &Contributor, section: &Section, coin: &[u8; 32]) -> Accumulation {
        if section.part.part().row_words == 1 {
            return Accumulation::Lwe(LweShares::new(party, section.clone()));
        }
        let weights = Weights::draw(section, |group| {
            party.context.stream(coin, Purpose::RowWeights, section.part.number(), &[group])
        });
        Accumulation::Ring(Sums::new(section.clone(), weights, party.masks.clone()))
    }

    /// The next rows of the part with their body bytes.
    pub fn absorb(&mut self, party: &Contributor, rows: Range<usize>, body: &[u8]) {
        match self {
            Accumulation::Ring(sums) => sums.absorb(body),
            Accumulation::Lwe(shares) => shares.absorb(party, rows, body),
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
