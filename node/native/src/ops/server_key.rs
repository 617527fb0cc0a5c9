//! The evaluation key of a network key: 511 MB compressed, about 3 GB in memory.

use super::evaluate::evaluate;
use super::expansion::{noise_squashing_key, packing_key};
use super::operation::{Operation, Request};
use crate::errors::{Code, Failure, Result};
use crate::params::META;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use tfhe::core_crypto::prelude::LwePackingKeyswitchKey;
use tfhe::integer::noise_squashing::NoiseSquashingKey;
use tfhe::safe_serialization::safe_deserialize_conformant;
use tfhe::{CompressedServerKey, Config, Tag};

/// Largest file that is read.
const FILE_LIMIT: u64 = 1 << 30;

/// A loaded key. Cloning is cheap.
#[derive(Clone)]
pub struct ServerKey {
    /// Holds the integer key, the key switch of inputs and the noise squashing key; what nobody uses stays compressed.
    pub(super) key: tfhe::ServerKey,
    packing: Arc<PackingKey>,
}

/// From `ns` to `nsc`: packs squashed blocks into one GLWE ciphertext.
pub type PackingKey = LwePackingKeyswitchKey<Vec<u128>>;

fn invalid(text: impl Into<String>) -> Failure {
    Failure::new(Code::ServerKey, text)
}

/// Hashes everything that is read through it.
struct HashingReader<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.hash.update(&buffer[..length]);
        Ok(length)
    }
}

/// Reads a serialised `CompressedServerKey`.
///
/// # Errors
/// `NATIVE_IO`; `SERVER_KEY_INVALID` for another SHA-256 than the given one, a file above 1 GiB, another parameter set, or
/// trailing bytes.
pub fn read_compressed(path: &Path, sha256: &[u8; 32]) -> Result<CompressedServerKey> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > FILE_LIMIT {
        return Err(invalid(format!("server key of {length} bytes, at most {FILE_LIMIT} are read")));
    }
    let mut reader = HashingReader { inner: BufReader::with_capacity(1 << 20, file), hash: Sha256::new() };
    let compressed: CompressedServerKey =
        safe_deserialize_conformant(&mut reader, FILE_LIMIT, &Config::from(META).into()).map_err(invalid)?;
    if reader.read(&mut [0])? != 0 {
        return Err(invalid("bytes follow the server key"));
    }
    // hashed while it was decoded: what was checked is what is used
    if reader.hash.finalize()[..] != sha256[..] {
        return Err(invalid("the server key has another SHA-256 than registered"));
    }
    Ok(compressed)
}

impl ServerKey {
    /// Reads a key and prepares it. Takes 8 s on two cores and 2.7 GB at the peak.
    ///
    /// # Errors
    /// Those of [`read_compressed`].
    pub fn load(path: &Path, sha256: &[u8; 32]) -> Result<Self> {
        Self::from_compressed(read_compressed(path, sha256)?)
    }

    /// # Errors
    /// `SERVER_KEY_INVALID` where a part is missing or of another kind than those of Twinlock keys.
    pub fn from_compressed(compressed: CompressedServerKey) -> Result<Self> {
        let (integer, input_switch, _, _, squashing, packing, ..) = compressed.into_raw_parts();
        let input_switch = input_switch.ok_or_else(|| invalid("the server key cannot expand inputs"))?;
        let squashing = squashing.ok_or_else(|| invalid("the server key cannot squash noise"))?;
        let packing = packing.ok_or_else(|| invalid("the server key cannot pack squashed blocks"))?;
        let (packing, _) = packing.into_raw_parts().into_raw_parts();
        let packing = packing_key(&packing)?;
        let squashing = noise_squashing_key(squashing)?;
        let key = tfhe::ServerKey::from_raw_parts(
            integer.decompress(),
            Some(input_switch.decompress()),
            None,
            None,
            Some(squashing),
            None,
            None,
            None,
            Tag::default(),
        );
        Ok(Self { key, packing: Arc::new(packing) })
    }

    pub fn integer(&self) -> &tfhe::integer::ServerKey {
        self.key.as_ref()
    }

    /// # Errors
    /// `SERVER_KEY_INVALID`, never after [`Self::from_compressed`].
    pub fn squashing(&self) -> Result<&NoiseSquashingKey> {
        self.key.noise_squashing_key().ok_or_else(|| invalid("the server key cannot squash noise"))
    }

    pub fn packing(&self) -> &PackingKey {
        &self.packing
    }

    /// The canonical encoding of the operation's result.
    ///
    /// # Errors
    /// Those of [`Operation::parse`].
    pub fn compute(&self, request: &Request) -> Result<Vec<u8>> {
        evaluate(self.integer(), &Operation::parse(request)?)?.encode()
    }
}
