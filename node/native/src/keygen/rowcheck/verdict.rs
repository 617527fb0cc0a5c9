//! Opening the sums of a section from the points of all n parties, and judging them. Public.
//!
//! All points of an element must lie on one polynomial: with n >= 3t + 1 the honest ones fix it, so a party that speaks
//! last gains nothing. Wrong points of one party look like noise that a dealer shared wrongly, so nobody is named.
//! The maximum test sees errors in few rows, the energy test small ones in many; it also bounds the shared noise. Where a
//! row is opened several times, under other noise each time, products of two openings show its energy without the
//! noise's: corrupt dealers cannot make room by dealing less.
use super::packing::{element_bytes, read_scaled, signed};
use super::section::Section;
use super::slots::Slots;
use crate::errors::{Code, Failure, Result};
use crate::ring::shamir::PolynomialTest;
use crate::ring::{Committee, Gr};
use rayon::prelude::*;

/// Deviations that no coefficient of an honest sum reaches: false alarms of a whole key below 2^-25.
const MAXIMUM: f64 = 8.0;
/// Standard errors by which the mean square may be too large: 2^-31.
const ENERGY_SLACK: f64 = 6.5;
/// Elements opened at once.
const BATCH: usize = 512;

/// The coefficients of a section's sums, in order; `points[p - 1]` are the bytes of party p. `None` if some points are on
/// no polynomial.
pub fn open(committee: Committee, section: &Section, points: &[&[u8]]) -> Option<Vec<i128>> {
    let width = section.part.part().width;
    let size = element_bytes(width);
    let test = PolynomialTest::new(committee, section.degree(committee));
    let count = points.first().map_or(0, |list| list.len() / size);
    let batches: Option<Vec<Vec<i128>>> = (0..count.div_ceil(BATCH))
        .into_par_iter()
        .map(|batch| {
            let mut row = vec![Gr::ZERO; points.len()];
            let mut values = Vec::with_capacity(4 * BATCH);
            for element in batch * BATCH..count.min((batch + 1) * BATCH) {
                for (point, list) in row.iter_mut().zip(points) {
                    *point = read_scaled(&list[element * size..(element + 1) * size], width);
                }
                values.extend(test.value(&row)?.0.map(|word| signed(word, width)));
            }
            Some(values)
        })
        .collect();
    Some(batches?.concat())
}

pub fn mean_square(values: &[i128]) -> f64 {
    values.iter().map(|&value| (value as f64).powi(2)).sum::<f64>() / values.len() as f64
}

/// The mean over rows of the product of two openings of a row, over all pairs of times.
pub fn mean_product(values: &[i128], Slots { slots, times }: &Slots) -> f64 {
    let rows = times.first().map_or(0, Vec::len);
    let pairs = (times.len() * (times.len() - 1) / 2) as f64;
    let products = (0..rows).map(|row| {
        let opened = times.iter().enumerate().map(|(time, places)| {
            let value = values[time * slots + places[row].index] as f64;
            if places[row].negative { -value } else { value }
        });
        let (sum, squares) = opened.fold((0.0, 0.0), |(sum, squares), v| (sum + v, squares + v * v));
        (sum * sum - squares) / 2.0
    });
    products.sum::<f64>() / (pairs * rows as f64)
}

/// The most that [`mean_product`] may be: for three times, rows of variance a under noise of variance b, each product has a
/// variance of 2a² + 4ab/3 + b²/3 (at most, as for normal noise).
fn product_limit(committee: Committee, section: &Section) -> f64 {
    let (a, b) = (section.hidden_variance(committee), section.hiding_variance(committee));
    let variance = 2.0 * a * a + 4.0 * a * b / 3.0 + b * b / 3.0;
    a + ENERGY_SLACK * (variance / section.rows.len() as f64).sqrt()
}

/// # Errors
/// `KEYGEN_ROW_POINTS`, `KEYGEN_ROW_MAXIMUM`, `KEYGEN_ROW_ENERGY`; nobody is named.
pub fn judge(committee: Committee, section: &Section, slots: Option<&Slots>, points: &[&[u8]]) -> Result<()> {
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
    let energy = mean_square(&values) / section.mean_square(committee);
    if energy > 1.0 + ENERGY_SLACK * (2.0 / values.len() as f64).sqrt() {
        let text = format!("sums of rows of the {name} have {energy:.4} of the variance of honest ones");
        return Err(Failure::new(Code::RowEnergy, text));
    }
    if let Some(slots) = slots
        && mean_product(&values, slots) > product_limit(committee, section)
    {
        let ratio = mean_product(&values, slots) / section.hidden_variance(committee);
        let text = format!("rows of the {name} have {ratio:.2} of the variance of honest ones");
        return Err(Failure::new(Code::RowEnergy, text));
    }
    Ok(())
}
