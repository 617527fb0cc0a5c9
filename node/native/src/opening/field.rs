//! GF(16) = F_2[x]/(x^4 + x + 1), the residue field, and Gao's decoder for Reed–Solomon codes (S. Gao, "A new algorithm
//! for decoding Reed–Solomon codes", 2003). Coefficients ascend by power.
use crate::ring::committee::MAX_PARTIES;

const SIZE: usize = MAX_PARTIES + 1;

/// Products of all pairs: entry `a << 4 | b`.
const PRODUCTS: [u8; 256] = products();
const INVERSES: [u8; 16] = inverses();

const fn products() -> [u8; 256] {
    let mut table = [0; 256];
    let mut pair = 0;
    while pair < 256 {
        let (a, b) = (pair >> 4, pair & 15);
        let mut product = 0;
        let mut bit = 0;
        while bit < 4 {
            if a >> bit & 1 == 1 {
                product ^= b << bit;
            }
            bit += 1;
        }
        let mut high = 6;
        while high >= 4 {
            if product >> high & 1 == 1 {
                product ^= 0b10011 << (high - 4);
            }
            high -= 1;
        }
        table[pair] = product as u8;
        pair += 1;
    }
    table
}

const fn inverses() -> [u8; 16] {
    let mut table = [0; 16];
    let mut pair = 0;
    while pair < 256 {
        if PRODUCTS[pair] == 1 {
            table[pair >> 4] = (pair & 15) as u8;
        }
        pair += 1;
    }
    table
}

/// Product of two elements, 0..15.
#[inline(always)]
pub fn mul(a: u8, b: u8) -> u8 {
    PRODUCTS[usize::from(a << 4 | b)]
}

/// A polynomial of degree below 16.
#[derive(Clone, Copy)]
struct Polynomial([u8; SIZE]);

impl Polynomial {
    const ZERO: Polynomial = Polynomial([0; SIZE]);
    const ONE: Polynomial = {
        let mut one = [0; SIZE];
        one[0] = 1;
        Polynomial(one)
    };

    /// `None` for the zero polynomial.
    fn degree(&self) -> Option<usize> {
        self.0.iter().rposition(|&coefficient| coefficient != 0)
    }

    fn at(&self, x: u8) -> u8 {
        self.0.iter().rev().fold(0, |sum, &coefficient| mul(sum, x) ^ coefficient)
    }

    /// `self` times (Z - x); the caller guarantees a degree below 15.
    fn with_root(&self, x: u8) -> Polynomial {
        let mut product = [0; SIZE];
        for (i, &coefficient) in self.0.iter().enumerate() {
            product[i] ^= mul(coefficient, x);
            if i + 1 < SIZE {
                product[i + 1] ^= coefficient;
            }
        }
        Polynomial(product)
    }

    /// `self` divided by (Z - x), which divides it.
    fn without_root(&self, x: u8) -> Polynomial {
        let mut quotient = [0; SIZE];
        let mut carry = 0;
        for i in (1..SIZE).rev() {
            carry = self.0[i] ^ mul(carry, x);
            quotient[i - 1] = carry;
        }
        Polynomial(quotient)
    }

    fn add_scaled(&mut self, factor: u8, other: &Polynomial) {
        for (sum, &coefficient) in self.0.iter_mut().zip(&other.0) {
            *sum ^= mul(factor, coefficient);
        }
    }

    /// Quotient and remainder by `divisor`, which has degree `top`.
    fn divide(&self, divisor: &Polynomial, top: usize) -> (Polynomial, Polynomial) {
        let (mut quotient, mut rest) = (Polynomial::ZERO, *self);
        let inverse = INVERSES[usize::from(divisor.0[top])];
        while let Some(degree) = rest.degree().filter(|&degree| degree >= top) {
            let factor = mul(rest.0[degree], inverse);
            quotient.0[degree - top] = factor;
            for j in 0..=top {
                rest.0[degree - top + j] ^= mul(factor, divisor.0[j]);
            }
        }
        (quotient, rest)
    }

    /// `self` times `factor`, plus `sum`; the caller guarantees a degree below 16.
    fn multiply_add(&self, factor: &Polynomial, sum: &Polynomial) -> Polynomial {
        let mut out = *sum;
        for (i, &a) in self.0.iter().enumerate().filter(|(_, a)| **a != 0) {
            for (j, &b) in factor.0[..SIZE - i].iter().enumerate() {
                out.0[i + j] ^= mul(a, b);
            }
        }
        out
    }
}

/// One received symbol: its point (1..15) and its value (0..15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    pub x: u8,
    pub y: u8,
}

/// The points (bit x - 1) at which the word differs from the one polynomial of degree < `size` that at most `max_errors`
/// symbols are off, or `None` where there is none. The caller guarantees distinct points, at least `size`, and
/// 2 `max_errors` <= symbols - `size`, which makes it unique.
pub fn errors(word: &[Symbol], size: usize, max_errors: usize) -> Option<u16> {
    let stop = (word.len() + size) / 2;
    let mut high = word.iter().fold(Polynomial::ONE, |product, symbol| product.with_root(symbol.x));
    let mut low = Polynomial::ZERO;
    for symbol in word {
        let basis = high.without_root(symbol.x);
        let denominator = INVERSES[usize::from(basis.at(symbol.x))];
        low.add_scaled(mul(symbol.y, denominator), &basis);
    }
    let (mut previous, mut locator) = (Polynomial::ZERO, Polynomial::ONE);
    while let Some(degree) = low.degree().filter(|&degree| degree >= stop) {
        let (quotient, rest) = high.divide(&low, degree);
        (high, low) = (low, rest);
        (previous, locator) = (locator, quotient.multiply_add(&locator, &previous));
    }
    let count = locator.degree().filter(|&degree| degree <= max_errors)?;
    let (decoded, rest) = low.divide(&locator, count);
    if rest.degree().is_some() || decoded.degree().is_some_and(|degree| degree >= size) {
        return None;
    }
    Some(
        word.iter()
            .filter(|symbol| decoded.at(symbol.x) != symbol.y)
            .fold(0, |mask, symbol| mask | 1 << (symbol.x - 1)),
    )
}
