//! One run of the row check as messages: a real one, and one whose honest parties are a simulator.
use super::super::super::commitment::reveal;
use super::super::super::context::Purpose;
use super::super::super::message::{Incoming, Outgoing};
use super::super::super::rounds::Round;
use super::super::packing::{PACKED, element_bytes, read_element, write_element};
use super::super::section::Section;
use super::super::shared_noise::{
    SEED_BYTES, distance, has_seed, is_seeded, message_bytes, read_points, seeded_points,
};
use super::{PartId, Step, Table, sample, take_in};
use crate::ring::shamir::{dot, lagrange};
use crate::ring::{Committee, Gr};
use rand::{Rng, RngCore, SeedableRng, rngs::StdRng};
use zeroize::Zeroizing;

/// By section and element.
pub type Elements = Vec<Vec<Gr>>;

/// What was dealt and opened.
#[derive(Clone)]
pub struct Opening {
    /// By dealer and receiver; in a simulated run only what corrupt parties sent or received.
    pub noise: Vec<Vec<Option<Elements>>>,
    /// By party.
    pub points: Vec<Elements>,
}

/// Parties that hold shares of a key, and bodies of some of its rows.
pub struct Scene {
    table: Table,
    pub sections: Vec<Section>,
    bodies: Vec<Vec<u8>>,
}

impl Scene {
    pub fn new(n: usize, t: usize, parts: &[PartId]) -> Scene {
        let table = Table::new(n, t);
        let sections: Vec<Section> = parts.iter().map(|&part| sample(part)).collect();
        let bodies = sections.iter().map(|section| table.body(section)).collect();
        Scene { table, sections, bodies }
    }

    pub fn committee(&self) -> Committee {
        self.table.committee
    }

    pub fn degree(&self, section: usize) -> usize {
        self.sections[section].degree(self.committee())
    }

    pub fn real(&self) -> Opening {
        let mut noise = Vec::new();
        let rounds = self.table.points(&self.sections, &self.bodies, &mut |step, sent| {
            if step == Step::Noise {
                noise = sent.to_vec();
            }
        });
        let points: Vec<Outgoing> = rounds.expect("honest").iter().map(Round::produce).collect();
        self.opening(&noise, &points)
    }

    /// The corrupt parties' own code, and for all others a simulator: of their secrets it is given nothing but the opened
    /// `values`.
    pub fn simulated(&self, corrupt: &[usize], values: &Elements) -> Opening {
        let committee = self.committee();
        let mut rng = StdRng::seed_from_u64(corrupt.iter().fold(7, |seed, &c| 16 * seed + c as u64));
        let rounds: Vec<_> = corrupt.iter().map(|&c| self.table.first_round(c, &self.sections)).collect();
        let mut noise = self.uniform_noise(corrupt, &mut rng);
        for (&c, round) in corrupt.iter().zip(&rounds) {
            noise[c - 1] = round.produce();
        }
        let coin = |p: usize| reveal(&self.table.session(p), Purpose::RowCoin, &[]).to_vec();
        let coins: Vec<Outgoing> =
            committee.parties().map(|p| Outgoing::broadcast(committee.n(), coin(p))).collect();
        let rounds: Vec<_> = corrupt
            .iter()
            .zip(rounds)
            .map(|(&c, round)| {
                let round = round.consume(&incoming(&noise, c)).expect("well formed");
                let rows = round.consume(&incoming(&coins, c)).expect("as committed");
                take_in(rows, &self.sections, &self.bodies)
            })
            .collect();
        let own: Vec<Elements> = rounds.iter().map(|round| self.read(&round.produce().broadcast)).collect();
        let points = self.through(values, corrupt, &own, &mut rng);
        for (&c, round) in corrupt.iter().zip(rounds) {
            round.consume(&incoming(&points, c)).map(drop).expect("all points fit, and V is small");
        }
        self.opening(&noise, &points)
    }

