use super::{List, N, Scene, context, with_header_of};
use crate::crs::codec::{G1_BYTES, G2_BYTES, SCALAR_BYTES};
use crate::crs::error::CrsError;
use crate::crs::message::HEADER_BYTES;
use crate::crs::update::{Tau, multiply_state, sign};
use crate::crs::verify::verify;
use tfhe_zk_pok::curve_api::bls12_446::{G1, G2, Zp};

fn outcome(scene: &Scene, message: &[u8]) -> Result<(), CrsError> {
    verify(&scene.parameters, &scene.previous, message, &context(1, 2)).map(|_| ())
}

#[test]
fn the_unchanged_scene_is_accepted() {
    let scene = Scene::new();
    assert_eq!(outcome(&scene, &scene.signed(&scene.next)), Ok(()));
}

#[test]
fn lists_that_are_not_powers_of_one_value_are_refused() {
    let scene = Scene::new();
    let other = multiply_state(&scene.parameters, &scene.previous, &Tau::random()).unwrap();
    let previous = List(scene.previous.clone());
    let g2 = scene.parameters.g1_list_bytes();
    type Change<'a> = Box<dyn Fn(&mut List) + 'a>;
    let cases: Vec<(&str, Change<'_>)> = vec![
        (
            "wrong tau at position 5",
            Box::new(|list| list.g_bytes(5).copy_from_slice(&other[4 * G1_BYTES..5 * G1_BYTES])),
        ),
        ("tripled at 2", Box::new(|list| list.triple_g(2))),
        ("tripled at n", Box::new(|list| list.triple_g(N))),
        ("tripled at n+2", Box::new(|list| list.triple_g(N + 2))),
        ("tripled at 2n", Box::new(|list| list.triple_g(2 * N))),
        // only the equation over the gap sees this one
        (
            "whole upper half times 3",
            Box::new(|list| (N + 2..=2 * N).for_each(|position| list.triple_g(position))),
        ),
        (
            "upper half of another tau",
            Box::new(|list| list.0[(N + 1) * G1_BYTES..g2].copy_from_slice(&other[(N + 1) * G1_BYTES..g2])),
        ),
        ("zero inside", Box::new(|list| list.change_g(7, |_| G1::ZERO))),
        (
            "two exchanged",
            Box::new(|list| {
                let eleventh = list.g_bytes(11).to_vec();
                let twelfth = list.g_bytes(12).to_vec();
                list.g_bytes(11).copy_from_slice(&twelfth);
                list.g_bytes(12).copy_from_slice(&eleventh);
            }),
        ),
        ("one G2 tripled", Box::new(|list| list.triple_h(N))),
        ("first G2 zero", Box::new(|list| list.change_h(1, |_| G2::ZERO))),
        ("second G2 zero", Box::new(|list| list.change_h(2, |_| G2::ZERO))),
        ("all G2 zero", Box::new(|list| (1..=N).for_each(|position| list.change_h(position, |_| G2::ZERO)))),
        ("G2 of another tau", Box::new(|list| list.0[g2..].copy_from_slice(&other[g2..]))),
        ("G2 not updated", Box::new(|list| list.0[g2..].copy_from_slice(&previous.0[g2..]))),
    ];
    for (name, change) in cases {
        assert_eq!(outcome(&scene, &scene.mutated(change)), Err(CrsError::Powers), "{name}");
    }
}

#[test]
fn the_gap_must_be_zero() {
    let scene = Scene::new();
    let message = scene.mutated(|list| list.change_g(N + 1, |_| G1::GENERATOR));
    assert_eq!(outcome(&scene, &message), Err(CrsError::Gap));
}

#[test]
fn factors_zero_and_one_are_refused() {
    let scene = Scene::new();
    for (scalar, error) in [(Zp::ZERO, CrsError::FirstZero), (Zp::ONE, CrsError::Unchanged)] {
        let tau = Tau::from_scalar(scalar);
        let next = multiply_state(&scene.parameters, &scene.previous, &tau).unwrap();
        let message = sign(&scene.parameters, &scene.previous, &next, &context(1, 2), &tau).unwrap();
        assert_eq!(outcome(&scene, &message), Err(error));
    }
}

#[test]
fn non_canonical_coordinates_and_scalars_are_refused() {
    let scene = Scene::new();
    let coordinate = scene.mutated(|list| list.g_bytes(5)[..56].fill(0xff));
    assert_eq!(outcome(&scene, &coordinate), Err(CrsError::Encoding));
    let mut response = scene.signed(&scene.next);
    response[HEADER_BYTES - SCALAR_BYTES..HEADER_BYTES].fill(0xff);
    assert_eq!(outcome(&scene, &response), Err(CrsError::Encoding));
}

