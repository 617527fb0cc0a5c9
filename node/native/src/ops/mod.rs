//! The executor's work on ciphertexts (protocol §8): server key, symbolic operations, proven inputs, noise squashing.
//!
//! Everything here is public data; what counts is that k executors get equal bytes. Nothing depends on thread count or
//! timing: the crate is built with a forced FFT and without avx512, results are encoded canonically, and no operation
//! draws randomness.

pub mod evaluate;
mod expansion;
pub mod inputs;
pub mod operation;
pub mod self_test;
pub mod server_key;

#[cfg(test)]
pub mod tests;
