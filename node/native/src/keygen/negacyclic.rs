//! Exact products in Z_q[X]/(X^N + 1), q = 2^64 or 2^128, by number-theoretic transforms modulo 62-bit primes.
//!
//! A sum of k <= 6 products of 128-bit coefficients is below 2^271 in absolute value for N <= 2048; five primes hold
//! 2^310. For 64-bit coefficients it is below 2^143 and three primes hold 2^186. One factor is a public mask, the other an
//! additive share of a key: transformed once, kept normalised. No branch depends on coefficients.
use tfhe_ntt::prime64::Plan;
use zeroize::Zeroize;

/// The largest primes below 2^62 that are 1 modulo 8192, so that N <= 4096 has its roots of unity.
const PRIMES: [u64; 5] = [prime(8), prime(12), prime(21), prime(23), prime(53)];

const fn prime(k: u64) -> u64 {
    (1 << 62) + 1 - 8192 * k
}

/// Width of the coefficients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    Bits64,
    Bits128,
}

/// A polynomial in the transform domain: one residue vector per prime. Wiped on drop: it may hold key shares.
#[derive(Clone)]
pub struct Spectrum(Vec<Vec<u64>>);

impl Spectrum {
    pub fn clear(&mut self) {
        for residues in &mut self.0 {
            residues.fill(0);
        }
    }
}

impl Drop for Spectrum {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A constant factor modulo p with its precomputed quotient (Shoup).
#[derive(Clone, Copy)]
struct Factor {
    value: u64,
    quotient: u64,
}

impl Factor {
    fn new(value: u64, p: u64) -> Factor {
        Factor { value, quotient: ((u128::from(value) << 64) / u128::from(p)) as u64 }
    }

    /// `a * value` modulo p, for any `a`.
    #[inline(always)]
    fn times(self, a: u64, p: u64) -> u64 {
        let q = ((u128::from(a) * u128::from(self.quotient)) >> 64) as u64;
        reduce_once(a.wrapping_mul(self.value).wrapping_sub(q.wrapping_mul(p)), p)
    }
}

/// x - p if x >= p, otherwise x, for x < 2p < 2^63: the wrapped difference is the larger one where it is negative.
#[inline(always)]
fn reduce_once(x: u64, p: u64) -> u64 {
    x.min(x.wrapping_sub(p))
}

struct Prime {
    p: u64,
    plan: Plan,
    one: Factor,
    two_64: Factor,
    /// Inverses of the earlier primes modulo this one.
    earlier: Vec<Factor>,
    /// Product of the earlier primes modulo 2^128.
    weight: u128,
}

/// Multiplier for one polynomial size and width.
pub struct Negacyclic {
    size: usize,
    primes: Vec<Prime>,
    /// Product of all primes modulo 2^128.
    total: u128,
}

impl Negacyclic {
    /// `size` is a power of two, 16..=4096.
    pub fn new(size: usize, width: Width) -> Negacyclic {
        let count = match width {
            Width::Bits64 => 3,
            Width::Bits128 => 5,
        };
        let mut weight = 1u128;
        let primes = PRIMES[..count]
            .iter()
            .enumerate()
            .map(|(i, &p)| {
                let prime = Prime {
                    p,
                    plan: Plan::try_new(size, p).expect("a prime with roots of unity of order 2N"),
                    one: Factor::new(1, p),
                    two_64: Factor::new(((1u128 << 64) % u128::from(p)) as u64, p),
                    earlier: PRIMES[..i].iter().map(|&q| Factor::new(power(q % p, p - 2, p), p)).collect(),
                    weight,
                };
                weight = weight.wrapping_mul(p.into());
                prime
            })
            .collect();
        Negacyclic { size, primes, total: weight }
    }

    pub const fn size(&self) -> usize {
        self.size
    }

    pub fn zero(&self) -> Spectrum {
        Spectrum(vec![vec![0; self.size]; self.primes.len()])
    }

    /// Transforms `polynomial` (coefficients modulo q as integers) into `out`.
    pub fn forward(&self, polynomial: &[u128], out: &mut Spectrum) {
        debug_assert_eq!(polynomial.len(), self.size);
        for (prime, residues) in self.primes.iter().zip(&mut out.0) {
            let p = prime.p;
            for (residue, &c) in residues.iter_mut().zip(polynomial) {
                let low = prime.one.times(c as u64, p);
                let high = prime.two_64.times((c >> 64) as u64, p);
                *residue = reduce_once(low + high, p);
            }
            prime.plan.fwd(residues);
        }
    }

    /// The transform divided by N: the form of a repeated factor, so that `inverse` needs no scaling.
    pub fn forward_normalized(&self, polynomial: &[u128]) -> Spectrum {
        let mut out = self.zero();
        self.forward(polynomial, &mut out);
        for (prime, residues) in self.primes.iter().zip(&mut out.0) {
            prime.plan.normalize(residues);
        }
        out
    }

