//! Common reference string of the input proofs by sequential updates (protocol §4, docs/crs.md).
//!
//! The string is a list of powers of one unknown alpha on BLS12-446: 2n points alpha^i·G of which the one at n+1
//! is zero, and n points alpha^i·H. It starts from alpha = 1; every party multiplies alpha by a factor tau of its
//! own, proves that it knows tau, and erases it. Proofs are sound if one accepted party was honest, and inputs stay
//! hidden only if the list is well formed: therefore every party checks every proof and the last list, and before it applies
//! its factor to a list also that one.
//!
//! Secret: tau, its powers and the nonce of the proof ([`update`], [`ladder`], [`montgomery`]); everything else is public.
//! The caller must agree on the order of parties, echo the accepted message, and verify before it uses a state.

pub mod assemble;
pub mod audit;
mod batch;
pub mod codec;
pub mod error;
mod field;
mod ladder;
pub mod message;
mod montgomery;
pub mod parameters;
pub mod update;
pub mod verify;

#[cfg(test)]
mod tests;

pub use assemble::{assemble, serialise};
pub use audit::{Link, audit};
pub use error::CrsError;
pub use message::Context;
pub use parameters::CrsParameters;
pub use update::{Tau, start_state, update};
pub use verify::{check_state, follow, verify};