    /// Messages to the corrupt parties from everybody.
    fn uniform_noise(&self, corrupt: &[usize], rng: &mut StdRng) -> Vec<Outgoing> {
        let committee = self.committee();
        let mut noise = vec![Outgoing::broadcast(committee.n(), Vec::new()); committee.n()];
        for dealer in committee.parties() {
            for &c in corrupt {
                let length = message_bytes(committee, &self.sections, distance(committee, dealer, c));
                let mut message = Zeroizing::new(vec![0; length]);
                rng.fill_bytes(&mut message);
                noise[dealer - 1].private[c - 1] = Some(message);
            }
        }
        noise
    }

    /// Everybody's points on polynomials through `values` and the corrupt parties' points, uniform otherwise.
    fn through(
        &self,
        values: &Elements,
        corrupt: &[usize],
        own: &[Elements],
        rng: &mut StdRng,
    ) -> Vec<Outgoing> {
        let committee = self.committee();
        let mut points = vec![Outgoing::broadcast(committee.n(), Vec::new()); committee.n()];
        for (s, section) in self.sections.iter().enumerate() {
            let width = section.part.part().width;
            let free = self.degree(s) - committee.t();
            let honest = committee.parties().filter(|p| !corrupt.contains(p)).take(free);
            let base: Vec<usize> = [0].into_iter().chain(corrupt.iter().copied()).chain(honest).collect();
            let weights: Vec<Vec<Gr>> = committee.parties().map(|p| lagrange(&base, p)).collect();
            for (e, &value) in values[s].iter().enumerate() {
                let mut fixed = vec![value];
                fixed.extend(own.iter().map(|own| own[s][e]));
                fixed.extend((0..free).map(|_| Gr(rng.r#gen())));
                for (sent, weights) in points.iter_mut().zip(&weights) {
                    let mut bytes = vec![0; element_bytes(width)];
                    write_element(dot(weights, &fixed), width, &mut bytes);
                    sent.broadcast.append(&mut bytes);
                }
            }
        }
        points
    }

    fn opening(&self, noise: &[Outgoing], points: &[Outgoing]) -> Opening {
        let parties = || self.committee().parties();
        let received = |dealer: usize| parties().map(|q| self.noise(&noise[dealer - 1], dealer, q)).collect();
        let points = points.iter().map(|sent| self.read(&sent.broadcast)).collect();
        Opening { noise: parties().map(received).collect(), points }
    }

    /// What a dealer's message says to a receiver.
    fn noise(&self, sent: &Outgoing, dealer: usize, receiver: usize) -> Option<Elements> {
        let committee = self.committee();
        let step = distance(committee, dealer, receiver);
        let message = sent.private[receiver - 1].as_ref()?;
        let (seed, mut rest) = message.split_at(if has_seed(committee, step) { SEED_BYTES } else { 0 });
        let context = self.table.contributors[receiver - 1].context;
        let read = |section: &Section| {
            if !is_seeded(committee, section, step) {
                return read_section(section, &mut rest);
            }
            let points = seeded_points(&context, section, dealer, receiver, seed);
            let mut out = vec![Gr::ZERO; section.coefficients() / PACKED];
            read_points(&points, section, 0, &mut out);
            out
        };
        Some(self.sections.iter().map(read).collect())
    }

    fn read(&self, mut bytes: &[u8]) -> Elements {
        self.sections.iter().map(|section| read_section(section, &mut bytes)).collect()
    }
}

/// Takes a section's elements off the front.
fn read_section(section: &Section, bytes: &mut &[u8]) -> Vec<Gr> {
    let width = section.part.part().width;
    let (own, rest) = bytes.split_at(section.coefficients() / PACKED * element_bytes(width));
    *bytes = rest;
    own.chunks_exact(element_bytes(width)).map(|bytes| read_element(bytes, width)).collect()
}

fn incoming(sent: &[Outgoing], index: usize) -> Incoming {
    Incoming {
        broadcasts: sent.iter().map(|message| message.broadcast.clone()).collect(),
        private: sent.iter().map(|message| message.private[index - 1].clone()).collect(),
    }
}