#[test]
fn another_factor_than_the_proven_one_is_refused() {
    let scene = Scene::new();
    let other = multiply_state(&scene.parameters, &scene.previous, &Tau::random()).unwrap();
    assert_eq!(outcome(&scene, &scene.signed(&other)), Err(CrsError::Proof));
}

#[test]
fn a_proof_for_another_place_is_refused_with_and_without_its_header() {
    let scene = Scene::new();
    let honest = scene.signed(&scene.next);
    let foreign = crate::crs::Context { ceremony: [0x43; 32], ..context(1, 2) };
    for (name, place) in [("party", context(1, 3)), ("round", context(2, 2)), ("ceremony", foreign)] {
        let message = sign(&scene.parameters, &scene.previous, &scene.next, &place, &scene.tau).unwrap();
        assert_eq!(outcome(&scene, &message), Err(CrsError::Context), "{name}");
        assert_eq!(
            outcome(&scene, &with_header_of(&message, &honest)),
            Err(CrsError::Proof),
            "{name}, header rewritten"
        );
    }
}

#[test]
fn a_proof_moved_or_changed_is_refused() {
    let scene = Scene::new();
    let honest = scene.signed(&scene.next);
    let mut list = List(scene.next.clone());
    list.triple_g(5);
    let moved = [&honest[..HEADER_BYTES], &list.0].concat();
    assert_eq!(outcome(&scene, &moved), Err(CrsError::Proof), "another list with the same first element");
    let mut response = honest.clone();
    response[HEADER_BYTES - SCALAR_BYTES] ^= 1;
    assert_eq!(outcome(&scene, &response), Err(CrsError::Proof), "z changed");
    let mut infinity = honest.clone();
    infinity[HEADER_BYTES - SCALAR_BYTES - G1_BYTES..HEADER_BYTES].fill(0);
    assert_eq!(outcome(&scene, &infinity), Err(CrsError::Proof), "R infinity, z zero");
}

#[test]
fn a_restart_from_the_generator_is_refused() {
    let scene = Scene::new();
    let honest = scene.signed(&scene.next);
    let fresh = multiply_state(&scene.parameters, &scene.start, &scene.tau).unwrap();
    let message = sign(&scene.parameters, &scene.start, &fresh, &context(1, 2), &scene.tau).unwrap();
    assert_eq!(outcome(&scene, &message), Err(CrsError::Previous));
    assert_eq!(outcome(&scene, &with_header_of(&message, &honest)), Err(CrsError::Proof));
}

#[test]
fn replays_are_refused() {
    let scene = Scene::new();
    let honest = scene.signed(&scene.next);
    assert_eq!(outcome(&scene, &scene.first_message), Err(CrsError::Context));
    let rewritten = with_header_of(&scene.first_message, &honest);
    assert_eq!(outcome(&scene, &rewritten), Err(CrsError::Unchanged));
    assert_eq!(outcome(&scene, &scene.signed(&scene.start)), Err(CrsError::Proof));
}

#[test]
fn every_other_length_and_magic_is_refused() {
    let scene = Scene::new();
    let honest = scene.signed(&scene.next);
    let lengths = [0, HEADER_BYTES, honest.len() - G2_BYTES, honest.len() - 1];
    for length in lengths {
        assert_eq!(outcome(&scene, &honest[..length]), Err(CrsError::Length), "{length}");
    }
    assert_eq!(outcome(&scene, &[&honest[..], &[0]].concat()), Err(CrsError::Length));
    assert_eq!(outcome(&scene, &[&honest[..], &[0; G1_BYTES]].concat()), Err(CrsError::Length));
    let mut magic = honest;
    magic[0] ^= 1;
    assert_eq!(outcome(&scene, &magic), Err(CrsError::Header));
}

#[test]
fn lists_shifted_by_one_are_refused() {
    let scene = Scene::new();
    let g2 = scene.parameters.g1_list_bytes();
    let mut shifted = scene.next.clone();
    // two G1 elements fewer, one G2 element more: the same length
    shifted.drain(g2 - 2 * G1_BYTES..g2);
    shifted.extend_from_slice(&scene.next[g2..g2 + G2_BYTES]);
    assert_eq!(outcome(&scene, &scene.signed(&shifted)), Err(CrsError::Curve));
}

#[test]
fn bit_flips_anywhere_are_refused_without_a_panic() {
    let scene = Scene::new();
    let honest = scene.signed(&scene.next);
    for step in 0..200 {
        let mut message = honest.clone();
        let bit = (step * 7919 + 13) % (8 * message.len());
        message[bit / 8] ^= 1 << (bit % 8);
        assert!(outcome(&scene, &message).is_err(), "bit {bit}");
    }
}
