//! Residues modulo an odd prime in Montgomery form, in constant time: no branch and no address depends on a value.
//!
//! The fields of `ark-ff`, and with them those of the tfhe crates, end every operation with a conditional subtraction:
//! a branch whose trace follows the operands. The points that tau meets are public, so such a trace would tell a host
//! digit by digit whether it guessed tau right. What is secret goes through this module instead.
//!
//! Limbs stand for any integer below 2p and are brought below p only where they are written: with 4p < 2^(64·N) a
//! product of two such integers is one again.

use core::hint::black_box;
use core::marker::PhantomData;
use core::ops::{Add, Mul, Sub};
use rand::RngCore;
use zeroize::Zeroize;

/// A prime below 2^(64·N − 2) and the constants of its Montgomery form.
pub trait Modulus<const N: usize>: Copy {
    const LIMBS: [u64; N];
    /// −1/p modulo 2^64.
    const NEGATED_INVERSE: u64 = negated_inverse(Self::LIMBS[0]);
    /// 2^(64·N) modulo p: the residue 1.
    const ONE: [u64; N] = power_of_two(&Self::LIMBS, 64 * N);
    const DOUBLED: [u64; N] = doubled(&Self::LIMBS);
    /// Bits of the highest limb that integers below p use.
    const HIGHEST_BITS: u64 = u64::MAX >> Self::LIMBS[N - 1].leading_zeros();
}

/// Each step doubles the number of right bits; an odd p is its own inverse in three.
const fn negated_inverse(p: u64) -> u64 {
    let mut inverse = p;
    let mut bits = 3;
    while bits < 64 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(p.wrapping_mul(inverse)));
        bits *= 2;
    }
    inverse.wrapping_neg()
}

const fn doubled<const N: usize>(limbs: &[u64; N]) -> [u64; N] {
    let mut sum = [0; N];
    let mut i = 0;
    while i < N {
        sum[i] = limbs[i] << 1 | if i == 0 { 0 } else { limbs[i - 1] >> 63 };
        i += 1;
    }
    sum
}

const fn power_of_two<const N: usize>(p: &[u64; N], exponent: usize) -> [u64; N] {
    let mut power = [0; N];
    power[0] = 1;
    let mut step = 0;
    while step < exponent {
        let twice = doubled(&power);
        let (reduced, borrow) = subtract(&twice, p);
        power = if borrow == 0 { reduced } else { twice };
        step += 1;
    }
    power
}

/// The borrow is all ones or zero.
#[inline(always)]
const fn subtract<const N: usize>(a: &[u64; N], b: &[u64; N]) -> ([u64; N], u64) {
    let mut difference = [0; N];
    let mut borrow = 0u64;
    let mut i = 0;
    while i < N {
        let wide = (a[i] as u128).wrapping_sub(b[i] as u128 + (borrow & 1) as u128);
        difference[i] = wide as u64;
        borrow = (wide >> 64) as u64;
        i += 1;
    }
    (difference, borrow)
}

/// The sum must fit.
#[inline(always)]
fn sum<const N: usize>(a: &[u64; N], b: impl Fn(usize) -> u64) -> [u64; N] {
    let mut sum = [0; N];
    let mut carry = 0;
    for i in 0..N {
        let wide = u128::from(a[i]) + u128::from(b(i)) + carry;
        sum[i] = wide as u64;
        carry = wide >> 64;
    }
    sum
}

/// `a` without `b` where that is not negative.
#[inline(always)]
fn subtract_if_not_below<const N: usize>(a: &[u64; N], b: &[u64; N]) -> [u64; N] {
    let (difference, borrow) = subtract(a, b);
    // opaque: the compiler may turn a mask that it knows to be all ones or zero into a branch
    let below = black_box(borrow);
    let mut chosen = difference;
    for i in 0..N {
        chosen[i] ^= below & (difference[i] ^ a[i]);
    }
    chosen
}

/// An integer below 2p that stands for itself times 2^(−64·N).
pub struct Residue<M, const N: usize> {
    limbs: [u64; N],
    modulus: PhantomData<M>,
}

