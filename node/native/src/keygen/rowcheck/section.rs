//! What is checked together, how its rows are summed, and how large honest sums are (docs/keygen.md §6).
//!
//! The figures bound a planted error at 16 deviations: 2^27.2 in a bootstrapping key, 2^41.5 in the squashing key, 2^50.6
//! in a key switching key. Public.
//!
//! Every mode leaves something to the coin, also where a row is opened by itself: the noise of a sum is dealt by parties who
//! know what they are going to plant, and could cancel an error whose place they know.
use super::super::layout::{PartId, Shape};
use super::super::noise::noise_bound;
use super::packing::PACKED;
use crate::ring::Committee;
use std::ops::Range;

/// How rows enter sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Every row in every sum, with weight −1, 0 or 1 (¼, ½, ¼). Whatever else is planted, an error above 16 deviations
    /// stays unseen with probability at most 2^-sums: for any choice of the other weights, at most one of "0" and "not 0"
    /// keeps the sum small.
    Ternary { sums: usize },
    /// `hashings` times, every row with a random sign in one of `buckets` sums: at most buckets^-hashings, because at most
    /// one bucket keeps all sums small. Smaller sums, so a smaller bound.
    Buckets { buckets: usize, hashings: usize },
    /// `drawings` times, every row by itself and with a random sign in one of [`places`] sums; the others stay empty. At most
    /// (places − rows + 1)^-drawings, 2^-40.7: of the sums that no other row takes, at most one keeps all small.
    Places { drawings: usize },
}

const TERNARY: Mode = Mode::Ternary { sums: 41 };
const BUCKETS: Mode = Mode::Buckets { buckets: 256, hashings: 5 };
const PLACES: Mode = Mode::Places { drawings: 3 };

/// Sums among which rows choose that are by themselves: five for two of them, a multiple of the elements' size.
pub const fn places(rows: usize) -> usize {
    (5 * rows / 2).next_multiple_of(PACKED)
}

/// Rows of one part that are checked together: the whole part, fewer in tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub part: PartId,
    pub rows: Range<usize>,
}

/// All parts in the order of the chunks.
pub fn whole_key() -> Vec<Section> {
    PartId::ALL.map(|part| Section { part, rows: 0..part.part().rows() }).into()
}

impl Section {
    pub const fn mode(&self) -> Mode {
        match self.part {
            PartId::Decompression
            | PartId::Bootstrapping
            | PartId::Squashing
            | PartId::SquashedCompression
            | PartId::PseudoRandomFunction
            | PartId::CompactPublic
            | PartId::Rerandomisation => TERNARY,
            PartId::Compression => BUCKETS,
            PartId::KeySwitching | PartId::CompactKeySwitching => PLACES,
        }
    }

    /// Standard deviation of the shared noise in units of that of the rows' own noise in a sum. More hides the rows' noise
    /// better, less bounds errors better (docs/keygen.md §11).
    const fn ratio(&self) -> u64 {
        match self.part.part().shape {
            Shape::CompactPublic => 64,
            Shape::KeySwitch { .. } => 5,
            Shape::Bootstrapping { .. } | Shape::PackingKeySwitch { .. } => 4,
        }
    }

    /// Degree of the polynomials on which sums are shared: products of two shares make 2t.
    pub const fn degree(&self, committee: Committee) -> usize {
        match self.part.part().shape {
            Shape::Bootstrapping { .. } => 2 * committee.t(),
            Shape::PackingKeySwitch { .. } | Shape::KeySwitch { .. } | Shape::CompactPublic => committee.t(),
        }
    }

    pub const fn sums(&self) -> usize {
        match self.mode() {
            Mode::Ternary { sums } => sums,
            Mode::Buckets { buckets, hashings } => buckets * hashings,
            Mode::Places { drawings } => places(self.rows.end - self.rows.start) * drawings,
        }
    }

    /// Coefficients of all sums.
    pub const fn coefficients(&self) -> usize {
        self.sums() * self.part.part().row_words
    }

    /// Mean sum of squared weights in one sum; in one that is not empty, where rows are by themselves.
    fn weight(&self) -> f64 {
        let rows = self.rows.len() as f64;
        match self.mode() {
            Mode::Ternary { .. } => rows / 2.0,
            Mode::Buckets { buckets, .. } => rows / buckets as f64,
            Mode::Places { .. } => 1.0,
        }
    }

    /// Variance of all parties' noise in one coefficient of a row.
    pub fn noise_variance(&self, committee: Committee) -> f64 {
        committee.n() as f64 * self.row_variance(committee)
    }

