//! Whole bit phases through `Party`, with sealed messages, as TypeScript drives them.
use super::context::{Context, Root};
use super::party::{Party, Sent};
use super::rowcheck::section::whole_key;
use super::rowcheck::shared_noise::section_bytes;
use crate::errors::{Code, Failure, Result};
use crate::params::KEY_BITS;
use crate::ring::Committee;
use std::ops::Range;

fn parties(n: usize, t: usize, bits: usize) -> Vec<Party> {
    let committee = Committee::new(n, t).expect("allowed");
    committee
        .parties()
        .map(|index| {
            let context = Context { committee, index, ceremony_id: [3; 32], attempt: 1, bits };
            Party::rehearsal(context, Root::from_os().expect("randomness"))
        })
        .collect()
}

/// One round; `deliver` may change what is under way.
fn round(parties: &mut [Party], number: usize, deliver: &mut dyn FnMut(&mut Vec<Sent>)) -> Vec<Result<()>> {
    let mut sent: Vec<Sent> = parties.iter_mut().map(|p| p.produce(number).expect("in order")).collect();
    deliver(&mut sent);
    let broadcasts: Vec<Vec<u8>> = sent.iter().map(|s| s.broadcast.clone()).collect();
    parties
        .iter_mut()
        .enumerate()
        .map(|(q, party)| {
            let sealed = sent.iter().map(|s| s.sealed[q].clone()).collect();
            party.consume(number, broadcasts.clone(), sealed)
        })
        .collect()
}

fn all_rounds(parties: &mut [Party]) {
    let count = parties[0].rounds().len();
    rounds(parties, 0..count);
}

fn rounds(parties: &mut [Party], numbers: Range<usize>) {
    for number in numbers {
        for result in round(parties, number, &mut |_| {}) {
            result.expect("honest");
        }
    }
}

#[test]
fn honest_parties_of_every_size_agree_on_the_public_seed() {
    for (n, t) in [(4, 1), (5, 1), (7, 2), (10, 3), (13, 4), (15, 4)] {
        let mut parties = parties(n, t, 16);
        assert_eq!(parties[0].public_seed().map_err(|f| f.code), Err(Code::RoundOrder));
        all_rounds(&mut parties);
        let seed = parties[0].public_seed().expect("revealed");
        assert!(parties.iter().all(|p| p.public_seed() == Ok(seed)), "{n}/{t}");
    }
}

#[test]
fn the_rounds_are_those_of_the_committee() {
    let names = |n, t| parties(n, t, 1)[0].rounds();
    assert_eq!(names(4, 1).len(), 13);
    assert_eq!(names(4, 1)[5..8], ["level-0", "level-1", "coin"]);
    assert_eq!(names(7, 2)[5..9], ["level-0", "level-1", "level-2", "coin"]);
    assert_eq!(names(13, 4).len(), 15);
}

#[test]
fn a_round_out_of_order_is_refused_and_changes_nothing() {
    let mut four = parties(4, 1, 4);
    let code = |result: Result<()>| result.map_err(|failure| failure.code);
    assert_eq!(four[0].produce(1).err().map(|f| f.code), Some(Code::RoundOrder));
    assert_eq!(code(four[0].consume(0, vec![], vec![])), Err(Code::RoundOrder));
    for result in round(&mut four, 0, &mut |_| {}) {
        result.expect("honest");
    }
    assert_eq!(four[0].produce(0).err().map(|f| f.code), Some(Code::RoundOrder));
    assert!(four[0].produce(1).is_ok());
    assert_eq!(four[0].produce(1).err().map(|f| f.code), Some(Code::RoundOrder), "once only");
}

#[test]
fn a_changed_sealed_message_names_its_sender_and_ends_the_ceremony() {
    let mut four = parties(4, 1, 4);
    for number in 0..4 {
        for result in round(&mut four, number, &mut |_| {}) {
            result.expect("honest");
        }
    }
    let results = round(&mut four, 4, &mut |sent| {
        let message = sent[1].sealed[2].as_mut().expect("private");
        message[1200] ^= 1;
    });
    let failure = results[2].clone().unwrap_err();
    assert_eq!((failure.code, failure.culprits), (Code::SealedBox, vec![2]));
    assert!(results[0].is_ok() && results[3].is_ok());
    assert_eq!(four[2].produce(5).err().map(|f| f.code), Some(Code::Destroyed));
    assert_eq!(four[2].consume(5, vec![], vec![]).err().map(|f| f.code), Some(Code::Destroyed));
    assert_eq!(four[2].public_seed(), four[0].public_seed(), "public, and revealed before");
}

#[test]
fn a_sealed_message_does_not_open_in_another_round_or_for_another_party() {
    let mut four = parties(4, 1, 4);
    let mut kept = None;
    for number in 0..5 {
        for result in round(&mut four, number, &mut |sent| kept = sent[0].sealed[1].clone().or(kept.take())) {
            result.expect("honest");
        }
    }
    let old = kept.expect("prss-open and inputs are private");
    let results = round(&mut four, 5, &mut |sent| {
        let swapped = sent[2].sealed[3].clone();
        sent[0].sealed[1] = Some(old.clone());
        sent[0].sealed[2] = swapped;
    });
    for receiver in [1, 2] {
        let failure = results[receiver].clone().unwrap_err();
        assert_eq!((failure.code, failure.culprits), (Code::SealedBox, vec![1]));
    }
}

