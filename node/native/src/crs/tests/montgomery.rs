//! Arithmetic in constant time against the integers.

use crate::crs::field::{CoordinateModulus, ScalarModulus, scalar_of};
use crate::crs::montgomery::{Modulus, Residue};
use num_bigint::BigUint;
use rand::rngs::OsRng;
use tfhe_zk_pok::curve_api::bls12_446::Zp;

fn integer(limbs: &[u64]) -> BigUint {
    let bytes: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
    BigUint::from_bytes_le(&bytes)
}

/// Zero, one, the greatest, and random ones.
fn samples<M: Modulus<N>, const N: usize>() -> Vec<Residue<M, N>> {
    let mut greatest = M::LIMBS;
    greatest[0] -= 1;
    let edges = [Residue::ZERO, Residue::ONE, Residue::from_limbs(greatest).unwrap()];
    edges.into_iter().chain((0..40).map(|_| Residue::random(&mut OsRng))).collect()
}

fn agrees_with_integers<M: Modulus<N>, const N: usize>() {
    let p = integer(&M::LIMBS);
    let samples = samples::<M, N>();
    for a in &samples {
        let x = integer(&a.integer());
        assert!(x < p);
        for b in &samples {
            let y = integer(&b.integer());
            assert_eq!(integer(&(*a + *b).integer()), (&x + &y) % &p);
            assert_eq!(integer(&(*a - *b).integer()), (&x + &p - &y) % &p);
            assert_eq!(integer(&(*a * *b).integer()), &x * &y % &p);
            // operands between p and 2p
            let (sum, difference) = (*a + *b, *b - *a);
            assert_eq!(integer(&(sum * difference).integer()), (&x + &y) * (&y + &p - &x) % &p);
            assert!(sum - sum == Residue::ZERO && (sum - difference) - *a == *a);
        }
    }
}

#[test]
fn residues_are_integers_modulo_the_prime() {
    agrees_with_integers::<CoordinateModulus, 7>();
    agrees_with_integers::<ScalarModulus, 5>();
}

#[test]
fn limbs_have_one_form() {
    let mut limbs = CoordinateModulus::LIMBS;
    assert!(Residue::<CoordinateModulus, 7>::from_limbs(limbs).is_none());
    limbs[6] = u64::MAX;
    assert!(Residue::<CoordinateModulus, 7>::from_limbs(limbs).is_none());
    for sample in samples::<CoordinateModulus, 7>() {
        let doubled = sample + sample;
        assert!(Residue::<CoordinateModulus, 7>::from_limbs(doubled.limbs()).unwrap() == doubled);
    }
}

#[test]
fn scalars_are_those_of_the_crate() {
    for _ in 0..40 {
        let (a, b) = (Zp::rand(&mut OsRng), Zp::rand(&mut OsRng));
        assert!(scalar_of(&a) * scalar_of(&b) == scalar_of(&(a * b)));
        assert!(scalar_of(&a) + scalar_of(&b) == scalar_of(&(a + b)));
    }
    assert!(scalar_of(&Zp::ONE) == Residue::ONE && scalar_of(&Zp::ZERO) == Residue::ZERO);
}

#[test]
fn masks_choose_all_or_nothing() {
    for [a, b] in samples::<ScalarModulus, 5>().windows(2).map(|pair| [pair[0], pair[1]]) {
        let mut kept = a;
        kept.assign_masked(&b, 0);
        assert!(kept == a);
        kept.assign_masked(&b, u64::MAX);
        assert!(kept == b);
    }
}
