//! Lists of good points that are not the powers of one value.

use super::super::{Scene, negated, tripled};
use super::{Case, case};
use crate::crs::error::CrsError::{FirstZero, Gap, Powers, Proof, Unchanged};
use crate::crs::update::{Tau, multiply_state, sign};
use tfhe_zk_pok::curve_api::bls12_446::{G1, G2, Zp};

/// An honest update by a factor that no party may choose.
fn by_factor(scene: &Scene, factor: Zp) -> Vec<u8> {
    let tau = Tau::from_scalar(factor);
    let next = multiply_state(&scene.parameters, &scene.previous, &tau).unwrap();
    sign(&scene.parameters, &scene.previous, &next, &scene.place(), &tau).unwrap()
}

/// The element that the string must not contain.
fn missing_power(scene: &Scene) -> G1 {
    let power = (0..=scene.parameters.n).fold(Zp::ONE, |power, _| power * scene.alpha);
    G1::GENERATOR.mul_scalar(power)
}

pub fn cases() -> Vec<Case> {
    vec![
        case("another factor at position 5", Powers, |s| s.mutated(|list| list.take_g(5..6, &s.other))),
        case("G1 tripled at 2", Powers, |s| s.mutated(|list| list.change_g(2, tripled))),
        case("G1 tripled at n", Powers, |s| s.mutated(|list| list.change_g(list.n, tripled))),
        case("G1 tripled at n+2", Powers, |s| s.mutated(|list| list.change_g(list.n + 2, tripled))),
        case("G1 tripled at 2n", Powers, |s| s.mutated(|list| list.change_g(2 * list.n, tripled))),
        case("G1 negated at n+2", Powers, |s| s.mutated(|list| list.change_g(list.n + 2, negated))),
        // only the equation over the gap sees the next three
        case("upper half tripled", Powers, |s| {
            s.mutated(|list| {
                (list.n + 2..=2 * list.n).for_each(|position| list.change_g(position, tripled));
            })
        }),
        case("upper half negated", Powers, |s| {
            s.mutated(|list| {
                (list.n + 2..=2 * list.n).for_each(|position| list.change_g(position, negated));
            })
        }),
        case("upper half zero", Powers, |s| {
            s.mutated(|list| {
                (list.n + 2..=2 * list.n).for_each(|position| list.change_g(position, |_| G1::ZERO));
            })
        }),
        case("upper half of another factor", Powers, |s| {
            s.mutated(|list| list.take_g(list.n + 2..2 * list.n + 1, &s.other))
        }),
        case("upper half not updated", Powers, |s| {
            s.mutated(|list| list.take_g(list.n + 2..2 * list.n + 1, &s.previous))
        }),
        case("only the first element updated", Powers, |s| {
            s.mutated(|list| {
                list.take_g(2..2 * list.n + 1, &s.previous);
                list.take_h(&s.previous);
            })
        }),
        case("G1 zero at 7", Powers, |s| s.mutated(|list| list.change_g(7, |_| G1::ZERO))),
        case("G1 zero at 2n", Powers, |s| s.mutated(|list| list.change_g(2 * list.n, |_| G1::ZERO))),
        case("everything zero but the first element", Powers, |s| {
            s.mutated(|list| {
                (2..=2 * list.n).for_each(|position| list.change_g(position, |_| G1::ZERO));
                list.change_all_h(|_| G2::ZERO);
            })
        }),
        case("G1 exchanged at 11 and 12", Powers, |s| s.mutated(|list| list.exchange_g(11, 12))),
        case("G1 exchanged over the gap", Powers, |s| s.mutated(|list| list.exchange_g(list.n, list.n + 2))),
        case("G2 tripled at 1", Powers, |s| s.mutated(|list| list.change_h(1, tripled))),
        case("G2 tripled at 2", Powers, |s| s.mutated(|list| list.change_h(2, tripled))),
        case("G2 tripled at n", Powers, |s| s.mutated(|list| list.change_h(list.n, tripled))),
        case("all of G2 tripled", Powers, |s| s.mutated(|list| list.change_all_h(tripled))),
        case("all of G2 negated", Powers, |s| s.mutated(|list| list.change_all_h(negated))),
        case("G2 exchanged at 3 and 4", Powers, |s| s.mutated(|list| list.exchange_h(3, 4))),
        case("G2 zero at 1", Powers, |s| s.mutated(|list| list.change_h(1, |_| G2::ZERO))),
        case("G2 zero at 2", Powers, |s| s.mutated(|list| list.change_h(2, |_| G2::ZERO))),
        case("all of G2 zero", Powers, |s| s.mutated(|list| list.change_all_h(|_| G2::ZERO))),
        case("G2 of another factor", Powers, |s| s.mutated(|list| list.take_h(&s.other))),
        case("G2 not updated", Powers, |s| s.mutated(|list| list.take_h(&s.previous))),
        case("another factor everywhere", Proof, |s| s.signed(&s.other)),
        case("a generator in the gap", Gap, |s| {
            s.mutated(|list| list.change_g(list.n + 1, |_| G1::GENERATOR))
        }),
        case("the missing power in the gap", Gap, |s| {
            let power = missing_power(s);
            s.mutated(|list| list.change_g(list.n + 1, |_| power))
        }),
        case("one bit in the gap", Gap, |s| s.mutated(|list| list.g_bytes(list.n + 1)[111] = 1)),
        case("factor 0", FirstZero, |s| by_factor(s, Zp::ZERO)),
        case("the first element alone zero", FirstZero, |s| s.mutated(|list| list.change_g(1, |_| G1::ZERO))),
        case("factor 1", Unchanged, |s| by_factor(s, Zp::ONE)),
        case("the first element alone not updated", Unchanged, |s| {
            s.mutated(|list| list.take_g(1..2, &s.previous))
        }),
    ]
}
