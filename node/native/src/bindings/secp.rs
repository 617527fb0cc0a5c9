//! Signature recovery and sums of points as JavaScript sees them. Synchronous: a call costs less than a trip to the pool.
use super::{exactly, guard};
use crate::secp::{recover, sum};
use napi::Either;
use napi::bindgen_prelude::{Null, Uint8Array};
use napi_derive::napi;

/// A signature of another length is none; a digest of another length is a bug of the caller.
#[napi(catch_unwind)]
pub fn recover_signer(digest: Uint8Array, signature: Uint8Array) -> napi::Result<Either<Uint8Array, Null>> {
    let digest = guard(|| exactly("digest", &digest))?;
    Ok(match recover::recover_signer(&digest, &signature) {
        Some(address) => Either::A(address.to_vec().into()),
        None => Either::B(Null),
    })
}

/// `null` where an input is not canonical or the sum is the identity.
#[napi(catch_unwind)]
pub fn weighted_sum(points: Uint8Array, scalars: Uint8Array) -> napi::Result<Either<Uint8Array, Null>> {
    Ok(match sum::weighted_sum(&points, &scalars) {
        Some(point) => Either::A(point.to_vec().into()),
        None => Either::B(Null),
    })
}
