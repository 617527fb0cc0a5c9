//! No byte of any stream serves a party twice: inputs, sharings, blinds, masks of openings, noise, zero sharings, coins.
use super::context::{Context, Root, Session};
use super::contribution::Contributor;
use super::contribution_tests::{CEREMONY, parties, parties_in};
use super::layout::{Chunk, PARTS, PartId, chunks};
use super::message::{Incoming, Outgoing};
use super::party::round_names;
use super::rounds::hello::HelloRound;
use super::rowcheck::noise_dealing::deal;
use super::rowcheck::section::whole_key;
use super::stage::Stage;
use crate::ring::Committee;
use crate::stream::ledger::Ledger;

const BITS: usize = 20;

fn committees() -> [Committee; 2] {
    [(4, 1), (7, 2)].map(|(n, t)| Committee::new(n, t).expect("allowed"))
}

/// Rows around every boundary of chunks, and all of the parts whose coefficients share blocks.
fn rows(chunk: &Chunk) -> Vec<Chunk> {
    let (first, last) = (chunk.rows.start, chunk.rows.end);
    if chunk.rows.len() < 4 || chunk.part.part().row_words == 1 {
        return vec![chunk.clone()];
    }
    [first..first + 2, last - 2..last].map(|rows| Chunk { rows, ..chunk.clone() }).into()
}

/// Everything that one party makes of a whole key: its noise for the row check and contributions.
fn contribute(party: &Contributor) -> Ledger {
    let ledger = Ledger::default();
    let session = Session { context: party.context, root: party.root.clone() };
    ledger.watch(|| deal(&session, &whole_key()));
    for chunk in chunks().iter().flat_map(rows) {
        ledger.watch(|| party.contribution(&chunk));
    }
    ledger
}

#[test]
fn no_byte_serves_twice_in_the_rounds() {
    for committee in committees() {
        let mut parties: Vec<(Ledger, Stage)> = committee
            .parties()
            .map(|index| {
                let context = Context { committee, index, ceremony_id: [8; 32], attempt: 0, bits: BITS };
                let session = Session { context, root: Root::from_label(&format!("once {index}")) };
                (Ledger::default(), Stage::Hello(HelloRound::new(session, Vec::new())))
            })
            .collect();
        for _ in round_names(committee.n()) {
            let produce = |(ledger, stage): &(Ledger, Stage)| {
                let sent = ledger.watch(|| stage.produce());
                sent.expect("in order")
            };
            let sent: Vec<Outgoing> = parties.iter().map(produce).collect();
            let consume = |(at, (ledger, stage)): (usize, (Ledger, Stage))| {
                let incoming = Incoming {
                    broadcasts: sent.iter().map(|message| message.broadcast.clone()).collect(),
                    private: sent.iter().map(|message| message.private[at].clone()).collect(),
                };
                let next = ledger.watch(|| stage.consume(&incoming)).expect("honest");
                (ledger, next)
            };
            parties = parties.into_iter().enumerate().map(consume).collect();
        }
        for (ledger, _) in &parties {
            assert_eq!(ledger.twice(), []);
            // Bits, their sharing, blinds, coins of both checks; a zero for each set; resharings of some.
            assert!(ledger.keys().len() > 5 + committee.n());
        }
    }
}

#[test]
fn no_byte_serves_twice_in_the_contributions_and_noise_of_a_whole_key() {
    let four = Committee::new(4, 1).expect("allowed");
    let (parties, _) = parties(four);
    let ledger = contribute(&parties[0]);
    assert_eq!(ledger.twice(), []);
    // For each part its noise, that of its check and three zero sharings; retries and seeded points of some.
    assert!(ledger.keys().len() > PARTS.len() * 5);
}

#[test]
fn no_stream_of_a_ceremony_serves_another_one_of_the_same_roots_and_keys() {
    let four = Committee::new(4, 1).expect("allowed");
    let keys = |ceremony_id| contribute(&parties_in(ceremony_id, four).0[1]).keys();
    assert!(keys(CEREMONY).is_disjoint(&keys([7; 32])));
}

#[test]
fn a_row_that_is_made_twice_is_found() {
    let four = Committee::new(4, 1).expect("allowed");
    let (parties, _) = parties(four);
    for part in [PartId::KeySwitching, PartId::Squashing, PartId::Rerandomisation] {
        let ledger = Ledger::default();
        let end = part.part().rows().min(6);
        for rows in [0..end, end - 1..end] {
            ledger.watch(|| parties[2].contribution(&Chunk { index: 0, part, rows }));
        }
        // Its noise, and a zero sharing with each other party.
        let again: usize = ledger.twice().iter().map(|(_, range)| (range.end - range.start) as usize).sum();
        let (words, word_bytes) = (part.part().row_words, part.part().word_bytes());
        assert!(again >= words * (8 + 3 * word_bytes), "{again} bytes");
    }
}
