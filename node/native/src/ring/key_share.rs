//! What a party keeps of a key after its ceremony: shares of the two decryption keys and the replicated keys.
use super::committee::{Committee, binomial};
use super::element::{GR_BYTES, Gr};
use super::prss::{PRSS_KEY_BYTES, PrssKeys};
use crate::errors::{Code, Failure, Result};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bits of the noise-squashing key `ns`: 2 polynomials of 2048 coefficients.
pub const NS_BITS: usize = 4096;
/// Bits of the key `nsc` of compressed squashed ciphertexts: 6 polynomials of 1024 coefficients.
pub const NSC_BITS: usize = 6144;
const VERSION: u8 = 1;
const HEADER: usize = 4;

/// One party's share of a key. **Security:** must leave the process only sealed. Wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct KeyShare {
    ns: Vec<Gr>,
    nsc: Vec<Gr>,
    prss: PrssKeys,
}

impl KeyShare {
    /// # Errors
    /// `SHARE_MALFORMED` unless `ns` has 4096 and `nsc` 6144 elements.
    pub fn new(ns: Vec<Gr>, nsc: Vec<Gr>, prss: PrssKeys) -> Result<KeyShare> {
        let share = KeyShare { ns, nsc, prss };
        if share.ns.len() != NS_BITS || share.nsc.len() != NSC_BITS {
            return Err(Failure::new(
                Code::ShareMalformed,
                format!(
                    "want {NS_BITS} and {NSC_BITS} key bits, got {} and {}",
                    share.ns.len(),
                    share.nsc.len()
                ),
            ));
        }
        Ok(share)
    }

    pub const fn committee(&self) -> Committee {
        self.prss.committee()
    }

    /// The party's index, 1..n.
    pub const fn index(&self) -> usize {
        self.prss.index()
    }

    /// Shares of the bits of `ns`, flattened GLWE order (polynomial by polynomial).
    pub fn ns(&self) -> &[Gr] {
        &self.ns
    }

    /// Shares of the bits of `nsc`, flattened GLWE order.
    pub fn nsc(&self) -> &[Gr] {
        &self.nsc
    }

    pub const fn prss(&self) -> &PrssKeys {
        &self.prss
    }

    /// version(1) ‖ n(1) ‖ t(1) ‖ index(1) ‖ ns ‖ nsc ‖ replicated keys. Secret: seal it at once.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let committee = self.committee();
        let mut out = Zeroizing::new(Vec::with_capacity(encoded_length(committee)));
        out.extend([VERSION, committee.n() as u8, committee.t() as u8, self.index() as u8]);
        for element in self.ns.iter().chain(&self.nsc) {
            out.extend_from_slice(Zeroizing::new(element.to_bytes()).as_ref());
        }
        for (_, key) in self.prss.by_subset() {
            out.extend_from_slice(key);
        }
        out
    }

    /// # Errors
    /// `SHARE_MALFORMED` for another version or length, `NATIVE_CONFIG` for an impossible committee.
    pub fn decode(bytes: &[u8]) -> Result<KeyShare> {
        let malformed = |text: String| Failure::new(Code::ShareMalformed, text);
        let [version, n, t, index] = *bytes
            .first_chunk::<HEADER>()
            .ok_or_else(|| malformed(format!("share of {} bytes", bytes.len())))?;
        if version != VERSION {
            return Err(malformed(format!("share version {version}, want {VERSION}")));
        }
        let committee = Committee::new(n.into(), t.into())?;
        if bytes.len() != encoded_length(committee) {
            return Err(malformed(format!(
                "share of {} bytes, want {}",
                bytes.len(),
                encoded_length(committee)
            )));
        }
        let (elements, keys) = bytes[HEADER..].split_at((NS_BITS + NSC_BITS) * GR_BYTES);
        let mut ns: Vec<Gr> = elements.as_chunks::<GR_BYTES>().0.iter().map(Gr::from_bytes).collect();
        let nsc = ns[NS_BITS..].to_vec();
        ns[NS_BITS..].zeroize();
        ns.truncate(NS_BITS);
        let keys = keys.as_chunks::<PRSS_KEY_BYTES>().0.to_vec();
        KeyShare::new(ns, nsc, PrssKeys::new(committee, index.into(), keys)?)
    }
}

const fn encoded_length(committee: Committee) -> usize {
    HEADER + (NS_BITS + NSC_BITS) * GR_BYTES + binomial(committee.n() - 1, committee.t()) * PRSS_KEY_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share() -> KeyShare {
        let committee = Committee::new(4, 1).expect("allowed");
        let elements =
            |count: usize, tag: u128| (0..count).map(|i| Gr([i as u128, tag, u128::MAX, 1 << 100])).collect();
        let keys = vec![[1; 32], [2; 32], [3; 32]];
        let prss = PrssKeys::new(committee, 3, keys).expect("complete");
        KeyShare::new(elements(NS_BITS, 1), elements(NSC_BITS, 2), prss).expect("complete")
    }

    #[test]
    fn the_encoding_round_trips() {
        let share = share();
        let bytes = share.encode();
        assert_eq!(bytes.len(), 4 + 10_240 * 64 + 3 * 32);
        let again = KeyShare::decode(&bytes).expect("canonical");
        assert_eq!(again.ns(), share.ns());
        assert_eq!(again.nsc(), share.nsc());
        assert_eq!(again.index(), 3);
        assert_eq!(again.encode(), bytes);
    }

    #[test]
    fn wrong_bytes_are_refused_without_a_panic() {
        let good = share().encode();
        let refused = |bytes: &[u8]| KeyShare::decode(bytes).err().map(|f| f.code);
        assert_eq!(refused(&[]), Some(Code::ShareMalformed));
        assert_eq!(refused(&good[..good.len() - 1]), Some(Code::ShareMalformed));
        let with = |at: usize, value: u8| {
            let mut bytes = good.to_vec();
            bytes[at] = value;
            bytes
        };
        assert_eq!(refused(&with(0, 2)), Some(Code::ShareMalformed));
        assert_eq!(refused(&with(1, 3)), Some(Code::Config));
        assert_eq!(refused(&with(1, 5)), Some(Code::ShareMalformed));
        assert_eq!(refused(&with(3, 0)), Some(Code::Config));
        assert_eq!(refused(&with(3, 5)), Some(Code::Config));
    }

    #[test]
    fn a_share_of_too_few_bits_is_refused() {
        let share = share();
        let short = KeyShare::new(vec![Gr::ZERO; 10], share.nsc.clone(), share.prss.clone());
        assert_eq!(short.err().map(|f| f.code), Some(Code::ShareMalformed));
    }
}
