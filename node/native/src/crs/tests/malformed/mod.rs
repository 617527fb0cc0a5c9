//! Every way to send a bad update that we know of (docs/crs.md), and the name under which it is refused: by
//! whoever verifies the update, and by an auditor who has only the final state and one link per party.

mod forms;
mod lists;
mod points;
mod proofs;

use super::{CEREMONY, Scene};
use crate::crs::audit::{Link, audit};
use crate::crs::error::CrsError;
use crate::crs::message::HEADER_BYTES;
use crate::crs::parameters::CrsParameters;
use crate::crs::verify::{check_state, follow, verify};
use std::collections::BTreeSet;

/// One bad update.
struct Case {
    name: &'static str,
    /// The verifier holds the state, round, party and ceremony itself.
    verifier: CrsError,
    /// The auditor knows only who contributed in which order.
    auditor: CrsError,
    message: fn(&Scene) -> Vec<u8>,
}

/// Refused by verifier and auditor under one name.
const fn case(name: &'static str, error: CrsError, message: fn(&Scene) -> Vec<u8>) -> Case {
    Case { name, verifier: error, auditor: error, message }
}

fn cases() -> Vec<Case> {
    [lists::cases(), points::cases(), proofs::cases(), forms::cases()].into_iter().flatten().collect()
}

fn verified(scene: &Scene, message: &[u8]) -> Result<(), CrsError> {
    verify(&scene.parameters, &scene.previous, message, &scene.place()).map(|_| ())
}

/// In two steps: what the message says of itself, then its points. Points are looked at in the second step alone.
fn followed_and_checked(scene: &Scene, message: &[u8]) -> Result<(), CrsError> {
    let of_points = [CrsError::Curve, CrsError::Subgroup, CrsError::Powers];
    let state = follow(&scene.parameters, &scene.previous, message, &scene.place())
        .inspect_err(|error| assert!(!of_points.contains(error), "{error:?} in the first step"))?;
    check_state(&scene.parameters, &state).map(drop)
}

fn audited(scene: &Scene, message: &[u8]) -> Result<(), CrsError> {
    let links = [scene.first_link(), Link::of_message(&scene.parameters, message)?];
    audit(&scene.parameters, &CEREMONY, &[1, 2], &links, &message[HEADER_BYTES..]).map(|_| ())
}

fn check_all(parameters: CrsParameters) {
    let scene = Scene::new(parameters);
    let honest = scene.honest();
    assert_eq!((verified(&scene, &honest), audited(&scene, &honest)), (Ok(()), Ok(())));
    assert_eq!(followed_and_checked(&scene, &honest), Ok(()));
    for Case { name, verifier, auditor, message } in cases() {
        let message = message(&scene);
        assert_eq!(verified(&scene, &message), Err(verifier), "{name}, by the verifier");
        assert_eq!(followed_and_checked(&scene, &message), Err(verifier), "{name}, in two steps");
        assert_eq!(audited(&scene, &message), Err(auditor), "{name}, by the auditor");
    }
}

#[test]
fn every_malformed_update_is_refused_by_name() {
    check_all(CrsParameters::toy(super::N));
}

#[test]
#[ignore = "three minutes: every case at 2048 bits"]
fn every_malformed_update_of_full_size_is_refused_by_name() {
    check_all(CrsParameters::production());
}

/// What an update can be refused for.
const REFUSALS: [CrsError; 13] = [
    CrsError::Length,
    CrsError::Header,
    CrsError::Context,
    CrsError::Previous,
    CrsError::Encoding,
    CrsError::Gap,
    CrsError::FirstZero,
    CrsError::Unchanged,
    CrsError::ProofPoint,
    CrsError::Proof,
    CrsError::Curve,
    CrsError::Subgroup,
    CrsError::Powers,
];

#[test]
fn cases_are_many_and_different_and_each_refusal_is_among_them() {
    let cases = cases();
    let names: BTreeSet<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len());
    assert!(cases.len() >= 46, "{}", cases.len());
    for error in REFUSALS {
        assert!(cases.iter().any(|case| case.verifier == error), "{error:?} has no case");
    }
}

#[test]
fn bit_flips_anywhere_are_refused_without_a_panic() {
    let scene = Scene::short();
    let honest = scene.honest();
    for step in 0..200 {
        let mut message = honest.clone();
        let bit = (step * 7919 + 13) % (8 * message.len());
        message[bit / 8] ^= 1 << (bit % 8);
        assert!(verified(&scene, &message).is_err(), "bit {bit}");
        assert!(audited(&scene, &message).is_err() || bit / 8 < HEADER_BYTES, "bit {bit}");
    }
}
