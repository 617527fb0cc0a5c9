//! Signatures and points as JavaScript sees them. Synchronous: a call costs less than a trip to the pool.
use super::{exactly, guard};
use crate::secp::{multiple, recover, sign, sum};
use napi::Either;
use napi::bindgen_prelude::{Null, Uint8Array};
use napi_derive::napi;
use zeroize::Zeroizing;

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

/// Secret input: `scalar`. `null` unless it is in 1..n-1.
#[napi(catch_unwind)]
pub fn generator_multiple(scalar: Uint8Array) -> napi::Result<Either<Uint8Array, Null>> {
    let scalar = Zeroizing::new(guard(|| exactly("scalar", &scalar))?);
    Ok(match multiple::generator_multiple(&scalar) {
        Some(point) => Either::A(point.to_vec().into()),
        None => Either::B(Null),
    })
}

/// `null` where the bytes are no compressed point.
#[napi(catch_unwind)]
pub fn address_of_point(point: Uint8Array) -> Either<Uint8Array, Null> {
    match multiple::address_of_point(&point) {
        Some(address) => Either::A(address.to_vec().into()),
        None => Either::B(Null),
    }
}

/// Secret input: `secret_key`. `null` unless it is in 1..n-1.
#[napi(catch_unwind)]
pub fn sign_digest(digest: Uint8Array, secret_key: Uint8Array) -> napi::Result<Either<Uint8Array, Null>> {
    let digest = guard(|| exactly("digest", &digest))?;
    let secret_key = Zeroizing::new(guard(|| exactly("secret key", &secret_key))?);
    Ok(match sign::sign_digest(&digest, &secret_key) {
        Some(signature) => Either::A(signature.to_vec().into()),
        None => Either::B(Null),
    })
}
