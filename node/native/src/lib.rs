//! Native core of Twinlock: everything that touches a share of the decryption key or the `tfhe` crate.
#[cfg(not(test))]
pub mod bindings;
pub mod errors;
pub mod ring;
pub mod stream;
