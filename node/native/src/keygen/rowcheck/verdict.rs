//! Opening the sums of a section from the points of all n parties, and judging them. Public.
//!
//! All points of an element must lie on one polynomial: with n >= 3t + 1 the honest ones fix it, so a party that speaks
//! last gains nothing. Wrong points of one party look like noise that a dealer shared wrongly, so nobody is named.
//! * Maximum: errors in few rows.
//! * Energy: small errors in many. Sums without rows are shared noise alone: their energy says nothing about rows.
//! * Likeness: the same, if corrupt parties dealt less shared noise than they should, which leaves room in the energy. Sums
//!   that share rows are alike by the noise of these rows; shared noise, drawn anew for every sum, adds nothing to that.
use super::gram::Gram;
use super::packing::{PACKED, element_bytes, read_scaled, signed};
use super::section::Section;
use crate::errors::{Code, Failure, Result};
use crate::ring::shamir::PolynomialTest;
use crate::ring::{Committee, Gr};
use rayon::prelude::*;

/// Deviations that no coefficient of an honest sum reaches: false alarms of a whole key below 2^-25.
const MAXIMUM: f64 = 8.0;
/// Standard errors by which a mean may be too large: 2^-31.
const SLACK: f64 = 6.5;
/// Elements opened at once.
const BATCH: usize = 512;

/// The coefficients of a section's sums, sum by sum; `points[p - 1]` are the bytes of party p. `None` if some points are on
/// no polynomial.
pub fn open(committee: Committee, section: &Section, points: &[&[u8]]) -> Option<Vec<i128>> {
    let width = section.part.part().width;
    let size = element_bytes(width);
    let test = PolynomialTest::new(committee, section.degree(committee));
    let mut values = vec![0; section.coefficients()];
    values.par_chunks_mut(PACKED * BATCH).enumerate().try_for_each(|(batch, values)| {
        let mut row = vec![Gr::ZERO; points.len()];
        for (element, values) in (batch * BATCH..).zip(values.chunks_exact_mut(PACKED)) {
            for (point, list) in row.iter_mut().zip(points) {
                *point = read_scaled(&list[element * size..(element + 1) * size], width);
            }
            let opened = test.value(&row)?.0;
            values.iter_mut().zip(opened).for_each(|(value, word)| *value = signed(word, width));
        }
        Some(())
    })?;
    Some(values)
}

/// # Errors
/// `KEYGEN_ROW_POINTS`, `KEYGEN_ROW_MAXIMUM`, `KEYGEN_ROW_ENERGY`, `KEYGEN_ROW_LIKENESS`; nobody is named.
pub fn judge(committee: Committee, section: &Section, gram: &Gram, points: &[&[u8]]) -> Result<()> {
    let name = section.part.part().name;
    let values = open(committee, section, points).ok_or_else(|| {
        let degree = section.degree(committee);
        let text = format!("points of the {name} are on no polynomial of degree {degree}");
        Failure::new(Code::RowPoints, text)
    })?;
    let deviation = section.deviation(committee);
    let largest = values.iter().map(|value| value.unsigned_abs()).max().unwrap_or(0) as f64 / deviation;
    if largest >= MAXIMUM {
        let text = format!("a sum of rows of the {name} has {largest:.1} standard deviations");
        return Err(Failure::new(Code::RowMaximum, text));
    }
    let (noise, shared) = (section.noise_variance(committee), section.shared_variance(committee));
    let (energy, slack) = energy(section, gram, &values, noise, shared);
    if energy > 1.0 + slack {
        let text = format!("sums of rows of the {name} have {energy:.4} of the variance of honest ones");
        return Err(Failure::new(Code::RowEnergy, text));
    }
    let (likeness, slack) = likeness(section, gram, &values, deviation, noise);
    if likeness > 1.0 + slack {
        let text =
            format!("sums that share rows of the {name} are {likeness:.4} times as alike as honest ones");
        return Err(Failure::new(Code::RowLikeness, text));
    }
    Ok(())
}

