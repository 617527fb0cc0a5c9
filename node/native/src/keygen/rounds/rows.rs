//! Rounds `row-noise`, `row-coin`, `row-points`: the row check around the contributions (protocol §4, `rowcheck`).
//!
//! The noise is dealt before the key is contributed to; the second coin opens after everybody has echoed the digests of
//! all bodies. Then every party takes in the bodies, chunk by chunk in their order, and opens its points of all sums.
use super::super::commitment::{COMMITMENT_BYTES, REVEAL_BYTES, check, combine, reveal};
use super::super::context::{Purpose, Session};
use super::super::contribution::Contributor;
use super::super::dealing::SecretVector;
use super::super::layout::Chunk;
use super::super::message::{Incoming, Outgoing};
use super::super::rowcheck::accumulation::Accumulation;
use super::super::rowcheck::gram::Gram;
use super::super::rowcheck::packing::{element_bytes, write_element};
use super::super::rowcheck::section::Section;
use super::super::rowcheck::shared_noise::section_bytes;
use super::super::rowcheck::{noise_dealing, shared_noise, verdict};
use super::Round;
use crate::errors::{Code, Failure, Result};
use crate::ring::PrssKeys;
use std::sync::Arc;

/// What is left of the bit phase, and what is to be checked.
pub struct RowNoiseRound {
    pub(crate) session: Session,
    pub(crate) contributor: Arc<Contributor>,
    pub(crate) prss: PrssKeys,
    pub(crate) commitments: Vec<[u8; COMMITMENT_BYTES]>,
    pub(crate) sections: Vec<Section>,
}

/// Bytes of one party's points of all sums.
pub fn points_bytes(sections: &[Section]) -> usize {
    sections.iter().map(section_bytes).sum()
}

impl Round for RowNoiseRound {
    type Next = RowCoinRound;

    fn produce(&self) -> Outgoing {
        let messages = noise_dealing::deal(&self.session, &self.sections);
        Outgoing { broadcast: Vec::new(), private: messages.into_iter().map(Some).collect() }
    }

    fn consume(self, incoming: &Incoming) -> Result<RowCoinRound> {
        let noise = shared_noise::receive(&self.session.context, &self.sections, incoming)?;
        Ok(RowCoinRound { before: self, noise })
    }
}

/// While the parties contribute to the key.
pub struct RowCoinRound {
    pub(crate) before: RowNoiseRound,
    /// This party's shares of the noise, by section.
    pub(crate) noise: Vec<SecretVector>,
}

impl Round for RowCoinRound {
    type Next = Rows;

    fn produce(&self) -> Outgoing {
        let session = &self.before.session;
        let coin = reveal(session, Purpose::RowCoin, &[]);
        Outgoing::broadcast(session.context.committee.n(), coin.to_vec())
    }

    fn consume(self, incoming: &Incoming) -> Result<Rows> {
        let context = &self.before.session.context;
        let mut reveals = Vec::new();
        for party in context.committee.parties() {
            incoming.no_private(party)?;
            let coin = incoming.broadcast(party, REVEAL_BYTES)?;
            let commitment = &self.before.commitments[party - 1];
            check(context, Purpose::RowCoin, party, &[], coin, commitment)?;
            reveals.push(coin);
        }
        let coin = combine(context, Purpose::RowCoin, "", &reveals);
        let RowNoiseRound { contributor, prss, sections, .. } = self.before;
        let mut rows = Rows {
            coin,
            contributor,
            prss,
            noise: self.noise.into_iter(),
            sections,
            current: None,
            grams: Vec::new(),
            points: Vec::new(),
        };
        rows.begin();
        Ok(rows)
    }
}

/// Taking in the bodies.
pub struct Rows {
    pub(crate) coin: [u8; 32],
    contributor: Arc<Contributor>,
    prss: PrssKeys,
    noise: std::vec::IntoIter<SecretVector>,
    sections: Vec<Section>,
    /// The section under way and its next row.
    current: Option<(Accumulation, usize)>,
    /// By section that is over: what its sums have in common.
    grams: Vec<Gram>,
    /// This party's points of these.
    points: Vec<u8>,
}

