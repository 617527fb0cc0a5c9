//! Points outside the subgroup of prime order.

use super::Scene;
use crate::crs::batch::{are_powers, in_subgroup};
use crate::crs::codec::{G1_BYTES, G2_BYTES};
use crate::crs::codec::{decode_g1, decode_g2, encode_g1, encode_g2, g1_from_x, g2_from_x};
use num_bigint::BigUint;
use tfhe_zk_pok::curve_api::CurveGroupOps;
use tfhe_zk_pok::curve_api::bls12_446::{G1, G1Affine, G2, G2Affine, Zp};

pub const ORDER: &str =
    "645383785691237230677916041525710377746967055506026847120930304831624105190538527824412673";
pub const G1_COFACTOR: &str = "267785939737784928360481681640896166738700972";
pub const G2_COFACTOR: &str = "46280025648128091779281203587029183771098593081950199160533444883894201638329761721685747232785203763275581499269893683911356926248942802726857101798724933488377584092259436345573";

pub fn g1_candidate(seed: u64) -> Option<G1> {
    let mut x = [0u8; 56];
    x[..8].copy_from_slice(&seed.to_le_bytes());
    x[20] = 7;
    g1_from_x(&x).map(G1::projective)
}

pub fn g2_candidate(seed: u64) -> Option<G2> {
    let mut x = [0u8; 112];
    x[..8].copy_from_slice(&seed.to_le_bytes());
    x[70] = 7;
    g2_from_x(&x).map(G2::projective)
}

/// A curve point outside the subgroup.
pub fn outside<G: CurveGroupOps<Zp>>(candidate: fn(u64) -> Option<G>) -> G {
    (1..).filter_map(candidate).find(|point| !point.validate_projective()).unwrap()
}

/// r·Q: only the cofactor part of a curve point, which a pairing cannot see.
pub fn cofactor_part<G: CurveGroupOps<Zp>>(candidate: fn(u64) -> Option<G>) -> G {
    let point = outside(candidate);
    let part = point.mul_scalar(Zp::ZERO - Zp::ONE) + point;
    assert!(part != G::ZERO);
    part
}

fn decoded(scene: &Scene, state: &[u8]) -> (Vec<G1Affine>, Vec<G2Affine>) {
    let (g, h) = state.split_at(scene.parameters.g1_list_bytes());
    (
        g.chunks(G1_BYTES).map(|bytes| decode_g1(bytes).unwrap()).collect(),
        h.chunks(G2_BYTES).map(|bytes| decode_g2(bytes).unwrap()).collect(),
    )
}

#[test]
fn the_pairing_equations_accept_a_cofactor_shift_in_g1_so_that_the_subgroup_check_bears_the_load() {
    let scene = Scene::short();
    let shift = cofactor_part(g1_candidate);
    let mut list = scene.list();
    list.change_g(5, |point| point + shift);
    let (g, h) = decoded(&scene, &list.bytes);
    assert!(are_powers(scene.parameters.n, &g, &h));
    assert!(!in_subgroup::<G1>(&g));
}

fn multiple<G: CurveGroupOps<Zp>>(point: G, factor: &BigUint) -> G {
    (0..factor.bits()).rev().fold(G::ZERO, |sum, bit| {
        let doubled = sum.double();
        if factor.bit(bit) { doubled + point } else { doubled }
    })
}

/// A point of small prime order, found from the curve's full order.
pub fn point_of_order<G: CurveGroupOps<Zp>>(
    prime: u32,
    cofactor: &str,
    candidate: fn(u64) -> Option<G>,
) -> G {
    let mut factor = cofactor.parse::<BigUint>().unwrap() * ORDER.parse::<BigUint>().unwrap();
    while &factor % prime == BigUint::ZERO {
        factor /= prime;
    }
    let mut point =
        (1..).filter_map(candidate).map(|q| multiple(q, &factor)).find(|q| *q != G::ZERO).unwrap();
    loop {
        let next = multiple(point, &BigUint::from(prime));
        if next == G::ZERO {
            return point;
        }
        point = next;
    }
}

fn always_refused<G: CurveGroupOps<Zp>>(point: G) {
    let base: Vec<G> = (1..=40).map(|i| G::GENERATOR.mul_scalar(Zp::from_u64(i * 77 + 1))).collect();
    let check =
        |list: &[G]| in_subgroup::<G>(&list.iter().map(|point| point.normalize()).collect::<Vec<_>>());
    let mut single = base.clone();
    single[7] += point;
    let mut cancelling = base.clone();
    cancelling[7] += point;
    cancelling[8] -= point;
    let everywhere: Vec<G> = base.iter().map(|element| *element + point).collect();
    // one random linear combination would miss order two in half of the runs: forty in a row never pass by luck
    for _ in 0..40 {
        assert!(check(&base));
        assert!(!check(&single));
        assert!(!check(&cancelling));
        assert!(!check(&everywhere));
    }
}

#[test]
fn small_orders_are_always_seen_by_the_batched_check() {
    always_refused(point_of_order(2, G1_COFACTOR, g1_candidate));
    always_refused(point_of_order(3, G1_COFACTOR, g1_candidate));
    always_refused(point_of_order(2029, G2_COFACTOR, g2_candidate));
}

#[test]
fn encodings_round_trip_and_infinity_is_zero_bytes() {
    let (g, h) = (G1::GENERATOR.normalize(), G2::GENERATOR.normalize());
    assert!(decode_g1(&encode_g1(&g)).unwrap() == g && decode_g2(&encode_g2(&h)).unwrap() == h);
    assert_eq!(encode_g1(&G1::ZERO.normalize()), [0; G1_BYTES]);
    assert!(G1::projective(decode_g1(&[0; G1_BYTES]).unwrap()) == G1::ZERO);
    assert!(decode_g1(&[0; G1_BYTES - 1]).is_none() && decode_g2(&[0xff; G2_BYTES]).is_none());
}
