//! Galois ring GR(2^128, 4), Shamir sharing over it and pseudo-random secret sharing (protocol §3, §5).
//!
//! Arithmetic on shares is wrapping `u128` arithmetic without branches or table look-ups on secret values. Inverses,
//! Lagrange coefficients and the set factors of the replicated keys are computed from public party indices only.
pub mod committee;
pub mod element;
pub mod key_share;
pub mod prss;
pub mod shamir;

pub use committee::{Committee, Subset};
pub use element::Gr;
pub use key_share::KeyShare;
pub use prss::PrssKeys;
