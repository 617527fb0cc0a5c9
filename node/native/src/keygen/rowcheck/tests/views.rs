//! What t parties see of the row check can be made from the opened sums V (docs/keygen.md §7).
//!
//! As in `views_tests`, real and simulated views are reduced to the randomness behind them, and both are held against the
//! uniform distribution. One opening has thousands of elements: two side by side and one 512 further, of two parts of the
//! key, make one of many samples.
use super::super::super::views_tests::statistics::{Sample, limit_of_kinds, limit_of_pairs};
use super::super::super::views_tests::tape::{Kind, Place, Tape, interpolation};
use super::PartId;
use super::opening::{Elements, Opening, Scene};
use crate::keygen::negacyclic::Width;
use crate::ring::Gr;
use crate::ring::shamir::{dot, lagrange};

/// Of degree 2t modulo 2^64, of degree t modulo 2^128.
const PARTS: [PartId; 2] = [PartId::Bootstrapping, PartId::SquashedCompression];
/// Elements that are cut into samples together.
const BLOCK: usize = 1024;

/// Committees with sets of corrupt parties: neighbours, whom one dealer sends two seeds, and others.
fn cases() -> Vec<(Scene, Vec<Vec<usize>>)> {
    let four = (1..=4).map(|c| vec![c]).collect();
    let seven = vec![vec![1, 2], vec![1, 7], vec![3, 6]];
    vec![(Scene::new(4, 1, &PARTS), four), (Scene::new(7, 2, &PARTS), seven)]
}

/// What the distinguisher knows beside a view.
struct Known {
    /// By party: its shares of the sums without noise.
    shares: Vec<Elements>,
    /// V.
    values: Elements,
}

impl Known {
    fn of(scene: &Scene, real: &Opening) -> Known {
        let all = || scene.committee().parties();
        let share =
            |p: usize| all().fold(real.points[p - 1].clone(), |rest, d| minus(rest, noise(real, d, p)));
        let value = |s: usize| {
            let base: Vec<usize> = (1..=scene.degree(s) + 1).collect();
            at(&lagrange(&base, 0), &base, |p| &real.points[p - 1][s])
        };
        Known { shares: all().map(share).collect(), values: (0..PARTS.len()).map(value).collect() }
    }
}

fn noise(opening: &Opening, dealer: usize, receiver: usize) -> &Elements {
    opening.noise[dealer - 1][receiver - 1].as_ref().expect("a corrupt party's message")
}

fn minus(mut a: Elements, b: &Elements) -> Elements {
    a.iter_mut().flatten().zip(b.iter().flatten()).for_each(|(a, &b)| *a -= b);
    a
}

/// By element: the weighted sum over `parties`.
fn at<'a>(weights: &[Gr], parties: &[usize], list: impl Fn(usize) -> &'a Vec<Gr>) -> Vec<Gr> {
    let lists: Vec<&Vec<Gr>> = parties.iter().map(|&p| list(p)).collect();
    let element = |e: usize| dot(weights, &lists.iter().map(|list| list[e]).collect::<Vec<Gr>>());
    (0..lists[0].len()).map(element).collect()
}

/// By element.
struct Randomness {
    /// The points of noise that corrupt parties got, and the coefficients beyond Z^t of all noise that is not theirs.
    uniform: Vec<(Place, Vec<Gr>)>,
    /// By section: the sum of all noise that is not theirs, which is uniform in its low bits only.
    values: Elements,
}

fn randomness(scene: &Scene, known: &Known, opening: &Opening, corrupt: &[usize]) -> Randomness {
    let (committee, t) = (scene.committee(), scene.committee().t());
    let (mut out, mut values) = (Vec::new(), Vec::new());
    for s in 0..PARTS.len() {
        for dealer in committee.parties() {
            for &c in corrupt {
                let place = Place { kind: Kind::RowNoise, dealer, element: s, power: c };
                out.push((place, noise(opening, dealer, c)[s].clone()));
            }
        }
        let base: Vec<usize> = (1..=scene.degree(s) + 1).collect();
        let hidden: Vec<Elements> = base
            .iter()
            .map(|&p| {
                let all = minus(opening.points[p - 1].clone(), &known.shares[p - 1]);
                corrupt.iter().fold(all, |rest, &c| minus(rest, noise(opening, c, p)))
            })
            .collect();
        let coefficients = interpolation(&base);
        values.push(at(&coefficients[0], &base, |p| &hidden[p - 1][s]));
        for (power, weights) in coefficients.iter().enumerate().skip(t + 1) {
            let place = Place { kind: Kind::HiddenRowNoise, dealer: 0, element: s, power };
            out.push((place, at(weights, &base, |p| &hidden[p - 1][s])));
        }
        if scene.sections[s].part.part().width == Width::Bits64 {
            let start = out.iter().position(|(place, _)| place.element == s).unwrap_or_default();
            out[start..]
                .iter_mut()
                .flat_map(|(_, list)| list)
                .for_each(|element| *element = doubled(*element));
        }
    }
    Randomness { uniform: out, values }
}

/// Words of 64 bits in both halves.
fn doubled(element: Gr) -> Gr {
    Gr(element.0.map(|word| word << 64 | word & u128::from(u64::MAX)))
}

