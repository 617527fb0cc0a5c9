//! Weighted sums of points: what a FROST signing computes in public (binding factors times commitments, and the checks of
//! shares and signatures). Public inputs: it branches on them, and its time depends on them.
//! Accepts exactly what `nobleCurve.sum` of sdk/src/threshold/curve.ts accepts;
//! node/src/threshold/nativeCurve.test.ts holds the two together.
use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::group::GroupEncoding;
use k256::elliptic_curve::group::prime::PrimeCurveAffine;
use k256::{AffinePoint, CompressedPoint, FieldBytes, ProjectivePoint, Scalar};

pub const POINT_BYTES: usize = 33;
pub const SCALAR_BYTES: usize = 32;
/// Bits of a scalar that select one entry of a point's table.
const WINDOW: usize = 4;

/// Sum of `scalars[i] * points[i]`, compressed; `None` where a point or scalar is not canonical, the lengths do not fit, or
/// the sum is the identity.
pub fn weighted_sum(points: &[u8], scalars: &[u8]) -> Option<[u8; POINT_BYTES]> {
    let count = points.len() / POINT_BYTES;
    if count == 0 || points.len() != count * POINT_BYTES || scalars.len() != count * SCALAR_BYTES {
        return None;
    }
    let weights = scalars.chunks_exact(SCALAR_BYTES).map(scalar).collect::<Option<Vec<_>>>()?;
    let bases = points.chunks_exact(POINT_BYTES).map(point).collect::<Option<Vec<_>>>()?;
    let (plain, weighted): (Vec<_>, Vec<_>) =
        bases.into_iter().zip(weights).partition(|(_, weight)| *weight == Scalar::ONE);
    let sum = plain.iter().fold(multiply(&weighted), |sum, (base, _)| sum + base);
    let affine = sum.to_affine();
    if bool::from(affine.is_identity()) {
        return None;
    }
    Some(affine.to_bytes().into())
}

/// Straus: one chain of doublings for all points.
fn multiply(terms: &[(ProjectivePoint, Scalar)]) -> ProjectivePoint {
    let tables: Vec<[ProjectivePoint; 1 << WINDOW]> = terms.iter().map(|(base, _)| multiples(base)).collect();
    let digits: Vec<FieldBytes> = terms.iter().map(|(_, weight)| weight.to_repr()).collect();
    let mut sum = ProjectivePoint::IDENTITY;
    for byte in 0..SCALAR_BYTES {
        for shift in [WINDOW, 0] {
            for _ in 0..WINDOW {
                sum = sum.double();
            }
            for (table, digits) in tables.iter().zip(&digits) {
                let digit = usize::from(digits[byte] >> shift) & ((1 << WINDOW) - 1);
                if digit != 0 {
                    sum += table[digit];
                }
            }
        }
    }
    sum
}

/// 0, 1, …, 15 times the point.
fn multiples(base: &ProjectivePoint) -> [ProjectivePoint; 1 << WINDOW] {
    let mut table = [ProjectivePoint::IDENTITY; 1 << WINDOW];
    for i in 1..table.len() {
        table[i] = table[i - 1] + base;
    }
    table
}

/// A compressed point, 33 bytes, not the identity.
pub fn point(bytes: &[u8]) -> Option<ProjectivePoint> {
    // The identity has an encoding of its own there, which is no compressed point.
    if bytes[0] != 2 && bytes[0] != 3 {
        return None;
    }
    let encoded = CompressedPoint::clone_from_slice(bytes);
    Option::<AffinePoint>::from(AffinePoint::from_bytes(&encoded)).map(ProjectivePoint::from)
}

fn scalar(bytes: &[u8]) -> Option<Scalar> {
    Option::<Scalar>::from(Scalar::from_repr(*FieldBytes::from_slice(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(terms: &[(u64, Scalar)]) -> (Vec<u8>, Vec<u8>) {
        let points = terms
            .iter()
            .flat_map(|(base, _)| (ProjectivePoint::GENERATOR * Scalar::from(*base)).to_affine().to_bytes())
            .collect();
        let scalars = terms.iter().flat_map(|(_, weight)| weight.to_repr()).collect();
        (points, scalars)
    }

    #[test]
    fn equals_the_plain_sum() {
        let weight = Scalar::from(0xdead_beef_1234_5678u64).invert().unwrap();
        for count in 1..12u64 {
            let terms: Vec<_> = (1..=count)
                .map(|i| {
                    (
                        i * i + 7,
                        [Scalar::ONE, weight * Scalar::from(i), -Scalar::from(i), Scalar::ZERO]
                            [i as usize % 4],
                    )
                })
                .collect();
            let total =
                terms.iter().fold(Scalar::ZERO, |sum, (base, weight)| sum + Scalar::from(*base) * weight);
            let want = (ProjectivePoint::GENERATOR * total).to_affine();
            let (points, scalars) = encoded(&terms);
            let got = weighted_sum(&points, &scalars);
            let identity = bool::from(want.is_identity());
            assert_eq!(
                got.map(|bytes| bytes.to_vec()),
                (!identity).then(|| want.to_bytes().to_vec()),
                "{count}"
            );
        }
    }

    #[test]
    fn refuses_what_is_not_canonical_and_the_identity() {
        let (points, scalars) = encoded(&[(5, Scalar::from(3u64)), (15, -Scalar::ONE)]);
        assert_eq!(weighted_sum(&points, &scalars), None);
        assert_eq!(weighted_sum(&points[..65], &scalars), None);
        assert_eq!(weighted_sum(&points, &scalars[..32]), None);
        assert_eq!(weighted_sum(&[], &[]), None);
        assert_eq!(weighted_sum(&[0; 33], &scalars[..32]), None);
        assert_eq!(weighted_sum(&points[..33], &[255; 32]), None);
        let mut uncompressed = points[..33].to_vec();
        uncompressed[0] = 4;
        assert_eq!(weighted_sum(&uncompressed, &scalars[..32]), None);
        uncompressed.copy_from_slice(&[2; 33]);
        uncompressed[1..].fill(255);
        assert_eq!(weighted_sum(&uncompressed, &scalars[..32]), None);
    }
}
