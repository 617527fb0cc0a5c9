//! What t parties see in the bit phase and in its two openings can be made without the others' secrets (docs/keygen.md §7).
//!
//! Real runs and runs of a simulator are compared by statistics of every field of the view, for every set of t parties,
//! with real ones taken apart by a bit of the key. Significance: equal distributions fail with probability 2^-20 over the
//! choice of labels, all comparisons of a test together. Broken variants prove that the statistics see a leak.
mod dealt;
mod fields;
mod run;
mod simulator;
mod statistics;

use super::combination::REPETITIONS;
use super::message::{elements, put_elements};
use super::stage::Stage;
use super::table::{Turn, run as run_with};
use crate::ring::shamir::{dot, evaluate, lagrange};
use crate::ring::{Committee, Gr, Subset};
use dealt::{Dealt, opened_values};
use fields::{Cancelling, Field, fields};
use rand::{Rng, SeedableRng, rngs::StdRng};
use rayon::prelude::*;
use run::{Hidden, Run, context, real};
use simulator::simulated;
use statistics::{Counts, Distance, distances, limit};
use zeroize::Zeroizing;

/// Few enough that 32 combinations of everything in a check leave some that cancel.
const BITS: usize = 2;
/// n, t, real runs, simulated runs of each set.
const SIZES: [(usize, usize, usize, usize); 2] = [(4, 1, 200, 80), (7, 2, 80, 40)];

fn committee(n: usize, t: usize) -> Committee {
    Committee::new(n, t).expect("allowed")
}

/// All sets of t parties.
fn corrupt_sets(committee: Committee) -> Vec<Vec<usize>> {
    let outside = |subset: Subset| committee.parties().filter(|&p| !subset.contains(p)).collect();
    committee.subsets().into_iter().map(outside).collect()
}

struct Sample {
    run: Run,
    hidden: Hidden,
    cancelling: Cancelling,
}

fn samples(committee: Committee, count: usize) -> Vec<Sample> {
    let sample = |i: usize| {
        let (run, hidden) = real(committee, BITS, &format!("real {i}"));
        Sample { cancelling: Cancelling::of(&run), run, hidden }
    };
    (0..count).into_par_iter().map(sample).collect()
}

/// Views of `corrupt` in real runs whose first key bit is `bit`, after `change`.
fn real_counts(
    samples: &[Sample],
    corrupt: &[usize],
    bit: bool,
    change: impl Fn(&mut Run, &Hidden, usize),
) -> Counts {
    let mut counts = Counts::default();
    for (i, sample) in samples.iter().enumerate().filter(|(_, sample)| sample.hidden.key_bit(0) == bit) {
        let mut run = sample.run.clone();
        change(&mut run, &sample.hidden, i);
        counts.add(&fields(&run, &sample.cancelling, corrupt));
    }
    counts
}

fn simulated_counts(committee: Committee, corrupt: &[usize], count: usize) -> Counts {
    let mut counts = Counts::default();
    for i in 0..count {
        let run = simulated(committee, BITS, corrupt, &format!("simulated {i} {corrupt:?}"));
        counts.add(&fields(&run, &Cancelling::of(&run), corrupt));
    }
    counts
}

#[test]
fn the_view_of_any_t_parties_is_simulated_without_the_others_secrets() {
    for (n, t, real_runs, simulated_runs) in SIZES {
        let committee = committee(n, t);
        let samples = samples(committee, real_runs);
        let sets = corrupt_sets(committee);
        let compared: Vec<Distance> = sets
            .par_iter()
            .flat_map_iter(|corrupt| {
                let simulated = simulated_counts(committee, corrupt, simulated_runs);
                let of = |bit| real_counts(&samples, corrupt, bit, |_, _, _| {});
                [false, true].map(|bit| distances(&of(bit), &simulated)).concat()
            })
            .collect();
        let bound = limit(compared.len());
        let largest = compared.iter().max_by(|a, b| a.chi_square.total_cmp(&b.chi_square)).expect("fields");
        let Distance { field, bit, chi_square } = *largest;
        println!("{n}/{t}: {} comparisons below {bound:.0}, largest {chi_square:.0}", compared.len());
        assert!(chi_square < bound, "{n}/{t}: {field:?}, bit {bit}");
    }
}

/// What a broken implementation would send, made from what the real one sends.
#[derive(Clone, Copy, Debug)]
enum Broken {
    /// Honest inputs are dealt with degree t - 1.
    LowDegree,
    NoBlinds,
    NoZeros,
    /// Zeros of degree t instead of 2t.
    LowZeros,
}

