//! What t parties see in the bit phase and in its two openings can be made without the others' secrets (docs/keygen.md §7).
//!
//! Real runs, and runs of a simulator that never sees the private bits, are reduced to all random coefficients behind the
//! view of every set of t parties (`tape`), and both are held against the uniform distribution, one by one, in pairs and
//! all together (`statistics`). Labels are fixed, so results never change; over the choice of labels equal distributions
//! fail with probability below 2^-19 in a test. Broken implementations prove that a leak is seen.
mod broken;
mod dealt;
mod run;
mod simulator;
pub(in crate::keygen) mod statistics;
pub(in crate::keygen) mod tape;

use super::combination::REPETITIONS;
use super::message::elements;
use super::stage::Stage;
use super::table::{Turn, run as run_with};
use crate::ring::shamir::{dot, lagrange};
use crate::ring::{Committee, Gr, Subset};
use broken::{Broken, Seen, encoded};
use dealt::{Dealt, opened_values};
use rayon::prelude::*;
use run::{Run, context, real, unchanged};
use simulator::simulated;
use statistics::{Column, Sample, limit_of_kinds, limit_of_pairs, runs_for_relations};
use tape::{Kind, tape};
use zeroize::Zeroizing;

const BITS: usize = 2;
/// Runs that show a pair: its share is below 0.35 by chance, and 0.45 where nine of ten runs are broken.
const RUNS: usize = 200;

/// A committee, how many of the 32 sums of each check are looked at, and how many columns their tapes have.
struct Size {
    committee: Committee,
    repetitions: usize,
    columns: usize,
}

impl Size {
    fn new(n: usize, t: usize, repetitions: usize, columns: usize) -> Size {
        Size { committee: Committee::new(n, t).expect("allowed"), repetitions, columns }
    }

    /// All sets of t parties.
    fn sets(&self) -> Vec<Vec<usize>> {
        let outside = |set: Subset| self.committee.parties().filter(|&p| !set.contains(p)).collect();
        self.committee.subsets().into_iter().map(outside).collect()
    }
}

/// Whose views make a sample: of run i, that of the set i modulo their number.
struct Watch {
    sets: Vec<Vec<usize>>,
    runs: usize,
}

fn samples(size: &Size, watches: &[Watch], run: impl Fn(usize) -> Run + Sync) -> Vec<Sample> {
    const AT_ONCE: usize = 64;
    let mut samples: Vec<Sample> = watches.iter().map(|_| Sample::default()).collect();
    let count = watches.iter().map(|watch| watch.runs).max().unwrap_or_default();
    for first in (0..count).step_by(AT_ONCE) {
        let runs: Vec<(usize, Run)> =
            (first..count.min(first + AT_ONCE)).into_par_iter().map(|i| (i, run(i))).collect();
        samples.par_iter_mut().zip(watches).for_each(|(sample, watch)| {
            for (i, run) in runs.iter().filter(|(i, _)| *i < watch.runs) {
                let corrupt = &watch.sets[i % watch.sets.len()];
                sample.add(&run.inputs, &tape(run, corrupt, size.repetitions));
            }
        });
    }
    assert!(samples.iter().all(|sample| sample.width() == size.columns));
    samples
}

/// What is compared with the bounds of all comparisons of a test.
struct Measured {
    kinds: Vec<(Kind, u32, f64)>,
    pair: (f64, Column, Column),
    pairs: usize,
    runs: usize,
}

fn measure(sample: &Sample) -> Measured {
    let (runs, pairs) = (sample.runs(), sample.pairs());
    Measured { kinds: sample.kinds(), pair: sample.worst_pair(), pairs, runs }
}