/// What follows a chunk.
pub enum AfterChunk {
    Rows(Rows),
    Points(RowPointsRound),
}

impl Rows {
    fn begin(&mut self) {
        self.current = self
            .sections
            .get(self.grams.len())
            .map(|section| (Accumulation::new(&self.contributor, section, &self.coin), section.rows.start));
    }

    /// Checks that `chunk` is the next one.
    ///
    /// # Errors
    /// `KEYGEN_KEY_LAYOUT`.
    pub fn expect(&self, chunk: &Chunk, body: &[u8]) -> Result<()> {
        let next = self.current.as_ref().map(|(_, row)| (self.sections[self.grams.len()].part, *row));
        if next == Some((chunk.part, chunk.rows.start)) && body.len() == chunk.byte_length() {
            return Ok(());
        }
        let (name, row) = (chunk.part.part().name, chunk.rows.start);
        let text = format!("chunks come in order: got {} bytes for row {row} of the {name}", body.len());
        Err(Failure::new(Code::KeyLayout, text))
    }

    /// Takes in the body of an [expected](Rows::expect) chunk.
    pub fn absorb(mut self, chunk: &Chunk, body: &[u8]) -> AfterChunk {
        if let Some((accumulation, next)) = self.current.as_mut() {
            accumulation.absorb(&self.contributor, chunk.rows.clone(), body);
            *next = chunk.rows.end;
            if *next == self.sections[self.grams.len()].rows.end {
                self.end_section();
                self.begin();
            }
        }
        self.settle()
    }

    /// Adds the noise to the own shares of the section's sums: now they are points.
    fn end_section(&mut self) {
        let Some(((accumulation, _), noise)) = self.current.take().zip(self.noise.next()) else { return };
        let section = &self.sections[self.grams.len()];
        self.grams.push(Gram::new(accumulation.weights(), section.rows.len()));
        let shares = accumulation.finish(&self.contributor, section);
        let width = section.part.part().width;
        let mut bytes = vec![0; shares.len() * element_bytes(width)];
        let out = bytes.chunks_exact_mut(element_bytes(width));
        for ((out, &share), &noise) in out.zip(shares.iter()).zip(noise.iter()) {
            write_element(share + noise, width, out);
        }
        self.points.append(&mut bytes);
    }

    /// Moves on once everything has been taken in.
    pub fn settle(self) -> AfterChunk {
        if self.current.is_some() {
            return AfterChunk::Rows(self);
        }
        let Rows { contributor, prss, sections, grams, points, .. } = self;
        AfterChunk::Points(RowPointsRound { contributor, prss, sections, grams, points })
    }
}

pub struct RowPointsRound {
    contributor: Arc<Contributor>,
    prss: PrssKeys,
    sections: Vec<Section>,
    grams: Vec<Gram>,
    points: Vec<u8>,
}

/// A key whose rows have passed.
pub struct CheckedKey {
    pub contributor: Arc<Contributor>,
    pub prss: PrssKeys,
}

impl Round for RowPointsRound {
    type Next = CheckedKey;

    /// The points of all sums, section by section.
    fn produce(&self) -> Outgoing {
        Outgoing::broadcast(self.contributor.context.committee.n(), self.points.clone())
    }

    fn consume(self, incoming: &Incoming) -> Result<CheckedKey> {
        let committee = self.contributor.context.committee;
        let mut points = Vec::new();
        for party in committee.parties() {
            incoming.no_private(party)?;
            points.push(incoming.broadcast(party, points_bytes(&self.sections))?);
        }
        for (section, gram) in self.sections.iter().zip(&self.grams) {
            let bytes = section_bytes(section);
            let own: Vec<&[u8]> = points.iter().map(|list| &list[..bytes]).collect();
            verdict::judge(committee, section, gram, &own)?;
            points.iter_mut().for_each(|list| *list = &list[bytes..]);
        }
        Ok(CheckedKey { contributor: self.contributor, prss: self.prss })
    }
}
