//! Recovery of the signer of an ECDSA signature, as the chain's ecrecover does it (SEC 1, 4.1.6), but only for the one
//! canonical encoding of a signature: 65 bytes r ‖ s ‖ v, v in {27, 28}, low s. Public inputs: it branches.
//! Accepts exactly what sdk/src/protocol/signature.ts accepts; a property test there holds the two together.
use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::bigint::U256;
use k256::elliptic_curve::group::prime::PrimeCurveAffine;
use k256::elliptic_curve::ops::{LinearCombination, Reduce};
use k256::elliptic_curve::point::DecompressPoint;
use k256::elliptic_curve::scalar::IsHigh;
use k256::elliptic_curve::sec1::ToEncodedPoint;
use k256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};
use sha3::{Digest, Keccak256};

pub const SIGNATURE_BYTES: usize = 65;
pub const ADDRESS_BYTES: usize = 20;

/// The address of the key that made `signature` over `digest`, or `None` where the signature is not canonical, r is no x
/// coordinate of a point, or the key would be the point at infinity.
pub fn recover_signer(digest: &[u8; 32], signature: &[u8]) -> Option<[u8; ADDRESS_BYTES]> {
    let signature: &[u8; SIGNATURE_BYTES] = signature.try_into().ok()?;
    let odd = match signature[64] {
        27 => 0,
        28 => 1,
        _ => return None,
    };
    let r_bytes = FieldBytes::from_slice(&signature[..32]);
    let r = canonical(r_bytes)?;
    let s = canonical(FieldBytes::from_slice(&signature[32..64]))?;
    if bool::from(s.is_high()) {
        return None;
    }
    let z = <Scalar as Reduce<U256>>::reduce_bytes(FieldBytes::from_slice(digest));
    // v is only the parity: an x of n or more, which the chain's ecrecover refuses too, has no encoding.
    let point = Option::<AffinePoint>::from(AffinePoint::decompress(r_bytes, odd.into()))?;
    let inverse = Option::<Scalar>::from(r.invert())?;
    let key = ProjectivePoint::lincomb(
        &ProjectivePoint::GENERATOR,
        &-(z * inverse),
        &ProjectivePoint::from(point),
        &(s * inverse),
    )
    .to_affine();
    (!bool::from(key.is_identity())).then(|| address(&key))
}

/// A scalar in 1..n-1 from its 32 big-endian bytes.
fn canonical(bytes: &FieldBytes) -> Option<Scalar> {
    Option::<Scalar>::from(Scalar::from_repr(*bytes)).filter(|scalar| !bool::from(scalar.is_zero()))
}

/// The last 20 bytes of keccak256(x ‖ y).
pub fn address(key: &AffinePoint) -> [u8; ADDRESS_BYTES] {
    let encoded = key.to_encoded_point(false);
    let hash = Keccak256::digest(&encoded.as_bytes()[1..]);
    let mut address = [0; ADDRESS_BYTES];
    address.copy_from_slice(&hash[12..]);
    address
}
