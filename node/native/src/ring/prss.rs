//! Pseudo-random secret sharing from replicated keys (protocol §4, §5).
//!
//! For every set A of n - t parties there is a key r_A known exactly to A. With f_A(Z) = prod_{j not in A} (Z - a_j)/(-a_j)
//! (degree t, f_A(0) = 1, zero at every party outside A), the members' values PRF(r_A)·f_A(alpha_i) are shares of degree t
//! of sum_A PRF(r_A) without any message. Secret input: the keys. Public input: session, block index, party index.
use super::committee::{Committee, Subset, binomial};
use super::element::{GR_BYTES, Gr};
use crate::errors::{Code, Failure, Result};
use crate::stream::{BLOCK, SecretStream, derive_key};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of one replicated key.
pub const PRSS_KEY_BYTES: usize = 32;
/// What every key derived from a replicated key is bound to first.
pub const PRSS_TAG: &[u8] = b"twinlock/prss/v1";
/// log2 of the room that the flooding must leave: 2·C(n,t)·B + 2^70 < 2^122.
const FLOOD_LIMIT: u128 = 1 << 122;
const SQUASH_NOISE_BOUND: u128 = 1 << 70;

/// The replicated keys that party `index` holds, in the order of [`Committee::subsets_with`]. Wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PrssKeys {
    #[zeroize(skip)]
    committee: Committee,
    index: usize,
    keys: Vec<[u8; PRSS_KEY_BYTES]>,
}

impl PrssKeys {
    /// # Errors
    /// `SHARE_MALFORMED` unless there is one key per subset that contains `index`.
    pub fn new(committee: Committee, index: usize, keys: Vec<[u8; PRSS_KEY_BYTES]>) -> Result<PrssKeys> {
        committee.check_index(index)?;
        let prss = PrssKeys { committee, index, keys };
        let want = binomial(committee.n() - 1, committee.t());
        if prss.keys.len() != want {
            return Err(Failure::new(
                Code::ShareMalformed,
                format!("want {want} replicated keys, got {}", prss.keys.len()),
            ));
        }
        Ok(prss)
    }

    pub const fn committee(&self) -> Committee {
        self.committee
    }

    pub const fn index(&self) -> usize {
        self.index
    }

    /// The keys with the sets that share them.
    pub fn by_subset(&self) -> impl Iterator<Item = (Subset, &[u8; PRSS_KEY_BYTES])> {
        self.committee.subsets_with(self.index).into_iter().zip(&self.keys)
    }

    /// This party's shares (degree exactly 2t) of zero for one context; see [`ZeroShares::share`].
    pub fn zero_shares(&self, context: &[u8; 32]) -> ZeroShares {
        let streams = self
            .by_subset()
            .map(|(subset, key)| {
                let key = derive_key(key, &[PRSS_TAG, context, b"zero"]);
                (subset_factor(self.committee, subset, self.index), SecretStream::new(&key))
            })
            .collect();
        ZeroShares { index: self.index, t: self.committee.t(), streams }
    }
}

/// f_A(alpha_index).
pub fn subset_factor(committee: Committee, subset: Subset, index: usize) -> Gr {
    let point = Gr::alpha(index);
    committee.parties().filter(|&j| !subset.contains(j)).fold(Gr::ONE, |product, j| {
        let inverse = (-Gr::alpha(j)).invert().expect("exceptional points of parties are units");
        product * (point - Gr::alpha(j)) * inverse
    })
}

/// log2 of B: the largest power of two with 2·C(n,t)·B + 2^70 < 2^122.
pub fn log_flood_bound(committee: Committee) -> u32 {
    let subsets = binomial(committee.n(), committee.t()) as u128;
    (0..122)
        .rev()
        .find(|&log| {
            2 * subsets < 1 << (122 - log) && 2 * subsets * (1 << log) + SQUASH_NOISE_BOUND < FLOOD_LIMIT
        })
        .expect("a committee has fewer than 2048 subsets")
}

