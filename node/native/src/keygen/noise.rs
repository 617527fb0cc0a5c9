//! Noise of a contribution: uniform integers in [-B, B], sized so that the sum over parties meets the specification
//! (docs/keygen.md §9). Only the variance matters for correctness and for lattice attacks.
use crate::ring::Committee;
use crate::stream::SecretStream;

/// Whose noise together has the variance of tfhe's TUniform distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// That of all n parties: the failure probability stays as specified, honest parties hold (n - t)/n of the variance.
    Total,
    /// That of the n - t honest parties: no loss of security, more noise. For the squashing keys, which have room.
    Honest,
}

impl Budget {
    /// The number of parties that share the specified variance.
    pub const fn shares(self, committee: Committee) -> usize {
        match self {
            Budget::Total => committee.n(),
            Budget::Honest => committee.n() - committee.t(),
        }
    }
}

/// B such that the uniform distribution on [-B, B] has 1/shares of the variance of TUniform(log_bound); for small B the
/// next integer above.
pub fn noise_bound(log_bound: u32, shares: usize) -> u64 {
    let wanted = (2f64.powi(2 * log_bound as i32 + 1) + 1.0) / 6.0 / shares as f64;
    // The variance of the uniform distribution on [-B, B] is B(B + 1)/3.
    let mut bound = ((0.25 + 3.0 * wanted).sqrt() - 0.5).round() as u64;
    while bound < 64 && ((bound * (bound + 1)) as f64) / 3.0 < wanted {
        bound += 1;
    }
    bound
}

/// Exactly uniform noise at random access: coefficient `i` of a part has a word of its own in `words`, and blocks of its
/// own in `retries` for the rare case (below 2^-16) that the word is rejected.
pub struct NoiseSource {
    bound: u64,
    /// 2B + 1.
    range: u64,
    /// 2^64 modulo the range.
    uneven: u64,
    words: SecretStream,
    retries: SecretStream,
}

impl NoiseSource {
    /// `bound` is below 2^63.
    pub fn new(bound: u64, words: SecretStream, retries: SecretStream) -> NoiseSource {
        let range = 2 * bound + 1;
        NoiseSource { bound, range, uneven: range.wrapping_neg() % range, words, retries }
    }

    /// Adds noise to the coefficients `first..first + sum.len()` of the part. `scratch` holds 8 bytes per coefficient.
    pub fn add(&self, first: u64, sum: &mut [u128], scratch: &mut [u8]) {
        debug_assert!(scratch.len() == 8 * sum.len());
        self.words.read(8 * u128::from(first), scratch);
        for (i, (value, word)) in sum.iter_mut().zip(scratch.as_chunks::<8>().0).enumerate() {
            let noise = self.sample(u64::from_le_bytes(*word), first + i as u64);
            *value = value.wrapping_add(noise as i128 as u128);
        }
    }

    /// Lemire's method: the high half of word · (2B + 1), unless the low half falls into the uneven rest. Only rejected
    /// words influence timing, and they are independent of the accepted one.
    #[inline(always)]
    fn sample(&self, mut word: u64, coefficient: u64) -> i64 {
        let mut attempt = 0u128;
        loop {
            let product = u128::from(word) * u128::from(self.range);
            if product as u64 >= self.uneven {
                return (product >> 64) as i64 - self.bound as i64;
            }
            word = self.retries.word(attempt << 64 | u128::from(coefficient)) as u64;
            attempt += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::PARTS;
    use super::*;

    fn source(bound: u64) -> NoiseSource {
        NoiseSource::new(bound, SecretStream::new(&[1; 32]), SecretStream::new(&[2; 32]))
    }

    fn samples(bound: u64, count: usize) -> Vec<i128> {
        let mut sum = vec![0; count];
        source(bound).add(0, &mut sum, &mut vec![0; 8 * count]);
        sum.into_iter().map(|x| x as i128).collect()
    }

    #[test]
    fn the_bounds_split_the_specified_variance() {
        for (log, shares) in [(17, 4), (45, 4), (43, 7), (30, 3), (30, 9), (3, 3), (3, 5)] {
            let bound = noise_bound(log, shares) as f64;
            let spec = (2f64.powi(2 * log as i32 + 1) + 1.0) / 6.0;
            let sum = shares as f64 * bound * (bound + 1.0) / 3.0;
            let excess = sum / spec - 1.0;
            let room = if log == 3 { 0.7 } else { 1e-4 };
            assert!((-1e-4..room).contains(&excess), "TUniform({log}) over {shares}: {excess}");
        }
    }

    /// The table is computed by an independent model in exact arithmetic (test/keygen/model/noise_bounds.py).
    #[test]
    fn every_part_has_the_models_bound_in_every_committee() {
        let table = include_str!("../../../../test/keygen/noise_bounds.txt");
        let mut lines = table.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let committees: Vec<Committee> = lines.next().expect("a head")[4..]
            .iter()
            .map(|size| {
                let (n, t) = size.split_once('/').expect("n/t");
                Committee::new(n.parse().expect("n"), t.parse().expect("t")).expect("allowed")
            })
            .collect();
        assert!(committees.len() >= 6);
        for (part, line) in PARTS.iter().zip(lines.by_ref()) {
            let facts = [part.rows() as u64, part.row_words as u64, part.noise_log.into()];
            let bounds = committees.iter().map(|&c| noise_bound(part.noise_log, part.budget.shares(c)));
            let cells = facts.into_iter().chain(bounds).map(|cell| cell.to_string());
            let want: Vec<String> = [part.name.to_string()].into_iter().chain(cells).collect();
            assert_eq!(line, want);
        }
        assert_eq!(lines.next(), None);
        assert_eq!(table.lines().count(), PARTS.len() + 1);
    }

    #[test]
    fn samples_fill_the_range_with_the_right_variance() {
        for bound in [3u64, 65_536, 1 << 44] {
            let values = samples(bound, 200_000);
            assert!(values.iter().all(|x| x.unsigned_abs() <= bound.into()));
            let mean_square = values.iter().map(|&x| (x as f64).powi(2)).sum::<f64>() / values.len() as f64;
            let want = bound as f64 * (bound as f64 + 1.0) / 3.0;
            assert!((mean_square / want - 1.0).abs() < 0.02, "bound {bound}: {}", mean_square / want);
        }
        let small = samples(3, 10_000);
        assert!((-3..=3).all(|x| small.contains(&x)));
    }

    #[test]
    fn noise_is_a_function_of_the_coefficients_position() {
        let whole = samples(1 << 30, 100);
        for first in [40, 41] {
            let mut part = vec![0; 10];
            source(1 << 30).add(first as u64, &mut part, &mut [0; 80]);
            assert!(part.iter().map(|&x| x as i128).eq(whole[first..first + 10].iter().copied()));
        }
    }

    #[test]
    fn a_rejected_word_is_replaced() {
        // With range 2^63 + 1 about half of all words are rejected; the loop must still stay in range.
        let values = samples(1 << 62, 1000);
        assert!(values.iter().all(|x| x.unsigned_abs() <= 1 << 62));
    }
}
