//! Rounds `degree-points` and `product-points`: the two checks that turn cheating in the bit phase into an abort before
//! any share touches the key (docs/keygen.md §5).
//!
//! Degree: for every dealer, random combinations of everything that it dealt, hidden by its blinds, have degree t.
//! Product: random combinations of x² - x over all inputs and of xy - z over all products, hidden by a degree-2t sharing
//! of zero from the replicated keys, have degree 2t and value 0. All n points must fit: with n >= 3t + 1 the honest ones
//! alone fix the polynomial, so a party that speaks last gains nothing.
use super::super::combination::{Combination, REPETITIONS};
use super::super::context::{Purpose, Session};
use super::super::contribution::Contributor;
use super::super::message::{Incoming, Outgoing, elements, put_elements};
use super::bits::Dealings;
use super::rows::RowNoiseRound;
use super::{Round, Setup};
use crate::errors::{Code, Failure, Result};
use crate::ring::Gr;
use crate::ring::element::GR_BYTES;
use crate::ring::shamir::PolynomialTest;
use std::sync::Arc;

pub struct DegreeRound {
    pub(crate) setup: Setup,
    pub(crate) dealings: Dealings,
    pub(crate) coin: [u8; 32],
}

impl DegreeRound {
    /// This party's points for `dealer`.
    fn points(&self, dealer: usize) -> [Gr; REPETITIONS] {
        let context = &self.setup.session.context;
        let stream = context.stream(&self.coin, Purpose::DegreeCoefficients, 0, &[dealer as u8]);
        let mut combination = Combination::new(stream);
        combination.extend(self.dealings.nodes[dealer - 1].iter().copied());
        if dealer <= context.committee.quorum() {
            for product in &self.dealings.products {
                combination.extend(product.resharings[dealer - 1].iter().copied());
            }
        }
        let mut points = combination.finish();
        points.iter_mut().zip(self.dealings.blinds[dealer - 1].iter()).for_each(|(point, &b)| *point += b);
        points
    }
}

impl Round for DegreeRound {
    type Next = ProductRound;

    /// The points for every dealer, dealer by dealer.
    fn produce(&self) -> Outgoing {
        let committee = self.setup.session.context.committee;
        let mut broadcast = Vec::with_capacity(committee.n() * REPETITIONS * GR_BYTES);
        for dealer in committee.parties() {
            put_elements(&mut broadcast, &self.points(dealer));
        }
        Outgoing::broadcast(committee.n(), broadcast)
    }

    fn consume(self, incoming: &Incoming) -> Result<ProductRound> {
        let committee = self.setup.session.context.committee;
        let points = received(committee.n() * REPETITIONS, incoming)?;
        let test = PolynomialTest::new(committee, committee.t());
        for dealer in committee.parties() {
            for repetition in 0..REPETITIONS {
                let row = column(&points, (dealer - 1) * REPETITIONS + repetition);
                if test.value(&row).is_none() {
                    return Err(degree_failure(dealer, test.odd_parties(&row, committee.t())));
                }
            }
        }
        Ok(ProductRound { setup: self.setup, dealings: self.dealings, coin: self.coin })
    }
}

/// Either the dealer lies or all receivers with an odd point do. So more odd points than parties may lie prove the dealer,
/// and so does an odd point of its own. Otherwise both cases look the same, and a dealer that speaks last chooses who looks
/// odd: nobody is proven before the dealings are opened.
fn degree_failure(dealer: usize, odd: Option<Vec<usize>>) -> Failure {
    match odd {
        None => {
            let text = format!("dealer {dealer}: more points are off than parties may lie");
            Failure::by(Code::DegreeCheck, dealer, text)
        }
        Some(odd) if odd.contains(&dealer) => {
            Failure::by(Code::DegreeCheck, dealer, format!("dealer {dealer}: its own point is off"))
        }
        Some(odd) => {
            let text = format!("dealer {dealer} or the odd receivers {odd:?}");
            Failure::by_one_of(Code::DegreeCheck, [odd, vec![dealer]].concat(), text)
        }
    }
}

pub struct ProductRound {
    pub(crate) setup: Setup,
    pub(crate) dealings: Dealings,
    pub(crate) coin: [u8; 32],
}

impl ProductRound {
    fn points(&self) -> [Gr; REPETITIONS] {
        let context = &self.setup.session.context;
        let nodes = &self.dealings.nodes;
        let stream = context.stream(&self.coin, Purpose::ProductCoefficients, 0, &[]);
        let mut combination = Combination::new(stream);
        for input in &nodes[..context.committee.n()] {
            combination.extend(input.iter().map(|&x| x * (x - Gr::ONE)));
        }
        for product in &self.dealings.products {
            let (x, y, z) = (&nodes[product.left], &nodes[product.right], &nodes[product.output]);
            combination.extend(x.iter().zip(y.iter()).zip(z.iter()).map(|((&x, &y), &z)| x * y - z));
        }
        let zeros = self.setup.prss.zero_shares(&context.hash(Purpose::ProductZero, &[]));
        let mut points = combination.finish();
        for (repetition, point) in points.iter_mut().enumerate() {
            *point += zeros.share(repetition as u64);
        }
        points
    }
}

impl Round for ProductRound {
    type Next = RowNoiseRound;

    fn produce(&self) -> Outgoing {
        let mut broadcast = Vec::with_capacity(REPETITIONS * GR_BYTES);
        put_elements(&mut broadcast, &self.points());
        Outgoing::broadcast(self.setup.session.context.committee.n(), broadcast)
    }

    fn consume(self, incoming: &Incoming) -> Result<RowNoiseRound> {
        let committee = self.setup.session.context.committee;
        let points = received(REPETITIONS, incoming)?;
        let test = PolynomialTest::new(committee, 2 * committee.t());
        for repetition in 0..REPETITIONS {
            let value = test.value(&column(&points, repetition)).ok_or_else(|| {
                let text = format!("points of combination {repetition} are on no polynomial of degree 2t");
                Failure::new(Code::ProductPoints, text)
            })?;
            if value != Gr::ZERO {
                let text = format!("combination {repetition} is not zero: an input or a product is wrong");
                return Err(Failure::new(Code::ProductValue, text));
            }
        }
        let Setup { session, prss, pairs, public_seed, commitments, sections } = self.setup;
        let shares = self.dealings.into_result();
        let Session { context, root } = session.clone();
        let contributor = Arc::new(Contributor::new(context, root, shares, pairs, &public_seed));
        Ok(RowNoiseRound { session, contributor, prss, commitments: commitments.row_coin, sections })
    }
}

/// The broadcast points of all parties, `count` each.
fn received(count: usize, incoming: &Incoming) -> Result<Vec<Vec<Gr>>> {
    (1..=incoming.broadcasts.len())
        .map(|party| {
            incoming.no_private(party)?;
            Ok(elements(incoming.broadcast(party, count * GR_BYTES)?))
        })
        .collect()
}

/// Point number `i` of every party.
fn column(points: &[Vec<Gr>], i: usize) -> Vec<Gr> {
    points.iter().map(|list| list[i]).collect()
}
