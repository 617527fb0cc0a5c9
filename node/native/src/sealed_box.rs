//! Sealed boxes for private ceremony messages: X-Wing (ML-KEM-768 + X25519, draft-connolly-cfrg-xwing-kem), then
//! HKDF-SHA256 and ChaCha20-Poly1305.
//!
//! A box is encapsulation(1120) ‖ ciphertext ‖ tag(16). Every box has its own encapsulated key, so key and nonce are used
//! once. The randomness of a box comes from its sender's root: whoever learns the root of a discarded ceremony makes the
//! same bytes again (`keygen::party`). The context (who, to whom, which ceremony and round) enters the key and the associated data: a box opens in its
//! own place only. A box does not authenticate its sender; the signed message around it does.
use crate::errors::{Code, Failure, Result};
use crate::stream::derive_key;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use ml_kem::kem::{Decapsulate, DecapsulationKey, EncapsulationKey};
use ml_kem::{B32, EncapsulateDeterministic, EncodedSizeUser, KemCore, MlKem768, MlKem768Params};
use sha3::digest::{ExtendableOutput, Update, XofReader};
use sha3::{Digest, Sha3_256, Shake256};
use x25519_dalek::{PublicKey as X25519Public, StaticSecret};
use zeroize::Zeroizing;

const ML_KEM_KEY: usize = 1184;
const ML_KEM_CIPHERTEXT: usize = 1088;
const X25519: usize = 32;
const TAG_BYTES: usize = 16;
/// Bytes of a public key.
pub const PUBLIC_KEY_BYTES: usize = ML_KEM_KEY + X25519;
const ENCAPSULATION_BYTES: usize = ML_KEM_CIPHERTEXT + X25519;
/// Bytes that one box is made from.
pub const RANDOMNESS_BYTES: usize = 64;
/// Bytes that a box adds to its plaintext.
pub const OVERHEAD: usize = ENCAPSULATION_BYTES + TAG_BYTES;
/// The six bytes `\.//^\` of the draft.
const X_WING_LABEL: &[u8; 6] = b"\\.//^\\";
const KEY_TAG: &[u8] = b"twinlock/sealed-box/v1/key";
const NONCE_TAG: &[u8] = b"twinlock/sealed-box/v1/nonce";

/// A recipient's key: the 32-byte seed, expanded when it is used. Wiped on drop.
pub struct SecretKey {
    seed: Zeroizing<[u8; 32]>,
}

/// A recipient's checked public key.
#[derive(Clone)]
pub struct PublicKey {
    ml_kem: Box<EncapsulationKey<MlKem768Params>>,
    x25519: X25519Public,
}

impl SecretKey {
    pub fn from_seed(seed: Zeroizing<[u8; 32]>) -> SecretKey {
        SecretKey { seed }
    }

    /// ML-KEM key pair and X25519 secret from SHAKE256(seed, 96), as the draft says.
    fn expand(&self) -> (DecapsulationKey<MlKem768Params>, EncapsulationKey<MlKem768Params>, StaticSecret) {
        let mut expanded = Zeroizing::new([0u8; 96]);
        let mut shake = Shake256::default();
        shake.update(self.seed.as_ref());
        shake.finalize_xof().read(expanded.as_mut());
        let part = |i: usize| -> Zeroizing<[u8; 32]> {
            Zeroizing::new(std::array::from_fn(|k| expanded[32 * i + k]))
        };
        let (decapsulation, encapsulation) =
            MlKem768::generate_deterministic(&B32::from(*part(0)), &B32::from(*part(1)));
        (decapsulation, encapsulation, StaticSecret::from(*part(2)))
    }

    /// ML-KEM key(1184) ‖ X25519 key(32).
    pub fn public_key_bytes(&self) -> Vec<u8> {
        let (_, encapsulation, x25519) = self.expand();
        let mut out = encapsulation.as_bytes().to_vec();
        out.extend_from_slice(X25519Public::from(&x25519).as_bytes());
        out
    }

