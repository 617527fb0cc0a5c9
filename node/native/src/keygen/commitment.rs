//! Salted commitments to seeds, coins and key contributions: separate for each, so that opening one tells nothing about
//! another (docs/keygen.md §2).
use super::context::{Context, Purpose, Session};
use crate::errors::{Code, Failure, Result};

/// value(32) ‖ salt(32).
pub const REVEAL_BYTES: usize = 64;
/// Bytes of a commitment.
pub const COMMITMENT_BYTES: usize = 32;
const COMMIT: u8 = 0;
const COMBINE: u8 = 1;

/// This party's value and salt for `purpose`. `detail` separates several values of one purpose.
pub fn reveal(session: &Session, purpose: Purpose, detail: &[u8]) -> [u8; REVEAL_BYTES] {
    let derive = |role: u8| session.root.key(&session.context, purpose, 0, &[&[role], detail].concat());
    let mut out = [0; REVEAL_BYTES];
    out[..32].copy_from_slice(derive(0).as_ref());
    out[32..].copy_from_slice(derive(1).as_ref());
    out
}

/// The commitment of `party` to `reveal`.
pub fn commit(
    context: &Context,
    purpose: Purpose,
    party: usize,
    detail: &[u8],
    reveal: &[u8],
) -> [u8; COMMITMENT_BYTES] {
    context.hash(purpose, &[&[COMMIT, party as u8], detail, reveal])
}

/// Checks a reveal against the commitment of `party`.
///
/// # Errors
/// `KEYGEN_COMMITMENT_MISMATCH` naming the party.
pub fn check(
    context: &Context,
    purpose: Purpose,
    party: usize,
    detail: &[u8],
    reveal: &[u8],
    commitment: &[u8; COMMITMENT_BYTES],
) -> Result<()> {
    if commit(context, purpose, party, detail, reveal) == *commitment {
        return Ok(());
    }
    let text = format!("a reveal for {purpose:?} does not match its commitment");
    Err(Failure::by(Code::CommitmentMismatch, party, text))
}

/// H(tag ‖ name ‖ reveals in party order), other names other values: uniform if one of the committed values was.
pub fn combine(context: &Context, purpose: Purpose, name: &str, reveals: &[&[u8]]) -> [u8; 32] {
    let all = reveals.concat();
    context.hash(purpose, &[&[COMBINE], name.as_bytes(), &all])
}