    /// accumulator += a * normalized.
    pub fn multiply_add(&self, accumulator: &mut Spectrum, a: &Spectrum, normalized: &Spectrum) {
        for (((prime, sum), a), b) in self.primes.iter().zip(&mut accumulator.0).zip(&a.0).zip(&normalized.0)
        {
            prime.plan.mul_accumulate(sum, a, b);
        }
    }

    /// The polynomial modulo 2^128 of a sum of products; `accumulator` is used up.
    pub fn inverse(&self, accumulator: &mut Spectrum, out: &mut [u128]) {
        for (prime, residues) in self.primes.iter().zip(&mut accumulator.0) {
            prime.plan.inv(residues);
        }
        let last = self.primes.len() - 1;
        let half = self.primes[last].p / 2;
        for (k, coefficient) in out.iter_mut().enumerate() {
            // Garner: mixed-radix digits of the value modulo the product of all primes.
            let mut digits = [0u64; PRIMES.len()];
            let mut value = 0u128;
            for (i, prime) in self.primes.iter().enumerate() {
                let p = prime.p;
                let mut x = accumulator.0[i][k];
                for (&digit, &inverse) in digits.iter().zip(&prime.earlier) {
                    // All primes lie within 2^20 of each other: a digit is below 2p.
                    let difference = reduce_once(x + p - reduce_once(digit, p), p);
                    x = inverse.times(difference, p);
                }
                digits[i] = x;
                value = value.wrapping_add(u128::from(x).wrapping_mul(prime.weight));
            }
            // A top digit above one half stands for a negative sum.
            let negative = u128::from(digits[last] > half).wrapping_neg();
            *coefficient = value.wrapping_sub(self.total & negative);
        }
    }
}

/// base^exponent modulo p; public values.
fn power(base: u64, mut exponent: u64, p: u64) -> u64 {
    let modulus = u128::from(p);
    let (mut base, mut result) = (u128::from(base) % modulus, 1u128);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        exponent >>= 1;
    }
    result as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng, rngs::StdRng};
    use tfhe::core_crypto::algorithms::polynomial_algorithms::polynomial_wrapping_add_mul_assign;
    use tfhe::core_crypto::prelude::Polynomial;

    /// Sum of products by tfhe's own schoolbook and Karatsuba code.
    fn expected(size: usize, pairs: &[(Vec<u128>, Vec<u128>)]) -> Vec<u128> {
        let mut out = Polynomial::from_container(vec![0u128; size]);
        for (a, b) in pairs {
            let (a, b) = (Polynomial::from_container(a.as_slice()), Polynomial::from_container(b.as_slice()));
            polynomial_wrapping_add_mul_assign(&mut out, &a, &b);
        }
        out.into_container()
    }

    fn ours(engine: &Negacyclic, pairs: &[(Vec<u128>, Vec<u128>)]) -> Vec<u128> {
        let (mut sum, mut a) = (engine.zero(), engine.zero());
        for (x, y) in pairs {
            engine.forward(x, &mut a);
            engine.multiply_add(&mut sum, &a, &engine.forward_normalized(y));
        }
        let mut out = vec![0; engine.size()];
        engine.inverse(&mut sum, &mut out);
        out
    }

    const SHAPES: [(usize, usize, Width); 4] = [
        (2048, 2, Width::Bits128),
        (1024, 6, Width::Bits128),
        (2048, 1, Width::Bits64),
        (256, 4, Width::Bits64),
    ];

    fn compare(fill: &mut dyn FnMut(Width) -> u128) {
        for (size, k, width) in SHAPES {
            let mut polynomial = || (0..size).map(|_| fill(width)).collect::<Vec<u128>>();
            let pairs: Vec<_> = (0..k).map(|_| (polynomial(), polynomial())).collect();
            let low = match width {
                Width::Bits64 => u128::from(u64::MAX),
                Width::Bits128 => u128::MAX,
            };
            let (a, b) = (ours(&Negacyclic::new(size, width), &pairs), expected(size, &pairs));
            assert!(a.iter().zip(&b).all(|(x, y)| x & low == y & low), "N = {size}, k = {k}, {width:?}");
        }
    }

    fn max(width: Width) -> u128 {
        match width {
            Width::Bits64 => u128::from(u64::MAX),
            Width::Bits128 => u128::MAX,
        }
    }

    #[test]
    fn random_products_equal_tfhes() {
        let mut rng = StdRng::seed_from_u64(7);
        compare(&mut |width| rng.r#gen::<u128>() & max(width));
    }

    #[test]
    fn products_of_the_largest_coefficients_equal_tfhes() {
        compare(&mut max);
    }

    #[test]
    fn sparse_and_extreme_coefficients_equal_tfhes() {
        let mut rng = StdRng::seed_from_u64(8);
        compare(&mut |width| [0, 1, max(width), 1 << 63][rng.gen_range(0..4)]);
    }
}
