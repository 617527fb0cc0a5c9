//! Verification of one update and of a state (docs/crs.md), cheapest checks first. All inputs are public.

use super::batch::{are_powers, in_subgroup};
use super::codec::{G1_BYTES, G2_BYTES, decode_g1, decode_g2, g1_on_curve, g2_on_curve, is_zero};
use super::error::CrsError;
use super::message::{Context, Statement, split, state_digest};
use super::parameters::CrsParameters;
use rayon::prelude::*;
use tfhe_zk_pok::curve_api::bls12_446::{G1, G1Affine, G2, G2Affine};

/// Decoded lists that passed every check.
pub struct CheckedState {
    pub g: Vec<G1Affine>,
    pub h: Vec<G2Affine>,
}

/// Checks one update against the state and the place in the ceremony that the verifier itself holds.
///
/// Order: as [`follow`], then as [`check_state`]. Returns the next state, a copy of the message's tail.
///
/// # Errors
/// The first rule that is broken.
pub fn verify(
    parameters: &CrsParameters,
    previous: &[u8],
    message: &[u8],
    expected: &Context,
) -> Result<Vec<u8>, CrsError> {
    let state = follow(parameters, previous, message, expected)?;
    check_state(parameters, &state)?;
    Ok(state)
}

/// All of an update but its list, in under 10 ms: length, header, context, previous digest, gap, first element, proof of
/// knowledge. Returns the next state. **Its other points are unchecked**: nobody may apply a secret to it, or use it,
/// before [`check_state`].
///
/// # Errors
/// The first rule that is broken.
pub fn follow(
    parameters: &CrsParameters,
    previous: &[u8],
    message: &[u8],
    expected: &Context,
) -> Result<Vec<u8>, CrsError> {
    if previous.len() != parameters.state_bytes() {
        return Err(CrsError::Length);
    }
    let parts = split(parameters, message)?;
    if parts.context != *expected {
        return Err(CrsError::Context);
    }
    let previous_digest = state_digest(parameters, previous);
    if parts.previous_digest != previous_digest {
        return Err(CrsError::Previous);
    }
    check_gap(parameters, parts.state)?;
    Statement {
        parameters,
        context: expected,
        previous_digest: &previous_digest,
        next_digest: &state_digest(parameters, parts.state),
        base: &previous[..G1_BYTES],
        target: &parts.state[..G1_BYTES],
    }
    .verify(&parts.proof)?;
    Ok(parts.state.to_vec())
}

fn check_gap(parameters: &CrsParameters, state: &[u8]) -> Result<(), CrsError> {
    let gap = &state[parameters.n * G1_BYTES..][..G1_BYTES];
    if is_zero(gap) { Ok(()) } else { Err(CrsError::Gap) }
}

/// A state on its own: length, gap, encodings, curve, subgroup, powers of one value.
///
/// # Errors
/// The first rule that is broken.
pub fn check_state(parameters: &CrsParameters, state: &[u8]) -> Result<CheckedState, CrsError> {
    if state.len() != parameters.state_bytes() {
        return Err(CrsError::Length);
    }
    check_gap(parameters, state)?;
    let (g_bytes, h_bytes) = state.split_at(parameters.g1_list_bytes());
    let g =
        g_bytes.par_chunks(G1_BYTES).map(decode_g1).collect::<Option<Vec<_>>>().ok_or(CrsError::Encoding)?;
    let h =
        h_bytes.par_chunks(G2_BYTES).map(decode_g2).collect::<Option<Vec<_>>>().ok_or(CrsError::Encoding)?;
    if !g_bytes.par_chunks(G1_BYTES).all(g1_on_curve) || !h_bytes.par_chunks(G2_BYTES).all(g2_on_curve) {
        return Err(CrsError::Curve);
    }
    if !in_subgroup::<G1>(&g) || !in_subgroup::<G2>(&h) {
        return Err(CrsError::Subgroup);
    }
    if !are_powers(parameters.n, &g, &h) {
        return Err(CrsError::Powers);
    }
    Ok(CheckedState { g, h })
}
