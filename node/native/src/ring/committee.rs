//! The committee's size and its subsets (protocol §"Words").
use crate::errors::{Code, Failure, Result};

/// The most parties: the ring of degree 4 has 15 exceptional points beside that of the secret.
pub const MAX_PARTIES: usize = 15;
/// Replicated keys grow with C(n, t); the protocol stays below this.
pub const MAX_SUBSETS: usize = 2048;

/// `n` parties, of which `t` may be corrupt; every sharing has degree `t`. Holds n >= 3t + 1 by construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committee {
    n: usize,
    t: usize,
}

impl Committee {
    /// # Errors
    /// `NATIVE_CONFIG` unless 1 <= t, 3t + 1 <= n <= 15 and C(n, t) < 2048.
    pub fn new(n: usize, t: usize) -> Result<Committee> {
        if t < 1 || n > MAX_PARTIES || n < 3 * t + 1 || binomial(n, t) >= MAX_SUBSETS {
            return Err(Failure::new(
                Code::Config,
                format!("want 1 <= t, 3t + 1 <= n <= 15 and fewer than 2048 subsets, got n = {n}, t = {t}"),
            ));
        }
        Ok(Committee { n, t })
    }

    pub const fn n(self) -> usize {
        self.n
    }

    pub const fn t(self) -> usize {
        self.t
    }

    /// Parties that reshare a product and points that fix a polynomial of degree 2t.
    pub const fn quorum(self) -> usize {
        2 * self.t + 1
    }

    /// All party indices, 1-based.
    pub fn parties(self) -> std::ops::RangeInclusive<usize> {
        1..=self.n
    }

    /// # Errors
    /// `NATIVE_CONFIG` outside 1..=n.
    pub fn check_index(self, index: usize) -> Result<usize> {
        if self.parties().contains(&index) {
            return Ok(index);
        }
        Err(Failure::new(Code::Config, format!("party index must be in 1..{}, got {index}", self.n)))
    }

    /// The holders of the replicated keys: all subsets of n - t parties, ascending by bitmask.
    pub fn subsets(self) -> Vec<Subset> {
        (0u16..1 << self.n).map(Subset).filter(|subset| subset.len() == self.n - self.t).collect()
    }

    /// The subsets that contain `index`, in the same order.
    pub fn subsets_with(self, index: usize) -> Vec<Subset> {
        let mut subsets = self.subsets();
        subsets.retain(|subset| subset.contains(index));
        subsets
    }
}

/// A set of parties as a bitmask: bit `p - 1` stands for party `p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subset(pub u16);

impl Subset {
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub const fn contains(self, index: usize) -> bool {
        index >= 1 && index <= 16 && self.0 >> (index - 1) & 1 == 1
    }

    /// Members in ascending order.
    pub fn members(self) -> impl Iterator<Item = usize> {
        (1..=16).filter(move |&index| self.contains(index))
    }
}

/// C(n, k) for n <= 15.
pub const fn binomial(n: usize, k: usize) -> usize {
    let (mut value, mut i) = (1, 0);
    while i < k {
        value = value * (n - i) / (i + 1);
        i += 1;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_committees_of_the_protocol() {
        for (n, t) in [(4, 1), (5, 1), (7, 2), (8, 2), (10, 3), (13, 4), (15, 4)] {
            let committee = Committee::new(n, t).expect("allowed");
            assert_eq!(committee.subsets().len(), binomial(n, t));
            for index in committee.parties() {
                assert_eq!(committee.subsets_with(index).len(), binomial(n - 1, t));
            }
        }
    }

    #[test]
    fn of_all_sizes_up_to_16_exactly_those_of_the_protocol_are_accepted() {
        for n in 0..=16 {
            for t in 0..=n {
                let code = Committee::new(n, t).err().map(|failure| failure.code);
                let allowed = t >= 1 && n <= 15 && n >= 3 * t + 1;
                assert_eq!(code, if allowed { None } else { Some(Code::Config) }, "{n}/{t}");
            }
        }
    }

    #[test]
    fn party_indices_start_at_one() {
        let committee = Committee::new(4, 1).expect("allowed");
        assert!(committee.check_index(0).is_err());
        assert!(committee.check_index(4).is_ok());
        assert!(committee.check_index(5).is_err());
    }

    #[test]
    fn subsets_list_their_members() {
        assert_eq!(Subset(0b1011).members().collect::<Vec<_>>(), [1, 2, 4]);
        assert!(!Subset(0b1011).contains(3));
        assert!(!Subset(0b1011).contains(0));
    }
}
