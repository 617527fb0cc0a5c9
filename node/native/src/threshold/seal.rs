//! Sealed form of a key share for storage (protocol §9): XChaCha20-Poly1305.
//!
//! magic "TLKS"(4) ‖ version 1(1) ‖ nonce(24) ‖ ciphertext ‖ tag(16). The header and the caller's context (key id, epoch,
//! peer) are authenticated, so a share opens only in its own place. Secret: key, share. The nonce is random: 192 bits
//! make a repetition under one key impossible in practice.

use crate::errors::{Code, Failure, Result};
use crate::ring::KeyShare;
use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

const HEADER: [u8; 5] = *b"TLKS\x01";
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

fn associated_data(context: &[u8]) -> Vec<u8> {
    [&HEADER[..], context].concat()
}

/// # Errors
/// `NATIVE_RANDOMNESS`.
pub fn seal(share: &KeyShare, key: &[u8; 32], context: &[u8]) -> Result<Vec<u8>> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce)?;
    let mut body = share.encode();
    let tag = XChaCha20Poly1305::new(Key::from_slice(key))
        .encrypt_in_place_detached(XNonce::from_slice(&nonce), &associated_data(context), &mut body)
        .map_err(|_| Failure::new(Code::ShareSealed, "the share is too long to seal"))?;
    Ok([&HEADER[..], &nonce, &body, &tag].concat())
}

/// # Errors
/// `SHARE_SEALED` for another version, key or context or a changed byte; those of [`KeyShare::decode`].
pub fn unseal(sealed: &[u8], key: &[u8; 32], context: &[u8]) -> Result<KeyShare> {
    let refused = |text: &str| Failure::new(Code::ShareSealed, text);
    let (header, rest) =
        sealed.split_at_checked(HEADER.len()).ok_or_else(|| refused("sealed share is cut short"))?;
    if header != HEADER {
        return Err(refused("unknown magic or version of a sealed share"));
    }
    if rest.len() < NONCE_BYTES + TAG_BYTES {
        return Err(refused("sealed share is cut short"));
    }
    let (nonce, rest) = rest.split_at(NONCE_BYTES);
    let (ciphertext, tag) = rest.split_at(rest.len() - TAG_BYTES);
    let mut body = Zeroizing::new(ciphertext.to_vec());
    XChaCha20Poly1305::new(Key::from_slice(key))
        .decrypt_in_place_detached(
            XNonce::from_slice(nonce),
            &associated_data(context),
            &mut body,
            Tag::from_slice(tag),
        )
        .map_err(|_| refused("the share does not open under this key and context"))?;
    KeyShare::decode(&body)
}
