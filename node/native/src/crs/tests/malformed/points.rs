//! Lists with points that are no elements of the group: other coordinates, other curves, other subgroups.

use super::super::group::{
    G1_COFACTOR, G2_COFACTOR, cofactor_part, g1_candidate, g2_candidate, outside, point_of_order,
};
use super::super::{COMMITMENT, Scene};
use super::{Case, case};
use crate::crs::codec::encode_g1;
use crate::crs::error::CrsError::{Curve, Encoding, ProofPoint, Subgroup};
use tfhe_zk_pok::curve_api::CurveGroupOps;
use tfhe_zk_pok::curve_api::bls12_446::{G1, G2};

/// Adds a point outside the group to elements of G1.
fn shift_g(scene: &Scene, positions: &[usize], shift: G1) -> Vec<u8> {
    scene.mutated(|list| {
        positions.iter().for_each(|position| list.change_g(*position, |point| point + shift));
    })
}

fn shift_h(scene: &Scene, positions: &[usize], shift: G2) -> Vec<u8> {
    scene.mutated(|list| {
        positions.iter().for_each(|position| list.change_h(*position, |point| point + shift));
    })
}

fn commitment(scene: &Scene, bytes: &[u8]) -> Vec<u8> {
    scene.altered(|message| message[COMMITMENT].copy_from_slice(bytes))
}

pub fn cases() -> Vec<Case> {
    vec![
        case("G1 coordinate not below p", Encoding, |s| s.mutated(|list| list.g_bytes(5)[..56].fill(0xff))),
        case("second G1 coordinate not below p", Encoding, |s| {
            s.mutated(|list| list.g_bytes(5)[56..].fill(0xff))
        }),
        case("G2 coordinate not below p", Encoding, |s| {
            s.mutated(|list| list.h_bytes(5)[56..112].fill(0xff))
        }),
        case("first element with a coordinate not below p", Encoding, |s| {
            s.mutated(|list| list.g_bytes(1)[..56].fill(0xff))
        }),
        case("commitment with a coordinate not below p", Encoding, |s| commitment(s, &[0xff; 112])),
        case("G1 off the curve", Curve, |s| s.mutated(|list| list.g_bytes(5)[0] ^= 1)),
        case("G1 off the curve at 2n", Curve, |s| s.mutated(|list| list.g_bytes(2 * list.n)[0] ^= 1)),
        case("G1 without its y", Curve, |s| s.mutated(|list| list.g_bytes(5)[56..].fill(0))),
        case("G2 off the curve", Curve, |s| s.mutated(|list| list.h_bytes(5)[9] ^= 1)),
        case("G2 with exchanged halves of x", Curve, |s| {
            s.mutated(|list| list.h_bytes(5)[..112].rotate_left(56))
        }),
        case("first element off the curve", ProofPoint, |s| s.mutated(|list| list.g_bytes(1)[0] ^= 1)),
        case("commitment off the curve", ProofPoint, |s| s.altered(|message| message[COMMITMENT.start] ^= 1)),
        case("G1 of the curve but not of the group", Subgroup, |s| {
            let point = outside(g1_candidate);
            s.mutated(|list| list.change_g(5, |_| point))
        }),
        case("G2 of the curve but not of the group", Subgroup, |s| {
            let point = outside(g2_candidate);
            s.mutated(|list| list.change_h(5, |_| point))
        }),
        // the pairing equations accept this one: a test of the group says so
        case("G1 plus a point of the cofactor", Subgroup, |s| shift_g(s, &[5], cofactor_part(g1_candidate))),
        case("G2 plus a point of the cofactor", Subgroup, |s| shift_h(s, &[5], cofactor_part(g2_candidate))),
        case("all of G2 plus a point of the cofactor", Subgroup, |s| {
            let positions: Vec<_> = (1..=s.parameters.n).collect();
            shift_h(s, &positions, cofactor_part(g2_candidate))
        }),
        case("G1 plus a point of order 2", Subgroup, |s| {
            shift_g(s, &[5], point_of_order(2, G1_COFACTOR, g1_candidate))
        }),
        case("two of G1 plus points of order 2 that cancel", Subgroup, |s| {
            shift_g(s, &[5, 6], point_of_order(2, G1_COFACTOR, g1_candidate))
        }),
        case("G1 plus a point of order 3", Subgroup, |s| {
            shift_g(s, &[5], point_of_order(3, G1_COFACTOR, g1_candidate))
        }),
        case("G2 plus a point of order 2029", Subgroup, |s| {
            shift_h(s, &[5], point_of_order(2029, G2_COFACTOR, g2_candidate))
        }),
        case("first element plus a point of the cofactor", ProofPoint, |s| {
            shift_g(s, &[1], cofactor_part(g1_candidate))
        }),
        case("first element plus a point of order 2", ProofPoint, |s| {
            shift_g(s, &[1], point_of_order(2, G1_COFACTOR, g1_candidate))
        }),
        case("commitment outside the group", ProofPoint, |s| {
            commitment(s, &encode_g1(&cofactor_part(g1_candidate).normalize()))
        }),
    ]
}
