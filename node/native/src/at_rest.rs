//! Sealed form of secrets for storage (protocol §9): XChaCha20-Poly1305.
//!
//! header(5: magic, version) ‖ nonce(24) ‖ ciphertext ‖ tag(16). The header and the caller's context (key id, epoch, peer)
//! are authenticated, so a secret opens only in its own place. The nonce is random: 192 bits make a repetition under one
//! key impossible in practice.

use crate::errors::{Code, Failure, Result};
use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// Magic and version of one kind of secret.
pub type Header = [u8; 5];

const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

fn associated_data(header: &Header, context: &[u8]) -> Vec<u8> {
    [&header[..], context].concat()
}

/// # Errors
/// `NATIVE_RANDOMNESS`.
pub fn seal(
    header: &Header,
    mut body: Zeroizing<Vec<u8>>,
    key: &[u8; 32],
    context: &[u8],
) -> Result<Vec<u8>> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce)?;
    let tag = XChaCha20Poly1305::new(Key::from_slice(key))
        .encrypt_in_place_detached(XNonce::from_slice(&nonce), &associated_data(header, context), &mut body)
        .map_err(|_| Failure::new(Code::ShareSealed, "the secret is too long to seal"))?;
    Ok([&header[..], &nonce, &body, &tag].concat())
}

/// # Errors
/// `SHARE_SEALED` for another header, key or context or a changed byte.
pub fn unseal(header: &Header, sealed: &[u8], key: &[u8; 32], context: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let refused = |text: &str| Failure::new(Code::ShareSealed, text);
    let (found, rest) =
        sealed.split_at_checked(header.len()).ok_or_else(|| refused("a sealed secret is cut short"))?;
    if found != header {
        return Err(refused("unknown magic or version of a sealed secret"));
    }
    if rest.len() < NONCE_BYTES + TAG_BYTES {
        return Err(refused("a sealed secret is cut short"));
    }
    let (nonce, rest) = rest.split_at(NONCE_BYTES);
    let (ciphertext, tag) = rest.split_at(rest.len() - TAG_BYTES);
    let mut body = Zeroizing::new(ciphertext.to_vec());
    XChaCha20Poly1305::new(Key::from_slice(key))
        .decrypt_in_place_detached(
            XNonce::from_slice(nonce),
            &associated_data(header, context),
            &mut body,
            Tag::from_slice(tag),
        )
        .map_err(|_| refused("the secret does not open under this key and context"))?;
    Ok(body)
}
