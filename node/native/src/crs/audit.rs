//! Audit of a finished ceremony without its intermediate states (docs/crs.md): one link of 304 bytes per update and
//! the final state prove the whole chain, because alpha is the logarithm of the first element alone.

use super::codec::{G1_BYTES, SCALAR_BYTES};
use super::error::CrsError;
use super::message::{Context, Proof, Statement, array, split, state_digest};
use super::parameters::CrsParameters;
use super::update::start_state;
use super::verify::{CheckedState, check_state};

/// round(4) ‖ party(4) ‖ next digest(32) ‖ first element(112) ‖ R(112) ‖ z(40)
pub const LINK_BYTES: usize = 4 + 4 + 32 + 2 * G1_BYTES + SCALAR_BYTES;

/// What an auditor keeps of one update.
#[derive(Clone)]
pub struct Link {
    pub round: u32,
    pub party: u32,
    pub next_digest: [u8; 32],
    pub first: [u8; G1_BYTES],
    pub proof: Proof,
}

impl Link {
    /// # Errors
    /// [`CrsError::Length`], [`CrsError::Header`]. The message is not verified here.
    pub fn of_message(parameters: &CrsParameters, message: &[u8]) -> Result<Self, CrsError> {
        let parts = split(parameters, message)?;
        Ok(Self {
            round: parts.context.round,
            party: parts.context.party,
            next_digest: state_digest(parameters, parts.state),
            first: array(&parts.state[..G1_BYTES]),
            proof: parts.proof,
        })
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(LINK_BYTES);
        out.extend_from_slice(&self.round.to_le_bytes());
        out.extend_from_slice(&self.party.to_le_bytes());
        out.extend_from_slice(&self.next_digest);
        out.extend_from_slice(&self.first);
        out.extend_from_slice(&self.proof.commitment);
        out.extend_from_slice(&self.proof.response);
        out
    }

    /// # Errors
    /// [`CrsError::Length`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CrsError> {
        if bytes.len() != LINK_BYTES {
            return Err(CrsError::Length);
        }
        let (head, points) = bytes.split_at(40);
        Ok(Self {
            round: u32::from_le_bytes(array(&head[..4])),
            party: u32::from_le_bytes(array(&head[4..8])),
            next_digest: array(&head[8..]),
            first: array(&points[..G1_BYTES]),
            proof: Proof {
                commitment: array(&points[G1_BYTES..2 * G1_BYTES]),
                response: array(&points[2 * G1_BYTES..]),
            },
        })
    }
}

/// Checks that the final state is well formed and that its alpha is the product of factors, each known to one of
/// `parties`, in this order. Who they must be is the caller's to say: a chain of one party alone proves nothing.
///
/// # Errors
/// The first rule that is broken; [`CrsError::Order`] for a party that comes twice, [`CrsError::Context`] for a link of
/// another party or round, [`CrsError::Previous`] where the chain ends in another state.
pub fn audit(
    parameters: &CrsParameters,
    ceremony: &[u8; 32],
    parties: &[u32],
    links: &[Link],
    state: &[u8],
) -> Result<CheckedState, CrsError> {
    if state.len() != parameters.state_bytes() || links.is_empty() || links.len() != parties.len() {
        return Err(CrsError::Length);
    }
    let twice = |(position, party): (usize, &u32)| parties[..position].contains(party);
    if parties.contains(&0) || parties.iter().enumerate().any(twice) {
        return Err(CrsError::Order);
    }
    let start = start_state(parameters);
    let mut base: [u8; G1_BYTES] = array(&start[..G1_BYTES]);
    let mut previous_digest = state_digest(parameters, &start);
    for ((round, party), link) in (1..).zip(parties).zip(links) {
        if (link.round, link.party) != (round, *party) {
            return Err(CrsError::Context);
        }
        Statement {
            parameters,
            context: &Context { ceremony: *ceremony, round, party: *party },
            previous_digest: &previous_digest,
            next_digest: &link.next_digest,
            base: &base,
            target: &link.first,
        }
        .verify(&link.proof)?;
        base = link.first;
        previous_digest = link.next_digest;
    }
    if state_digest(parameters, state) != previous_digest || state[..G1_BYTES] != base {
        return Err(CrsError::Previous);
    }
    check_state(parameters, state)
}
