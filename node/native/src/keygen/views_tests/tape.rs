//! All randomness of the honest parties that stands behind a view, computed from the view and the private bits.
//!
//! Given the bits, view and tape say the same: shares and opened points are linear in the random coefficients of the
//! sharings, and the coin that weighs them is public. So a view is simulated without the bits exactly if the tape is
//! uniform whatever the bits are: every coefficient, and all of them together. What corrupt parties drew themselves is on
//! the tape as well, so that a relation to it is seen, too.
use super::super::combination::Combination;
use super::super::context::Purpose;
use super::super::message::elements;
use super::run::Run;
use crate::ring::prss::subset_factor;
use crate::ring::shamir::{dot, evaluate, lagrange};
use crate::ring::{Committee, Gr, Subset};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Input,
    Blind,
    Resharing,
    /// Of the shared zero of a product point.
    Zero,
    /// Of that part of it whose replicated key no corrupt party holds.
    HiddenZero,
    /// A point of the row check's noise (`rowcheck::tests::views`).
    RowNoise,
    /// Of the sum of all noise, where its degree is 2t.
    HiddenRowNoise,
}

/// Where an element of the tape comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub kind: Kind,
    /// 0 where all parties make it together.
    pub dealer: usize,
    /// Its number among the dealer's elements of the kind.
    pub element: usize,
    /// The coefficient of Z^power.
    pub power: usize,
}

pub type Tape = Vec<(Place, Gr)>;

/// Values at the secret's point and at those of the corrupt parties: t + 1 points of a polynomial of degree t.
type Shared = Vec<Gr>;

/// Row k makes the coefficient of Z^k from the values at the points of `base`.
pub fn interpolation(base: &[usize]) -> Vec<Vec<Gr>> {
    let mut rows = vec![Vec::new(); base.len()];
    for &i in base {
        let mut polynomial = vec![Gr::ONE];
        for &j in base.iter().filter(|&&j| j != i) {
            let inverse = (Gr::alpha(i) - Gr::alpha(j)).invert().expect("distinct points");
            polynomial.insert(0, Gr::ZERO);
            for k in 0..polynomial.len() - 1 {
                let next = polynomial[k + 1];
                polynomial[k] -= next.mul_alpha(j);
            }
            polynomial.iter_mut().for_each(|c| *c = *c * inverse);
        }
        rows.iter_mut().zip(polynomial).for_each(|(row, c)| row.push(c));
    }
    rows
}

struct View<'a> {
    run: &'a Run,
    corrupt: &'a [usize],
    /// By party: its point from a [`Shared`].
    at: Vec<Vec<Gr>>,
    coefficients: Vec<Vec<Gr>>,
    tape: Tape,
}

/// The tape behind what `corrupt` see, of the first `repetitions` of each check.
pub fn tape(run: &Run, corrupt: &[usize], repetitions: usize) -> Tape {
    let base = [&[0], corrupt].concat();
    let at = run.context.committee.parties().map(|p| lagrange(&base, p)).collect();
    let mut view = View { run, corrupt, at, coefficients: interpolation(&base), tape: Vec::new() };
    let wires = view.wires();
    view.blinds(&wires, repetitions);
    view.zeros(&wires, repetitions);
    view.tape
}

/// The values that the bit phase shares.
struct Wires {
    /// The inputs, then per product the product and the XOR; by bit.
    nodes: Vec<Vec<Shared>>,
    /// Left factor, right factor, product.
    products: Vec<(usize, usize, usize)>,
    /// By dealer: the values of everything that it dealt, in order.
    dealt: Vec<Vec<Gr>>,
}

