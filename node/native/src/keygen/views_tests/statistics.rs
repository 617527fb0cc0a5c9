//! Two samples of views compared: Pearson's chi-square over residues of every kind of field.
use super::fields::Field;
use crate::ring::Gr;
use std::collections::BTreeMap;

/// Which bit of the four coefficients makes the residue: the field GF(16) below, and bits that only large errors reach.
const BITS: [u32; 3] = [0, 64, 127];
const CLASSES: usize = 16;

/// How often each residue came, by field and bit.
#[derive(Clone, Default)]
pub struct Counts(BTreeMap<(Field, u32), [u64; CLASSES]>);

impl Counts {
    pub fn add(&mut self, fields: &[(Field, Gr)]) {
        for &(field, value) in fields {
            for bit in BITS {
                let class = (0..4).fold(0, |class, k| class | ((value.0[k] >> bit & 1) as usize) << k);
                self.0.entry((field, bit)).or_insert([0; CLASSES])[class] += 1;
            }
        }
    }
}

/// How far two samples are apart in one bit of one field.
#[derive(Clone, Copy, Debug)]
pub struct Distance {
    pub field: Field,
    pub bit: u32,
    /// With 15 degrees of freedom.
    pub chi_square: f64,
}

pub fn distances(a: &Counts, b: &Counts) -> Vec<Distance> {
    assert!(a.0.keys().eq(b.0.keys()), "both samples have all fields");
    let compared = a.0.iter().zip(b.0.values());
    compared.map(|((&(field, bit), a), b)| Distance { field, bit, chi_square: chi_square(a, b) }).collect()
}

fn chi_square(a: &[u64; CLASSES], b: &[u64; CLASSES]) -> f64 {
    let total = |counts: &[u64; CLASSES]| counts.iter().sum::<u64>() as f64;
    let (a_total, b_total) = (total(a), total(b));
    assert!(a_total.min(b_total) >= 8.0 * CLASSES as f64, "too few samples: {a_total}, {b_total}");
    let ratio = (b_total / a_total).sqrt();
    a.iter()
        .zip(b)
        .filter(|&(&a, &b)| a + b > 0)
        .map(|(&a, &b)| (a as f64 * ratio - b as f64 / ratio).powi(2) / (a + b) as f64)
        .sum()
}

/// What `tests` chi-squares of 15 degrees of freedom all stay below with probability at least 1 - 2^-20, by Laurent and
/// Massart's bound P(X >= k + 2·sqrt(kx) + 2x) <= e^-x.
pub fn limit(tests: usize) -> f64 {
    let (k, x) = ((CLASSES - 1) as f64, (tests as f64).ln() + 20.0 * 2f64.ln());
    k + 2.0 * (k * x).sqrt() + 2.0 * x
}
