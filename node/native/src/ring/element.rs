//! Elements of R = GR(2^128, 4) = Z_{2^128}[X]/(X^4 + X + 1) (protocol §3).
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};
use zeroize::DefaultIsZeroes;

/// Bytes of one encoded element: four little-endian `u128` coefficients, constant coefficient first.
pub const GR_BYTES: usize = 64;

/// A ring element by its coefficients of 1, X, X^2, X^3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Gr(pub [u128; 4]);

impl DefaultIsZeroes for Gr {}

impl Gr {
    pub const ZERO: Gr = Gr([0; 4]);
    pub const ONE: Gr = Gr([1, 0, 0, 0]);

    /// The integer `value` as a ring element.
    pub const fn scalar(value: u128) -> Gr {
        Gr([value, 0, 0, 0])
    }

    /// Exceptional point of a party: the bits of its index as coefficients. Index 0 is the point of the secret.
    pub fn alpha(index: usize) -> Gr {
        debug_assert!(index < 16);
        let bit = |k: usize| ((index >> k) & 1) as u128;
        Gr([bit(0), bit(1), bit(2), bit(3)])
    }

    /// `self` times an integer.
    #[inline(always)]
    pub fn scale(self, factor: u128) -> Gr {
        Gr(self.0.map(|c| c.wrapping_mul(factor)))
    }

    /// `self` times X.
    #[inline(always)]
    pub fn mul_x(self) -> Gr {
        let [a, b, c, d] = self.0;
        Gr([d.wrapping_neg(), a.wrapping_sub(d), b, c])
    }

    /// `self` times the exceptional point of `index` (public): additions only.
    #[inline(always)]
    pub fn mul_alpha(self, index: usize) -> Gr {
        let mut sum = Gr::ZERO;
        let mut power = self;
        let mut bits = index;
        while bits != 0 {
            if bits & 1 == 1 {
                sum += power;
            }
            power = power.mul_x();
            bits >>= 1;
        }
        sum
    }

    /// The constant coefficient of `self * other`: X^4 = -X - 1, and X^5, X^6 have no constant term.
    #[inline(always)]
    pub fn coef0_product(self, other: Gr) -> u128 {
        let (a, b) = (self.0, other.0);
        a[0].wrapping_mul(b[0])
            .wrapping_sub(a[1].wrapping_mul(b[3]))
            .wrapping_sub(a[2].wrapping_mul(b[2]))
            .wrapping_sub(a[3].wrapping_mul(b[1]))
    }

    /// The inverse of a unit (an element that is not zero modulo 2), or `None`. For public values only: it branches.
    pub fn invert(self) -> Option<Gr> {
        let residue = Gr(self.0.map(|c| c & 1));
        if residue == Gr::ZERO {
            return None;
        }
        // GF(16)* has order 15, so a^14 = a^-1 in the residue field; Newton doubles the precision: 2^7 = 128 bits.
        let mut inverse = Gr::ONE;
        for _ in 0..14 {
            inverse = Gr((inverse * residue).0.map(|c| c & 1));
        }
        for _ in 0..7 {
            inverse = inverse * (Gr::scalar(2) - self * inverse);
        }
        Some(inverse)
    }

    /// Canonical encoding, 64 bytes.
    pub fn to_bytes(self) -> [u8; GR_BYTES] {
        let mut out = [0; GR_BYTES];
        for (bytes, coefficient) in out.chunks_exact_mut(16).zip(self.0) {
            bytes.copy_from_slice(&coefficient.to_le_bytes());
        }
        out
    }

    /// Every string of 64 bytes is an element.
    pub fn from_bytes(bytes: &[u8; GR_BYTES]) -> Gr {
        let mut element = Gr::ZERO;
        for (coefficient, chunk) in element.0.iter_mut().zip(bytes.chunks_exact(16)) {
            let mut word = [0; 16];
            word.copy_from_slice(chunk);
            *coefficient = u128::from_le_bytes(word);
        }
        element
    }
}

impl Add for Gr {
    type Output = Gr;
    #[inline(always)]
    fn add(self, other: Gr) -> Gr {
        let (a, b) = (self.0, other.0);
        Gr([0, 1, 2, 3].map(|i: usize| a[i].wrapping_add(b[i])))
    }
}

impl Sub for Gr {
    type Output = Gr;
    #[inline(always)]
    fn sub(self, other: Gr) -> Gr {
        let (a, b) = (self.0, other.0);
        Gr([0, 1, 2, 3].map(|i: usize| a[i].wrapping_sub(b[i])))
    }
}

impl Neg for Gr {
    type Output = Gr;
    #[inline(always)]
    fn neg(self) -> Gr {
        Gr(self.0.map(u128::wrapping_neg))
    }
}