#[test]
fn a_hello_without_a_key_names_its_sender() {
    let mut four = parties(4, 1, 4);
    let results = round(&mut four, 0, &mut |sent| sent[3].broadcast = vec![0xff; 1312]);
    let failure = results[0].clone().unwrap_err();
    assert_eq!((failure.code, failure.culprits), (Code::MessageMalformed, vec![4]));
}

#[test]
fn sealed_messages_hide_their_content() {
    let mut four = parties(4, 1, 4);
    for number in 0..4 {
        for result in round(&mut four, number, &mut |_| {}) {
            result.expect("honest");
        }
    }
    let sent = four[0].produce(4).expect("in order");
    assert!(sent.sealed[0].is_none(), "nothing to oneself");
    assert!(sent.sealed[1..].iter().all(|s| s.as_ref().is_some_and(|s| s.len() == 1136 + 36 * 64)));
}

/// Everything that four parties from these roots send, round by round.
fn sent_from(roots: [u8; 4]) -> Vec<Vec<(Vec<u8>, Vec<Option<Vec<u8>>>)>> {
    let committee = Committee::new(4, 1).expect("allowed");
    let mut four: Vec<Party> = roots
        .iter()
        .enumerate()
        .map(|(p, &root)| {
            let context = Context { committee, index: p + 1, ceremony_id: [3; 32], attempt: 1, bits: 4 };
            Party::rehearsal(context, Root::from_bytes([root; 32]))
        })
        .collect();
    let mut all = Vec::new();
    for number in 0..four[0].rounds().len() {
        let results = round(&mut four, number, &mut |sent| {
            all.push(sent.iter().map(|s| (s.broadcast.clone(), s.sealed.clone())).collect());
        });
        results.into_iter().for_each(|result| result.expect("honest"));
    }
    all
}

#[test]
fn everything_that_leaves_follows_from_the_roots() {
    let (first, again, other) = (sent_from([1, 2, 3, 4]), sent_from([1, 2, 3, 4]), sent_from([1, 2, 9, 4]));
    assert_eq!(first, again);
    assert_ne!(first[0][2], other[0][2], "the first message commits to the root");
    assert_eq!(first[0][..2], other[0][..2]);
}

#[test]
fn no_two_boxes_share_an_encapsulated_key() {
    let mut seen = std::collections::HashSet::new();
    for (_, sealed) in sent_from([1, 2, 3, 4]).into_iter().flatten() {
        for message in sealed.into_iter().flatten() {
            assert!(seen.insert(message[..1120].to_vec()));
        }
    }
    assert_eq!(
        seen.len(),
        4 * 3 * 5 - 2 * 3,
        "all receivers of all private rounds, party 4 reshares nothing"
    );
}

#[test]
fn the_root_outlives_the_rounds_but_not_the_party() {
    let mut four = parties(4, 1, 4);
    assert!(round(&mut four, 0, &mut |sent| sent[0].broadcast.clear()).iter().skip(1).all(Result::is_err));
    let sealed = four[1].seal_root(&[7; 32], b"context").expect("kept");
    assert_eq!(Root::unseal(&sealed, &[7; 32], b"context").expect("opens").len(), 32);
    four[1].destroy();
    assert_eq!(four[1].seal_root(&[7; 32], b"context").err().map(|f| f.code), Some(Code::Destroyed));
}

#[test]
fn a_toy_ceremony_gives_no_key() {
    let mut four = parties(4, 1, 4);
    assert_eq!(four[0].contributor().err().map(|f| f.code), Some(Code::RoundOrder));
    assert_eq!(four[0].finish().err().map(|f: Failure| f.code), Some(Code::RoundOrder));
    let coin = four[0].rounds().iter().position(|name| name == "row-coin").expect("a round");
    rounds(&mut four, 0..coin);
    assert_eq!(four[0].contributor().err().map(|f| f.code), Some(Code::Config));
    let last = four[0].rounds().len();
    rounds(&mut four, coin..last);
    assert_eq!(four[0].contributor().err().map(|f| f.code), Some(Code::RoundOrder));
    assert_eq!(four[0].finish().err().map(|f: Failure| f.code), Some(Code::Config));
    four[0].destroy();
    assert_eq!(four[0].contributor().err().map(|f| f.code), Some(Code::Destroyed));
}

#[test]
fn only_a_party_whose_rows_are_checked_gives_out_a_key() {
    let committee = Committee::new(4, 1).expect("allowed");
    for (start, makes_key) in [(Party::new as fn(Context, Root) -> Party, true), (Party::rehearsal, false)] {
        let party = |index| {
            let context = Context { committee, index, ceremony_id: [3; 32], attempt: 1, bits: KEY_BITS };
            start(context, Root::from_os().expect("randomness"))
        };
        let mut four: Vec<Party> = committee.parties().map(party).collect();
        let noise = four[0].rounds().iter().position(|name| name == "row-noise").expect("a round");
        rounds(&mut four, 0..noise);
        let mut largest = 0;
        let results = round(&mut four, noise, &mut |sent| {
            largest = sent[0].sealed.iter().flatten().map(Vec::len).max().unwrap_or_default();
        });
        assert!(results.iter().all(Result::is_ok));
        let bytes: usize = whole_key().iter().map(section_bytes).sum();
        assert_eq!(largest > bytes, makes_key, "noise for all rows to who gets no seed");
        assert_eq!(four[0].contributor().is_ok(), makes_key);
    }
}