/// The squares of all sums with rows over their mean in honest ceremonies, and by how much it may be above 1. Values are below
/// the maximum.
fn energy(section: &Section, gram: &Gram, values: &[i128], noise: f64, shared: f64) -> (f64, f64) {
    let words = section.part.part().row_words;
    let (mut squares, mut mean, mut count) = (0, 0.0, 0);
    for (sum, &rows) in values.chunks_exact(words).zip(&gram.rows).filter(|(_, rows)| **rows > 0) {
        squares += sum.iter().map(|value| value * value).sum::<i128>();
        mean += words as f64 * (rows as f64 * noise + shared);
        count += words;
    }
    (squares as f64 / mean, SLACK * (2.0 / count as f64).sqrt())
}

/// Σ overlap · product over all pairs of sums, over its mean in honest ceremonies, and by how much it may be above 1.
fn likeness(section: &Section, gram: &Gram, values: &[i128], deviation: f64, noise: f64) -> (f64, f64) {
    let words = section.part.part().row_words;
    let sum = |index: usize| &values[index * words..(index + 1) * words];
    let (mut likeness, mut squares) = (0, 0.0);
    for overlap in &gram.overlaps {
        let (a, b) = (sum(overlap.sums.0), sum(overlap.sums.1));
        let product: i128 = a.iter().zip(b).map(|(a, b)| a * b).sum();
        likeness += i128::from(overlap.weight) * product;
        squares += f64::from(overlap.weight).powi(2);
    }
    let count = squares * words as f64;
    if count == 0.0 {
        return (0.0, 0.0);
    }
    (likeness as f64 / (count * noise), SLACK * deviation * deviation / (noise * count.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::super::super::layout::PartId;
    use super::super::gram::Overlap;
    use super::super::packing::write_element;
    use super::super::weights::Weights;
    use super::*;
    use crate::stream::SecretStream;

    /// No two sums share rows.
    fn apart(rows: Vec<usize>) -> Gram {
        Gram { rows, overlaps: Vec::new() }
    }

    /// The verdict on sums that open to `values`: all parties hold the same points, a polynomial of degree 0.
    fn verdict(section: &Section, gram: &Gram, values: &[i128]) -> Option<Code> {
        let committee = Committee::new(4, 1).expect("allowed");
        let width = section.part.part().width;
        let mut bytes = vec![0; section.coefficients() * section.part.part().word_bytes()];
        let elements = values.as_chunks::<PACKED>().0;
        for (out, values) in bytes.chunks_exact_mut(element_bytes(width)).zip(elements) {
            write_element(Gr(values.map(|value| value as u128)), width, out);
        }
        judge(committee, section, gram, &[bytes.as_slice(); 4]).err().map(|failure| failure.code)
    }

    fn sections() -> [Section; 4] {
        [
            Section { part: PartId::Squashing, rows: 0..9 },
            Section { part: PartId::Compression, rows: 10..700 },
            Section { part: PartId::KeySwitching, rows: 0..800 },
            Section { part: PartId::CompactPublic, rows: 0..1 },
        ]
    }

    fn deviation(section: &Section) -> f64 {
        section.deviation(Committee::new(4, 1).expect("allowed"))
    }

    /// Of a sum of three rows.
    fn deviation_of_three(section: &Section) -> f64 {
        let four = Committee::new(4, 1).expect("allowed");
        (3.0 * section.noise_variance(four) + section.shared_variance(four)).sqrt()
    }

    #[test]
    fn one_coefficient_may_have_8_deviations_and_no_more() {
        for section in sections() {
            let gram = apart(vec![3; section.sums()]);
            for (factor, code) in
                [(7.999, None), (8.001, Some(Code::RowMaximum)), (-8.001, Some(Code::RowMaximum))]
            {
                let mut values = vec![0; section.coefficients()];
                values[section.coefficients() - 3] = (factor * deviation(&section)) as i128;
                assert_eq!(verdict(&section, &gram, &values), code, "{:?} {factor}", section.part);
            }
        }
    }

    #[test]
    fn the_energy_may_exceed_its_mean_by_6_and_a_half_standard_errors_and_no_more() {
        for section in sections() {
            let gram = apart(vec![3; section.sums()]);
            let error = (2.0 / section.coefficients() as f64).sqrt();
            for (errors, code) in [(6.45, None), (6.55, Some(Code::RowEnergy))] {
                let size = (deviation_of_three(&section) * (1.0f64 + errors * error).sqrt()) as i128;
                let values: Vec<i128> =
                    (0..section.coefficients()).map(|i| if i % 3 == 0 { -size } else { size }).collect();
                assert_eq!(verdict(&section, &gram, &values), code, "{:?} {errors}", section.part);
            }
        }
    }

    #[test]
    fn sums_without_rows_count_for_their_maximum_only() {
        for section in sections() {
            let words = section.part.part().row_words;
            let rows: Vec<usize> = (0..section.sums()).map(|sum| 3 * (sum % 2)).collect();
            let with = |empty: f64, filled: f64| {
                let size = |place: usize| match rows[place / words] {
                    0 => empty * deviation(&section),
                    _ => filled * deviation_of_three(&section),
                };
                let values: Vec<i128> =
                    (0..section.coefficients()).map(|place| size(place) as i128).collect();
                verdict(&section, &apart(rows.clone()), &values)
            };
            assert_eq!(with(7.9, 1.0), None, "{:?}", section.part);
            assert_eq!(with(0.0, 1.5), Some(Code::RowEnergy), "{:?}", section.part);
            assert_eq!(with(8.1, 1.0), Some(Code::RowMaximum), "{:?}", section.part);
        }
    }

    /// Pairs of neighbours share as many rows as their index says; their values are equal and as large as `likeness` wants.
    #[test]
    fn the_likeness_may_exceed_its_mean_by_6_and_a_half_standard_errors_and_no_more() {
        let committee = Committee::new(4, 1).expect("allowed");
        for section in sections() {
            let (words, noise) = (section.part.part().row_words, section.noise_variance(committee));
            let pairs = (0..section.sums() / 2).map(|pair| (2 * pair, (pair % 5) as i32 - 2));
            let overlaps: Vec<Overlap> =
                pairs.map(|(sum, weight)| Overlap { sums: (sum, sum + 1), weight }).collect();
            let sum_of =
                |power: i32| overlaps.iter().map(|o| f64::from(o.weight.abs()).powi(power)).sum::<f64>();
            let (lengths, squares) = (sum_of(1) * words as f64, sum_of(2) * words as f64);
            let gram = Gram { rows: vec![3; section.sums()], overlaps };
            for (errors, code) in [(-20.0, None), (6.45, None), (6.55, Some(Code::RowLikeness))] {
                // Σ overlap · product = lengths · size², against squares · noise + errors · deviation² · √squares.
                let wanted = squares * noise + errors * deviation(&section).powi(2) * squares.sqrt();
                let size = (wanted.abs() / lengths).sqrt() as i128;
                let sign = |sum: usize| {
                    let weight = gram.overlaps.get(sum / 2).map_or(0, |overlap| overlap.weight);
                    let opposite = (weight < 0) != (wanted < 0.0);
                    if opposite && sum % 2 == 1 { -1 } else { 1 }
                };
                let values: Vec<i128> = (0..section.coefficients()).map(|i| sign(i / words) * size).collect();
                assert_eq!(verdict(&section, &gram, &values), code, "{:?} {errors}", section.part);
            }
        }
    }

    #[test]
    fn no_sum_of_products_below_the_maximum_overflows() {
        for (n, t) in [(4, 1), (7, 2), (13, 4), (15, 4)] {
            let committee = Committee::new(n, t).expect("allowed");
            for section in super::super::section::whole_key() {
                let weights = Weights::draw(&section, |group| SecretStream::new(&[group; 32]));
                let gram = Gram::new(&weights, section.rows.len());
                let overlaps: f64 = gram.overlaps.iter().map(|overlap| f64::from(overlap.weight.abs())).sum();
                let largest = MAXIMUM * section.deviation(committee);
                let words = section.part.part().row_words as f64;
                let products = largest.powi(2) * words * overlaps.max(section.sums() as f64);
                assert!(products < 2f64.powi(126), "{n}/{t} {:?}: 2^{}", section.part, products.log2());
            }
        }
    }
}
