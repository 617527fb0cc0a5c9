//! Native core of Twinlock: everything that touches a share of the decryption key or the `tfhe` crate.
pub mod at_rest;
#[cfg(not(test))]
pub mod bindings;
pub mod ciphertext;
pub mod crs;
pub mod errors;
pub mod keygen;
pub mod opening;
pub mod ops;
pub mod params;
pub mod ring;
pub mod sealed_box;
pub mod secp;
pub mod squash;
pub mod stream;
pub mod threshold;
pub mod word_format;
