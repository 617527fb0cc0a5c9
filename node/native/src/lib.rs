//! Native core of Twinlock: everything that touches a share of the decryption key or the `tfhe` crate.
#[cfg(not(test))]
pub mod bindings;
pub mod errors;
pub mod params;
pub mod ring;
pub mod sealed_box;
pub mod stream;
