//! Fixed-length canonical encodings of curve points and scalars.
//!
//! A point is its two affine coordinates as Montgomery limbs (as in the tfhe crate's own files, hence the pinned
//! version); all-zero bytes are infinity, since (0, 0) is on neither curve. The crate has no `from_bytes`: points go
//! to its types through its serde form, which refuses coordinates that are not below p but checks neither curve nor
//! subgroup.

use super::field::{Coordinate, Fq, Fq2, Scalar};
use super::ladder::Affine;
use tfhe_zk_pok::curve_api::CurveGroupOps;
use tfhe_zk_pok::curve_api::bls12_446::{G1, G1Affine, G2, G2Affine, Zp};

pub const G1_BYTES: usize = 112;
pub const G2_BYTES: usize = 224;
pub const SCALAR_BYTES: usize = 40;

pub fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// Coordinates of an encoded point; outer `None` where a coordinate is not below p.
pub fn read_affine<F: Coordinate>(bytes: &[u8]) -> Option<Affine<F>> {
    if is_zero(bytes) {
        return Some(None);
    }
    let (x, y) = bytes.split_at(F::BYTES);
    Some(Some((F::read(x)?, F::read(y)?)))
}

pub fn write_affine<F: Coordinate>(point: &Affine<F>, out: &mut [u8]) {
    match point {
        Some((x, y)) => {
            x.write(&mut out[..F::BYTES]);
            y.write(&mut out[F::BYTES..]);
        }
        None => out.fill(0),
    }
}

/// y² = x³ + b, or infinity.
fn on_curve<F: Coordinate>(bytes: &[u8]) -> bool {
    match read_affine::<F>(bytes) {
        Some(Some((x, y))) => y * y == x * x * x + F::CURVE,
        Some(None) => true,
        None => false,
    }
}

pub fn g1_on_curve(bytes: &[u8]) -> bool {
    on_curve::<Fq>(bytes)
}

pub fn g2_on_curve(bytes: &[u8]) -> bool {
    on_curve::<Fq2>(bytes)
}

pub fn encode_g1(point: &G1Affine) -> [u8; G1_BYTES] {
    let with_flag = G1::projective(*point).to_le_bytes();
    let mut out = [0; G1_BYTES];
    if with_flag[G1_BYTES] == 0 {
        out.copy_from_slice(&with_flag[..G1_BYTES]);
    }
    out
}

pub fn encode_g2(point: &G2Affine) -> [u8; G2_BYTES] {
    let with_flag = G2::projective(*point).to_le_bytes();
    let mut out = [0; G2_BYTES];
    if with_flag[G2_BYTES] == 0 {
        out.copy_from_slice(&with_flag[..G2_BYTES]);
    }
    out
}

/// Variants of the crate's serde form of an affine point.
const UNCOMPRESSED: u32 = 2;
#[cfg(test)]
const COMPRESSED: u32 = 1;

fn serde_form(variant: u32, coordinates: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 + coordinates.len() + coordinates.len() / 7);
    out.extend_from_slice(&variant.to_le_bytes());
    for field_element in coordinates.chunks(super::field::FQ_BYTES) {
        out.extend_from_slice(&7u64.to_le_bytes());
        out.extend_from_slice(field_element);
    }
    out
}

/// `None` for a wrong length or a coordinate that is not below p. The curve is NOT checked.
pub fn decode_g1(bytes: &[u8]) -> Option<G1Affine> {
    if bytes.len() != G1_BYTES {
        return None;
    }
    if is_zero(bytes) {
        return Some(G1::ZERO.normalize());
    }
    bincode::deserialize(&serde_form(UNCOMPRESSED, bytes)).ok()
}

/// `None` for a wrong length or a coordinate that is not below p. The curve is NOT checked.
pub fn decode_g2(bytes: &[u8]) -> Option<G2Affine> {
    if bytes.len() != G2_BYTES {
        return None;
    }
    if is_zero(bytes) {
        return Some(G2::ZERO.normalize());
    }
    bincode::deserialize(&serde_form(UNCOMPRESSED, bytes)).ok()
}

/// Montgomery limbs, as for coordinates.
pub fn encode_scalar(scalar: &Scalar) -> [u8; SCALAR_BYTES] {
    let mut out = [0; SCALAR_BYTES];
    for (bytes, limb) in out.chunks_exact_mut(8).zip(scalar.limbs()) {
        bytes.copy_from_slice(&limb.to_le_bytes());
    }
    out
}

/// `None` for a wrong length or a value that is not below the group order.
pub fn decode_scalar(bytes: &[u8]) -> Option<Zp> {
    if bytes.len() != SCALAR_BYTES {
        return None;
    }
    let mut form = 5u64.to_le_bytes().to_vec();
    form.extend_from_slice(bytes);
    bincode::deserialize(&form).ok()
}

/// A curve point with the given x coordinate, in or out of the subgroup, if there is one.
#[cfg(test)]
pub fn g1_from_x(x: &[u8; 56]) -> Option<G1Affine> {
    let mut form = serde_form(COMPRESSED, x);
    form.push(1);
    bincode::deserialize(&form).ok()
}

#[cfg(test)]
pub fn g2_from_x(x: &[u8; 112]) -> Option<G2Affine> {
    let mut form = serde_form(COMPRESSED, x);
    form.push(1);
    bincode::deserialize(&form).ok()
}
