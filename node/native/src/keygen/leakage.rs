//! Does the time of key generation depend on shares? The measurement is that of decryption shares (docs/side-channels.md).
use super::dealing::{deal, messages};
use super::negacyclic::{Negacyclic, Width};
use crate::ring::{Committee, Gr};
use crate::stream::SecretStream;
use crate::threshold::leakage::{Class, POOL, assert_constant_time, measure, statistic, timed};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::hint::black_box;

/// Coefficients of a key polynomial under the bootstrapping keys.
const SIZE: usize = 2048;
/// Bits in one dealing.
const BITS: usize = 256;

/// The kernel on a working copy of the secret: zeros, which are written and not fresh pages, or random values.
fn on_values<T: Copy>(
    (count, length): (usize, usize),
    rng: &mut StdRng,
    (zero, other): (T, T),
    random: impl Fn(&mut StdRng) -> T,
    mut kernel: impl FnMut(&[T]),
) -> f64 {
    let mut fixed = vec![vec![other; length]; POOL];
    black_box(&mut fixed).iter_mut().for_each(|values| values.fill(zero));
    let drawn: Vec<Vec<T>> = (0..POOL).map(|_| (0..length).map(|_| random(rng)).collect()).collect();
    let mut work = vec![other; length];
    statistic(measure(count, rng, |class, at| {
        let pool = if class == Class::Fixed { &fixed } else { &drawn };
        work.copy_from_slice(black_box(&pool[at]));
        timed(|| kernel(black_box(&work)))
    }))
}

fn transform(count: usize, rng: &mut StdRng) -> f64 {
    let engine = Negacyclic::new(SIZE, Width::Bits128);
    let mut out = engine.zero();
    on_values(
        (count, SIZE),
        rng,
        (0, 1),
        |rng| rng.r#gen::<u128>(),
        |share| {
            engine.forward(share, black_box(&mut out));
        },
    )
}

/// From the transformed share to the coefficients of its product with a public mask.
fn product(count: usize, rng: &mut StdRng) -> f64 {
    let engine = Negacyclic::new(SIZE, Width::Bits128);
    let mut mask = engine.zero();
    engine.forward(&(0..SIZE).map(|_| rng.r#gen()).collect::<Vec<u128>>(), &mut mask);
    let (mut share, mut sum, mut out) = (engine.zero(), engine.zero(), vec![0; SIZE]);
    let zeros = vec![0; SIZE];
    let mut drawn = StdRng::from_rng(&mut *rng).expect("seeds");
    statistic(measure(count, rng, |class, _| {
        let random: Vec<u128> = (0..SIZE).map(|_| drawn.r#gen()).collect();
        engine.forward(if class == Class::Fixed { &zeros } else { &random }, &mut share);
        sum.clear();
        timed(|| {
            engine.multiply_add(&mut sum, &mask, black_box(&share));
            engine.inverse(&mut sum, black_box(&mut out));
        })
    }))
}

/// Private bits, and elements as reshared products are.
fn dealing(count: usize, rng: &mut StdRng, random: fn(&mut StdRng) -> Gr) -> f64 {
    let committee = Committee::new(7, 2).expect("allowed");
    let randomness = SecretStream::new(&[3; 32]);
    on_values((count, BITS), rng, (Gr::ZERO, Gr::ONE), random, |values| {
        let mut out = messages(committee, values.len());
        deal(committee, values.iter().copied(), &randomness, &mut out);
        black_box(out);
    })
}

#[test]
#[ignore = "measures time: npm run leakage"]
fn key_generation_takes_the_same_time_for_every_share() {
    assert_constant_time(&[
        ("transform of a key share", transform),
        ("product of a mask and a key share", product),
        ("dealing of bits", |count, rng| dealing(count, rng, |rng| Gr::scalar(rng.gen_range(0..2)))),
        ("dealing of elements", |count, rng| dealing(count, rng, |rng| Gr(rng.r#gen()))),
    ]);
}
