//! Base field of BLS12-446 and its quadratic extension, for the curve equations and the constant-time ladder.
//!
//! The tfhe crates keep their own field types private, so the modulus is stated again here; a test compares the
//! ladder built on it with the crate's multiplication. Limbs are in Montgomery form, as in the crate's own files.

use ark_ff::fields::{Field, Fp448, MontBackend, MontConfig};
use ark_ff::{AdditiveGroup, BigInt, PrimeField, UniformRand};
use core::ops::{Add, Mul, Sub};
use rand::rngs::OsRng;

#[derive(MontConfig)]
#[modulus = "172824703542857155980071276579495962243492693522789898437834836356385656662277472896902502740297183690175962001546428467344062165330603"]
#[generator = "2"]
pub struct FqConfig;

/// Integers modulo the 446-bit prime p.
pub type Fq = Fp448<MontBackend<FqConfig, 7>>;

/// Bytes of one element of [`Fq`]: seven little-endian limbs.
pub const FQ_BYTES: usize = 56;

/// What the ladder needs of a coordinate field. Nothing here may branch on or index by the value of `mask`.
pub trait Coordinate:
    Copy + PartialEq + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
    fn zero() -> Self;
    fn one() -> Self;
    /// Bytes of the canonical encoding.
    const BYTES: usize;
    /// The constant b of the curve y² = x³ + b over this field.
    fn curve_constant() -> Self;
    /// Three times the curve's constant, times `self`.
    fn times_three_b(self) -> Self;
    /// Uniform, from the operating system.
    fn random() -> Self;
    /// `None` for zero. Runs in time that depends on `self`.
    fn inverse(self) -> Option<Self>;
    /// Overwrites `self` with `other` where `mask` is all ones, keeps it where `mask` is zero.
    fn assign_masked(&mut self, other: &Self, mask: u64);
    fn write(&self, out: &mut [u8]);
    /// `None` for coordinates that are not below p. `bytes` holds exactly [`Self::BYTES`].
    fn read(bytes: &[u8]) -> Option<Self>;
}

impl Coordinate for Fq {
    const BYTES: usize = FQ_BYTES;

    fn zero() -> Self {
        <Fq as AdditiveGroup>::ZERO
    }

    fn one() -> Self {
        <Fq as Field>::ONE
    }

    fn curve_constant() -> Self {
        Self::one()
    }

    fn times_three_b(self) -> Self {
        self + self + self
    }

    fn random() -> Self {
        Fq::rand(&mut OsRng)
    }

    fn inverse(self) -> Option<Self> {
        Field::inverse(&self)
    }

    fn assign_masked(&mut self, other: &Self, mask: u64) {
        for (own, theirs) in self.0.0.iter_mut().zip(other.0.0) {
            *own ^= mask & (*own ^ theirs);
        }
    }

    fn write(&self, out: &mut [u8]) {
        for (bytes, limb) in out.chunks_exact_mut(8).zip(self.0.0) {
            bytes.copy_from_slice(&limb.to_le_bytes());
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut limbs = [0u64; 7];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
            *limb = u64::from_le_bytes(chunk.try_into().ok()?);
        }
        let limbs = BigInt(limbs);
        (limbs < Fq::MODULUS).then(|| Fq::new_unchecked(limbs))
    }
}

/// Fq[u]/(u² + 1).
#[derive(Clone, Copy, PartialEq)]
pub struct Fq2 {
    pub c0: Fq,
    pub c1: Fq,
}

impl Add for Fq2 {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { c0: self.c0 + other.c0, c1: self.c1 + other.c1 }
    }
}

impl Sub for Fq2 {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { c0: self.c0 - other.c0, c1: self.c1 - other.c1 }
    }
}

impl Mul for Fq2 {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let low = self.c0 * other.c0;
        let high = self.c1 * other.c1;
        let cross = (self.c0 + self.c1) * (other.c0 + other.c1);
        Self { c0: low - high, c1: cross - low - high }
    }
}

impl Coordinate for Fq2 {
    const BYTES: usize = 2 * FQ_BYTES;

    fn zero() -> Self {
        Self { c0: Fq::zero(), c1: Fq::zero() }
    }

    fn one() -> Self {
        Self { c0: Fq::one(), c1: Fq::zero() }
    }

    fn curve_constant() -> Self {
        Self { c0: Fq::one(), c1: Fq::one() }
    }

    fn times_three_b(self) -> Self {
        // b = 1 + u
        let product = Self { c0: self.c0 - self.c1, c1: self.c0 + self.c1 };
        product + product + product
    }

    fn random() -> Self {
        Self { c0: Fq::random(), c1: Fq::random() }
    }

    fn inverse(self) -> Option<Self> {
        let norm = self.c0 * self.c0 + self.c1 * self.c1;
        let scale = Field::inverse(&norm)?;
        Some(Self { c0: self.c0 * scale, c1: -(self.c1 * scale) })
    }

    fn assign_masked(&mut self, other: &Self, mask: u64) {
        self.c0.assign_masked(&other.c0, mask);
        self.c1.assign_masked(&other.c1, mask);
    }

    fn write(&self, out: &mut [u8]) {
        self.c0.write(&mut out[..FQ_BYTES]);
        self.c1.write(&mut out[FQ_BYTES..]);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self { c0: Fq::read(&bytes[..FQ_BYTES])?, c1: Fq::read(&bytes[FQ_BYTES..])? })
    }
}
