//! Messages out of form, reveals that were not committed, keys that differ: every one names its sender.
use super::party::round_names;
use super::table::{Outcome, Turn, run};
use crate::errors::{Code, Failure};
use crate::ring::Committee;
use zeroize::Zeroizing;

fn four() -> Committee {
    Committee::new(4, 1).expect("allowed")
}

/// Runs a ceremony with a cheating party 1 and returns the round and failures that it ends with.
fn failed(label: &str, mut attack: impl FnMut(&mut Turn<'_>)) -> (String, Vec<Failure>) {
    match run(four(), 2, label, &mut attack) {
        Outcome::Failed(round, failures) => (round, failures),
        Outcome::Passed(_) => panic!("{label}: it passed"),
    }
}

fn all_name_one(failures: &[Failure], code: Code) -> bool {
    !failures.is_empty() && failures.iter().all(|f| f.code == code && f.culprits == [1])
}

#[test]
fn a_coin_that_was_not_committed_is_refused_by_all() {
    let (round, failures) = failed("coin", |turn| {
        if turn.round == "coin" {
            turn.messages[0].broadcast[0] ^= 1;
        }
    });
    assert_eq!((round.as_str(), failures.len()), ("coin", 3));
    assert!(all_name_one(&failures, Code::CommitmentMismatch));
}

#[test]
fn a_coin_of_the_rows_that_was_not_committed_is_refused_by_all() {
    let (round, failures) = failed("row coin", |turn| {
        if turn.round == "row-coin" {
            turn.messages[0].broadcast[63] ^= 1;
        }
    });
    assert_eq!((round.as_str(), failures.len()), ("row-coin", 3));
    assert!(all_name_one(&failures, Code::CommitmentMismatch));
}

#[test]
fn a_seed_that_was_not_committed_is_refused_by_all() {
    let (round, failures) = failed("seed", |turn| {
        if turn.round == "prss-open" {
            turn.messages[0].broadcast[40] ^= 1;
        }
    });
    assert_eq!((round.as_str(), failures.len()), ("prss-open", 3));
    assert!(all_name_one(&failures, Code::CommitmentMismatch));
}

#[test]
fn different_key_openings_to_different_members_are_refused() {
    let (round, failures) = failed("split", |turn| {
        if turn.round == "prss-open" {
            turn.messages[0].private[1].as_mut().expect("private")[3] ^= 1;
        }
    });
    assert_eq!((round.as_str(), failures.len()), ("prss-open", 1), "only the deceived member can know");
    assert!(all_name_one(&failures, Code::CommitmentMismatch));
}

#[test]
fn a_pair_key_that_differs_is_caught_by_its_confirmation() {
    let (round, failures) = failed("pair", |turn| {
        if turn.round == "prss-open" {
            *turn.messages[0].private[1].as_mut().and_then(|m| m.last_mut()).expect("private") ^= 1;
        }
    });
    assert_eq!((round.as_str(), failures.len()), ("prss-confirm", 1));
    assert!(all_name_one(&failures, Code::KeyConfirmation));
}

#[test]
fn a_wrong_confirmation_of_a_replicated_key_is_refused_by_its_members() {
    let (round, failures) = failed("confirm", |turn| {
        if turn.round == "prss-confirm" {
            turn.messages[0].broadcast[0] ^= 1;
        }
    });
    // The first subset of party 1 is {1, 2, 3}: its other members 2 and 3 see it.
    assert_eq!((round.as_str(), failures.len()), ("prss-confirm", 2));
    assert!(all_name_one(&failures, Code::KeyConfirmation));
}

#[test]
fn every_broadcast_of_a_wrong_length_names_its_sender() {
    for target in round_names(4) {
        let (round, failures) = failed("longer", |turn| {
            if turn.round == target {
                turn.messages[0].broadcast.push(0);
            }
        });
        assert_eq!(round, target);
        assert!(all_name_one(&failures, Code::MessageMalformed));
        if ["inputs", "row-noise", "row-points"].contains(&target.as_str()) || target.starts_with("level") {
            continue; // An empty broadcast cannot become shorter. (A toy ceremony has no rows, so no points.)
        }
        let (round, failures) = failed("shorter", |turn| {
            if turn.round == target {
                turn.messages[0].broadcast.pop();
            }
        });
        assert_eq!(round, target);
        assert!(all_name_one(&failures, Code::MessageMalformed));
    }
}

#[test]
fn private_messages_that_are_missing_unasked_or_of_a_wrong_length_name_their_sender() {
    for target in round_names(4) {
        let mut is_private = false;
        let (round, failures) = failed("withheld or unasked", |turn| {
            if turn.round == target {
                let message = &mut turn.messages[0].private[2];
                is_private = message.is_some();
                *message = if is_private { None } else { Some(Zeroizing::new(vec![1])) };
            }
        });
        assert_eq!(round, target);
        assert!(all_name_one(&failures, Code::MessageMalformed));
        if is_private {
            let (_, failures) = failed("short", |turn| {
                if turn.round == target {
                    turn.messages[0].private[2].as_mut().expect("private").pop();
                }
            });
            assert!(all_name_one(&failures, Code::MessageMalformed));
        }
    }
}