impl Mul for Gr {
    type Output = Gr;
    #[inline(always)]
    fn mul(self, other: Gr) -> Gr {
        let mut c = [0u128; 7];
        for (i, a) in self.0.iter().enumerate() {
            for (j, b) in other.0.iter().enumerate() {
                c[i + j] = c[i + j].wrapping_add(a.wrapping_mul(*b));
            }
        }
        // X^4 = -X - 1, X^5 = -X^2 - X, X^6 = -X^3 - X^2
        Gr([
            c[0].wrapping_sub(c[4]),
            c[1].wrapping_sub(c[4]).wrapping_sub(c[5]),
            c[2].wrapping_sub(c[5]).wrapping_sub(c[6]),
            c[3].wrapping_sub(c[6]),
        ])
    }
}

impl AddAssign for Gr {
    #[inline(always)]
    fn add_assign(&mut self, other: Gr) {
        *self = *self + other;
    }
}

impl SubAssign for Gr {
    #[inline(always)]
    fn sub_assign(&mut self, other: Gr) {
        *self = *self - other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    fn random(rng: &mut StdRng) -> Gr {
        Gr(rng.r#gen())
    }

    #[test]
    fn the_inverse_of_alpha_2_equals_the_reference_model() {
        // prototypes/decryption/threshold-ref.mjs prints inv(alpha(2)): X * (-X^3 - 1) = 1.
        let max = u128::MAX;
        assert_eq!(Gr::alpha(2).invert(), Some(Gr([max, 0, 0, max])));
    }

    #[test]
    fn product_and_inverse_equal_the_reference_model() {
        // prototypes/decryption/threshold-ref.mjs: mul(a, b) and inv(a)
        let a = Gr([
            0x0123_4567_89ab_cdef_fedc_ba98_7654_3210,
            0xdead_beef_dead_beef_dead_beef_dead_beef,
            7,
            u128::MAX - 2,
        ]);
        let b = Gr([5, (1 << 127) + 1, u128::MAX / 3, 9]);
        let product = Gr([
            0x5c3f_4f41_86e9_f9eb_d0de_9936_2633_ee99,
            0xb116_f452_b99f_7cdb_2ed0_6983_a647_e0c4,
            0x5e4c_a7cd_5b74_7a4a_89b9_80bd_0c91_ae3d,
            0xeaae_30fe_8cd0_5320_00dd_fa61_8966_82fe,
        ]);
        let inverse = Gr([
            0xa51a_67ee_68ca_52a6_2e2e_a900_0939_b463,
            0x8417_b920_5955_c495_6674_2a57_555f_0c15,
            0xe971_d895_792e_3ae0_86ea_3fe7_055b_ce48,
            0x64d4_ed4b_9192_0aaa_fa5f_eb97_04cc_caea,
        ]);
        assert_eq!(a * b, product);
        assert_eq!(a.invert(), Some(inverse));
    }

    #[test]
    fn every_difference_of_exceptional_points_is_a_unit() {
        for i in 0..16 {
            for j in 0..16 {
                let difference = Gr::alpha(i) - Gr::alpha(j);
                match difference.invert() {
                    Some(inverse) => assert_eq!(inverse * difference, Gr::ONE),
                    None => assert_eq!(i, j),
                }
            }
        }
    }

    #[test]
    fn non_units_have_no_inverse() {
        assert_eq!(Gr([2, 4, 1 << 127, 0]).invert(), None);
    }

    #[test]
    fn multiplication_is_associative_and_distributes() {
        let mut rng = StdRng::seed_from_u64(1);
        for _ in 0..200 {
            let (a, b, c) = (random(&mut rng), random(&mut rng), random(&mut rng));
            assert_eq!((a * b) * c, a * (b * c));
            assert_eq!(a * (b + c), a * b + a * c);
            assert_eq!(a - b, a + (-b));
        }
    }

    #[test]
    fn x_satisfies_the_ring_polynomial() {
        let x = Gr::alpha(2);
        assert_eq!(x * x * x * x + x + Gr::ONE, Gr::ZERO);
    }

    #[test]
    fn the_short_cuts_equal_the_full_product() {
        let mut rng = StdRng::seed_from_u64(2);
        for index in 0..16 {
            let (a, b) = (random(&mut rng), random(&mut rng));
            assert_eq!(a.mul_x(), a * Gr::alpha(2));
            assert_eq!(a.mul_alpha(index), a * Gr::alpha(index));
            assert_eq!(a.coef0_product(b), (a * b).0[0]);
            assert_eq!(a.scale(7), a * Gr::scalar(7));
        }
    }

    #[test]
    fn the_encoding_is_little_endian_and_round_trips() {
        let mut rng = StdRng::seed_from_u64(3);
        let a = random(&mut rng);
        assert_eq!(Gr::from_bytes(&a.to_bytes()), a);
        assert_eq!(Gr([1, 0, 0, 2]).to_bytes()[0], 1);
        assert_eq!(Gr([1, 0, 0, 2]).to_bytes()[48], 2);
    }
}
