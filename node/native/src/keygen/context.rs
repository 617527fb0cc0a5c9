//! Who runs which attempt of which ceremony, and how every secret stream of it gets a key of its own.
//!
//! docs/keygen.md §2: a key is HKDF-SHA256(secret; ceremony id, attempt, part, purpose, detail). Two streams share
//! a key only if all of these agree, so no block is read for two purposes, in two parts or in two attempts.
use crate::at_rest;
use crate::errors::Result;
use crate::ring::Committee;
use crate::stream::{SecretStream, derive_key};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const KEY_TAG: &[u8] = b"twinlock/ceremony/key/v1";
const HASH_TAG: &[u8] = b"twinlock/ceremony/hash/v1";
const SEALED_HEADER: at_rest::Header = *b"TLCR\x01";

/// Public facts of one party's run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    pub committee: Committee,
    /// This party, 1..n.
    pub index: usize,
    pub ceremony_id: [u8; 32],
    pub attempt: u32,
    /// Shared bits: 17,196, fewer in tests.
    pub bits: usize,
}

/// What a derived key or hash is for. Part 0 means "no part of the key".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    EphemeralKey,
    PublicSeed,
    BitCoin,
    RowCoin,
    PrssContribution,
    PrssKey,
    PrssConfirmation,
    PairContribution,
    PairKey,
    PairConfirmation,
    InputBits,
    InputSharing,
    Blinds,
    Resharing,
    DegreeCoefficients,
    ProductCoefficients,
    ProductZero,
    Noise,
    NoiseRetry,
    ZeroSharing,
    SealedMessage,
    RowNoise,
    RowNoiseRetry,
    RowSharingSeed,
    RowSharing,
    RowWeights,
    SealingRandomness,
}

impl Context {
    /// A key for `purpose` in part `part` (1-based, 0 = none); `detail` has a fixed form per purpose.
    pub fn key(&self, secret: &[u8], purpose: Purpose, part: u8, detail: &[u8]) -> Zeroizing<[u8; 32]> {
        let attempt = self.attempt.to_be_bytes();
        derive_key(secret, &[KEY_TAG, &self.ceremony_id, &attempt, &[part, purpose as u8], detail])
    }

    /// The stream under [`Context::key`].
    pub fn stream(&self, secret: &[u8], purpose: Purpose, part: u8, detail: &[u8]) -> SecretStream {
        SecretStream::new(&self.key(secret, purpose, part, detail))
    }

    /// SHA-256 over `parts`, which have fixed lengths per purpose.
    pub fn hash(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(HASH_TAG);
        hash.update(self.ceremony_id);
        hash.update(self.attempt.to_be_bytes());
        hash.update((self.bits as u32).to_be_bytes());
        hash.update([self.committee.n() as u8, self.committee.t() as u8, purpose as u8]);
        for part in parts {
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// The one value that a party draws from the operating system; everything random that it does follows from it and from
/// messages, so that a discarded ceremony can be replayed. Wiped on drop.
#[derive(Clone)]
pub struct Root(Zeroizing<[u8; 32]>);

impl Root {
    /// # Errors
    /// `NATIVE_RANDOMNESS`.
    pub fn from_os() -> Result<Root> {
        let mut root = Root(Zeroizing::new([0; 32]));
        getrandom::fill(root.0.as_mut())?;
        Ok(root)
    }

    /// A root that its party revealed after its ceremony was discarded, or one that was kept for that.
    pub fn from_bytes(root: [u8; 32]) -> Root {
        Root(Zeroizing::new(root))
    }

    /// Sealed for storage: what a party keeps of an attempt that failed.
    ///
    /// # Errors
    /// `NATIVE_RANDOMNESS`.
    pub fn seal(&self, key: &[u8; 32], context: &[u8]) -> Result<Vec<u8>> {
        at_rest::seal(&SEALED_HEADER, Zeroizing::new(self.0.to_vec()), key, context)
    }

    /// The bytes of a sealed root. **Security:** opening it reveals everything that the party did.
    ///
    /// # Errors
    /// `SHARE_SEALED`.
    pub fn unseal(sealed: &[u8], key: &[u8; 32], context: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        at_rest::unseal(&SEALED_HEADER, sealed, key, context)
    }

    #[cfg(test)]
    pub fn from_label(label: &str) -> Root {
        Root(Zeroizing::new(Sha256::digest(label).into()))
    }

    pub fn key(&self, context: &Context, purpose: Purpose, part: u8, detail: &[u8]) -> Zeroizing<[u8; 32]> {
        context.key(self.0.as_ref(), purpose, part, detail)
    }

    pub fn stream(&self, context: &Context, purpose: Purpose, part: u8, detail: &[u8]) -> SecretStream {
        context.stream(self.0.as_ref(), purpose, part, detail)
    }
}

/// What every round needs.
#[derive(Clone)]
pub struct Session {
    pub context: Context,
    pub root: Root,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::Code;

    #[test]
    fn every_coordinate_separates_keys() {
        let committee = Committee::new(4, 1).expect("allowed");
        let base = Context { committee, index: 1, ceremony_id: [1; 32], attempt: 0, bits: 8 };
        let root = Root::from_label("alice");
        let key = root.key(&base, Purpose::Noise, 1, b"");
        let other = [
            root.key(&base, Purpose::NoiseRetry, 1, b""),
            root.key(&base, Purpose::Noise, 2, b""),
            root.key(&base, Purpose::Noise, 1, b"x"),
            root.key(&Context { attempt: 1, ..base }, Purpose::Noise, 1, b""),
            root.key(&Context { ceremony_id: [2; 32], ..base }, Purpose::Noise, 1, b""),
            Root::from_label("bob").key(&base, Purpose::Noise, 1, b""),
        ];
        assert!(other.iter().all(|k| **k != *key));
        assert_eq!(*root.key(&base, Purpose::Noise, 1, b""), *key);
    }

    #[test]
    fn a_sealed_root_opens_under_its_key_and_context_only() {
        let root = Root::from_bytes([9; 32]);
        let sealed = root.seal(&[7; 32], b"context").expect("seals");
        assert_eq!(Root::unseal(&sealed, &[7; 32], b"context").expect("opens").as_slice(), [9; 32]);
        let code = |key, context| Root::unseal(&sealed, &[key; 32], context).err().map(|f| f.code);
        assert_eq!(code(8, b"context".as_slice()), Some(Code::ShareSealed));
        assert_eq!(code(7, b"another"), Some(Code::ShareSealed));
        assert!(!sealed.windows(32).any(|bytes| bytes == [9; 32]));
    }

    #[test]
    fn hashes_bind_purpose_and_ceremony() {
        let committee = Committee::new(4, 1).expect("allowed");
        let base = Context { committee, index: 1, ceremony_id: [1; 32], attempt: 0, bits: 8 };
        let hash = base.hash(Purpose::BitCoin, &[b"value"]);
        assert_ne!(hash, base.hash(Purpose::RowCoin, &[b"value"]));
        assert_ne!(hash, Context { attempt: 1, ..base }.hash(Purpose::BitCoin, &[b"value"]));
    }
}
