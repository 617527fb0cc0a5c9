//! Opening the sums of a section from the points of all n parties, and judging them. Public.
//!
//! All points of an element must lie on one polynomial: with n >= 3t + 1 the honest ones fix it, so a party that speaks
//! last gains nothing. Wrong points of one party look like noise that a dealer shared wrongly, so nobody is named.
//! The maximum test sees errors in few rows, the energy test small ones in many.
use super::packing::{element_bytes, read_scaled, signed};
use super::section::Section;
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

/// What the coefficients of a section's sums opened to. Squares saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    pub maximum: u128,
    pub energy: u128,
}

impl Opened {
    fn with(self, value: i128) -> Opened {
        let size = value.unsigned_abs();
        self.and(Opened { maximum: size, energy: size.saturating_mul(size) })
    }

    fn and(self, other: Opened) -> Opened {
        Opened { maximum: self.maximum.max(other.maximum), energy: self.energy.saturating_add(other.energy) }
    }
}

/// Opens a section; `points[p - 1]` are the bytes of party p. `None` if some points are on no polynomial.
pub fn open(committee: Committee, section: &Section, points: &[&[u8]]) -> Option<Opened> {
    let width = section.part.part().width;
    let size = element_bytes(width);
    let test = PolynomialTest::new(committee, section.degree(committee));
    let count = points.first().map_or(0, |list| list.len() / size);
    (0..count.div_ceil(BATCH))
        .into_par_iter()
        .map(|batch| {
            let mut row = vec![Gr::ZERO; points.len()];
            (batch * BATCH..count.min((batch + 1) * BATCH)).try_fold(Opened::default(), |opened, element| {
                for (point, list) in row.iter_mut().zip(points) {
                    *point = read_scaled(&list[element * size..(element + 1) * size], width);
                }
                Some(test.value(&row)?.0.into_iter().fold(opened, |all, word| all.with(signed(word, width))))
            })
        })
        .try_reduce(Opened::default, |a, b| Some(a.and(b)))
}

/// # Errors
/// `KEYGEN_ROW_POINTS`, `KEYGEN_ROW_MAXIMUM`, `KEYGEN_ROW_ENERGY`; nobody is named.
pub fn judge(committee: Committee, section: &Section, points: &[&[u8]]) -> Result<()> {
    let name = section.part.part().name;
    let opened = open(committee, section, points).ok_or_else(|| {
        let degree = section.degree(committee);
        let text = format!("points of the {name} are on no polynomial of degree {degree}");
        Failure::new(Code::RowPoints, text)
    })?;
    let deviation = section.deviation(committee);
    if opened.maximum as f64 >= MAXIMUM * deviation {
        let largest = opened.maximum as f64 / deviation;
        let text = format!("a sum of rows of the {name} has {largest:.1} standard deviations");
        return Err(Failure::new(Code::RowMaximum, text));
    }
    let count = section.coefficients() as f64;
    let energy = opened.energy as f64 / (count * deviation * deviation);
    if energy > 1.0 + ENERGY_SLACK * (2.0 / count).sqrt() {
        let text = format!("sums of rows of the {name} have {energy:.4} of the variance of honest ones");
        return Err(Failure::new(Code::RowEnergy, text));
    }
    Ok(())
}
