//! Does the time of a kernel depend on the secret? Fixed against random secrets, interleaved at random, Welch's t.
//!
//! `npm run leakage` (or `TWINLOCK_LEAKAGE=short` for a quick one). A kernel leaks if the median over the runs of its
//! largest |t| exceeds the limit. A control that leaks on purpose, by one cheap branch for one share in 64, must exceed it:
//! a test too blunt to see that one fails as well.
//!
//! Machines that do other work at the same time disturb single attempts, in both directions. So the control sets how many calls
//! are made of each kernel, and a kernel leaks where every one of a few attempts says so: a dependence on the secret is there
//! each time.

use super::mask_keys::MaskKeys;
use super::packed_form::{self, Halving};
use super::raw_form::{self, Order};
use super::share::{ShareKey, ShareRequest, decryption_share};
use crate::ring::committee::Committee;
use crate::ring::element::Gr;
use crate::ring::key_share::{KeyShare, NS_BITS, NSC_BITS};
use crate::ring::prss::PrssKeys;
use crate::word_format::{WORD_BYTES, WordFormat};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::hint::black_box;
use std::time::Instant;

/// Customary for this test: beyond 4.5 a difference is suspected, and several cuts are looked at here.
const LIMIT: f64 = 5.0;
/// What part of the fastest measurements is looked at: interruptions by others make the slowest ones useless.
const CUTS: [f64; 6] = [0.05, 0.2, 0.4, 0.6, 0.8, 0.95];
/// Different secrets per class.
pub(crate) const POOL: usize = 16;
/// Blocks of the words under a kernel.
const BLOCKS: usize = 8;
/// After so many attempts that say that a kernel leaks it does.
const ATTEMPTS: usize = 3;
/// Times the least number of calls that the control may take to be caught; kernels are then called as often.
const STEPS: [usize; 5] = [1, 2, 4, 8, 16];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Fixed,
    Random,
}

/// Nanoseconds of one call, by class.
pub(crate) type Samples = Vec<(Class, f64)>;

/// The largest |t| of so many calls.
pub(crate) type Kernel = fn(usize, &mut StdRng) -> f64;

pub(crate) fn measure(count: usize, rng: &mut StdRng, mut call: impl FnMut(Class, usize) -> f64) -> Samples {
    (0..count + count / 10)
        .map(|_| {
            let class = if rng.r#gen() { Class::Fixed } else { Class::Random };
            (class, call(class, rng.gen_range(0..POOL)))
        })
        .skip(count / 10) // the first ones warm up
        .collect()
}

pub(crate) fn timed<T>(kernel: impl FnOnce() -> T) -> f64 {
    let clock = Instant::now();
    black_box(kernel());
    clock.elapsed().as_nanos() as f64
}

fn welch(samples: &[(Class, f64)]) -> f64 {
    let moments = |class: Class| {
        let times = || samples.iter().filter(move |(c, _)| *c == class).map(|(_, time)| time);
        let count = times().count() as f64;
        let mean = times().sum::<f64>() / count;
        (mean, times().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0) / count)
    };
    let ((fixed, fixed_error), (random, random_error)) = (moments(Class::Fixed), moments(Class::Random));
    (fixed - random) / (fixed_error + random_error).sqrt()
}

/// The largest |t| over the cuts.
pub(crate) fn statistic(mut samples: Samples) -> f64 {
    samples.sort_by(|a, b| a.1.total_cmp(&b.1));
    let cut = |part: f64| {
        // whole ties: a cut between equal times would sort by class
        let last = samples[(samples.len() as f64 * part) as usize].1;
        welch(&samples[..samples.partition_point(|(_, time)| *time <= last)]).abs()
    };
    CUTS.iter().map(|&part| cut(part)).filter(|t| t.is_finite()).fold(0.0, f64::max)
}

