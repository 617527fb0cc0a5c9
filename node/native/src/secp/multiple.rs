//! Multiples of the generator by secret scalars (commitments to nonces), and what ecrecover calls a point.
use super::recover::{ADDRESS_BYTES, address};
use super::sum::{POINT_BYTES, SCALAR_BYTES, point};
use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::group::GroupEncoding;
use k256::elliptic_curve::group::prime::PrimeCurveAffine;
use k256::elliptic_curve::ops::MulByGenerator;
use k256::{FieldBytes, ProjectivePoint, Scalar};
use zeroize::Zeroize;

/// `scalar * G`, compressed; `None` unless the scalar is in 1..n-1. Constant time in the scalar.
pub fn generator_multiple(scalar: &[u8; SCALAR_BYTES]) -> Option<[u8; POINT_BYTES]> {
    let mut bytes = FieldBytes::clone_from_slice(scalar);
    let secret = Option::<Scalar>::from(Scalar::from_repr(bytes));
    bytes.zeroize();
    let mut secret = secret?;
    let multiple = ProjectivePoint::mul_by_generator(&secret).to_affine();
    secret.zeroize();
    (!bool::from(multiple.is_identity())).then(|| multiple.to_bytes().into())
}

/// The address of a compressed point; `None` where the bytes are none. Public input.
pub fn address_of_point(bytes: &[u8]) -> Option<[u8; ADDRESS_BYTES]> {
    (bytes.len() == POINT_BYTES).then(|| point(bytes))?.map(|point| address(&point.to_affine()))
}
