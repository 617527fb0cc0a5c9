//! Random linear combinations of long vectors, 32 at once, with coefficients from the lifted field GF(16).
//!
//! A coefficient is a ring element with coordinates 0 or 1, four bits of the coin. A wrong vector passes one combination
//! with probability 1/16 (docs/keygen.md §5), all 32 with 2^-128. The coin is public when these sums are made; the
//! summed shares are secret and only added.
use crate::ring::Gr;
use crate::stream::{BLOCK, SecretStream};
use zeroize::Zeroize;

/// Combinations of every check: soundness error 16^-32.
pub const REPETITIONS: usize = 2 * BLOCK;
const BATCH: usize = 64;

/// Collects elements in order; element number i takes block i of the coefficient stream, four bits per repetition.
pub struct Combination {
    coefficients: SecretStream,
    next: u128,
    batch: [[u8; BLOCK]; BATCH],
    /// Sum of the elements by repetition and coefficient.
    buckets: Vec<[Gr; 16]>,
}

impl Combination {
    pub fn new(coefficients: SecretStream) -> Combination {
        Combination {
            coefficients,
            next: 0,
            batch: [[0; BLOCK]; BATCH],
            buckets: vec![[Gr::ZERO; 16]; REPETITIONS],
        }
    }

    pub fn extend(&mut self, elements: impl Iterator<Item = Gr>) {
        for element in elements {
            let slot = (self.next % BATCH as u128) as usize;
            if slot == 0 {
                self.coefficients.fill(self.next, self.batch.as_flattened_mut());
            }
            self.next += 1;
            for (pair, byte) in self.buckets.as_chunks_mut::<2>().0.iter_mut().zip(self.batch[slot]) {
                pair[0][usize::from(byte & 15)] += element;
                pair[1][usize::from(byte >> 4)] += element;
            }
        }
    }

    /// The combinations.
    pub fn finish(self) -> [Gr; REPETITIONS] {
        std::array::from_fn(|repetition| {
            (1..16).fold(Gr::ZERO, |sum, c| sum + self.buckets[repetition][c].mul_alpha(c))
        })
    }
}

impl Drop for Combination {
    fn drop(&mut self) {
        for sums in &mut self.buckets {
            sums.zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_equal_the_plain_sums() {
        let stream = SecretStream::new(&[3; 32]);
        let element = |i: u128| Gr([i, i * i, 1 << (i % 128), u128::MAX - i]);
        let mut combination = Combination::new(stream.clone());
        combination.extend((0..50).map(element));
        combination.extend((50..150).map(element));
        let got = combination.finish();
        for (repetition, sum) in got.into_iter().enumerate() {
            let want = (0..150).fold(Gr::ZERO, |sum, i| {
                let byte = stream.word(i).to_le_bytes()[repetition / 2];
                let coefficient = if repetition % 2 == 0 { byte & 15 } else { byte >> 4 };
                sum + Gr::alpha(coefficient.into()) * element(i)
            });
            assert_eq!(sum, want);
        }
    }

    #[test]
    fn every_single_element_is_seen_by_some_repetition() {
        for i in 0..100 {
            let mut combination = Combination::new(SecretStream::new(&[4; 32]));
            combination.extend((0..100).map(|k| if k == i { Gr([0, 1 << 127, 0, 0]) } else { Gr::ZERO }));
            assert!(combination.finish().iter().any(|sum| *sum != Gr::ZERO));
        }
    }
}
