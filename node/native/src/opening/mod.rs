//! Robust opening of masked shares as they arrive (protocol §3, the asynchronous rule).
//!
//! A block is decided when one polynomial of degree t carries more than 2t of the shares heard; the opening, when all blocks
//! are and at most t parties are off. Each arrival continues where the last one stopped ([`block`]).
//!
//! Inputs are masked shares of one session: public values, also to those who send them. Nothing here is constant time.
pub mod block;
pub mod field;
pub mod newton;
pub mod session;
#[cfg(test)]
mod tests;
