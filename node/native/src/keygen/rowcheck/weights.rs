//! The public weights of rows in sums, from the coin.
//!
//! Rows with the same weights in several sums are added up once: a group of sums gives every row one pattern, and a sum is
//! a signed sum of patterns. Four ternary sums share the 81 patterns of a group.
use super::section::{Mode, Section, places};
use crate::stream::{BLOCK, SecretStream};
use std::ops::Range;

const GROUP: usize = 4;

/// Adds or subtracts a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    pub pattern: usize,
    pub negative: bool,
}

/// See the module.
pub struct Weights {
    patterns: usize,
    /// By group: the pattern of every row, counted through all groups.
    rows: Vec<Vec<u32>>,
    sums: Vec<Vec<Term>>,
}

impl Weights {
    /// `coins` gives a stream for each group.
    pub fn draw(section: &Section, coins: impl Fn(u8) -> SecretStream) -> Weights {
        let count = section.rows.len();
        let mut weights = Weights { patterns: 0, rows: Vec::new(), sums: Vec::new() };
        match section.mode() {
            Mode::Ternary { sums } => {
                for first in (0..sums).step_by(GROUP) {
                    let coin = coins(weights.rows.len() as u8);
                    weights.add_ternary(GROUP.min(sums - first), count, &coin);
                }
            }
            Mode::Buckets { buckets, hashings } => {
                for hashing in 0..hashings {
                    weights.add_hashing(buckets, count, &coins(hashing as u8));
                }
            }
            Mode::Places { drawings } => {
                for drawing in 0..drawings {
                    weights.add_places(count, &coins(drawing as u8));
                }
            }
        }
        weights
    }

    /// `size` sums whose weights are d − 1 for the digits d = bit + bit of one byte of coins per row.
    fn add_ternary(&mut self, size: usize, rows: usize, coins: &SecretStream) {
        let mut bytes = vec![0; rows];
        coins.fill(0, &mut bytes);
        let digits =
            |byte: u8| (0..size).map(move |i| u32::from((byte >> (2 * i) & 1) + (byte >> (2 * i + 1) & 1)));
        let pattern = |byte| digits(byte).rev().fold(0, |pattern, digit| 3 * pattern + digit);
        let count = 3usize.pow(size as u32);
        let sums = (0..size as u32).map(|i| {
            let digit = move |pattern: usize| pattern / 3usize.pow(i) % 3;
            let terms = (0..count).filter(|&pattern| digit(pattern) != 1);
            terms.map(|pattern| Term { pattern, negative: digit(pattern) == 0 }).collect()
        });
        self.add(count, bytes.into_iter().map(pattern), sums);
    }

    /// `buckets` sums, a power of two; two bytes of coins per row choose one of them and a sign.
    fn add_hashing(&mut self, buckets: usize, rows: usize, coins: &SecretStream) {
        let mut bytes = vec![0; 2 * rows];
        coins.fill(0, &mut bytes);
        let mask = (2 * buckets - 1) as u16;
        let patterns =
            bytes.as_chunks::<2>().0.iter().map(|pair| u32::from(u16::from_le_bytes(*pair) & mask));
        self.add(2 * buckets, patterns, signed_pairs(buckets));
    }

    /// [`places`] sums. Sorted by their blocks of coins, the first as many as there are rows get one row each, in this
    /// order; the lowest bit of a sum's block is its row's sign.
    fn add_places(&mut self, rows: usize, coins: &SecretStream) {
        let count = places(rows);
        let mut bytes = vec![0; count * BLOCK];
        coins.fill(0, &mut bytes);
        let mut order: Vec<(u128, u32)> =
            bytes.as_chunks::<BLOCK>().0.iter().map(|block| u128::from_le_bytes(*block)).zip(0..).collect();
        order.sort_unstable();
        let patterns = order[..rows].iter().map(|&(block, place)| 2 * place + (block & 1) as u32);
        self.add(2 * count, patterns, signed_pairs(count));
    }

    fn add(&mut self, count: usize, rows: impl Iterator<Item = u32>, sums: impl Iterator<Item = Vec<Term>>) {
        let base = self.patterns;
        self.rows.push(rows.map(|pattern| base as u32 + pattern).collect());
        self.sums.extend(sums.map(|terms| {
            terms.into_iter().map(|term| Term { pattern: base + term.pattern, ..term }).collect()
        }));
        self.patterns += count;
    }

    /// Patterns of all groups.
    pub fn patterns(&self) -> usize {
        self.patterns
    }

    /// At most, about.
    pub fn patterns_per_group(&self) -> usize {
        self.patterns.div_ceil(self.rows.len())
    }

    /// By group: the patterns of `rows`, counted from the section's first row.
    pub fn of_rows(&self, rows: Range<usize>) -> impl Iterator<Item = &[u32]> {
        self.rows.iter().map(move |group| &group[rows.clone()])
    }

    pub fn sums(&self) -> &[Vec<Term>] {
        &self.sums
    }
}

/// `count` sums of two patterns each: the one that a sum adds and the one that it subtracts.
fn signed_pairs(count: usize) -> impl Iterator<Item = Vec<Term>> {
    (0..count).map(|sum| {
        [false, true].map(|negative| Term { pattern: 2 * sum + usize::from(negative), negative }).into()
    })
}

#[cfg(test)]
pub mod tests {
    use super::super::super::layout::PartId;
    use super::*;

    pub fn stream(group: u8) -> SecretStream {
        SecretStream::new(&[group; 32])
    }

