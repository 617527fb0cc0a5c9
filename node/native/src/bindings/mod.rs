//! Classes and functions that JavaScript sees. Nothing is computed here: arguments are checked and copied, work goes to
//! the libuv pool, failures become errors of the form `CODE|culprits|suspects|text`.
//! Left out of unit tests: its symbols exist only inside Node.
pub mod crs;
pub mod destroyable;
pub mod executor;
pub mod keygen;
pub mod memory;
pub mod opening;
pub mod parameters;
pub mod secp;
pub mod task;
pub mod threshold;

use crate::errors::{Code, Failure, Result, catch};

/// Runs `work`, also where it panics, and gives failures the one error form that the TypeScript wrapper reads.
pub fn guard<T>(work: impl FnOnce() -> Result<T>) -> napi::Result<T> {
    catch(work).map_err(to_js)
}

/// The JavaScript form of a failure.
pub fn to_js(failure: Failure) -> napi::Error {
    napi::Error::new(napi::Status::GenericFailure, failure.to_string())
}

/// # Errors
/// `NATIVE_CONFIG` for another length than `N`.
pub fn exactly<const N: usize>(name: &str, bytes: &[u8]) -> Result<[u8; N]> {
    bytes
        .try_into()
        .map_err(|_| Failure::new(Code::Config, format!("{name} has {N} bytes, got {}", bytes.len())))
}
