//! Time of what meets tau, against zero and random factors: `npm run leakage`.

use crate::crs::codec::{encode_g1, encode_g2, read_affine};
use crate::crs::field::{Coordinate, Fq, Fq2, Scalar};
use crate::crs::ladder::Point;
use crate::crs::update::Tau;
use crate::threshold::leakage::{Class, POOL, assert_constant_time, measure, statistic, timed};
use rand::rngs::StdRng;
use std::hint::black_box;
use tfhe_zk_pok::curve_api::CurveGroupOps;
use tfhe_zk_pok::curve_api::bls12_446::{G1, G2};

/// Both classes are read from the same address.
fn on_scalars<T>(count: usize, rng: &mut StdRng, kernel: impl Fn(&Scalar) -> T) -> f64 {
    let mut fixed = [Scalar::ONE; POOL];
    black_box(&mut fixed).fill(Scalar::ZERO);
    let random: [Scalar; POOL] = std::array::from_fn(|_| Scalar::random(rng));
    let mut work = Scalar::ONE;
    statistic(measure(count, rng, |class, at| {
        let pool = if class == Class::Fixed { &fixed } else { &random };
        work = black_box(pool)[at];
        timed(|| kernel(black_box(&work)))
    }))
}

/// A call takes hundreds of times as long as those of the other kernels, and hides as much less.
const FEWER_CALLS: usize = 4;

fn multiplication<F: Coordinate>(count: usize, rng: &mut StdRng, point: &[u8]) -> f64 {
    let point = Point::<F>::from_affine(read_affine(point).unwrap());
    on_scalars(count / FEWER_CALLS, rng, |scalar| point.multiply(scalar))
}

#[test]
#[ignore = "measures time: npm run leakage"]
fn what_meets_tau_takes_the_same_time_for_every_tau() {
    assert_constant_time(&[
        ("powers of tau", |count, rng| on_scalars(count, rng, |tau| Tau::of(*tau).powers(64))),
        ("a point of G1 times a power", |count, rng| {
            multiplication::<Fq>(count, rng, &encode_g1(&G1::GENERATOR.normalize()))
        }),
        ("a point of G2 times a power", |count, rng| {
            multiplication::<Fq2>(count, rng, &encode_g2(&G2::GENERATOR.normalize()))
        }),
    ]);
}