    /// Variance of all parties' shared noise in one coefficient of a sum.
    pub fn shared_variance(&self, committee: Committee) -> f64 {
        committee.n() as f64 * variance(self.noise_bound(committee))
    }

    /// Variance of one party's noise in one coefficient of a row.
    fn row_variance(&self, committee: Committee) -> f64 {
        let part = self.part.part();
        variance(noise_bound(part.noise_log, part.budget.shares(committee)))
    }

    /// B of one party's shared noise, uniform on [−B, B].
    pub fn noise_bound(&self, committee: Committee) -> u64 {
        let ratio = self.ratio() as f64;
        (3.0 * ratio * ratio * self.weight() * self.row_variance(committee)).sqrt().round() as u64
    }

    /// Standard deviation of a coefficient of an honest sum.
    pub fn deviation(&self, committee: Committee) -> f64 {
        (self.weight() * self.noise_variance(committee) + self.shared_variance(committee)).sqrt()
    }
}

/// Of the uniform distribution on [−bound, bound].
fn variance(bound: u64) -> f64 {
    bound as f64 * (bound as f64 + 1.0) / 3.0
}

#[cfg(test)]
mod tests {
    use super::super::super::layout::PARTS;
    use super::*;

    #[test]
    fn the_whole_key_is_every_row_of_every_part() {
        let sections = whole_key();
        assert_eq!(sections.len(), PARTS.len());
        for (section, part) in sections.iter().zip(PARTS) {
            assert_eq!((section.part.part().name, section.rows.clone()), (part.name, 0..part.rows()));
        }
    }

    #[test]
    fn deviations_and_bounds_are_those_of_the_design() {
        let four = Committee::new(4, 1).expect("allowed");
        let bits = |part: PartId| {
            let section = Section { part, rows: 0..part.part().rows() };
            section.deviation(four).log2()
        };
        for (part, want) in [
            (PartId::Bootstrapping, 23.17),
            (PartId::PseudoRandomFunction, 23.17),
            (PartId::Decompression, 23.25),
            (PartId::Squashing, 37.46),
            (PartId::SquashedCompression, 10.7),
            (PartId::Compression, 46.5),
            (PartId::KeySwitching, 46.56),
            (PartId::CompactKeySwitching, 46.56),
            // The design's 2^22.2 is for one sum of weight 1: these have the mean weight 1/2.
            (PartId::CompactPublic, 21.7),
            (PartId::Rerandomisation, 21.7),
        ] {
            assert!((bits(part) - want).abs() < 0.06, "{part:?}: {} against {want}", bits(part));
        }
    }

    /// The table is computed by an independent model (test/keygen/model/row_deviations.py).
    #[test]
    fn every_part_has_the_models_deviation_in_every_committee() {
        let table = include_str!("../../../../../test/keygen/row_deviations.txt");
        let (head, rows) = table.split_once('\n').expect("a head");
        assert_eq!(head, "part coefficients 4/1 5/1 7/2 10/3 13/4 15/4");
        let committees = [(4, 1), (5, 1), (7, 2), (10, 3), (13, 4), (15, 4)]
            .map(|(n, t)| Committee::new(n, t).expect("allowed"));
        let mut model: Vec<&str> = rows.lines().collect();
        let ours = |section: &Section| {
            let deviations = committees.map(|c| format!(" {:.3}", section.deviation(c).log2()));
            format!("{} {}{}", section.part.part().name, section.coefficients(), deviations.concat())
        };
        let mut ours: Vec<String> = whole_key().iter().map(ours).collect();
        model.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, model);
    }

    #[test]
    fn only_parts_with_products_of_shares_have_degree_2t() {
        let seven = Committee::new(7, 2).expect("allowed");
        let degrees: Vec<usize> = whole_key().iter().map(|section| section.degree(seven)).collect();
        assert_eq!(degrees, [2, 2, 4, 2, 4, 4, 2, 2, 2, 4]);
    }

    #[test]
    fn no_honest_sum_comes_near_a_quarter_of_the_modulus() {
        for (n, t) in [(4, 1), (7, 2), (13, 4), (15, 4)] {
            let committee = Committee::new(n, t).expect("allowed");
            for section in whole_key() {
                let limit = 8.0 * section.deviation(committee);
                let room = 2f64.powi(section.part.part().word_bits() as i32 - 4);
                assert!(limit < room, "{n}/{t} {section:?}");
                assert!(section.noise_bound(committee) < 1 << 62);
            }
        }
    }
}
