//! How long the messages of a round are, known before the first one arrives: nothing longer is to be read.
use super::combination::REPETITIONS;
use super::commitment::{COMMITMENT_BYTES, REVEAL_BYTES};
use super::context::Context;
use super::rounds::bits::level_pairs;
use super::rounds::hello::COMMITTED;
use super::rounds::prss::{PAIR_BYTES, TAG_BYTES};
use super::rounds::rows::points_bytes;
use super::rowcheck::section::Section;
use super::rowcheck::shared_noise::message_bytes;
use crate::ring::committee::binomial;
use crate::ring::element::GR_BYTES;
use crate::sealed_box::{OVERHEAD, PUBLIC_KEY_BYTES};

/// Of one party's message in one round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of every broadcast.
    pub broadcast: usize,
    /// Bytes of the longest sealed message; none where the round has no private part.
    pub sealed: usize,
}

const fn broadcast(bytes: usize) -> Limits {
    Limits { broadcast: bytes, sealed: 0 }
}

const fn sealed(broadcast: usize, plain: usize) -> Limits {
    Limits { broadcast, sealed: plain + OVERHEAD }
}

/// By round, in the order of `round_names`.
pub fn round_limits(context: &Context, sections: &[Section]) -> Vec<Limits> {
    let (committee, bits) = (context.committee, context.bits);
    let (n, t) = (committee.n(), committee.t());
    let (own_subsets, shared_subsets) = (binomial(n - 1, t), binomial(n - 2, t));
    let noise = (0..n).map(|distance| message_bytes(committee, sections, distance)).max().unwrap_or(0);
    let before = [
        broadcast(COMMITTED.len() * COMMITMENT_BYTES + PUBLIC_KEY_BYTES),
        broadcast(own_subsets * COMMITMENT_BYTES),
        sealed(REVEAL_BYTES, shared_subsets * REVEAL_BYTES + PAIR_BYTES),
        broadcast((own_subsets + n - 1) * TAG_BYTES),
        sealed(0, (bits + REPETITIONS) * GR_BYTES),
    ];
    let levels = level_pairs(n).into_iter().map(|pairs| sealed(0, pairs * bits * GR_BYTES));
    let after = [
        broadcast(REVEAL_BYTES),
        broadcast(n * REPETITIONS * GR_BYTES),
        broadcast(REPETITIONS * GR_BYTES),
        sealed(0, noise),
        broadcast(REVEAL_BYTES),
        broadcast(points_bytes(sections)),
    ];
    before.into_iter().chain(levels).chain(after).collect()
}

#[cfg(test)]
mod tests {
    use super::super::context::Root;
    use super::super::party::{Party, round_names};
    use super::super::rowcheck::section::whole_key;
    use super::*;
    use crate::params::KEY_BITS;
    use crate::ring::Committee;

    fn context(n: usize, t: usize, index: usize, bits: usize) -> Context {
        let committee = Committee::new(n, t).expect("allowed");
        Context { committee, index, ceremony_id: [3; 32], attempt: 1, bits }
    }

    #[test]
    fn every_message_of_a_run_has_its_length() {
        for (n, t) in [(4, 1), (5, 1), (7, 2)] {
            let mut parties: Vec<Party> = (1..=n)
                .map(|index| {
                    Party::rehearsal(context(n, t, index, 3), Root::from_label(&format!("limits {index}")))
                })
                .collect();
            let limits = parties[0].limits();
            let names = round_names(n);
            assert_eq!(limits.len(), names.len());
            for (round, (limits, name)) in limits.into_iter().zip(names).enumerate() {
                let sent: Vec<_> = parties.iter_mut().map(|p| p.produce(round).expect("in order")).collect();
                assert!(sent.iter().all(|sent| sent.broadcast.len() == limits.broadcast), "{n}/{t} {name}");
                let longest = sent.iter().flat_map(|sent| sent.sealed.iter().flatten()).map(Vec::len).max();
                assert_eq!(longest.unwrap_or(0), limits.sealed, "{n}/{t} {name}");
                let broadcasts: Vec<Vec<u8>> = sent.iter().map(|sent| sent.broadcast.clone()).collect();
                for (q, party) in parties.iter_mut().enumerate() {
                    let sealed = sent.iter().map(|sent| sent.sealed[q].clone()).collect();
                    party.consume(round, broadcasts.clone(), sealed).expect("honest");
                }
            }
        }
    }

    #[test]
    fn the_largest_are_dealings_and_noise() {
        for (n, t) in [(4, 1), (13, 4), (15, 4)] {
            let limits = round_limits(&context(n, t, 1, KEY_BITS), &whole_key());
            let at =
                |name: &str| limits[round_names(n).iter().position(|other| other == name).expect("a round")];
            assert_eq!(at("hello"), broadcast(3 * 32 + 1216));
            assert_eq!(at("coin"), broadcast(64));
            assert_eq!(at("inputs").sealed, (17_196 + 32) * 64 + 1136);
            assert_eq!(at("level-0").sealed, n / 2 * 17_196 * 64 + 1136);
            // A receiver without a seed gets the points of all sums in full, one with a seed gets fewer.
            assert_eq!(at("row-noise").sealed, at("row-points").broadcast + 1136);
        }
    }
}