/// Nothing is farther from the uniform distribution than it is by chance. Samples of real runs come before simulated ones.
fn assert_uniform(measured: &[Measured]) {
    let kinds = limit_of_kinds(measured.iter().map(|one| one.kinds.len()).sum());
    let pairs = measured.iter().map(|one| one.pairs).sum();
    for (i, Measured { kinds: chi_squares, pair: (share, a, b), runs, .. }) in measured.iter().enumerate() {
        for (kind, bit, chi_square) in chi_squares {
            assert!(*chi_square < kinds, "sample {i}: {kind:?}, bit {bit}: {chi_square} of {kinds}");
        }
        let limit = limit_of_pairs(pairs, *runs);
        assert!(*share < limit, "sample {i}: {a:?} and {b:?}: {share} of {limit}");
    }
}

/// All sets alone, `runs` of each; and all in turn, so often that a relation is seen.
fn watches(size: &Size, runs: usize) -> Vec<Watch> {
    let mut watches: Vec<Watch> =
        size.sets().into_iter().map(|corrupt| Watch { sets: vec![corrupt], runs }).collect();
    watches.push(Watch { sets: size.sets(), runs: runs_for_relations(size.columns) });
    watches
}

fn is_simulated(size: &Size, runs_of_a_set: usize, simulated_runs: usize) {
    let (committee, sets) = (size.committee, size.sets());
    let real = |i: usize| real(committee, BITS, &format!("real {i}"), &mut unchanged);
    let mut all = samples(size, &watches(size, runs_of_a_set), real);
    let simulated = |i: usize| simulated(committee, BITS, &sets[i % sets.len()], &format!("simulated {i}"));
    all.extend(samples(size, &[Watch { sets: sets.clone(), runs: simulated_runs }], simulated));
    for sample in all.iter().filter(|sample| sample.runs() >= runs_for_relations(size.columns)) {
        assert_eq!(sample.relation(), None);
    }
    assert_uniform(&all.iter().map(measure).collect::<Vec<Measured>>());
}

#[test]
fn the_view_of_any_of_four_parties_is_simulated_without_the_others_secrets() {
    let size = Size::new(4, 1, REPETITIONS, 1521);
    let runs = runs_for_relations(size.columns);
    is_simulated(&size, runs, runs);
}

#[test]
fn the_view_of_any_two_of_seven_parties_is_simulated_without_the_others_secrets() {
    let size = Size::new(7, 2, 2, 823);
    let simulated_runs = runs_for_relations(size.columns);
    is_simulated(&size, RUNS, simulated_runs);
}

fn sees(size: &Size, broken: Broken, seen: Seen) -> bool {
    let sets = vec![(1..=size.committee.t()).collect()];
    let runs = if seen == Seen::Relation { runs_for_relations(size.columns) } else { RUNS };
    let run = |i: usize| broken.run(size.committee, BITS, i);
    let sample = samples(size, &[Watch { sets, runs }], run).remove(0);
    // As strict as if all fields of a thousand sets were compared.
    match seen {
        Seen::Kind(kind) => {
            let kinds = sample.kinds();
            let limit = limit_of_kinds(1000 * kinds.len());
            kinds.iter().any(|&(of, _, chi_square)| of == kind && chi_square > limit)
        }
        Seen::Pair => sample.worst_pair().0 > limit_of_pairs(1000 * sample.pairs(), runs),
        Seen::Relation => sample.relation().is_some(),
    }
}

#[test]
fn the_statistics_see_every_broken_implementation() {
    let four = Size::new(4, 1, 3, 245);
    for (broken, seen) in Broken::ALL {
        assert!(sees(&four, broken, seen), "{broken:?} is not seen as a {seen:?}");
    }
    let seven = Size::new(7, 2, 2, 823);
    let where_degrees_matter = [Broken::LowDegree, Broken::LowZeros, Broken::OverlappingCoefficients];
    for (broken, seen) in Broken::ALL.into_iter().filter(|(broken, _)| where_degrees_matter.contains(broken))
    {
        assert!(sees(&seven, broken, seen), "{broken:?} is not seen as a {seen:?} by two of seven");
    }
}

/// Whatever is opened follows from the adversary's own choices, also when it cheats: an abort says nothing else.
#[test]
fn the_opened_value_is_known_to_whoever_lied() {
    for (n, t) in [(4, 1), (7, 2)] {
        let committee = Committee::new(n, t).expect("allowed");
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
