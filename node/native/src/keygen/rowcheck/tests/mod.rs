//! The row check against the real rounds: a few rows of every part, from bits that the test knows.
mod cancelled;
mod cheating;
mod full_size;
mod honest;
mod opening;
mod planted;
mod views;

use super::super::commitment::commit;
use super::super::context::{Purpose, Session};
use super::super::contribution::Contributor;
use super::super::contribution_tests::{SEED, parties};
use super::super::expected::noise_of;
use super::super::layout::{Chunk, PartId};
use super::super::message::{Incoming, Outgoing};
use super::super::rounds::Round;
use super::super::rounds::rows::{AfterChunk, CheckedKey, RowNoiseRound, RowPointsRound, Rows};
use super::super::sum::add_into;
use super::section::Section;
use crate::errors::{Failure, Result};
use crate::ring::{Committee, PrssKeys};
use std::sync::Arc;

/// Parties that share a key of known bits.
pub struct Table {
    pub committee: Committee,
    pub bits: Vec<u128>,
    pub contributors: Vec<Arc<Contributor>>,
}

/// The three rounds, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Noise,
    Coin,
    Points,
}

/// What an adversary may change: everybody's messages of a round, after they were made.
pub type Adversary<'a> = &'a mut dyn FnMut(Step, &mut [Outgoing]);

pub fn nobody(_: Step, _: &mut [Outgoing]) {}

/// How a run ended, by party.
pub type Verdicts = Vec<Result<CheckedKey>>;

impl Table {
    pub fn new(n: usize, t: usize) -> Table {
        let committee = Committee::new(n, t).expect("allowed");
        let (contributors, bits) = parties(committee);
        Table { committee, bits, contributors: contributors.into_iter().map(Arc::new).collect() }
    }

    /// The summed bodies of a section.
    pub fn body(&self, section: &Section) -> Vec<u8> {
        let chunk = chunk_of(section);
        let mut sum = vec![0; chunk.byte_length()];
        for party in &self.contributors {
            add_into(&mut sum, &party.contribution(&chunk), section.part.part().word_bytes())
                .expect("one chunk");
        }
        sum
    }

    /// The deviation of the noise of a section's rows.
    pub fn row_deviation(&self, section: &Section, body: &[u8]) -> f64 {
        let noise = noise_of(&SEED, &self.bits, section.part, section.rows.start, body);
        let squares: f64 = noise.iter().map(|&e| (e as f64).powi(2)).sum();
        (squares / noise.len() as f64).sqrt()
    }

    pub fn session(&self, party: usize) -> Session {
        let contributor = &self.contributors[party - 1];
        Session { context: contributor.context, root: contributor.root.clone() }
    }

    pub fn first_round(&self, party: usize, sections: &[Section]) -> RowNoiseRound {
        let session = self.session(party);
        let keys = vec![[0; 32]; self.committee.subsets_with(party).len()];
        let commitment = |p: usize| {
            let session = self.session(p);
            let reveal = super::super::commitment::reveal(&session, Purpose::RowCoin, &[]);
            commit(&session.context, Purpose::RowCoin, p, &[], &reveal)
        };
        RowNoiseRound {
            contributor: Arc::clone(&self.contributors[party - 1]),
            prss: PrssKeys::new(self.committee, party, keys).expect("fits"),
            commitments: self.committee.parties().map(commitment).collect(),
            sections: sections.to_vec(),
            session,
        }
    }

    /// All rounds over `sections`, whose bodies are `bodies`.
    pub fn check(&self, sections: &[Section], bodies: &[Vec<u8>], adversary: Adversary<'_>) -> Verdicts {
        let rounds = match self.points(sections, bodies, adversary) {
            Ok(rounds) => rounds,
            Err(failures) => return failures.into_iter().map(Err).collect(),
        };
        exchange(rounds, Step::Points, adversary)
    }

    /// Up to the points, or the failures of an earlier round.
    pub fn points(
        &self,
        sections: &[Section],
        bodies: &[Vec<u8>],
        adversary: Adversary<'_>,
    ) -> std::result::Result<Vec<RowPointsRound>, Vec<Failure>> {
        let rows = self.rows(sections, adversary)?;
        Ok(rows.into_iter().map(|rows| take_in(rows, sections, bodies)).collect())
    }

    /// Up to the coin.
    pub fn rows(
        &self,
        sections: &[Section],
        adversary: Adversary<'_>,
    ) -> std::result::Result<Vec<Rows>, Vec<Failure>> {
        let first = self.committee.parties().map(|party| self.first_round(party, sections)).collect();
        let coins = all(exchange(first, Step::Noise, adversary))?;
        all(exchange(coins, Step::Coin, adversary))
    }
}

/// Takes in one chunk per section.
pub fn take_in(rows: Rows, sections: &[Section], bodies: &[Vec<u8>]) -> RowPointsRound {
    let chunks = sections.iter().map(chunk_of).zip(bodies);
    let end = chunks.fold(rows.settle(), |state, (chunk, body)| match state {
        AfterChunk::Rows(rows) => {
            rows.expect(&chunk, body).expect("in order");
            rows.absorb(&chunk, body)
        }
        AfterChunk::Points(_) => panic!("more chunks than sections"),
    });
    match end {
        AfterChunk::Points(round) => round,
        AfterChunk::Rows(_) => panic!("fewer chunks than sections"),
    }
}

pub fn exchange<R: Round>(rounds: Vec<R>, step: Step, adversary: Adversary<'_>) -> Vec<Result<R::Next>> {
    let mut sent: Vec<Outgoing> = rounds.iter().map(Round::produce).collect();
    adversary(step, &mut sent);
    let consume = |(index, round): (usize, R)| {
        round.consume(&Incoming {
            broadcasts: sent.iter().map(|message| message.broadcast.clone()).collect(),
            private: sent.iter().map(|message| message.private[index].clone()).collect(),
        })
    };
    rounds.into_iter().enumerate().map(consume).collect()
}

fn all<T>(results: Vec<Result<T>>) -> std::result::Result<Vec<T>, Vec<Failure>> {
    let (mut passed, mut failed) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => passed.push(value),
            Err(failure) => failed.push(failure),
        }
    }
    if failed.is_empty() { Ok(passed) } else { Err(failed) }
}

pub fn chunk_of(section: &Section) -> Chunk {
    Chunk { index: 0, part: section.part, rows: section.rows.clone() }
}

/// A few rows of every part, aligned to nothing where rows may be.
pub fn samples() -> Vec<Section> {
    PartId::ALL.map(sample).into()
}

pub fn sample(part: PartId) -> Section {
    let rows = match part {
        PartId::CompactPublic | PartId::Rerandomisation => 0..1,
        PartId::KeySwitching | PartId::CompactKeySwitching => 1002..1502,
        PartId::Compression => 500..756,
        PartId::SquashedCompression => 301..306,
        PartId::Squashing => 5..19,
        PartId::Bootstrapping | PartId::Decompression | PartId::PseudoRandomFunction => 901..914,
    };
    Section { part, rows }
}
