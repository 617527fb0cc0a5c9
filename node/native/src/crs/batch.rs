//! Batched checks of whole lists: subgroup membership and powers of one value (docs/crs.md).
//!
//! The randomness is the verifier's own and drawn after the list has arrived; both checks err with probability
//! 2^-128 at most. All inputs are public.

use rand::RngCore;
use rand::rngs::OsRng;
use rayon::prelude::*;
use tfhe_zk_pok::curve_api::bls12_446::{G1, G1Affine, G2, G2Affine, Gt, Zp};
use tfhe_zk_pok::curve_api::{CurveGroupOps, PairingGroupOps};

/// Subset sums per byte of randomness and point.
const SUBSETS_PER_BYTE: usize = 8;
/// 16 bytes per point: 128 subsets.
const BYTES_PER_POINT: usize = 16;

/// True if all points, known to lie on the curve, lie in the subgroup of prime order.
///
/// Sums of 128 random subsets must all lie in the subgroup. If one point is outside, each sum is outside with
/// probability at least one half, whatever small factors the cofactor has (2, 2, 3 in G1, 2029 in G2). A single
/// random linear combination would miss a point of order two in half of the runs.
pub fn in_subgroup<G: CurveGroupOps<Zp>>(points: &[G::Affine]) -> bool {
    if points.is_empty() {
        return true;
    }
    let mut randomness = vec![0u8; BYTES_PER_POINT * points.len()];
    OsRng.fill_bytes(&mut randomness);
    randomness.par_chunks(points.len()).all(|choices| {
        let mut buckets = [G::ZERO; 1 << SUBSETS_PER_BYTE];
        for (point, choice) in points.iter().zip(choices) {
            buckets[usize::from(*choice)] += G::projective(*point);
        }
        (0..SUBSETS_PER_BYTE).all(|subset| {
            let chosen = (0..buckets.len()).filter(|choice| choice >> subset & 1 == 1);
            chosen.map(|choice| buckets[choice]).sum::<G>().validate_projective()
        })
    })
}

/// True if `g` holds alpha^i·G for i in 1..=2n without n+1, and `h` holds alpha^i·H for i in 1..=n, for one alpha.
///
/// With 128-bit random s_i, u, r_i; all points known to lie in the subgroup:
///   (A) i in 1..n-1 and n+2..2n-1: e(g_{i+1}, H) = e(g_i, h_1), coefficient s_i
///   (B) over the gap:              e(g_{n+2}, H) = e(g_n, h_2), coefficient u
///   (C) i in 1..=n:                e(g_i, H)     = e(G, h_i),   coefficient r_i
/// folded into e(L, H) = e(M, h_1) · e(u·g_n, h_2) · e(G, N).
/// Let alpha be the logarithm of g_1. (C, 1): h_1 = alpha·H. (A): g_i = alpha^i·G up to n. (C): h_i = alpha^i·H.
/// (B): g_{n+2} = alpha^{n+2}·G. (A) again: up to 2n.
pub fn are_powers(n: usize, g: &[G1Affine], h: &[G2Affine]) -> bool {
    let mut seed = [0u8; 32];
    OsRng.fill_bytes(&mut seed);
    let mut coefficients = vec![Zp::ZERO; 3 * n];
    Zp::hash_128bit(&mut coefficients, &[b"twinlock/crs/batch/v1", &seed]);
    // s[i-1] belongs to the step i → i+1; s[n-1] is u, the step over the gap
    let (s, r) = coefficients.split_at(2 * n);
    let u = s[n - 1];
    let mut left = vec![Zp::ZERO; 2 * n];
    let mut middle = vec![Zp::ZERO; 2 * n];
    for i in (1..2 * n).filter(|i| *i != n && *i != n + 1) {
        left[i] += s[i - 1];
        middle[i - 1] += s[i - 1];
    }
    left[n + 1] += u;
    for (coefficient, r) in left.iter_mut().zip(r) {
        *coefficient += *r;
    }
    let (left, (middle, right)) = rayon::join(
        || G1Affine::multi_mul_scalar(g, &left),
        || rayon::join(|| G1Affine::multi_mul_scalar(g, &middle), || G2Affine::multi_mul_scalar(h, r)),
    );
    let over_gap = G1::projective(g[n - 1]).mul_scalar(u);
    // the trait's pairing accepts zero points; the inherent one panics on them
    let pairing = <Gt as PairingGroupOps<Zp, G1, G2>>::pairing;
    pairing(left, G2::GENERATOR)
        == pairing(middle, G2::projective(h[0]))
            + pairing(over_gap, G2::projective(h[1]))
            + pairing(G1::GENERATOR, right)
}