impl View<'_> {
    fn committee(&self) -> Committee {
        self.run.context.committee
    }

    fn bits(&self) -> usize {
        self.run.context.bits
    }

    fn at(&self, party: usize, value: &[Gr]) -> Gr {
        dot(&self.at[party - 1], value)
    }

    /// Sharings of `secrets` by what the corrupt parties received in a round from their element `first` on.
    fn sharings(&self, dealer: usize, round: &str, first: usize, secrets: &[Gr]) -> Vec<Shared> {
        let sent = &self.run.round(round)[dealer - 1];
        let received = |&c: &usize| elements(sent.private[c - 1].as_ref().expect("a private round"));
        let lists: Vec<Vec<Gr>> = self.corrupt.iter().map(received).collect();
        let sharing = |(e, &secret): (usize, &Gr)| {
            [secret].into_iter().chain(lists.iter().map(|list| list[first + e])).collect()
        };
        secrets.iter().enumerate().map(sharing).collect()
    }

    /// Notes the coefficients from Z^`from` on.
    fn note(&mut self, kind: Kind, dealer: usize, first: usize, sharings: &[Shared], from: usize) {
        for (e, sharing) in sharings.iter().enumerate() {
            for (power, row) in self.coefficients.iter().enumerate().skip(from) {
                let place = Place { kind, dealer, element: first + e, power };
                self.tape.push((place, dot(row, sharing)));
            }
        }
    }

    fn wires(&mut self) -> Wires {
        let (committee, bits) = (self.committee(), self.bits());
        let mut dealt = self.run.inputs.clone();
        let mut nodes = Vec::new();
        for dealer in committee.parties() {
            let sharings = self.sharings(dealer, "inputs", 0, &dealt[dealer - 1]);
            self.note(Kind::Input, dealer, 0, &sharings, 1);
            nodes.push(sharings);
        }
        let resharers: Vec<usize> = (1..=committee.quorum()).collect();
        let lambda = lagrange(&resharers, 0);
        let mut products = Vec::new();
        let mut live: Vec<usize> = (0..committee.n()).collect();
        for level in 0.. {
            let pairs = live.len() / 2;
            let mut next = Vec::new();
            for i in 0..pairs {
                let (left, right) = (live[i], live[live.len() - 1 - i]);
                let mut product = vec![vec![Gr::ZERO; committee.t() + 1]; bits];
                for &dealer in &resharers {
                    let local = |e: usize| {
                        let (x, y) = (self.at(dealer, &nodes[left][e]), self.at(dealer, &nodes[right][e]));
                        lambda[dealer - 1] * (x * y)
                    };
                    let secrets: Vec<Gr> = (0..bits).map(local).collect();
                    let sharings = self.sharings(dealer, &format!("level-{level}"), i * bits, &secrets);
                    self.note(Kind::Resharing, dealer, products.len() * bits, &sharings, 1);
                    product.iter_mut().zip(&sharings).for_each(|(sum, sharing)| {
                        sum.iter_mut().zip(sharing).for_each(|(sum, &value)| *sum += value);
                    });
                    dealt[dealer - 1].extend(secrets);
                }
                let xor = |e: usize| {
                    let (x, y): (&Shared, &Shared) = (&nodes[left][e], &nodes[right][e]);
                    (0..x.len()).map(|k| x[k] + y[k] - product[e][k].scale(2)).collect()
                };
                let xor: Vec<Shared> = (0..bits).map(xor).collect();
                products.push((left, right, nodes.len()));
                next.push(nodes.len() + 1);
                nodes.extend([product, xor]);
            }
            if live.len() % 2 == 1 {
                next.push(live[pairs]);
            }
            if next.len() == 1 {
                break;
            }
            live = next;
        }
        Wires { nodes, products, dealt }
    }

    /// The points about a dealer less its combined values leave its blinds.
    fn blinds(&mut self, wires: &Wires, repetitions: usize) {
        let (context, coin) = (&self.run.context, self.run.coin());
        let opening: Vec<usize> = (1..=self.committee().t() + 1).collect();
        let weights = lagrange(&opening, 0);
        let sent = self.run.round("degree-points");
        let points: Vec<Vec<Gr>> = opening.iter().map(|&p| elements(&sent[p - 1].broadcast)).collect();
        for (d, dealt) in wires.dealt.iter().enumerate() {
            let stream = context.stream(&coin, Purpose::DegreeCoefficients, 0, &[d as u8 + 1]);
            let mut combination = Combination::new(stream);
            combination.extend(dealt.iter().copied());
            let sums = combination.finish();
            let blind = |r: usize| {
                let column: Vec<Gr> = points.iter().map(|list| list[d * sums.len() + r]).collect();
                dot(&weights, &column) - sums[r]
            };
            let secrets: Vec<Gr> = (0..repetitions).map(blind).collect();
            let sharings = self.sharings(d + 1, "inputs", self.bits(), &secrets);
            self.note(Kind::Blind, d + 1, 0, &sharings, 0);
        }
    }

    /// A product point less its party's sums leaves its share of zero.
    fn zeros(&mut self, wires: &Wires, repetitions: usize) {
        let (committee, t) = (self.committee(), self.committee().t());
        let honest: Vec<usize> = committee.parties().filter(|p| !self.corrupt.contains(p)).take(t).collect();
        let parties = [self.corrupt, &honest[..]].concat();
        let shares: Vec<Vec<Gr>> = parties.iter().map(|&p| self.zero_shares(wires, p)).collect();
        let coefficients = interpolation(&[&[0], &parties[..]].concat());
        let hidden = interpolation(&[&[0], &honest[..]].concat());
        let unknown: Vec<Vec<Gr>> =
            honest.iter().zip(&shares[t..]).map(|(&h, list)| self.without_known_keys(h, list)).collect();
        for r in 0..repetitions {
            let values: Vec<Gr> = [Gr::ZERO].into_iter().chain(shares.iter().map(|list| list[r])).collect();
            self.note_zero(Kind::Zero, r, &coefficients, &values);
            let values: Vec<Gr> = [Gr::ZERO].into_iter().chain(unknown.iter().map(|list| list[r])).collect();
            self.note_zero(Kind::HiddenZero, r, &hidden, &values);
        }
    }

    fn note_zero(&mut self, kind: Kind, element: usize, coefficients: &[Vec<Gr>], values: &[Gr]) {
        for (power, row) in coefficients.iter().enumerate().skip(1) {
            self.tape.push((Place { kind, dealer: 0, element, power }, dot(row, values)));
        }
    }

    fn zero_shares(&self, wires: &Wires, party: usize) -> Vec<Gr> {
        let (context, coin) = (&self.run.context, self.run.coin());
        let nodes = &wires.nodes;
        let own = |node: usize| nodes[node].iter().map(|value| self.at(party, value));
        let mut combination = Combination::new(context.stream(&coin, Purpose::ProductCoefficients, 0, &[]));
        for input in 0..context.committee.n() {
            combination.extend(own(input).map(|x| x * x - x));
        }
        for &(left, right, product) in &wires.products {
            combination.extend(own(left).zip(own(right)).zip(own(product)).map(|((x, y), z)| x * y - z));
        }
        let points = elements(&self.run.round("product-points")[party - 1].broadcast);
        points.iter().zip(combination.finish()).map(|(&point, sum)| point - sum).collect()
    }

    /// The values at an honest party of what the key of all honest parties adds, before its set's factor.
    fn without_known_keys(&self, party: usize, shares: &[Gr]) -> Vec<Gr> {
        let committee = self.committee();
        let known = |subset: &Subset| self.corrupt.iter().any(|&c| subset.contains(c));
        let mut rest = shares.to_vec();
        for (&subset, zeros) in self.run.zeros.iter().filter(|(subset, _)| known(subset)) {
            let factor = subset_factor(committee, subset, party);
            let values = zeros.iter().map(|zero| factor * evaluate(Gr::ZERO, zero, party));
            rest.iter_mut().zip(values).for_each(|(rest, value)| *rest -= value);
        }
        let mask = committee.parties().filter(|p| !self.corrupt.contains(p));
        let honest = Subset(mask.fold(0, |mask, p| mask | 1 << (p - 1)));
        let inverse = subset_factor(committee, honest, party).invert().expect("a unit at its members");
        rest.into_iter().map(|rest| rest * inverse).collect()
    }
}