/// Shares of zero: chi(Z) = sum_A f_A(Z)·sum_{k=1..t} PRF(r_A, k)·Z^k, of degree 2t and uniform otherwise.
pub struct ZeroShares {
    index: usize,
    t: usize,
    streams: Vec<(Gr, SecretStream)>,
}

impl ZeroShares {
    /// chi_counter(alpha_index).
    pub fn share(&self, counter: u64) -> Gr {
        let mut sum = Gr::ZERO;
        let mut bytes = [0; GR_BYTES];
        for (factor, stream) in &self.streams {
            let mut inner = Gr::ZERO;
            for k in (0..self.t).rev() {
                let first = u128::from(counter) * (self.t * GR_BYTES / BLOCK) as u128
                    + (k * GR_BYTES / BLOCK) as u128;
                stream.fill(first, &mut bytes);
                inner = (inner + Gr::from_bytes(&bytes)).mul_alpha(self.index);
            }
            sum += *factor * inner;
        }
        bytes.zeroize();
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::super::shamir::{PolynomialTest, dot, lagrange};
    use super::*;

    /// Keys as the vectors below use them: every byte of r_A is the bitmask of A.
    fn keys_of(committee: Committee, index: usize) -> PrssKeys {
        let keys =
            committee.subsets_with(index).iter().map(|subset| [subset.0 as u8; PRSS_KEY_BYTES]).collect();
        PrssKeys::new(committee, index, keys).expect("complete")
    }

    fn session() -> [u8; 32] {
        std::array::from_fn(|i| i as u8)
    }

    #[test]
    fn set_factors_equal_the_reference_model() {
        // prototypes/decryption/threshold-ref.mjs: fA([1,2,3],4,1), fA([2,3,4],4,3), fA([1,3,4,6,7],7,6)
        let max = u128::MAX;
        let four = Committee::new(4, 1).expect("allowed");
        let seven = Committee::new(7, 2).expect("allowed");
        assert_eq!(subset_factor(four, Subset(0b0111), 1), Gr([0, 0, 1, max]));
        assert_eq!(subset_factor(four, Subset(0b1110), 3), Gr([0, max, 0, 0]));
        let third = max / 5;
        assert_eq!(
            subset_factor(seven, Subset(0b110_1101), 6),
            Gr([2 * third + 1, third, 2 * third + 1, 4 * third + 1])
        );
    }

    #[test]
    fn the_flooding_bound_is_the_protocols() {
        for ((n, t), log) in
            [((4, 1), 118), ((7, 1), 118), ((7, 2), 116), ((10, 3), 114), ((13, 4), 111), ((15, 4), 110)]
        {
            let committee = Committee::new(n, t).expect("allowed");
            assert_eq!(log_flood_bound(committee), log, "{n}/{t}");
        }
    }

    #[test]
    fn zero_shares_have_degree_exactly_2t_and_value_zero() {
        for (n, t) in [(4, 1), (7, 2)] {
            let committee = Committee::new(n, t).expect("allowed");
            for counter in 0..20 {
                let points: Vec<Gr> = committee
                    .parties()
                    .map(|i| keys_of(committee, i).zero_shares(&session()).share(counter))
                    .collect();
                let test = PolynomialTest::new(committee, 2 * t);
                assert_eq!(test.value(&points), Some(Gr::ZERO));
                let fewer: Vec<usize> = (1..=2 * t).collect();
                let coefficients = lagrange(&fewer, 2 * t + 1);
                assert_ne!(dot(&coefficients, &points), points[2 * t]);
            }
        }
    }

    #[test]
    fn a_missing_key_is_refused() {
        let committee = Committee::new(4, 1).expect("allowed");
        let result = PrssKeys::new(committee, 1, vec![[0; 32]; 2]);
        assert_eq!(result.err().map(|f| f.code), Some(Code::ShareMalformed));
    }
}