    /// Opens a box that was sealed to this key in `context`.
    ///
    /// # Errors
    /// `KEYGEN_SEALED_BOX` for any other bytes; the caller adds the sender.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let refuse = || Failure::new(Code::SealedBox, "a sealed message does not open");
        let (encapsulation, ciphertext) = sealed.split_at_checked(ENCAPSULATION_BYTES).ok_or_else(refuse)?;
        let (ml_kem_ciphertext, x25519_ephemeral) = encapsulation.split_at(ML_KEM_CIPHERTEXT);
        let (decapsulation, _, x25519) = self.expand();
        let ml_kem_secret = ml_kem_ciphertext
            .try_into()
            .ok()
            .and_then(|bytes| decapsulation.decapsulate(bytes).ok())
            .ok_or_else(refuse)?;
        let ephemeral: [u8; X25519] = x25519_ephemeral.try_into().map_err(|_| refuse())?;
        let shared = x25519.diffie_hellman(&X25519Public::from(ephemeral));
        let secret =
            combine(&ml_kem_secret, shared.as_bytes(), &ephemeral, X25519Public::from(&x25519).as_bytes());
        let (cipher, nonce) = cipher_of(&secret, context);
        let payload = Payload { msg: ciphertext, aad: context };
        cipher.decrypt(&nonce, payload).map(Zeroizing::new).map_err(|_| refuse())
    }
}

impl PublicKey {
    /// # Errors
    /// `KEYGEN_MESSAGE_MALFORMED` unless 1216 bytes whose ML-KEM part is canonical (FIPS 203 §7.2); the caller adds the sender.
    pub fn from_bytes(bytes: &[u8]) -> Result<PublicKey> {
        let refuse = || Failure::new(Code::MessageMalformed, "not a canonical X-Wing public key");
        let (ml_kem, x25519) = bytes.split_at_checked(ML_KEM_KEY).ok_or_else(refuse)?;
        let encoded = ml_kem.try_into().map_err(|_| refuse())?;
        let key = EncapsulationKey::<MlKem768Params>::from_bytes(encoded);
        let x25519: [u8; X25519] = x25519.try_into().map_err(|_| refuse())?;
        if key.as_bytes().as_slice() != ml_kem {
            return Err(refuse());
        }
        Ok(PublicKey { ml_kem: Box::new(key), x25519: X25519Public::from(x25519) })
    }

    /// Seals `plaintext` so that only the holder of the key opens it, in the same `context`. `randomness` is secret, uniform
    /// and used for this box only.
    ///
    /// # Errors
    /// `KEYGEN_SEALED_BOX` for a plaintext beyond the cipher's limit.
    pub fn seal(
        &self,
        context: &[u8],
        plaintext: &[u8],
        randomness: &[u8; RANDOMNESS_BYTES],
    ) -> Result<Vec<u8>> {
        let (mut out, secret) = self.encapsulate(randomness)?;
        let (cipher, nonce) = cipher_of(&secret, context);
        out.reserve_exact(plaintext.len() + TAG_BYTES);
        let payload = Payload { msg: plaintext, aad: context };
        let ciphertext =
            cipher.encrypt(&nonce, payload).map_err(|_| Failure::new(Code::SealedBox, "message too long"))?;
        out.extend_from_slice(&ciphertext);
        Ok(out)
    }

    fn encapsulate(&self, randomness: &[u8; RANDOMNESS_BYTES]) -> Result<(Vec<u8>, Zeroizing<[u8; 32]>)> {
        let part = |i: usize| -> Zeroizing<[u8; 32]> {
            Zeroizing::new(std::array::from_fn(|k| randomness[32 * i + k]))
        };
        let (ciphertext, ml_kem_secret) = self
            .ml_kem
            .encapsulate_deterministic(&B32::from(*part(0)))
            .map_err(|()| Failure::new(Code::Internal, "encapsulation failed"))?;
        let ephemeral = StaticSecret::from(*part(1));
        let ephemeral_public = X25519Public::from(&ephemeral);
        let shared = ephemeral.diffie_hellman(&self.x25519);
        let secret =
            combine(&ml_kem_secret, shared.as_bytes(), ephemeral_public.as_bytes(), self.x25519.as_bytes());
        let mut out = ciphertext.to_vec();
        out.extend_from_slice(ephemeral_public.as_bytes());
        Ok((out, secret))
    }
}

