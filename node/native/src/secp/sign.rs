//! ECDSA signatures of digests as the chain's ecrecover reads them: RFC 6979 nonces, low s. Equal, byte for byte, to
//! `signDigest` of sdk/src/protocol/signature.ts; node/src/threshold/signatures.test.ts holds the two together.
use super::recover::SIGNATURE_BYTES;
use super::sum::SCALAR_BYTES;
use k256::FieldBytes;
use k256::ecdsa::SigningKey;
use zeroize::Zeroize;

/// r ‖ s ‖ v with v in {27, 28}; `None` where the key is not in 1..n-1. The nonce is derived and used in constant time;
/// `SigningKey` wipes itself.
pub fn sign_digest(digest: &[u8; 32], secret_key: &[u8; SCALAR_BYTES]) -> Option<[u8; SIGNATURE_BYTES]> {
    let mut bytes = FieldBytes::clone_from_slice(secret_key);
    let key = SigningKey::from_bytes(&bytes);
    bytes.zeroize();
    let (signature, recovery) = key.ok()?.sign_prehash_recoverable(digest).ok()?;
    // An x coordinate of n or more has no encoding here, and probability 2^-128.
    if recovery.is_x_reduced() {
        return None;
    }
    let mut out = [0; SIGNATURE_BYTES];
    out[..64].copy_from_slice(&signature.to_bytes());
    out[64] = 27 + u8::from(recovery.is_y_odd());
    Some(out)
}
