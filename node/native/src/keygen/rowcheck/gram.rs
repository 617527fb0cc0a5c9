//! How many rows the sums of a section hold, and which two of them share. Public.
use super::weights::{Term, Weights};

/// The product of the matrix of weights with its own transpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gram {
    /// By sum: how many rows are in it.
    pub rows: Vec<usize>,
    /// Of all pairs of sums that share rows, in order.
    pub overlaps: Vec<Overlap>,
}

/// Rows that two sums share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The first is smaller.
    pub sums: (usize, usize),
    /// Those with equal signs, less those with opposite ones.
    pub weight: i32,
}

/// Sums of a row, or rows of a sum, with their signs.
type Signed = Vec<(usize, i32)>;

impl Gram {
    /// For a section of `rows` rows.
    pub fn new(weights: &Weights, rows: usize) -> Gram {
        let mut of_pattern: Vec<Signed> = vec![Vec::new(); weights.patterns()];
        for (sum, terms) in weights.sums().iter().enumerate() {
            let sign = |term: &Term| if term.negative { -1 } else { 1 };
            terms.iter().for_each(|term| of_pattern[term.pattern].push((sum, sign(term))));
        }
        let mut of_sum: Vec<Signed> = vec![Vec::new(); weights.sums().len()];
        let mut of_row: Vec<Signed> = vec![Vec::new(); rows];
        for group in weights.of_rows(0..rows) {
            for (row, &pattern) in group.iter().enumerate() {
                for &(sum, sign) in &of_pattern[pattern as usize] {
                    of_row[row].push((sum, sign));
                    of_sum[sum].push((row, sign));
                }
            }
        }
        Gram { rows: of_sum.iter().map(Vec::len).collect(), overlaps: overlaps(&of_sum, &of_row) }
    }
}

fn overlaps(of_sum: &[Signed], of_row: &[Signed]) -> Vec<Overlap> {
    let mut overlaps = Vec::new();
    let mut weights: Vec<Option<i32>> = vec![None; of_sum.len()];
    for (sum, rows) in of_sum.iter().enumerate() {
        let mut met = Vec::new();
        for &(row, sign) in rows {
            for &(other, other_sign) in of_row[row].iter().filter(|(other, _)| *other > sum) {
                let weight = weights[other].get_or_insert_with(|| {
                    met.push(other);
                    0
                });
                *weight += sign * other_sign;
            }
        }
        met.sort_unstable();
        let overlap = |other| Some(Overlap { sums: (sum, other), weight: weights[other].take()? });
        overlaps.extend(met.into_iter().filter_map(overlap));
    }
    overlaps
}

#[cfg(test)]
mod tests {
    use super::super::super::layout::PartId;
    use super::super::section::Section;
    use super::super::weights::tests::{stream, table};
    use super::*;

    #[test]
    fn overlaps_are_those_of_the_weights() {
        for section in [
            Section { part: PartId::CompactPublic, rows: 0..1 },
            Section { part: PartId::Bootstrapping, rows: 4..60 },
            Section { part: PartId::Compression, rows: 0..100 },
            Section { part: PartId::KeySwitching, rows: 0..64 },
        ] {
            let table = table(&section);
            let mut overlaps = Vec::new();
            for (i, a) in table.iter().enumerate() {
                for (j, b) in table.iter().enumerate().skip(i + 1) {
                    if a.iter().zip(b).any(|(&x, &y)| x != 0 && y != 0) {
                        let weight = a.iter().zip(b).map(|(&x, &y)| i32::from(x * y)).sum();
                        overlaps.push(Overlap { sums: (i, j), weight });
                    }
                }
            }
            assert!(!overlaps.is_empty());
            let rows = table.iter().map(|sum| sum.iter().filter(|&&w| w != 0).count()).collect();
            let got = Gram::new(&Weights::draw(&section, stream), section.rows.len());
            assert!(got == Gram { rows, overlaps }, "{:?}", section.part);
        }
    }
}
