//! Encrypted inputs: lists with a zero-knowledge proof of correct encryption (protocol §8).
//!
//! The proof binds the list to public key, CRS and metadata (contract, user, chain, key): a copied list fails for
//! everybody else. Proofs must put their extra work on the prover, which makes verification four times cheaper.

use super::server_key::ServerKey;
use crate::ciphertext::{Ciphertext, FheType};
use crate::crs::assemble::read_crs;
use crate::errors::{Code, Failure, Result};
use crate::params::META;
use tfhe::integer::BooleanBlock;
use tfhe::integer::ciphertext::IntegerProvenCompactCiphertextListConformanceParams as ListConformance;
use tfhe::prelude::CiphertextList;
use tfhe::safe_serialization::{safe_deserialize_conformant, safe_serialize};
use tfhe::shortint::parameters::CompactPublicKeyEncryptionParameters;
use tfhe::zk::{CompactPkeCrs, ZkComputeLoad, ZkVerificationOutcome};
use tfhe::{
    CompactCiphertextList, CompactCiphertextListExpander, CompactPublicKey, FheTypes, FheUint4, FheUint8,
    FheUint16, FheUint32, FheUint64, FheUint128, FheUint160, FheUint256, ProvenCompactCiphertextList,
    with_server_key_as_context,
};

/// Longest serialised list.
pub const LIST_LIMIT: usize = 64 * 1024;
/// A handle numbers the values of its list with one byte.
pub const VALUES_LIMIT: usize = 255;
const PUBLIC_KEY_LIMIT: u64 = 64 * 1024;

fn list_error(text: impl Into<String>) -> Failure {
    Failure::new(Code::InputList, text)
}

fn encryption_parameters() -> CompactPublicKeyEncryptionParameters {
    META.dedicated_compact_public_key_parameters
        .expect("the parameter set has a dedicated compact public key")
        .pke_params
}

/// What a proof is checked against; public.
pub struct ProofContext<'a> {
    public_key: CompactPublicKey,
    crs: CompactPkeCrs,
    metadata: &'a [u8],
}

impl<'a> ProofContext<'a> {
    /// # Errors
    /// `PUBLIC_KEY_INVALID`, `CRS_LENGTH`, `CRS_UNUSABLE`: not of the one parameter set. Whether they are the registered
    /// ones is the caller's to compare, by digest.
    pub fn new(public_key: &[u8], crs: &[u8], metadata: &'a [u8]) -> Result<Self> {
        let mut rest = public_key;
        let public_key = safe_deserialize_conformant(&mut rest, PUBLIC_KEY_LIMIT, &encryption_parameters())
            .map_err(|text| Failure::new(Code::PublicKey, text))?;
        if !rest.is_empty() {
            return Err(Failure::new(Code::PublicKey, "bytes follow the public key"));
        }
        let crs = read_crs(crs)?;
        Ok(Self { public_key, crs, metadata })
    }

    fn read_list(&self, bytes: &[u8]) -> Result<(ProvenCompactCiphertextList, Vec<FheType>)> {
        if bytes.len() > LIST_LIMIT {
            return Err(list_error(format!("list of {} bytes, at most {LIST_LIMIT}", bytes.len())));
        }
        let conformance = ListConformance::from_crs_and_parameters(encryption_parameters(), &self.crs)
            .forbid_compute_load(ZkComputeLoad::Verify);
        let mut rest = bytes;
        let list: ProvenCompactCiphertextList =
            safe_deserialize_conformant(&mut rest, LIST_LIMIT as u64, &conformance).map_err(list_error)?;
        if !rest.is_empty() {
            return Err(list_error("bytes follow the list"));
        }
        if list.is_empty() || list.len() > VALUES_LIMIT {
            return Err(list_error(format!("a list has 1..{VALUES_LIMIT} values, got {}", list.len())));
        }
        let types = (0..list.len()).map(|index| supported(list.get_kind_of(index))).collect::<Result<_>>()?;
        Ok((list, types))
    }

    /// Types of the values of a list whose proof holds.
    ///
    /// # Errors
    /// `INPUT_LIST_MALFORMED`; `INPUT_PROOF_INVALID`.
    pub fn verify(&self, bytes: &[u8]) -> Result<Vec<FheType>> {
        let (list, types) = self.read_list(bytes)?;
        match list.verify(&self.crs, &self.public_key, self.metadata) {
            ZkVerificationOutcome::Valid => Ok(types),
            ZkVerificationOutcome::Invalid => Err(invalid_proof()),
        }
    }

    /// Verifies the proof and turns the list into ciphertexts to compute on.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn expand(&self, key: &ServerKey, bytes: &[u8]) -> Result<Vec<Ciphertext>> {
        let (list, types) = self.read_list(bytes)?;
        if list.verify(&self.crs, &self.public_key, self.metadata) != ZkVerificationOutcome::Valid {
            return Err(invalid_proof());
        }
        let expander = with_server_key_as_context(key.key.clone(), || list.expand_without_verification())
            .map_err(|error| list_error(error.to_string()))?;
        types.into_iter().enumerate().map(|(index, fhe_type)| take(&expander, index, fhe_type)).collect()
    }

    /// A proven list of uint8 values, for the self-test of a new key; the SDK encrypts real inputs.
    ///
    /// # Errors
    /// `INPUT_LIST_MALFORMED` for too many values.
    pub fn encrypt(&self, values: &[u8]) -> Result<Vec<u8>> {
        let mut builder = CompactCiphertextList::builder(&self.public_key);
        builder.extend(values.iter().copied());
        let list = builder
            .build_with_proof_packed(&self.crs, self.metadata, ZkComputeLoad::Proof)
            .map_err(|error| list_error(error.to_string()))?;
        let mut bytes = Vec::new();
        safe_serialize(&list, &mut bytes, LIST_LIMIT as u64)
            .map_err(|error| list_error(error.to_string()))?;
        Ok(bytes)
    }
}

fn invalid_proof() -> Failure {
    Failure::new(Code::InputProof, "the proof does not hold for this list, key, CRS and metadata")
}

fn supported(kind: Option<FheTypes>) -> Result<FheType> {
    let code = kind.and_then(|kind| u32::try_from(kind as i32).ok()).unwrap_or(u32::MAX);
    FheType::from_code(code)
        .map_err(|_| list_error(format!("a list holds a value of the unsupported kind {code}")))
}

fn take(expander: &CompactCiphertextListExpander, index: usize, fhe_type: FheType) -> Result<Ciphertext> {
    macro_rules! uint {
        ($type:ty) => {
            Ciphertext::Uint(fhe_type, got(expander.get::<$type>(index))?.into_raw_parts().0)
        };
    }
    Ok(match fhe_type {
        FheType::Bool => Ciphertext::Bool(BooleanBlock::new_unchecked(
            got(expander.get::<tfhe::FheBool>(index))?.into_raw_parts(),
        )),
        FheType::Uint4 => uint!(FheUint4),
        FheType::Uint8 => uint!(FheUint8),
        FheType::Uint16 => uint!(FheUint16),
        FheType::Uint32 => uint!(FheUint32),
        FheType::Uint64 => uint!(FheUint64),
        FheType::Uint128 => uint!(FheUint128),
        FheType::Uint160 => uint!(FheUint160),
        FheType::Uint256 => uint!(FheUint256),
    })
}

fn got<T>(value: tfhe::Result<Option<T>>) -> Result<T> {
    value
        .map_err(|error| list_error(error.to_string()))?
        .ok_or_else(|| list_error("the expanded list is shorter than the list"))
}