fn sampled(scene: &Scene, known: &Known, opening: &Opening, corrupt: &[usize]) -> Sample {
    let Randomness { uniform, values } = randomness(scene, known, opening, corrupt);
    let count = values.iter().map(Vec::len).min().expect("parts");
    let mut sample = Sample::default();
    for first in (0..count / BLOCK).flat_map(|b| (b * BLOCK..).step_by(2).take(BLOCK / 4)) {
        let elements = [first, first + 1, first + BLOCK / 2];
        let mut tape = Tape::new();
        for (place, list) in &uniform {
            for (k, &e) in elements.iter().enumerate() {
                tape.push((Place { element: 3 * place.element + k, ..*place }, list[e]));
            }
        }
        let values: Vec<Vec<Gr>> =
            values.iter().map(|list| elements.iter().map(|&e| list[e]).collect()).collect();
        sample.add(&values, &tape);
    }
    sample
}

/// Whether any of the tests that are made of `times` samples sees this one.
fn seen(sample: &Sample, times: usize) -> Option<String> {
    let kinds = sample.kinds();
    let limit = limit_of_kinds(times * kinds.len());
    if let Some(kind) = kinds.iter().find(|(_, _, chi_square)| *chi_square > limit) {
        return Some(format!("{kind:?} of {limit}"));
    }
    let pair = sample.worst_pair();
    let limit = limit_of_pairs(times * sample.pairs(), sample.runs());
    if pair.0 > limit {
        return Some(format!("{pair:?} of {limit}"));
    }
    sample.relation().map(|column| format!("{column:?} follows from others"))
}

#[test]
fn the_opening_of_the_rows_is_simulated_from_the_sums_alone() {
    for (scene, sets) in cases() {
        let real = scene.real();
        let known = Known::of(&scene, &real);
        for corrupt in &sets {
            let simulated = scene.simulated(corrupt, &known.values);
            for (opening, what) in [(&real, "real"), (&simulated, "simulated")] {
                let sample = sampled(&scene, &known, opening, corrupt);
                assert_eq!(seen(&sample, 2 * sets.len()), None, "{what} {corrupt:?}");
            }
        }
    }
}

/// What broken implementations would deal, all else being as it is.
#[derive(Clone, Copy, Debug)]
enum Broken {
    /// Every receiver gets the noise itself.
    NotShared,
    /// Degree t where the sums have degree 2t.
    LowDegree,
    /// Every second element is shared with the polynomial of that before.
    OnePolynomialForTwoElements,
    /// Every run of 512 elements is shared with the same polynomials.
    OnePolynomialForTwoBatches,
}

impl Broken {
    /// The points of one dealer's noise.
    fn change(self, scene: &Scene, s: usize, points: &mut [&mut Vec<Gr>]) {
        let t = scene.committee().t();
        let base: Vec<usize> = (1..=scene.degree(s) + 1).collect();
        let rows = interpolation(&base);
        let coefficients: Vec<Vec<Gr>> = rows.iter().map(|row| at(row, &base, |p| &*points[p - 1])).collect();
        let old: Vec<Vec<Gr>> = points.iter().map(|list| list.to_vec()).collect();
        for (q, list) in points.iter_mut().enumerate() {
            let lifted = |e: usize| old[q][e] - coefficients[0][e];
            for (e, point) in list.iter_mut().enumerate() {
                let value = coefficients[0][e];
                *point = match self {
                    Broken::NotShared => value,
                    Broken::LowDegree => coefficients[..=t]
                        .iter()
                        .rev()
                        .fold(Gr::ZERO, |sum, list| sum.mul_alpha(q + 1) + list[e]),
                    Broken::OnePolynomialForTwoElements => value + lifted(e - e % 2),
                    Broken::OnePolynomialForTwoBatches => value + lifted(e % (BLOCK / 2)),
                };
            }
        }
    }

    fn opening(self, scene: &Scene, real: &Opening, corrupt: &[usize]) -> Opening {
        let mut opening = real.clone();
        for dealer in scene.committee().parties().filter(|d| !corrupt.contains(d)) {
            let mut dealt: Vec<&mut Elements> = opening.noise[dealer - 1].iter_mut().flatten().collect();
            for s in 0..PARTS.len() {
                let mut points: Vec<&mut Vec<Gr>> = dealt.iter_mut().map(|own| &mut own[s]).collect();
                self.change(scene, s, &mut points);
            }
            for (q, points) in opening.points.iter_mut().enumerate() {
                let less = minus(noise(real, dealer, q + 1).clone(), dealt[q]);
                *points = minus(std::mem::take(points), &less);
            }
        }
        opening
    }
}

#[test]
fn the_statistics_see_every_broken_noise() {
    for (scene, sets) in cases() {
        let real = scene.real();
        let known = Known::of(&scene, &real);
        for broken in [
            Broken::NotShared,
            Broken::LowDegree,
            Broken::OnePolynomialForTwoElements,
            Broken::OnePolynomialForTwoBatches,
        ] {
            let opening = broken.opening(&scene, &real, &sets[0]);
            let sample = sampled(&scene, &known, &opening, &sets[0]);
            let seen = seen(&sample, 1000);
            println!("{broken:?}: {seen:?}");
            assert!(seen.is_some(), "{broken:?}");
        }
    }
}
