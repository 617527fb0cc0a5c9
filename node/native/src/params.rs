//! The one TFHE parameter set of the network and the seven secrets of a key (docs/keygen.md §1).
use std::ops::Range;
pub use tfhe::shortint::parameters::v1_7::meta::cpu::V1_7_META_PARAM_CPU_2_2_KS_PBS_PKE_TO_SMALL_ZKV2_TUNIFORM_2M128 as META;

/// Its name, as it enters `paramsHash` and the ceremony's public seed: tfhe's, and from the second version of the bytes made
/// under it on "/2", "/3", … at its end (docs/upgrades.md).
pub const PARAMETERS_NAME: &str = "V1_7_META_PARAM_CPU_2_2_KS_PBS_PKE_TO_SMALL_ZKV2_TUNIFORM_2M128";
/// The tfhe crate that makes these bytes.
pub const TFHE_VERSION: &str = "1.7.1";

/// Bits of all secrets together.
pub const KEY_BITS: usize = Secret::Oprf.range().end;

/// A binary secret, flattened as tfhe does: s_0[0..N), s_1[0..N), …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// LWE key of computation ciphertexts.
    Lwe,
    /// GLWE key of the bootstrapping key, 1 × 2048; flattened, the large LWE key.
    Glwe,
    /// Key of the compact public key.
    Pke,
    /// Key of compressed ciphertext lists, 4 × 256.
    Comp,
    /// Key of squashed ciphertexts, 2 × 2048.
    Ns,
    /// Key of compressed squashed ciphertexts, 6 × 1024.
    Nsc,
    /// LWE key of the oblivious pseudo-random function.
    Oprf,
}

impl Secret {
    pub const ALL: [Secret; 7] =
        [Secret::Lwe, Secret::Glwe, Secret::Pke, Secret::Comp, Secret::Ns, Secret::Nsc, Secret::Oprf];

    pub const fn bits(self) -> usize {
        match self {
            Secret::Lwe | Secret::Oprf => 918,
            Secret::Glwe | Secret::Pke => 2048,
            Secret::Comp => 1024,
            Secret::Ns => 4096,
            Secret::Nsc => 6144,
        }
    }

    /// Where its bits lie in the flat list of shared bits.
    pub const fn range(self) -> Range<usize> {
        let mut start = 0;
        let mut i = 0;
        while i < self as usize {
            start += Secret::ALL[i].bits();
            i += 1;
        }
        start..start + self.bits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tfhe::shortint::parameters::AtomicPatternParameters;

    #[test]
    fn the_secrets_are_those_of_the_parameter_set() {
        let AtomicPatternParameters::Standard(pbs) = META.compute_parameters else {
            panic!("standard atomic pattern");
        };
        let pke = META.dedicated_compact_public_key_parameters.expect("dedicated key");
        let compression = META.compression_parameters.expect("compression").packing_ks_glwe_dimension();
        let squashing = META.noise_squashing_parameters.expect("squashing");
        let ns = squashing.parameters;
        let nsc = squashing.compression_parameters.expect("compressed squashing");
        assert_eq!(Secret::Lwe.bits(), pbs.lwe_dimension().0);
        assert_eq!(Secret::Glwe.bits(), pbs.glwe_dimension().0 * pbs.polynomial_size().0);
        assert_eq!(Secret::Pke.bits(), pke.pke_params.encryption_lwe_dimension.0);
        assert_eq!(Secret::Comp.bits(), compression.0 * 256);
        assert_eq!(Secret::Ns.bits(), ns.glwe_dimension().0 * ns.polynomial_size().0);
        let nsc_bits = nsc.packing_ks_glwe_dimension.0 * nsc.packing_ks_polynomial_size.0;
        assert_eq!(Secret::Nsc.bits(), nsc_bits);
        assert_eq!(KEY_BITS, 17_196);
    }

    #[test]
    fn the_key_share_holds_ns_and_nsc() {
        assert_eq!(Secret::Ns.bits(), crate::ring::key_share::NS_BITS);
        assert_eq!(Secret::Nsc.bits(), crate::ring::key_share::NSC_BITS);
    }
}
