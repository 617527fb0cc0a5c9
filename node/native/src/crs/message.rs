//! The message of one update: header, Schnorr proof of knowledge of tau, new state.
//!
//! The proof shows knowledge of tau with new first element = tau · old first element. Its challenge binds
//! parameters, ceremony, round, party and the digests of the complete old and new state, so it is also a signature
//! on the new list. Without it a party could restart from the generator and own alpha (docs/crs.md).

use super::codec::{
    G1_BYTES, SCALAR_BYTES, decode_g1, decode_scalar, encode_scalar, is_zero, read_affine, write_affine,
};
use super::error::CrsError;
use super::field::{Fq, Scalar, scalar_of};
use super::ladder::{Point, normalise};
use super::parameters::CrsParameters;
use super::update::Tau;
use rand::rngs::OsRng;
use sha3::{Digest, Sha3_256};
use tfhe_zk_pok::curve_api::CurveGroupOps;
use tfhe_zk_pok::curve_api::bls12_446::{G1, Zp};
use zeroize::Zeroizing;

const MAGIC: &[u8; 8] = b"TLCRSU01";

/// magic(8) ‖ ceremony(32) ‖ round(4 LE) ‖ party(4 LE) ‖ previous digest(32) ‖ R(112) ‖ z(40)
pub const HEADER_BYTES: usize = 8 + 32 + 4 + 4 + 32 + G1_BYTES + SCALAR_BYTES;

/// Where an update belongs; taken from the verifier's own view of the ceremony, never from a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    pub ceremony: [u8; 32],
    /// Counts the accepted updates up by one, from one.
    pub round: u32,
    /// Index of the updating party, from one.
    pub party: u32,
}

/// Schnorr proof: commitment R = k · base and response z = k + c · tau.
#[derive(Clone, Copy)]
pub struct Proof {
    pub commitment: [u8; G1_BYTES],
    pub response: [u8; SCALAR_BYTES],
}

/// What a proof speaks about.
pub struct Statement<'a> {
    pub parameters: &'a CrsParameters,
    pub context: &'a Context,
    pub previous_digest: &'a [u8; 32],
    pub next_digest: &'a [u8; 32],
    /// First element before the update.
    pub base: &'a [u8],
    /// First element after the update.
    pub target: &'a [u8],
}

/// Digest of a state under its parameters.
pub fn state_digest(parameters: &CrsParameters, state: &[u8]) -> [u8; 32] {
    Sha3_256::new()
        .chain_update(b"twinlock/crs/state/v1")
        .chain_update(parameters.to_bytes())
        .chain_update(state)
        .finalize()
        .into()
}

impl Statement<'_> {
    /// Every field has a fixed length, so the concatenation is injective. 427 bits of SHAKE256, reduced.
    fn challenge(&self, commitment: &[u8]) -> Zp {
        let mut challenge = [Zp::ZERO];
        Zp::hash(
            &mut challenge,
            &[
                b"twinlock/crs/pok/v1",
                &self.parameters.to_bytes(),
                &self.context.ceremony,
                &self.context.round.to_le_bytes(),
                &self.context.party.to_le_bytes(),
                self.previous_digest,
                self.next_digest,
                self.base,
                self.target,
                commitment,
            ],
        );
        challenge[0]
    }

    /// # Errors
    /// [`CrsError::Encoding`] where the base is not canonical.
    pub fn prove(&self, tau: &Tau) -> Result<Proof, CrsError> {
        let base = Point::from_affine(read_affine::<Fq>(self.base).ok_or(CrsError::Encoding)?);
        let nonce = Zeroizing::new(Scalar::random(&mut OsRng));
        let mut commitment = [0; G1_BYTES];
        write_affine(&normalise(&[base.multiply(&nonce)])[0], &mut commitment);
        let blinded = Zeroizing::new(scalar_of(&self.challenge(&commitment)) * *tau.scalar());
        Ok(Proof { commitment, response: encode_scalar(&(*blinded + *nonce)) })
    }

    /// # Errors
    /// [`CrsError::Gap`] is the caller's; here: first element zero or unchanged, encoding, proof point, proof.
    pub fn verify(&self, proof: &Proof) -> Result<(), CrsError> {
        if is_zero(self.target) {
            return Err(CrsError::FirstZero);
        }
        if self.target == self.base {
            return Err(CrsError::Unchanged);
        }
        let base = decode_g1(self.base).ok_or(CrsError::Encoding)?;
        let target = decode_g1(self.target).ok_or(CrsError::Encoding)?;
        let commitment = decode_g1(&proof.commitment).ok_or(CrsError::Encoding)?;
        let response = decode_scalar(&proof.response).ok_or(CrsError::Encoding)?;
        // validate() covers curve and subgroup of one point
        if !target.validate() || !commitment.validate() {
            return Err(CrsError::ProofPoint);
        }
        let challenge = self.challenge(&proof.commitment);
        let left = G1::projective(base).mul_scalar(response);
        let right = G1::projective(commitment) + G1::projective(target).mul_scalar(challenge);
        if left == right { Ok(()) } else { Err(CrsError::Proof) }
    }
}

/// Header, proof and state as one byte string.
pub fn encode(context: &Context, previous_digest: &[u8; 32], proof: &Proof, state: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES + state.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&context.ceremony);
    out.extend_from_slice(&context.round.to_le_bytes());
    out.extend_from_slice(&context.party.to_le_bytes());
    out.extend_from_slice(previous_digest);
    out.extend_from_slice(&proof.commitment);
    out.extend_from_slice(&proof.response);
    out.extend_from_slice(state);
    out
}

/// A message cut at its fixed offsets; nothing is believed yet.
pub struct Parts<'a> {
    pub context: Context,
    pub previous_digest: [u8; 32],
    pub proof: Proof,
    pub state: &'a [u8],
}

/// # Errors
/// [`CrsError::Length`], [`CrsError::Header`].
pub fn split<'a>(parameters: &CrsParameters, message: &'a [u8]) -> Result<Parts<'a>, CrsError> {
    if message.len() != HEADER_BYTES + parameters.state_bytes() {
        return Err(CrsError::Length);
    }
    let (header, state) = message.split_at(HEADER_BYTES);
    let (magic, rest) = header.split_at(8);
    if magic != MAGIC {
        return Err(CrsError::Header);
    }
    let mut rest = rest;
    let mut take = |length: usize| {
        let (field, tail) = rest.split_at(length);
        rest = tail;
        field
    };
    let context = Context {
        ceremony: array(take(32)),
        round: u32::from_le_bytes(array(take(4))),
        party: u32::from_le_bytes(array(take(4))),
    };
    let previous_digest = array(take(32));
    let proof = Proof { commitment: array(take(G1_BYTES)), response: array(take(SCALAR_BYTES)) };
    Ok(Parts { context, previous_digest, proof, state })
}

/// Copies a slice whose length the caller has fixed.
pub(super) fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("slice of fixed length")
}