/// SHA3-256(ss_M ‖ ss_X ‖ ct_X ‖ pk_X ‖ label).
fn combine(ml_kem: &[u8], shared: &[u8; 32], ephemeral: &[u8; 32], public: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let mut hash = Sha3_256::new();
    for part in [ml_kem, shared, ephemeral, public, X_WING_LABEL] {
        Digest::update(&mut hash, part);
    }
    Zeroizing::new(hash.finalize().into())
}

fn cipher_of(secret: &[u8; 32], context: &[u8]) -> (ChaCha20Poly1305, Nonce) {
    let key = derive_key(secret, &[KEY_TAG, context]);
    let nonce = derive_key(secret, &[NONCE_TAG, context]);
    (ChaCha20Poly1305::new(Key::from_slice(key.as_ref())), *Nonce::from_slice(&nonce[..12]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::Sha256;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).expect("hex")).collect()
    }

    fn key(fill: u8) -> SecretKey {
        SecretKey::from_seed(Zeroizing::new([fill; 32]))
    }

    fn public(key: &SecretKey) -> PublicKey {
        PublicKey::from_bytes(&key.public_key_bytes()).expect("canonical")
    }

    #[test]
    fn x_wing_equals_the_drafts_first_vector() {
        // draft-connolly-cfrg-xwing-kem, appendix; the hashes of pk and ct were taken with @noble/post-quantum.
        let seed = hex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
        let eseed = hex(
            "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e235b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2",
        );
        let key = SecretKey::from_seed(Zeroizing::new(seed.try_into().expect("32 bytes")));
        let (ciphertext, secret) =
            public(&key).encapsulate(&eseed.try_into().expect("64 bytes")).expect("encapsulates");
        assert_eq!(secret.to_vec(), hex("d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384"));
        assert_eq!(
            Sha256::digest(key.public_key_bytes()).to_vec(),
            hex("2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb")
        );
        assert_eq!(
            Sha256::digest(ciphertext).to_vec(),
            hex("17cd532d657e44c897ca6583e548a5424fc70bf54f99515a4d2bcf99e3469f33")
        );
    }

    #[test]
    fn a_box_opens_for_its_recipient_in_its_context_only() {
        let (alice, bob) = (key(1), key(2));
        let sealed = public(&alice).seal(b"round 4, 2 -> 1", b"hello", &[3; 64]).expect("seals");
        assert_eq!(sealed.len(), OVERHEAD + 5);
        assert_eq!(alice.open(b"round 4, 2 -> 1", &sealed).expect("opens").as_slice(), b"hello");
        assert!(alice.open(b"round 5, 2 -> 1", &sealed).is_err());
        assert!(bob.open(b"round 4, 2 -> 1", &sealed).is_err());
    }

    #[test]
    fn every_part_of_a_box_is_protected() {
        let alice = key(1);
        let sealed = public(&alice).seal(b"context", &[0; 40], &[3; 64]).expect("seals");
        for at in [0, 500, ML_KEM_CIPHERTEXT, ENCAPSULATION_BYTES, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(alice.open(b"context", &changed).err().map(|f| f.code), Some(Code::SealedBox));
        }
        for length in [0, 10, ENCAPSULATION_BYTES, sealed.len() - 1] {
            assert!(alice.open(b"context", &sealed[..length]).is_err());
        }
    }

    #[test]
    fn a_box_is_a_function_of_its_randomness() {
        let alice = public(&key(1));
        let sealed = |randomness| alice.seal(b"", b"x", &[randomness; 64]).expect("seals");
        assert_eq!(sealed(3), sealed(3));
        assert_ne!(sealed(3)[ENCAPSULATION_BYTES..], sealed(4)[ENCAPSULATION_BYTES..]);
    }

    #[test]
    fn a_public_key_out_of_form_is_refused() {
        let good = key(1).public_key_bytes();
        assert!(PublicKey::from_bytes(&good[1..]).is_err());
        let mut unreduced = good.clone();
        unreduced[0] = 0xff; // the first 12-bit coefficient becomes 0xfff, above q = 3329
        unreduced[1] |= 0x0f;
        assert!(PublicKey::from_bytes(&unreduced).is_err());
        assert!(PublicKey::from_bytes(&[&good[..], &[0]].concat()).is_err());
    }
}
