//! Multiplication of public points by the secret powers of tau (docs/crs.md).
//!
//! The tfhe crate's own multiplication branches on every bit of the scalar, and an update multiplies 23,807 points
//! by related secrets: a trace of one update would show tau to a host that watches the enclave. Here the scalar is
//! used in fixed windows of four bits, every table entry is read for every window, and the group law is complete
//! (Renes, Costello, Batina: "Complete addition formulas for prime order elliptic curves", algorithms 7 and 9 for
//! a = 0) over fields of constant time ([`super::montgomery`]): neither a branch nor an address depends on the scalar.

use super::field::{Coordinate, Scalar};
use zeroize::Zeroize;

const WINDOW_BITS: usize = 4;
const WINDOWS: usize = 75; // 299 bits of the group order

/// Homogeneous projective point x = X/Z, y = Y/Z; Z = 0 is infinity.
#[derive(Clone, Copy)]
pub struct Point<F> {
    x: F,
    y: F,
    z: F,
}

/// Affine point; `None` is infinity.
pub type Affine<F> = Option<(F, F)>;

impl<F: Coordinate> Point<F> {
    fn infinity() -> Self {
        Self { x: F::ZERO, y: F::ONE, z: F::ZERO }
    }

    pub fn from_affine(point: Affine<F>) -> Self {
        match point {
            Some((x, y)) => Self { x, y, z: F::ONE },
            None => Self::infinity(),
        }
    }

    /// Algorithm 7. Complete on the subgroup of odd order.
    fn add(&self, other: &Self) -> Self {
        let xx = self.x * other.x;
        let yy = self.y * other.y;
        let zz = self.z * other.z;
        let xy = (self.x + self.y) * (other.x + other.y) - (xx + yy);
        let yz = (self.y + self.z) * (other.y + other.z) - (yy + zz);
        let xz = (self.x + self.z) * (other.x + other.z) - (xx + zz);
        let three_xx = xx + xx + xx;
        let b_zz = zz.times_three_b();
        let plus = yy + b_zz;
        let minus = yy - b_zz;
        let b_xz = xz.times_three_b();
        Self { x: xy * minus - yz * b_xz, y: b_xz * three_xx + minus * plus, z: plus * yz + three_xx * xy }
    }

    /// Algorithm 9.
    fn double(&self) -> Self {
        let yy = self.y * self.y;
        let two_yy = yy + yy;
        let four_yy = two_yy + two_yy;
        let eight_yy = four_yy + four_yy;
        let b_zz = (self.z * self.z).times_three_b();
        let minus = yy - (b_zz + b_zz + b_zz);
        let half_x = minus * (self.x * self.y);
        Self { x: half_x + half_x, y: b_zz * eight_yy + minus * (yy + b_zz), z: (self.y * self.z) * eight_yy }
    }

    fn assign_masked(&mut self, other: &Self, mask: u64) {
        self.x.assign_masked(&other.x, mask);
        self.y.assign_masked(&other.y, mask);
        self.z.assign_masked(&other.z, mask);
    }

    /// scalar · point. The point is public and of odd order; the time does not depend on the scalar.
    pub fn multiply(&self, scalar: &Scalar) -> Self {
        let mut table = [Self::infinity(); 1 << WINDOW_BITS];
        for i in 1..table.len() {
            table[i] = table[i - 1].add(self);
        }
        let mut limbs = scalar.integer();
        let mut sum = Self::infinity();
        for window in (0..WINDOWS).rev() {
            if window != WINDOWS - 1 {
                for _ in 0..WINDOW_BITS {
                    sum = sum.double();
                }
            }
            let position = window * WINDOW_BITS;
            let digit = (limbs[position / 64] >> (position % 64)) & ((1 << WINDOW_BITS) - 1);
            let mut entry = table[0];
            for (value, candidate) in table.iter().enumerate().skip(1) {
                entry.assign_masked(candidate, equal_mask(digit, value as u64));
            }
            sum = sum.add(&entry);
        }
        limbs.zeroize();
        sum
    }
}

/// All ones if `a == b`, else zero; both below 2^63.
fn equal_mask(a: u64, b: u64) -> u64 {
    core::hint::black_box((a ^ b).wrapping_sub(1) >> 63).wrapping_neg()
}

/// Affine forms of many points with one field inversion. It runs in variable time, and projective coordinates tell
/// something about the scalar: so what is inverted is blinded by a random factor.
pub fn normalise<F: Coordinate>(points: &[Point<F>]) -> Vec<Affine<F>> {
    // running[i] = product of the non-zero z before i
    let mut running = Vec::with_capacity(points.len());
    let mut product = F::ONE;
    for point in points {
        running.push(product);
        if point.z != F::ZERO {
            product = product * point.z;
        }
    }
    let blind = F::random();
    let mut inverse = (product * blind).inverse().map_or(F::ONE, |inverse| inverse * blind);
    let mut affine = vec![None; points.len()];
    for (i, point) in points.iter().enumerate().rev() {
        if point.z != F::ZERO {
            let scale = inverse * running[i];
            inverse = inverse * point.z;
            affine[i] = Some((point.x * scale, point.y * scale));
        }
    }
    affine
}
