//! Interpolation over the ring in Newton's form: c_0 + c_1 (Z - a_1) + c_2 (Z - a_1)(Z - a_2) + … through the points a_i of
//! the parties. A further point costs one product per point before it, and evaluation costs additions only, since a
//! difference of exceptional points has coefficients in {-1, 0, 1}. So no coefficients need to be kept per set of parties.
use crate::ring::Gr;
use crate::ring::committee::MAX_PARTIES;
use std::sync::LazyLock;

const POINTS: usize = MAX_PARTIES + 1;

/// Inverses of alpha_i - alpha_j, i != j.
static INVERSES: LazyLock<Box<[[Gr; POINTS]; POINTS]>> = LazyLock::new(|| {
    let mut table = Box::new([[Gr::ZERO; POINTS]; POINTS]);
    for (i, row) in table.iter_mut().enumerate() {
        for (j, entry) in row.iter_mut().enumerate().filter(|(j, _)| *j != i) {
            *entry = (Gr::alpha(i) - Gr::alpha(j)).invert().expect("distinct points differ by a unit");
        }
    }
    table
});

/// `value` times (alpha_i - alpha_j).
#[inline(always)]
fn times_difference(value: Gr, i: usize, j: usize) -> Gr {
    let (mut sum, mut power) = (Gr::ZERO, value);
    for bit in 0..4 {
        match (i >> bit & 1, j >> bit & 1) {
            (1, 0) => sum += power,
            (0, 1) => sum -= power,
            _ => {}
        }
        power = power.mul_x();
    }
    sum
}

/// The polynomial of degree < len through the points pushed so far.
#[derive(Clone, Debug, Default)]
pub struct Newton {
    /// Index of the party and coefficient, in the order of the points.
    terms: Vec<(usize, Gr)>,
}

impl Newton {
    pub fn with_capacity(points: usize) -> Newton {
        Newton { terms: Vec::with_capacity(points) }
    }

    pub fn len(&self) -> usize {
        self.terms.len()
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    pub fn clear(&mut self) {
        self.terms.clear();
    }

    /// Whether the polynomial was drawn through the point of this party.
    pub fn contains(&self, party: usize) -> bool {
        self.terms.iter().any(|&(other, _)| other == party)
    }

    /// Value at the point of a party; 0 is the point of the secret.
    pub fn at(&self, party: usize) -> Gr {
        self.terms
            .iter()
            .rev()
            .fold(Gr::ZERO, |sum, &(other, coefficient)| times_difference(sum, party, other) + coefficient)
    }

    /// One more point. The caller guarantees that the party is new.
    pub fn push(&mut self, party: usize, value: Gr) {
        let difference = value - self.at(party);
        let row = &INVERSES[party];
        let coefficient = self.terms.iter().fold(difference, |c, &(other, _)| c * row[other]);
        self.terms.push((party, coefficient));
    }
}
