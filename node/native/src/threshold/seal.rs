//! Sealed form of a key share for storage (protocol §9, `at_rest`). Secret: key, share.

use crate::at_rest::{self, Header};
use crate::errors::Result;
use crate::ring::KeyShare;

const HEADER: Header = *b"TLKS\x01";

/// # Errors
/// `NATIVE_RANDOMNESS`.
pub fn seal(share: &KeyShare, key: &[u8; 32], context: &[u8]) -> Result<Vec<u8>> {
    at_rest::seal(&HEADER, share.encode(), key, context)
}

/// # Errors
/// `SHARE_SEALED` for another version, key or context or a changed byte; those of [`KeyShare::decode`].
pub fn unseal(sealed: &[u8], key: &[u8; 32], context: &[u8]) -> Result<KeyShare> {
    KeyShare::decode(&at_rest::unseal(&HEADER, sealed, key, context)?)
}
