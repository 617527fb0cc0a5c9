//! Fields of BLS12-446: coordinates, their quadratic extension, scalars.
//!
//! The tfhe crates keep their own field types private, so the moduli are stated again here; tests compare the ladder
//! built on them with the crate's multiplication. Limbs are in Montgomery form, as in the crate's own files.

use super::montgomery::{Modulus, Residue};
use ark_ff::BigInt;
use ark_ff::fields::{Field, Fp448, MontBackend, MontConfig};
use core::ops::{Add, Mul, Sub};
use rand::rngs::OsRng;
use tfhe_zk_pok::curve_api::bls12_446::Zp;

#[derive(Clone, Copy)]
pub struct CoordinateModulus;

impl Modulus<7> for CoordinateModulus {
    const LIMBS: [u64; 7] = [
        0x311c_0026_aab0_aaab,
        0x56ee_4528_c573_b5cc,
        0x824e_6dc3_e23a_cdee,
        0x0f75_a64b_bac7_1602,
        0x0095_a4b7_8a02_fe32,
        0x200f_c349_65aa_d640,
        0x3cde_e0fb_28c5_e535,
    ];
}

/// Integers modulo the 446-bit prime p.
pub type Fq = Residue<CoordinateModulus, 7>;

#[derive(Clone, Copy)]
pub struct ScalarModulus;

impl Modulus<5> for ScalarModulus {
    const LIMBS: [u64; 5] = [
        0x0428_0014_0004_0001,
        0x7bb9_b0e8_d8ca_3461,
        0xd04c_98cc_c4c0_50bc,
        0x7995_b349_9583_0fa4,
        0x0000_0511_b705_39f2,
    ];
}

/// Integers modulo the 299-bit order of the groups.
pub type Scalar = Residue<ScalarModulus, 5>;

/// The crate's scalar as one of ours.
pub fn scalar_of(scalar: &Zp) -> Scalar {
    Scalar::from_limbs(scalar.inner.0.0).expect("the crate keeps scalars below the order")
}

#[derive(MontConfig)]
#[modulus = "172824703542857155980071276579495962243492693522789898437834836356385656662277472896902502740297183690175962001546428467344062165330603"]
#[generator = "2"]
struct InversionConfig;

/// Inverts in variable time; used for nothing else.
type InvertibleFq = Fp448<MontBackend<InversionConfig, 7>>;

/// Bytes of one element of [`Fq`]: seven little-endian limbs.
pub const FQ_BYTES: usize = 56;

/// What the ladder needs of a coordinate field. Constant in time but for comparison, inversion and reading.
pub trait Coordinate:
    Copy + PartialEq + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
    const ZERO: Self;
    const ONE: Self;
    /// Bytes of the canonical encoding.
    const BYTES: usize;
    /// The constant b of the curve y² = x³ + b over this field.
    const CURVE: Self;
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
    const ZERO: Self = Residue::ZERO;
    const ONE: Self = Residue::ONE;
    const BYTES: usize = FQ_BYTES;
    const CURVE: Self = Residue::ONE;

    fn times_three_b(self) -> Self {
        self + self + self
    }

    fn random() -> Self {
        Residue::random(&mut OsRng)
    }

    fn inverse(self) -> Option<Self> {
        let inverse = InvertibleFq::new_unchecked(BigInt(self.limbs())).inverse()?;
        Self::from_limbs(inverse.0.0)
    }

    fn assign_masked(&mut self, other: &Self, mask: u64) {
        Residue::assign_masked(self, other, mask);
    }

    fn write(&self, out: &mut [u8]) {
        for (bytes, limb) in out.chunks_exact_mut(8).zip(self.limbs()) {
            bytes.copy_from_slice(&limb.to_le_bytes());
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut limbs = [0u64; 7];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
            *limb = u64::from_le_bytes(chunk.try_into().ok()?);
        }
        Self::from_limbs(limbs)
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
    const ZERO: Self = Self { c0: Fq::ZERO, c1: Fq::ZERO };
    const ONE: Self = Self { c0: Fq::ONE, c1: Fq::ZERO };
    const BYTES: usize = 2 * FQ_BYTES;
    const CURVE: Self = Self { c0: Fq::ONE, c1: Fq::ONE };

    fn times_three_b(self) -> Self {
        // b = 1 + u
        let product = Self { c0: self.c0 - self.c1, c1: self.c0 + self.c1 };
        product + product + product
    }

    fn random() -> Self {
        Self { c0: Coordinate::random(), c1: Coordinate::random() }
    }

    fn inverse(self) -> Option<Self> {
        let norm = self.c0 * self.c0 + self.c1 * self.c1;
        let scale = norm.inverse()?;
        Some(Self { c0: self.c0 * scale, c1: Fq::ZERO - self.c1 * scale })
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
