//! What corrupt parties dealt, and what the two openings must show because of it: functions of the adversary's choices.
use super::super::combination::{Combination, REPETITIONS};
use super::super::context::{Context, Purpose};
use super::super::message::{Outgoing, elements};
use super::super::rounds::bits::Dealings;
use crate::ring::Gr;
use crate::ring::shamir::{dot, lagrange};

/// Everything that one corrupt party dealt to the honest ones.
pub struct Dealt {
    pub dealer: usize,
    /// By honest receiver: inputs, then resharings in the order of the products.
    shares: Vec<(usize, Vec<Gr>)>,
    blinds: Vec<(usize, Vec<Gr>)>,
}

impl Dealt {
    pub fn nothing(dealer: usize, honest: &[usize]) -> Dealt {
        let empty = || honest.iter().map(|&q| (q, Vec::new())).collect();
        Dealt { dealer, shares: empty(), blinds: empty() }
    }

    /// Takes in the party's messages of a round.
    pub fn take(&mut self, round: &str, bits: usize, sent: &Outgoing) {
        for ((receiver, shares), (_, blinds)) in self.shares.iter_mut().zip(&mut self.blinds) {
            let Some(message) = &sent.private[*receiver - 1] else { continue };
            let list = elements(message);
            if round == "inputs" {
                shares.extend(&list[..bits]);
                blinds.extend(&list[bits..]);
            } else if round.starts_with("level-") {
                shares.extend(&list);
            }
        }
    }

    /// Value number `e` of what was dealt, fixed by the shares of t + 1 honest parties.
    fn value(&self, context: &Context, e: usize) -> Gr {
        let base = &self.shares[..=context.committee.t()];
        let set: Vec<usize> = base.iter().map(|(q, _)| *q).collect();
        let shares: Vec<Gr> = base.iter().map(|(_, list)| list[e]).collect();
        dot(&lagrange(&set, 0), &shares)
    }

    /// By honest receiver: its points about this dealer in the degree check.
    pub fn degree_points(&self, context: &Context, coin: &[u8; 32]) -> Vec<(usize, Vec<Gr>)> {
        let points = |((q, shares), (_, blinds)): (&(usize, Vec<Gr>), &(usize, Vec<Gr>))| {
            let stream = context.stream(coin, Purpose::DegreeCoefficients, 0, &[self.dealer as u8]);
            let mut combination = Combination::new(stream);
            combination.extend(shares.iter().copied());
            let sums = combination.finish();
            (*q, sums.iter().zip(blinds).map(|(&sum, &blind)| sum + blind).collect())
        };
        self.shares.iter().zip(&self.blinds).map(points).collect()
    }
}

/// What the product check opens to: Σρ(x² - x) over corrupt inputs minus Σρε, ε the errors of the corrupt resharings.
/// `own` are the shares that each corrupt party holds.
pub fn opened_values(
    context: &Context,
    coin: &[u8; 32],
    corrupt: &[(&Dealt, &Dealings)],
) -> [Gr; REPETITIONS] {
    let (committee, bits) = (context.committee, context.bits);
    let resharers: Vec<usize> = (1..=committee.quorum()).collect();
    let weights = lagrange(&resharers, 0);
    let mut combination = Combination::new(context.stream(coin, Purpose::ProductCoefficients, 0, &[]));
    for party in committee.parties() {
        let dealt = corrupt.iter().find(|(dealt, _)| dealt.dealer == party);
        combination.extend((0..bits).map(|e| match dealt {
            None => Gr::ZERO,
            Some((dealt, _)) => {
                let x = dealt.value(context, e);
                x * x - x
            }
        }));
    }
    for product in 0..committee.n() - 1 {
        combination.extend((0..bits).map(|e| {
            let error = |(dealt, own): &(&Dealt, &Dealings)| {
                let made = &own.products[product];
                let product_of_shares = own.nodes[made.left][e] * own.nodes[made.right][e];
                dealt.value(context, (1 + product) * bits + e) - weights[dealt.dealer - 1] * product_of_shares
            };
            let resharing = corrupt.iter().filter(|(dealt, _)| dealt.dealer <= committee.quorum());
            resharing.map(error).fold(Gr::ZERO, |sum, error| sum - error)
        }));
    }
    combination.finish()
}