impl Broken {
    fn apply(self, run: &mut Run, hidden: &Hidden, committee: Committee, seed: usize) {
        let mut rng = StdRng::seed_from_u64(seed as u64);
        let mut uniform = |count: usize| (0..count).map(|_| Gr(rng.r#gen())).collect::<Vec<Gr>>();
        match self {
            Broken::LowDegree => {
                for (sent, values) in run.round_mut("inputs").iter_mut().zip(&hidden.inputs) {
                    let coefficients: Vec<Vec<Gr>> =
                        values.iter().map(|_| uniform(committee.t() - 1)).collect();
                    for (q, message) in sent.private.iter_mut().enumerate() {
                        let mut list = elements(message.as_ref().expect("a private round"));
                        for (e, &value) in values.iter().enumerate() {
                            list[e] = evaluate(value, &coefficients[e], q + 1);
                        }
                        *message = Some(Zeroizing::new(encoded(&list)));
                    }
                }
            }
            Broken::NoBlinds => subtract(run, "degree-points", |party| hidden.blinds[party - 1].concat()),
            Broken::NoZeros => subtract(run, "product-points", |party| hidden.zeros[party - 1].clone()),
            Broken::LowZeros => {
                let lower: Vec<Vec<Gr>> = (0..REPETITIONS).map(|_| uniform(committee.t())).collect();
                subtract(run, "product-points", |party| {
                    let zeros = hidden.zeros[party - 1].iter().zip(&lower);
                    zeros.map(|(&zero, lower)| zero - evaluate(Gr::ZERO, lower, party)).collect()
                });
            }
        }
    }
}

fn subtract(run: &mut Run, round: &str, masks: impl Fn(usize) -> Vec<Gr>) {
    for (p, sent) in run.round_mut(round).iter_mut().enumerate() {
        let points = elements(&sent.broadcast);
        let list: Vec<Gr> = points.iter().zip(masks(p + 1)).map(|(&point, mask)| point - mask).collect();
        sent.broadcast = encoded(&list);
    }
}

fn encoded(list: &[Gr]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_elements(&mut bytes, list);
    bytes
}

#[test]
fn the_statistics_see_every_broken_variant() {
    for (n, t, real_runs, simulated_runs) in SIZES {
        let committee = committee(n, t);
        let samples = samples(committee, real_runs);
        let corrupt = &corrupt_sets(committee)[n - 1];
        let simulated = simulated_counts(committee, corrupt, simulated_runs);
        for (broken, seen) in [
            (Broken::LowDegree, Field::InputGuess),
            (Broken::NoBlinds, Field::BlindGuess),
            (Broken::NoZeros, Field::ZeroGuess),
            (Broken::LowZeros, Field::ZeroGuess),
        ] {
            let change = |run: &mut Run, hidden: &Hidden, i| broken.apply(run, hidden, committee, i);
            let compared = distances(&real_counts(&samples, corrupt, true, change), &simulated);
            // As strict as if all fields of a thousand sets were compared.
            let bound = limit(1000 * compared.len());
            let leak = compared.iter().find(|d| d.field == seen && d.chi_square > bound);
            assert!(leak.is_some(), "{n}/{t} {broken:?} is not seen in {seen:?}: {compared:?}");
        }
    }
}

/// Whatever is opened follows from the adversary's own choices, also when it cheats: an abort says nothing else.
#[test]
fn the_opened_value_is_known_to_whoever_lied() {
    for (n, t, _, _) in SIZES {
        let committee = committee(n, t);
        let honest: Vec<usize> = (t + 1..=n).collect();
        for (attempt, error) in [Gr::ZERO, Gr::ONE, Gr([3, 1 << 126, 0, 9])].into_iter().enumerate() {
            let mut dealt: Vec<Dealt> = (1..=t).map(|c| Dealt::nothing(c, &honest)).collect();
            let mut compared = 0;
            run_with(committee, BITS, &format!("liar {attempt}"), &mut |turn: &mut Turn<'_>| {
                if turn.round == "inputs" || turn.round == "level-1" {
                    lie(turn, error);
                }
                for (dealt, sent) in dealt.iter_mut().zip(turn.messages.iter()) {
                    dealt.take(turn.round, BITS, sent);
                }
                if let (Stage::ProductPoints(round), "product-points") = (&turn.corrupt[0], turn.round) {
                    let own = turn.corrupt.iter().map(|stage| match stage {
                        Stage::ProductPoints(round) => &round.dealings,
                        _ => panic!("all are in the same round"),
                    });
                    let corrupt: Vec<_> = dealt.iter().zip(own).collect();
                    let want = opened_values(&context(committee, BITS, 1), &round.coin, &corrupt);
                    assert_eq!(opened(committee, turn), want);
                    assert_eq!(want == [Gr::ZERO; REPETITIONS], error == Gr::ZERO);
                    compared += 1;
                }
            });
            assert_eq!(compared, 1, "{n}/{t}");
        }
    }
}

/// Adds an error to the first value that party 1 deals in this round: a non-bit, or a wrong product.
fn lie(turn: &mut Turn<'_>, error: Gr) {
    for message in turn.messages[0].private.iter_mut().flatten() {
        let mut list = elements(message);
        list[0] += error;
        *message = Zeroizing::new(encoded(&list));
    }
}

/// What the honest points open to.
fn opened(committee: Committee, turn: &Turn<'_>) -> [Gr; REPETITIONS] {
    let base: Vec<usize> = (committee.t() + 1..=3 * committee.t() + 1).collect();
    let weights = lagrange(&base, 0);
    let lists: Vec<Vec<Gr>> = turn.honest_broadcasts[..base.len()].iter().map(|b| elements(b)).collect();
    std::array::from_fn(|r| dot(&weights, &lists.iter().map(|list| list[r]).collect::<Vec<_>>()))
}