    /// The weight of every row in every sum.
    pub fn table(section: &Section) -> Vec<Vec<i8>> {
        let weights = Weights::draw(section, stream);
        assert_eq!(weights.sums().len(), section.sums());
        let weight = |terms: &[Term], row: usize| {
            let hits = weights.of_rows(row..row + 1).map(|group| {
                let found = terms.iter().find(|term| term.pattern == group[0] as usize);
                found.map_or(0, |term| if term.negative { -1 } else { 1 })
            });
            hits.sum()
        };
        let rows = section.rows.len();
        weights.sums().iter().map(|terms| (0..rows).map(|row| weight(terms, row)).collect()).collect()
    }

    fn share_of(table: &[Vec<i8>], weight: i8) -> f64 {
        let all = table.concat();
        all.iter().filter(|&&w| w == weight).count() as f64 / all.len() as f64
    }

    #[test]
    fn ternary_weights_are_a_quarter_half_and_a_quarter() {
        let table = table(&Section { part: PartId::Bootstrapping, rows: 0..1836 });
        assert_eq!(table.len(), 41);
        for (weight, want) in [(-1, 0.25), (0, 0.5), (1, 0.25)] {
            assert!((share_of(&table, weight) - want).abs() < 0.01, "{weight}");
        }
    }

    #[test]
    fn no_two_ternary_sums_have_related_weights() {
        let table = table(&Section { part: PartId::Squashing, rows: 0..4096 });
        for (i, a) in table.iter().enumerate() {
            for b in &table[..i] {
                let product: i32 = a.iter().zip(b).map(|(&x, &y)| i32::from(x) * i32::from(y)).sum();
                // The deviation is √(4096 / 4) = 32.
                assert!(product.abs() < 6 * 32, "{product}");
            }
        }
    }

    #[test]
    fn every_hashing_puts_every_row_into_one_bucket_with_a_random_sign() {
        let table = table(&Section { part: PartId::Compression, rows: 0..2048 });
        for hashing in table.chunks(256) {
            for row in 0..2048 {
                assert_eq!(hashing.iter().filter(|sum| sum[row] != 0).count(), 1);
            }
            let sign: i32 = hashing.concat().iter().map(|&w| i32::from(w)).sum();
            assert!(sign.abs() < 6 * 46, "{sign}");
            let largest = hashing.iter().map(|sum| sum.iter().filter(|&&w| w != 0).count()).max();
            assert!(largest < Some(30), "8 rows in the mean");
        }
        assert_ne!(table[..256], table[256..512]);
    }

    #[test]
    fn every_drawing_puts_every_row_by_itself_into_a_random_one_of_its_places() {
        const ROWS: usize = 512;
        let section = Section { part: PartId::KeySwitching, rows: 8..8 + ROWS };
        let table = table(&section);
        let places = places(ROWS);
        assert_eq!((table.len(), places), (3 * places, 1280));
        for drawing in table.chunks(places) {
            for row in 0..ROWS {
                assert_eq!(drawing.iter().filter(|sum| sum[row] != 0).count(), 1);
            }
            let filled: Vec<bool> = drawing.iter().map(|sum| sum.iter().any(|&w| w != 0)).collect();
            assert!(drawing.iter().all(|sum| sum.iter().filter(|&&w| w != 0).count() <= 1), "one row");
            let sign: i32 = drawing.concat().iter().map(|&w| i32::from(w)).sum();
            assert!(sign.abs() < 6 * 23, "{sign}");
            let lower = filled[..places / 2].iter().filter(|filled| **filled).count();
            assert!(lower.abs_diff(ROWS / 2) < 6 * 11, "{lower} in the first half");
            let kept = (0..ROWS).filter(|&row| drawing[row][row] != 0 || drawing[2 * row][row] != 0).count();
            assert!(kept < 12, "{kept} rows where an author expects them");
        }
        assert_ne!(table[..places], table[places..2 * places]);
    }

    /// How often the first four sums all stay small, over many coins: errors `a` and `b` in two rows, of modulus 2^64.
    fn escapes(a: i64, b: i64) -> f64 {
        const COINS: usize = 20_000;
        let section = Section { part: PartId::Bootstrapping, rows: 0..2 };
        let escaped = (0..COINS).filter(|coin| {
            let weights = Weights::draw(&section, |group| {
                let mut key = [group; 32];
                key[..8].copy_from_slice(&coin.to_le_bytes());
                SecretStream::new(&key)
            });
            let weight = |terms: &[Term], row: usize| {
                let patterns: Vec<usize> = weights.of_rows(row..row + 1).map(|g| g[0] as usize).collect();
                let found = terms.iter().find(|term| patterns.contains(&term.pattern));
                found.map_or(0i64, |term| if term.negative { -1 } else { 1 })
            };
            weights.sums()[..4].iter().all(|terms| {
                let sum = weight(terms, 0).wrapping_mul(a).wrapping_add(weight(terms, 1).wrapping_mul(b));
                sum.unsigned_abs() < 1 << 30
            })
        });
        escaped.count() as f64 / COINS as f64
    }

    #[test]
    fn planted_errors_escape_ternary_sums_as_rarely_as_designed() {
        for (a, b, one) in [
            (1 << 40, 0, 0.5),
            (i64::MIN, 0, 0.5),
            (i64::MIN, i64::MIN, 0.5),
            (1 << 40, -(1 << 40), 0.375),
            (1 << 40, 1 << 41, 0.25),
        ] {
            let (got, want) = (escapes(a, b), f64::powi(one, 4));
            let error = (want * (1.0 - want) / 20_000.0).sqrt();
            assert!((got - want).abs() < 5.0 * error, "{a} and {b}: {got} against {want}");
        }
    }
}
