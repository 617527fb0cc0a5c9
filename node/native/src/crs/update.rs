//! One party's update: element i becomes tau^i times itself (docs/crs.md).
//!
//! Secret: tau and its powers. They live in wiped buffers, never leave this module except for the proof of
//! knowledge, and meet points only through the constant-time [`super::ladder`].

use super::codec::{G1_BYTES, G2_BYTES, encode_g1, encode_g2, read_affine, write_affine};
use super::error::CrsError;
use super::field::{Coordinate, Fq, Fq2, Scalar};
use super::ladder::{Point, normalise};
use super::message::{Context, Statement, encode, state_digest};
use super::parameters::CrsParameters;
use rand::rngs::OsRng;
use rayon::prelude::*;
use tfhe_zk_pok::curve_api::CurveGroupOps;
use tfhe_zk_pok::curve_api::bls12_446::{G1, G2};
use zeroize::Zeroizing;

/// A party's secret factor; wiped on drop.
pub struct Tau(Zeroizing<Scalar>);

impl Tau {
    /// Uniform. The others refuse 0 and 1, which come once in 2^298 draws.
    pub fn random() -> Self {
        Self(Zeroizing::new(Scalar::random(&mut OsRng)))
    }

    #[cfg(test)]
    pub fn of(scalar: Scalar) -> Self {
        Self(Zeroizing::new(scalar))
    }

    pub(super) fn scalar(&self) -> &Scalar {
        &self.0
    }

    /// tau^1 … tau^count.
    pub(super) fn powers(&self, count: usize) -> Zeroizing<Vec<Scalar>> {
        // allocated once: growing would leave copies behind
        let mut powers = Zeroizing::new(Vec::with_capacity(count));
        let mut power = Zeroizing::new(Scalar::ONE);
        for _ in 0..count {
            *power = *power * *self.0;
            powers.push(*power);
        }
        powers
    }
}

/// The state before the first update: generators everywhere, zero at n+1.
pub fn start_state(parameters: &CrsParameters) -> Vec<u8> {
    let mut state = Vec::with_capacity(parameters.state_bytes());
    let g1 = encode_g1(&G1::GENERATOR.normalize());
    let g2 = encode_g2(&G2::GENERATOR.normalize());
    for position in 0..2 * parameters.n {
        state.extend_from_slice(if position == parameters.n { &[0; G1_BYTES] } else { &g1 });
    }
    for _ in 0..parameters.n {
        state.extend_from_slice(&g2);
    }
    state
}

/// Points multiplied together by one thread; they share one field inversion.
const CHUNK: usize = 32;

fn multiply_list<F: Coordinate + Send + Sync>(
    list: &[u8],
    point_bytes: usize,
    powers: &[Scalar],
    out: &mut [u8],
) -> Result<(), CrsError> {
    list.par_chunks(CHUNK * point_bytes)
        .zip(out.par_chunks_mut(CHUNK * point_bytes))
        .zip(powers.par_chunks(CHUNK))
        .try_for_each(|((list, out), powers)| {
            let products = list
                .chunks_exact(point_bytes)
                .zip(powers)
                .map(|(bytes, power)| Some(Point::<F>::from_affine(read_affine(bytes)?).multiply(power)))
                .collect::<Option<Vec<_>>>()
                .ok_or(CrsError::Encoding)?;
            for (point, out) in normalise(&products).iter().zip(out.chunks_exact_mut(point_bytes)) {
                write_affine(point, out);
            }
            Ok(())
        })
}

/// The new state alone. `previous` must have passed [`super::check_state`]: small subgroups would tell of tau.
pub(super) fn multiply_state(
    parameters: &CrsParameters,
    previous: &[u8],
    tau: &Tau,
) -> Result<Vec<u8>, CrsError> {
    if previous.len() != parameters.state_bytes() {
        return Err(CrsError::Length);
    }
    let powers = tau.powers(2 * parameters.n);
    let mut next = vec![0; previous.len()];
    let (g1, g2) = previous.split_at(parameters.g1_list_bytes());
    let (next_g1, next_g2) = next.split_at_mut(parameters.g1_list_bytes());
    multiply_list::<Fq>(g1, G1_BYTES, &powers, next_g1)?;
    multiply_list::<Fq2>(g2, G2_BYTES, &powers[..parameters.n], next_g2)?;
    Ok(next)
}

/// Multiplies the string by a fresh factor, erases the factor and returns the message for the other parties.
///
/// # Errors
/// [`CrsError::Length`] or [`CrsError::Encoding`] where `previous` is no state.
pub fn update(parameters: &CrsParameters, previous: &[u8], context: &Context) -> Result<Vec<u8>, CrsError> {
    let tau = Tau::random();
    let next = multiply_state(parameters, previous, &tau)?;
    sign(parameters, previous, &next, context, &tau)
}

/// The message for any pair of states; what it claims holds only if `next` was made from `previous` with `tau`.
pub(super) fn sign(
    parameters: &CrsParameters,
    previous: &[u8],
    next: &[u8],
    context: &Context,
    tau: &Tau,
) -> Result<Vec<u8>, CrsError> {
    let previous_digest = state_digest(parameters, previous);
    let statement = Statement {
        parameters,
        context,
        previous_digest: &previous_digest,
        next_digest: &state_digest(parameters, next),
        base: &previous[..G1_BYTES],
        target: &next[..G1_BYTES],
    };
    let proof = statement.prove(tau)?;
    Ok(encode(context, &previous_digest, &proof, next))
}
