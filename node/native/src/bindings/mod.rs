//! Classes and functions that JavaScript sees. Nothing is computed here: arguments are checked and copied, work goes to
//! the libuv pool, failures become errors of the form `CODE|culprits|text`.
//! Left out of unit tests: its symbols exist only inside Node.
use crate::errors::{Failure, Result, catch};

/// Runs `work`, also where it panics, and gives failures the one error form that the TypeScript wrapper reads.
pub fn guard<T>(work: impl FnOnce() -> Result<T>) -> napi::Result<T> {
    catch(work).map_err(to_js)
}

/// The JavaScript form of a failure.
pub fn to_js(failure: Failure) -> napi::Error {
    napi::Error::new(napi::Status::GenericFailure, failure.to_string())
}
