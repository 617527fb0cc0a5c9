//! Public sums of masks and bodies by pattern, made while the rows stream through.
//!
//! Columns of a row are cut into tiles whose accumulators stay in the cache of one core while many rows are added; masks
//! are made anew per tile.
use super::super::layout::mask_offset;
use super::super::masks::MaskStream;
use super::super::words::Word;
use super::section::Section;
use super::weights::Weights;
use rayon::prelude::*;

const TILE_BYTES: usize = 512;
/// Bodies that wait until a pass over all accumulators is worth it.
const PASS_BYTES: usize = 16 << 20;

/// See the module.
pub struct Sums<W> {
    section: Section,
    pub weights: Weights,
    masks: MaskStream,
    tiles: Vec<Tile<W>>,
    /// First row that is not added yet, and the bodies from there on.
    next: usize,
    waiting: Vec<u8>,
}

/// The accumulators of a run of words of one polynomial.
struct Tile<W> {
    /// The mask polynomials of a row, then its body.
    polynomial: usize,
    /// First word.
    start: usize,
    /// Pattern by pattern.
    patterns: Vec<W>,
}

impl<W: Word> Sums<W> {
    pub fn new(section: Section, weights: Weights, masks: MaskStream) -> Sums<W> {
        let part = section.part.part();
        let words = TILE_BYTES / W::BYTES;
        let tiles = (0..=part.mask_polynomials)
            .flat_map(|polynomial| (0..part.row_words).step_by(words).map(move |start| (polynomial, start)))
            .map(|(polynomial, start)| {
                let patterns = vec![W::default(); weights.patterns() * words];
                Tile { polynomial, start, patterns }
            });
        let (next, waiting) = (section.rows.start, Vec::new());
        Sums { tiles: tiles.collect(), section, weights, masks, next, waiting }
    }

    /// Takes in the bodies of the next rows.
    pub fn absorb(&mut self, body: &[u8]) {
        self.waiting.extend_from_slice(body);
        if self.waiting.len() >= PASS_BYTES {
            self.add_waiting();
        }
    }

    /// To be called after the last row, before [`Sums::sum`].
    pub fn finish(&mut self) {
        self.add_waiting();
        self.waiting = Vec::new();
    }

    fn add_waiting(&mut self) {
        let Sums { section, weights, masks, tiles, next, waiting: body } = self;
        let part = section.part.part();
        let (row_bytes, offset) = (part.row_words * W::BYTES, mask_offset(section.part));
        let rows = *next..*next + body.len() / row_bytes;
        let first = rows.start - section.rows.start;
        let groups: Vec<&[u32]> = weights.of_rows(first..first + rows.len()).collect();
        tiles.par_iter_mut().for_each(|tile| {
            let mut mask = [0; TILE_BYTES];
            let mut words = vec![W::default(); TILE_BYTES / W::BYTES];
            let in_polynomial = tile.start * W::BYTES;
            for (i, row) in rows.clone().enumerate() {
                if tile.polynomial == part.mask_polynomials {
                    let start = i * row_bytes + in_polynomial;
                    W::read(&body[start..start + TILE_BYTES], &mut words);
                } else {
                    let in_row = tile.polynomial * row_bytes + in_polynomial;
                    let start = row * part.mask_bytes_per_row() + in_row;
                    masks.fill(offset + start as u64, &mut mask);
                    W::read(&mask, &mut words);
                }
                for group in &groups {
                    let start = group[i] as usize * words.len();
                    let sum = &mut tile.patterns[start..start + words.len()];
                    sum.iter_mut().zip(&words).for_each(|(sum, &word)| *sum = sum.plus(word));
                }
            }
        });
        *next = rows.end;
        body.clear();
    }

    /// Sum number `index`: the mask polynomials, then the body.
    pub fn sum(&self, index: usize, out: &mut [u128]) {
        let (size, words) = (self.section.part.part().row_words, TILE_BYTES / W::BYTES);
        let mut total = vec![W::default(); words];
        for tile in &self.tiles {
            total.fill(W::default());
            for term in &self.weights.sums()[index] {
                let pattern = tile.patterns[term.pattern * words..].iter();
                let pairs = total.iter_mut().zip(pattern);
                if term.negative {
                    pairs.for_each(|(total, &word)| *total = total.minus(word));
                } else {
                    pairs.for_each(|(total, &word)| *total = total.plus(word));
                }
            }
            let start = tile.polynomial * size + tile.start;
            out[start..start + words].iter_mut().zip(&total).for_each(|(out, word)| *out = word.wide());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::layout::PartId;
    use super::super::super::words::{read_words, truncate};
    use super::*;
    use crate::stream::SecretStream;
    use std::ops::Range;

    const SEED: [u8; 32] = [3; 32];

    /// Every sum, by its definition.
    fn expected(section: &Section, weights: &Weights, body: &[u8]) -> Vec<Vec<u128>> {
        let part = section.part.part();
        let (row_bytes, mask_bytes) = (part.row_words * part.word_bytes(), part.mask_bytes_per_row());
        let rows: Vec<Vec<u128>> = section
            .rows
            .clone()
            .enumerate()
            .map(|(i, row)| {
                let mut bytes = vec![0; mask_bytes];
                MaskStream::new(&SEED)
                    .fill(mask_offset(section.part) + (row * mask_bytes) as u64, &mut bytes);
                bytes.extend(&body[i * row_bytes..(i + 1) * row_bytes]);
                let mut words = vec![0; bytes.len() / part.word_bytes()];
                read_words(&bytes, part.width, &mut words);
                words
            })
            .collect();
        let sum = |terms: &Vec<super::super::weights::Term>| {
            let mut sum = vec![0u128; rows[0].len()];
            for (i, row) in rows.iter().enumerate() {
                for pattern in weights.of_rows(i..i + 1).map(|group| group[0] as usize) {
                    for term in terms.iter().filter(|term| term.pattern == pattern) {
                        for (sum, &word) in sum.iter_mut().zip(row) {
                            *sum =
                                if term.negative { sum.wrapping_sub(word) } else { sum.wrapping_add(word) };
                        }
                    }
                }
            }
            sum.into_iter().map(|word| truncate(word, part.width)).collect()
        };
        weights.sums().iter().map(sum).collect()
    }

    fn compare<W: Word>(part: PartId, rows: Range<usize>, cut: usize) {
        let section = Section { part, rows };
        let draw = || Weights::draw(&section, |group| SecretStream::new(&[group; 32]));
        let layout = part.part();
        let row_bytes = layout.row_words * W::BYTES;
        let mut body = vec![0; section.rows.len() * row_bytes];
        SecretStream::new(&[9; 32]).fill(0, &mut body);
        let mut sums: Sums<W> = Sums::new(section.clone(), draw(), MaskStream::new(&SEED));
        for (i, rows) in body.chunks(cut * row_bytes).enumerate() {
            sums.absorb(rows);
            if i % 2 == 0 {
                sums.add_waiting();
            }
        }
        sums.finish();
        let want = expected(&section, &draw(), &body);
        let mut got = vec![0; want[0].len()];
        for (index, want) in want.iter().enumerate() {
            sums.sum(index, &mut got);
            assert!(got == *want, "{part:?} sum {index}");
        }
    }

    #[test]
    fn streamed_sums_are_the_weighted_sums_of_masks_and_bodies() {
        compare::<u64>(PartId::Bootstrapping, 100..117, 5);
        compare::<u128>(PartId::Squashing, 7..16, 4);
        compare::<u64>(PartId::Compression, 6140..6144, 1);
        compare::<u64>(PartId::CompactPublic, 0..1, 1);
    }
}
