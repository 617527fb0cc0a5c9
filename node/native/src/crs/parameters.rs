//! Sizes of the string, derived from the encryption parameters exactly as the tfhe crate derives its own.

use super::codec::{G1_BYTES, G2_BYTES};
use crate::params::META;
use tfhe::core_crypto::prelude::LweCiphertextCount;
use tfhe::zk::{CompactPkeCrs, CompactPkeZkScheme};
use tfhe_zk_pok::proofs::pke_v2::{Bound, compute_crs_params};

/// Bits of plaintext that one proof covers.
pub const PROVEN_BITS: usize = 2048;

/// Zero bits above each message: the padding bit.
const PADDING_BITS: u64 = 1;

/// Public parameters of the proof scheme; `n` is what the lists depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrsParameters {
    /// LWE dimension of the compact public key.
    pub d: usize,
    /// Messages in one proof.
    pub k: usize,
    /// Bound of the encryption noise.
    pub noise_bound: u64,
    /// Ciphertext modulus; 0 means 2^64.
    pub q: u64,
    /// Plaintext modulus with the padding bit.
    pub t: u64,
    /// 2n points in G1, n points in G2.
    pub n: usize,
    /// Bound of the squared norm of what is proven short; follows from the others.
    pub bound_squared: u128,
}

impl CrsParameters {
    /// d = 2048, k = 512, n = 7936: the parameters of every Twinlock key.
    pub fn production() -> Self {
        let key = META
            .dedicated_compact_public_key_parameters
            .expect("the parameter set has a dedicated compact public key")
            .pke_params;
        let bits_per_message = (key.carry_modulus.0 * key.message_modulus.0).ilog2() as usize;
        let (d, k, noise_bound, q, t) = CompactPkeCrs::prepare_crs_parameters(
            key.encryption_lwe_dimension,
            LweCiphertextCount(PROVEN_BITS / bits_per_message),
            key.encryption_noise_distribution,
            key.ciphertext_modulus,
            key.message_modulus.0 * key.carry_modulus.0 * 2,
            CompactPkeZkScheme::V2,
        )
        .expect("the parameter set supports proofs");
        let norm_squared = u128::from(noise_bound).pow(2) * (d.0 + k.0) as u128;
        let (n, _, bound_squared, _) = compute_crs_params(d.0, k.0, norm_squared, t, PADDING_BITS, Bound::CS);
        Self { d: d.0, k: k.0, noise_bound, q, t, n, bound_squared }
    }

    /// Lists of any length for tests of the update's algebra; no proof scheme has these sizes.
    #[cfg(test)]
    pub fn toy(n: usize) -> Self {
        Self { d: 0, k: 0, noise_bound: 0, q: 0, t: 0, n, bound_squared: 0 }
    }

    pub fn padding_bits(&self) -> u64 {
        PADDING_BITS
    }

    /// What digests and proofs bind; fixed length.
    pub fn to_bytes(self) -> [u8; 64] {
        let fields = [
            self.d as u64,
            self.k as u64,
            self.noise_bound,
            self.q,
            self.t,
            PADDING_BITS,
            self.n as u64,
            1, /* bound CS */
        ];
        let mut out = [0; 64];
        for (bytes, field) in out.chunks_exact_mut(8).zip(fields) {
            bytes.copy_from_slice(&field.to_le_bytes());
        }
        out
    }

    /// Length of a state: 3,555,328 bytes in production.
    pub fn state_bytes(&self) -> usize {
        self.g1_list_bytes() + self.n * G2_BYTES
    }

    pub fn g1_list_bytes(&self) -> usize {
        2 * self.n * G1_BYTES
    }
}
