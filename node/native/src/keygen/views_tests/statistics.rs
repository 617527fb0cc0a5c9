//! Are many tapes samples of the uniform distribution? Three tests; the false alarms of each are bounded.
//!
//! - **Kinds**: Pearson's chi-square over the residues of all elements of one kind.
//! - **Pairs**: how often the low bits of two elements are equal, for all pairs. Private bits and the constant 1 count as
//!   low bits: a coefficient that follows a bit, or is never odd, is a pair as well.
//! - **Relations**: whether any sum of low bits, private bits and the constant 1, of whatever length, is always zero. These
//!   are all linear forms over the whole view at once: the rank of a matrix with a row for every run.
use super::tape::{Kind, Place, Tape};
use crate::ring::Gr;
use std::collections::BTreeMap;

/// Which bit of the four coordinates makes the residue: the field GF(16) below, and bits that only large errors reach.
const BITS: [u32; 3] = [0, 64, 127];
const CLASSES: usize = 16;
/// log2 of the false alarms of one test over all comparisons.
const ALARM: f64 = -20.0;
/// Runs beyond the number of columns: a random matrix has a relation with probability below 2^-40.
const SURPLUS: usize = 40;

/// A column of the matrix: one bit of every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    One,
    PrivateBit { dealer: usize, bit: usize },
    LowBit(Place, usize),
}

/// What is kept of the tapes.
#[derive(Default)]
pub struct Sample {
    runs: usize,
    names: Vec<Column>,
    /// By column; bit i is that of run i.
    columns: Vec<Vec<u64>>,
    residues: BTreeMap<(Kind, u32), [u64; CLASSES]>,
}

impl Sample {
    /// Of `private` values, by dealer, the lowest bits are taken.
    pub fn add(&mut self, private: &[Vec<Gr>], tape: &Tape) {
        let mut row = vec![(Column::One, 1)];
        for (d, bits) in private.iter().enumerate() {
            let named = |(bit, value): (usize, &Gr)| (Column::PrivateBit { dealer: d + 1, bit }, value.0[0]);
            row.extend(bits.iter().enumerate().map(named));
        }
        for &(place, value) in tape {
            row.extend((0..4).map(|k| (Column::LowBit(place, k), value.0[k])));
            for bit in BITS {
                let class = (0..4).fold(0, |class, k| class | ((value.0[k] >> bit & 1) as usize) << k);
                self.residues.entry((place.kind, bit)).or_default()[class] += 1;
            }
        }
        if self.runs == 0 {
            self.names = row.iter().map(|(name, _)| *name).collect();
            self.columns = vec![Vec::new(); row.len()];
        }
        assert_eq!(row.len(), self.columns.len(), "all runs have one form");
        for (column, (_, value)) in self.columns.iter_mut().zip(row) {
            if self.runs.is_multiple_of(64) {
                column.push(0);
            }
            column[self.runs / 64] |= ((value & 1) as u64) << (self.runs % 64);
        }
        self.runs += 1;
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Of columns.
    pub fn pairs(&self) -> usize {
        self.width() * (self.width() - 1) / 2
    }

    pub fn runs(&self) -> usize {
        self.runs
    }

    /// The chi-squares of all kinds, of 15 degrees of freedom each.
    pub fn kinds(&self) -> Vec<(Kind, u32, f64)> {
        let chi_square = |counts: &[u64; CLASSES]| -> f64 {
            let mean = counts.iter().sum::<u64>() as f64 / CLASSES as f64;
            assert!(mean >= 8.0, "too few samples");
            counts.iter().map(|&count| (count as f64 - mean).powi(2) / mean).sum()
        };
        self.residues.iter().map(|(&(kind, bit), counts)| (kind, bit, chi_square(counts))).collect()
    }

    /// The pair of columns that is farthest from being equal in half of the runs, and by what share of them.
    pub fn worst_pair(&self) -> (f64, Column, Column) {
        let mut worst = (0, 0, 0);
        for i in 0..self.columns.len() {
            for j in 0..i {
                let words = self.columns[i].iter().zip(&self.columns[j]);
                let unequal: u32 = words.map(|(a, b)| (a ^ b).count_ones()).sum();
                let off = (2 * unequal as usize).abs_diff(self.runs);
                if off > worst.0 {
                    worst = (off, i, j);
                }
            }
        }
        (worst.0 as f64 / (2 * self.runs) as f64, self.names[worst.1], self.names[worst.2])
    }

    /// A column that is a sum of earlier ones in all runs. Too few runs show nothing, so they are refused.
    pub fn relation(&self) -> Option<Column> {
        assert!(
            self.runs >= runs_for_relations(self.width()),
            "{} runs, {} columns",
            self.runs,
            self.width()
        );
        // By pivot: a combination of columns whose first bit it is.
        let mut reduced: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        for (name, column) in self.names.iter().zip(&self.columns) {
            let mut rest = column.clone();
            let mut word = 0;
            let pivot = loop {
                while rest.get(word) == Some(&0) {
                    word += 1;
                }
                let Some(bits) = rest.get(word) else { return Some(*name) };
                let pivot = 64 * word + bits.trailing_zeros() as usize;
                let Some(other) = reduced.get(&pivot) else { break pivot };
                rest[word..].iter_mut().zip(&other[word..]).for_each(|(a, b)| *a ^= b);
            };
            reduced.insert(pivot, rest);
        }
        None
    }
}

pub const fn runs_for_relations(columns: usize) -> usize {
    columns + SURPLUS
}

fn alarm() -> f64 {
    -ALARM * 2f64.ln()
}

/// What `tests` chi-squares of 15 degrees of freedom all stay below but for 2^-20, by Laurent and Massart's bound
/// P(X >= k + 2·sqrt(kx) + 2x) <= e^-x.
pub fn limit_of_kinds(tests: usize) -> f64 {
    let (k, x) = ((CLASSES - 1) as f64, (tests as f64).ln() + alarm());
    k + 2.0 * (k * x).sqrt() + 2.0 * x
}

/// What the shares of `pairs` pairs of independent bits in `runs` runs all stay below but for 2^-20, by Hoeffding's bound
/// P(|share - 1/2| >= e) <= 2·exp(-2·runs·e^2).
pub fn limit_of_pairs(pairs: usize, runs: usize) -> f64 {
    (((2.0 * pairs as f64).ln() + alarm()) / (2.0 * runs as f64)).sqrt()
}