/// The kernel on a working copy of the secret: both classes are read from the same addresses.
fn on_shares(count: usize, bits: usize, rng: &mut StdRng, kernel: impl Fn(&[Gr])) -> f64 {
    // zero shares: what a skipped product or a short addition would be fastest for; written, since fresh zeros from the
    // system are all one page, and the copy below would leave another cache behind
    let mut fixed = vec![vec![Gr::ONE; bits]; POOL];
    black_box(&mut fixed).iter_mut().for_each(|shares| shares.fill(Gr::ZERO));
    let random: Vec<Vec<Gr>> = (0..POOL).map(|_| (0..bits).map(|_| Gr(rng.r#gen())).collect()).collect();
    let mut work = vec![Gr::ZERO; bits];
    statistic(measure(count, rng, |class, at| {
        let pool = if class == Class::Fixed { &fixed } else { &random };
        work.copy_from_slice(black_box(&pool[at]));
        timed(|| kernel(black_box(&work)))
    }))
}

fn words(format: WordFormat, blocks: usize, rng: &mut StdRng) -> Vec<u8> {
    let mut words = vec![0; format.byte_length(blocks)];
    rng.fill(&mut words[..]);
    words
}

fn raw(count: usize, rng: &mut StdRng, order: Order) -> f64 {
    let words = words(WordFormat::Raw, 1, rng);
    on_shares(count, NS_BITS, rng, |shares| drop(black_box(raw_form::phases(&words, shares, order))))
}

fn packed(count: usize, rng: &mut StdRng, halving: Halving) -> f64 {
    let words = words(WordFormat::Packed, BLOCKS, rng);
    on_shares(count, NSC_BITS, rng, |shares| {
        drop(black_box(packed_form::phases(&words, shares, halving)));
    })
}

/// From keys of the sets to masks, HKDF's expansion and AES's key schedule included.
fn masks(count: usize, rng: &mut StdRng) -> f64 {
    let committee = Committee::new(7, 2).unwrap();
    let sets = committee.subsets_with(1).len();
    let fixed: Vec<Vec<[u8; 32]>> = (0..POOL).map(|_| vec![[0; 32]; sets]).collect();
    let random: Vec<Vec<[u8; 32]>> = (0..POOL).map(|_| (0..sets).map(|_| rng.r#gen()).collect()).collect();
    statistic(measure(count, rng, |class, at| {
        let pool = if class == Class::Fixed { &fixed } else { &random };
        // made anew each time: kept ones would lie at addresses of their class
        let keys = MaskKeys::new(&PrssKeys::new(committee, 1, black_box(&pool[at]).clone()).unwrap());
        let mut values = [Gr::ZERO; BLOCKS];
        timed(|| black_box(&keys).add_masks(black_box(&[7; 32]), &mut values, false))
    }))
}

/// All that a key share goes through until a share leaves: both passes, their masks and the comparison.
fn whole_share(count: usize, rng: &mut StdRng) -> f64 {
    let words = words(WordFormat::Packed, BLOCKS, rng);
    let committee = Committee::new(7, 2).unwrap();
    let sets = committee.subsets_with(1).len();
    type Secret = (Vec<Gr>, Vec<Gr>, Vec<[u8; 32]>);
    let fixed: Vec<Secret> = (0..POOL)
        .map(|_| {
            let mut secret = (vec![Gr::ONE; NS_BITS], vec![Gr::ONE; NSC_BITS], vec![[1; 32]; sets]);
            let (ns, nsc, keys) = black_box(&mut secret);
            ns.fill(Gr::ZERO);
            nsc.fill(Gr::ZERO);
            keys.fill([0; 32]);
            secret
        })
        .collect();
    let mut bits = |count: usize| (0..count).map(|_| Gr(rng.r#gen())).collect::<Vec<_>>();
    let halves: Vec<_> = (0..POOL).map(|_| (bits(NS_BITS), bits(NSC_BITS))).collect();
    let random: Vec<Secret> =
        halves.into_iter().map(|(ns, nsc)| (ns, nsc, (0..sets).map(|_| rng.r#gen()).collect())).collect();
    let request = ShareRequest { words: &words, format: WordFormat::Packed, session: &[7; 32] };
    statistic(measure(count, rng, |class, at| {
        let pool = if class == Class::Fixed { &fixed } else { &random };
        let (ns, nsc, keys) = black_box(&pool[at]).clone();
        let prss = PrssKeys::new(committee, 1, keys).unwrap();
        let key = ShareKey::new(KeyShare::new(ns, nsc, prss).unwrap());
        timed(|| decryption_share(black_box(&key), request).unwrap())
    }))
}

/// An inner product that does a little more work where the top bit of every 64th share is set.
fn control(count: usize, rng: &mut StdRng) -> f64 {
    let words = words(WordFormat::Raw, 1, rng);
    on_shares(count, NS_BITS, rng, |shares| {
        let mut sum = Gr::ZERO;
        for (j, (share, word)) in shares.iter().zip(words.chunks_exact(WORD_BYTES)).enumerate() {
            let word = u128::from_le_bytes(word.try_into().unwrap());
            sum += share.scale(word);
            if j % 64 == 0 && share.0[0] >> 127 == 1 {
                sum = black_box(sum).scale(black_box(word | 1));
            }
        }
        black_box(sum);
    })
}

/// Fails where a kernel leaks, and where the control is not caught.
pub(crate) fn assert_constant_time(kernels: &[(&str, Kernel)]) {
    let (runs, least) = match std::env::var("TWINLOCK_LEAKAGE").as_deref() {
        Ok("short") => (5, 2_000),
        _ => (9, 20_000),
    };
    let mut rng = StdRng::from_entropy();
    let mut judge = |name: &str, kernel: Kernel, count: usize| {
        let mut found: Vec<f64> = (0..runs).map(|_| kernel(count, &mut rng)).collect();
        found.sort_by(f64::total_cmp);
        let median = found[runs / 2];
        let (smallest, largest) = (found[0], found[runs - 1]);
        println!(
            "{name}, {count} calls: |t| median {median:.2}, smallest {smallest:.2}, largest {largest:.2}"
        );
        median > LIMIT
    };
    // how many calls it takes to see a leak depends on the machine's noise
    let count = STEPS
        .map(|times| times * least)
        .into_iter()
        .find(|&count| judge("control that leaks", control, count));
    let count = count.expect("the control was not caught: this run could not have seen a leak");
    let leaks: Vec<&str> = kernels
        .iter()
        .filter(|(name, kernel)| (0..ATTEMPTS).all(|_| judge(name, *kernel, count)))
        .map(|(name, _)| *name)
        .collect();
    assert!(leaks.is_empty(), "time depends on the secret: {leaks:?}");
}

#[test]
#[ignore = "measures time: npm run leakage"]
fn kernels_take_the_same_time_for_every_secret_and_the_control_does_not() {
    assert_constant_time(&[
        ("raw form, forward", |count, rng| raw(count, rng, Order::Forward)),
        ("raw form, backward", |count, rng| raw(count, rng, Order::Backward)),
        ("packed form, sums", |count, rng| packed(count, rng, Halving::Sums)),
        ("packed form, differences", |count, rng| packed(count, rng, Halving::Differences)),
        ("masks of 15 sets", masks),
        ("a whole decryption share", whole_share),
    ]);
}

#[test]
fn the_statistic_sees_a_shift_and_not_its_absence() {
    let mut rng = StdRng::seed_from_u64(5);
    let samples = |shift: f64, rng: &mut StdRng| {
        let noise = |rng: &mut StdRng| (0..12).map(|_| rng.gen_range(0.0..10.0)).sum::<f64>();
        let mut samples = Vec::new();
        for at in 0..20_000 {
            let class = if at % 2 == 0 { Class::Fixed } else { Class::Random };
            let late = if at % 50 == 0 { 1000.0 } else { 0.0 };
            let own = if class == Class::Random { shift } else { 0.0 };
            samples.push((class, noise(rng) + late + own));
        }
        statistic(samples)
    };
    assert!(samples(0.0, &mut rng) < LIMIT);
    assert!(samples(2.0, &mut rng) > LIMIT);
}
