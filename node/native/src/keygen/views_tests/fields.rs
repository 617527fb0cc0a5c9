//! The view of a set of corrupt parties as fields, each of which must be uniform.
//!
//! Of points on one polynomial only those count that the corrupt parties' own points leave open; the checks see to the
//! rest. Some fields look for leaks. A guess of a shared value takes the corrupt shares for a sharing of lower degree. A guess
//! of a mask sums opened points so that all shared values cancel, whatever they are, since coefficients are public: what
//! is left is the mask alone, and again the corrupt points are taken for those of a lower degree.
use super::super::combination::{Combination, REPETITIONS};
use super::super::context::Purpose;
use super::super::message::{Outgoing, elements};
use super::run::Run;
use crate::ring::Gr;
use crate::ring::shamir::{dot, lagrange};
use crate::stream::SecretStream;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Input,
    InputGuess,
    Blind,
    Resharing,
    ResharingGuess,
    /// Values of the polynomials about honest dealers.
    DegreeValue,
    BlindGuess,
    ProductPoint,
    ZeroGuess,
}

/// Sums of the opened combinations in which all shared values cancel. They depend on the coin only.
pub struct Cancelling {
    by_dealer: Vec<Vec<Vec<Gr>>>,
    product: Vec<Vec<Gr>>,
}

impl Cancelling {
    pub fn of(run: &Run) -> Cancelling {
        let (context, coin) = (&run.context, run.coin());
        let (n, bits) = (context.committee.n(), context.bits);
        let dealer = |dealer: usize| {
            let stream = context.stream(&coin, Purpose::DegreeCoefficients, 0, &[dealer as u8]);
            let products = if dealer <= context.committee.quorum() { n - 1 } else { 0 };
            kernel(&stream, bits * (1 + products))
        };
        let stream = context.stream(&coin, Purpose::ProductCoefficients, 0, &[]);
        Cancelling {
            by_dealer: context.committee.parties().map(dealer).collect(),
            product: kernel(&stream, bits * (2 * n - 1)),
        }
    }
}

/// Two vectors κ with Σ_r κ_r · (coefficient of element e in combination r) = 0 for each of `count` elements.
fn kernel(stream: &SecretStream, count: usize) -> Vec<Vec<Gr>> {
    let mut rows: Vec<Vec<Gr>> = (0..count)
        .map(|e| {
            let mut combination = Combination::new(stream.clone());
            combination.extend((0..=e).map(|i| if i == e { Gr::ONE } else { Gr::ZERO }));
            combination.finish().to_vec()
        })
        .collect();
    let mut pivots = Vec::new();
    for e in 0..count {
        let unit = (0..REPETITIONS).find_map(|r| Some((r, rows[e][r].invert()?)));
        let (pivot, inverse) = unit.expect("coefficients are independent modulo 2");
        let scaled: Vec<Gr> = rows[e].iter().map(|&c| c * inverse).collect();
        for (other, row) in rows.iter_mut().enumerate() {
            let factor = row[pivot];
            if other != e {
                row.iter_mut().zip(&scaled).for_each(|(c, &s)| *c -= factor * s);
            }
        }
        rows[e] = scaled;
        pivots.push(pivot);
    }
    let free = (0..REPETITIONS).filter(|r| !pivots.contains(r)).take(2);
    free.map(|free| {
        let mut vector = vec![Gr::ZERO; REPETITIONS];
        vector[free] = Gr::ONE;
        pivots.iter().zip(&rows).for_each(|(&pivot, row)| vector[pivot] = -row[free]);
        vector
    })
    .collect()
}

/// All fields of the view of `corrupt`.
pub fn fields(run: &Run, cancelling: &Cancelling, corrupt: &[usize]) -> Vec<(Field, Gr)> {
    let committee = run.context.committee;
    let honest: Vec<usize> = committee.parties().filter(|p| !corrupt.contains(p)).collect();
    let mut out = Vec::new();
    shares(run, corrupt, &honest, &mut out);
    let points = |name: &str, p: usize| elements(&run.round(name)[p - 1].broadcast);
    let (t, as_if_lower) = (committee.t(), lagrange(corrupt, 0));

    let mut base = honest[..1].to_vec();
    base.extend(corrupt);
    let at_zero = lagrange(&base, 0);
    let degree: Vec<Vec<Gr>> = base.iter().map(|&p| points("degree-points", p)).collect();
    for &dealer in &honest {
        let lists: Vec<&[Gr]> =
            degree.iter().map(|list| &list[(dealer - 1) * REPETITIONS..][..REPETITIONS]).collect();
        let value = |r: usize| dot(&at_zero, &lists.iter().map(|list| list[r]).collect::<Vec<_>>());
        let values: Vec<Gr> = (0..REPETITIONS).map(value).collect();
        out.extend(values.iter().map(|&value| (Field::DegreeValue, value)));
        for vector in &cancelling.by_dealer[dealer - 1] {
            let own: Vec<Gr> = lists[1..].iter().map(|list| dot(vector, list)).collect();
            out.push((Field::BlindGuess, dot(vector, &values) - dot(&as_if_lower, &own)));
        }
    }

    let own: Vec<Vec<Gr>> = corrupt.iter().map(|&c| points("product-points", c)).collect();
    let mut with_zero = vec![0];
    with_zero.extend(corrupt);
    for &h in &honest[..t] {
        let list = points("product-points", h);
        out.extend(list.iter().map(|&point| (Field::ProductPoint, point)));
        let weights = lagrange(&with_zero, h);
        for vector in &cancelling.product {
            let known: Vec<Gr> = own.iter().map(|list| dot(vector, list)).collect();
            out.push((Field::ZeroGuess, dot(vector, &list) - dot(&weights[1..], &known)));
        }
    }
    out
}

/// Shares that corrupt parties received from honest ones.
fn shares(run: &Run, corrupt: &[usize], honest: &[usize], out: &mut Vec<(Field, Gr)>) {
    let as_if_lower = lagrange(corrupt, 0);
    let mut add = |field, guess: Option<Field>, lists: &[Vec<Gr>]| {
        out.extend(lists.iter().flatten().map(|&share| (field, share)));
        let Some(guess) = guess else { return };
        for e in 0..lists[0].len() {
            let column: Vec<Gr> = lists.iter().map(|list| list[e]).collect();
            out.push((guess, dot(&as_if_lower, &column)));
        }
    };
    for (round, sent) in &run.rounds {
        for &dealer in honest {
            let received = |sent: &Outgoing, c: usize| sent.private[c - 1].as_ref().map(|m| elements(m));
            let lists: Option<Vec<Vec<Gr>>> =
                corrupt.iter().map(|&c| received(&sent[dealer - 1], c)).collect();
            match lists {
                Some(mut lists) if round == "inputs" => {
                    let blinds: Vec<Vec<Gr>> =
                        lists.iter_mut().map(|list| list.split_off(run.context.bits)).collect();
                    add(Field::Input, Some(Field::InputGuess), &lists);
                    add(Field::Blind, None, &blinds);
                }
                Some(lists) if round.starts_with("level-") => {
                    add(Field::Resharing, Some(Field::ResharingGuess), &lists);
                }
                _ => {}
            }
        }
    }
}
