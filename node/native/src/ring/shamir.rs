//! Shamir sharing over GR(2^128, 4): party i holds f(alpha_i), the secret is f(0) (protocol §3).
use super::committee::{Committee, MAX_PARTIES};
use super::element::Gr;

/// Lagrange coefficients of the points `parties` (distinct indices, 0 = the secret), evaluated at the point `at`.
pub fn lagrange(parties: &[usize], at: usize) -> Vec<Gr> {
    let point = Gr::alpha(at);
    parties
        .iter()
        .map(|&i| {
            let mut coefficient = Gr::ONE;
            for &j in parties.iter().filter(|&&j| j != i) {
                let denominator = (Gr::alpha(i) - Gr::alpha(j))
                    .invert()
                    .expect("distinct exceptional points differ by a unit");
                coefficient = coefficient * (point - Gr::alpha(j)) * denominator;
            }
            coefficient
        })
        .collect()
}

/// Sum of `coefficients[i] * values[i]`.
pub fn dot(coefficients: &[Gr], values: &[Gr]) -> Gr {
    coefficients.iter().zip(values).fold(Gr::ZERO, |sum, (&c, &v)| sum + c * v)
}

/// Evaluates secret + r_1 Z + … + r_d Z^d at the point of `index`; `randomness` holds r_1..r_d.
#[inline(always)]
pub fn evaluate(secret: Gr, randomness: &[Gr], index: usize) -> Gr {
    let mut value = Gr::ZERO;
    for &coefficient in randomness.iter().rev() {
        value = (value + coefficient).mul_alpha(index);
    }
    value + secret
}

/// Tests whether the points of all n parties lie on one polynomial of a fixed degree.
#[derive(Clone, Debug)]
pub struct PolynomialTest {
    n: usize,
    degree: usize,
    at_zero: Vec<Gr>,
    /// Row j predicts the point of party degree + 2 + j from the first degree + 1 points.
    predictions: Vec<Vec<Gr>>,
}

impl PolynomialTest {
    /// `degree` is t or 2t.
    pub fn new(committee: Committee, degree: usize) -> PolynomialTest {
        let n = committee.n();
        debug_assert!(degree + 1 < n);
        let base: Vec<usize> = (1..=degree + 1).collect();
        PolynomialTest {
            n,
            degree,
            at_zero: lagrange(&base, 0),
            predictions: (degree + 2..=n).map(|j| lagrange(&base, j)).collect(),
        }
    }

    /// The value at the secret's point if all n points (in party order) are on one polynomial, otherwise `None`.
    pub fn value(&self, points: &[Gr]) -> Option<Gr> {
        debug_assert_eq!(points.len(), self.n);
        let (base, rest) = points.split_at(self.degree + 1);
        let fits =
            self.predictions.iter().zip(rest).all(|(prediction, &point)| dot(prediction, base) == point);
        fits.then(|| dot(&self.at_zero, base))
    }

    /// The parties off the only polynomial that at least n - `errors` points share, or `None` if there is none.
    /// Unique for errors <= (n - degree - 1) / 2. For public points; it searches all subsets of degree + 1 points.
    pub fn odd_parties(&self, points: &[Gr], errors: usize) -> Option<Vec<usize>> {
        let mut best: Option<Vec<usize>> = None;
        for mask in 0u32..1 << self.n {
            if mask.count_ones() as usize != self.degree + 1 {
                continue;
            }
            let base: Vec<usize> = (1..=self.n).filter(|i| mask >> (i - 1) & 1 == 1).collect();
            let values: Vec<Gr> = base.iter().map(|i| points[i - 1]).collect();
            let odd: Vec<usize> =
                (1..=self.n).filter(|&i| dot(&lagrange(&base, i), &values) != points[i - 1]).collect();
            if odd.len() <= errors && best.as_ref().is_none_or(|b| odd.len() < b.len()) {
                best = Some(odd);
            }
        }
        best
    }
}

/// The set `{first, …, first + length - 1}` of party indices, cyclic modulo n.
pub fn cyclic_set(committee: Committee, first: usize, length: usize) -> Vec<usize> {
    debug_assert!(length <= MAX_PARTIES);
    (0..length).map(|d| (first - 1 + d) % committee.n() + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    fn deal(committee: Committee, degree: usize, secret: Gr, rng: &mut StdRng) -> Vec<Gr> {
        let randomness: Vec<Gr> = (0..degree).map(|_| Gr(rng.r#gen())).collect();
        committee.parties().map(|i| evaluate(secret, &randomness, i)).collect()
    }

    #[test]
    fn every_set_of_t_plus_1_parties_reconstructs() {
        let mut rng = StdRng::seed_from_u64(1);
        for (n, t) in [(4, 1), (7, 2), (13, 4)] {
            let committee = Committee::new(n, t).expect("allowed");
            let secret = Gr(rng.r#gen());
            let shares = deal(committee, t, secret, &mut rng);
            for first in committee.parties() {
                let set = cyclic_set(committee, first, t + 1);
                let values: Vec<Gr> = set.iter().map(|i| shares[i - 1]).collect();
                assert_eq!(dot(&lagrange(&set, 0), &values), secret);
            }
        }
    }

    #[test]
    fn a_product_of_shares_is_a_share_of_degree_2t() {
        let mut rng = StdRng::seed_from_u64(2);
        let committee = Committee::new(7, 2).expect("allowed");
        let (x, y) = (Gr(rng.r#gen()), Gr(rng.r#gen()));
        let (xs, ys) = (deal(committee, 2, x, &mut rng), deal(committee, 2, y, &mut rng));
        let products: Vec<Gr> = xs.iter().zip(&ys).map(|(&a, &b)| a * b).collect();
        assert_eq!(PolynomialTest::new(committee, 4).value(&products), Some(x * y));
        assert_eq!(PolynomialTest::new(committee, 2).value(&products), None);
    }

    #[test]
    fn a_lie_in_any_bit_of_any_point_is_seen_and_named() {
        let mut rng = StdRng::seed_from_u64(3);
        let committee = Committee::new(7, 2).expect("allowed");
        let test = PolynomialTest::new(committee, 2);
        let shares = deal(committee, 2, Gr::scalar(5), &mut rng);
        assert_eq!(test.value(&shares), Some(Gr::scalar(5)));
        for liar in committee.parties() {
            let mut points = shares.clone();
            points[liar - 1] += Gr([0, 1 << 127, 0, 0]);
            assert_eq!(test.value(&points), None);
            assert_eq!(test.odd_parties(&points, 2), Some(vec![liar]));
        }
        let mut points = shares;
        for liar in [1, 4, 6] {
            points[liar - 1] += Gr(rng.r#gen());
        }
        assert_eq!(test.odd_parties(&points, 2), None);
    }
}