impl<M, const N: usize> Residue<M, N> {
    const fn new(limbs: [u64; N]) -> Self {
        Self { limbs, modulus: PhantomData }
    }
}

impl<M: Modulus<N>, const N: usize> Residue<M, N> {
    pub const ZERO: Self = Self::new([0; N]);
    pub const ONE: Self = Self::new(M::ONE);

    /// Uniform. Candidates that are refused tell nothing of the one that is taken.
    pub fn random(rng: &mut impl RngCore) -> Self {
        let mut limbs = [0; N];
        loop {
            limbs.fill_with(|| rng.next_u64());
            limbs[N - 1] &= M::HIGHEST_BITS;
            if let Some(residue) = Self::from_limbs(limbs) {
                limbs.zeroize();
                return residue;
            }
        }
    }

    /// Of Montgomery form; `None` if they are not below p, which a reader of the time may learn.
    pub fn from_limbs(limbs: [u64; N]) -> Option<Self> {
        let (_, borrow) = subtract(&limbs, &M::LIMBS);
        (borrow != 0).then_some(Self::new(limbs))
    }

    /// Of Montgomery form, below p.
    pub fn limbs(&self) -> [u64; N] {
        subtract_if_not_below(&self.limbs, &M::LIMBS)
    }

    /// The residue as an integer below p.
    pub fn integer(&self) -> [u64; N] {
        let mut one = [0; N];
        one[0] = 1;
        (*self * Self::new(one)).limbs()
    }

    /// Overwrites `self` with `other` where `mask` is all ones, keeps it where `mask` is zero.
    #[inline(always)]
    pub fn assign_masked(&mut self, other: &Self, mask: u64) {
        for i in 0..N {
            self.limbs[i] ^= mask & (self.limbs[i] ^ other.limbs[i]);
        }
    }
}

impl<M, const N: usize> Clone for Residue<M, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, const N: usize> Copy for Residue<M, N> {}

impl<M, const N: usize> Zeroize for Residue<M, N> {
    fn zeroize(&mut self) {
        self.limbs.zeroize();
    }
}

/// Compares in variable time: for public values.
impl<M: Modulus<N>, const N: usize> PartialEq for Residue<M, N> {
    fn eq(&self, other: &Self) -> bool {
        self.limbs() == other.limbs()
    }
}

impl<M: Modulus<N>, const N: usize> Add for Residue<M, N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let sum = sum(&self.limbs, |i| other.limbs[i]);
        Self::new(subtract_if_not_below(&sum, &M::DOUBLED))
    }
}

impl<M: Modulus<N>, const N: usize> Sub for Residue<M, N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        let (difference, borrow) = subtract(&self.limbs, &other.limbs);
        let below = black_box(borrow);
        Self::new(sum(&difference, |i| M::DOUBLED[i] & below))
    }
}

impl<M: Modulus<N>, const N: usize> Mul for Residue<M, N> {
    type Output = Self;
    /// Montgomery's product, limb by limb. The sum stays below 3p, so that it never leaves its N limbs.
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let mut product = [0u64; N];
        for i in 0..N {
            let digit = u128::from(other.limbs[i]);
            let mut wide = u128::from(self.limbs[0]) * digit + u128::from(product[0]);
            let quotient = (wide as u64).wrapping_mul(M::NEGATED_INVERSE);
            let mut carry = wide >> 64;
            let mut reduction =
                u128::from(quotient) * u128::from(M::LIMBS[0]) + u128::from(wide as u64) >> 64;
            for j in 1..N {
                wide = u128::from(self.limbs[j]) * digit + u128::from(product[j]) + carry;
                carry = wide >> 64;
                wide = u128::from(quotient) * u128::from(M::LIMBS[j]) + u128::from(wide as u64) + reduction;
                reduction = wide >> 64;
                product[j - 1] = wide as u64;
            }
            product[N - 1] = (carry + reduction) as u64;
        }
        Self::new(product)
    }
}
