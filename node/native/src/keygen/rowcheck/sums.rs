//! Public sums of masks and bodies, made from rows that stream through.
//!
//! Columns of a row are cut into tiles. For a run of rows a tile first adds up the rows of each pattern (`weights`), one
//! addition per row and group instead of one per row and sum, then adds the patterns to its sums. Batches of rows meet one
//! group after another, so that what is added to stays in the nearest cache. Bodies wait until they make a run; masks are
//! made where they are added, for all rows in one run.
use super::super::layout::mask_offset;
use super::super::masks::MaskStream;
use super::super::negacyclic::Width;
use super::lanes::{add, add_rows, join, lanes, split, subtract};
use super::section::Section;
use super::weights::Weights;
use rayon::prelude::*;
use std::ops::Range;

/// The patterns of one group in one tile, about.
const GROUP_BYTES: usize = 32 << 10;
/// Rows of a tile that are at hand for all groups.
const BATCH: usize = 256;
/// Bodies that make a run.
const RUN_BYTES: usize = 16 << 20;

/// See the module.
pub struct Sums {
    pub weights: Weights,
    section: Section,
    stream: MaskStream,
    shape: Shape,
    masks: Vec<Tile>,
    bodies: Vec<Tile>,
    /// Rows whose bodies are added, from the section's first.
    added: usize,
    /// Bodies from there on.
    waiting: Vec<u8>,
}

/// The sums of a run of words.
struct Tile {
    /// First word, counted through the mask polynomials of a row, or through its body.
    start: usize,
    /// Sum by sum, as lanes.
    sums: Vec<u64>,
}

/// What all tiles have in common.
#[derive(Clone, Copy)]
struct Shape {
    width: Width,
    words: usize,
    bytes: usize,
    lanes: usize,
}

impl Shape {
    fn new(section: &Section, weights: &Weights) -> Shape {
        let part = section.part.part();
        let per_word = lanes(part.width);
        let fitting = GROUP_BYTES / (size_of::<u64>() * per_word * weights.patterns_per_group());
        let words = 1 << fitting.max(1).ilog2().clamp(4, 7);
        Shape { width: part.width, words, bytes: words * part.word_bytes(), lanes: words * per_word }
    }

    fn tiles(self, words: usize, sums: usize) -> Vec<Tile> {
        let tile = |start| Tile { start, sums: vec![0; sums * self.lanes] };
        (0..words).step_by(self.words).map(tile).collect()
    }
}

impl Sums {
    pub fn new(section: Section, weights: Weights, stream: MaskStream) -> Sums {
        let part = section.part.part();
        let (shape, sums) = (Shape::new(&section, &weights), weights.sums().len());
        let masks = shape.tiles(part.mask_polynomials * part.row_words, sums);
        let bodies = shape.tiles(part.row_words, sums);
        Sums { weights, section, stream, shape, masks, bodies, added: 0, waiting: Vec::new() }
    }

    /// Takes in the bodies of the next rows.
    pub fn absorb(&mut self, body: &[u8]) {
        self.waiting.extend_from_slice(body);
        if self.waiting.len() >= RUN_BYTES {
            self.add_bodies();
        }
    }

    /// To be called after the last row, before [`Sums::sum`].
    pub fn finish(&mut self) {
        self.add_bodies();
        self.waiting = Vec::new();
        self.add_masks();
    }

    fn add_bodies(&mut self) {
        let Sums { weights, section, shape, bodies, added, waiting, .. } = self;
        let part = section.part.part();
        let row_bytes = part.row_words * part.word_bytes();
        let first = *added;
        *added += waiting.len() / row_bytes;
        add_run(*shape, bodies, weights, first..*added, |start, row, out| {
            let start = (row - first) * row_bytes + start * part.word_bytes();
            out.copy_from_slice(&waiting[start..start + out.len()]);
        });
        waiting.clear();
    }

    fn add_masks(&mut self) {
        let Sums { weights, section, stream, shape, masks, .. } = self;
        let part = section.part.part();
        let row_bytes = part.mask_bytes_per_row();
        let first = mask_offset(section.part) + (section.rows.start * row_bytes) as u64;
        add_run(*shape, masks, weights, 0..section.rows.len(), |start, row, out| {
            stream.fill(first + (row * row_bytes + start * part.word_bytes()) as u64, out);
        });
    }

    /// Sum number `index`: the mask polynomials, then the body.
    pub fn sum(&self, index: usize, out: &mut [u128]) {
        let Shape { width, words, lanes, .. } = self.shape;
        let tiles = self.masks.iter().chain(&self.bodies);
        for (tile, out) in tiles.zip(out.chunks_exact_mut(words)) {
            join(&tile.sums[index * lanes..(index + 1) * lanes], width, out);
        }
    }
}

/// Adds `rows`, counted from the section's first; `read` gives the bytes of a row from a word on.
fn add_run(
    shape: Shape,
    tiles: &mut [Tile],
    weights: &Weights,
    rows: Range<usize>,
    read: impl Fn(usize, usize, &mut [u8]) + Sync,
) {
    if rows.is_empty() {
        return;
    }
    let buffers = || {
        let batch = vec![0u64; BATCH.min(rows.len()) * shape.lanes];
        (vec![0u8; shape.bytes], batch, vec![0u64; weights.patterns() * shape.lanes])
    };
    tiles.par_iter_mut().for_each_init(buffers, |(bytes, batch, patterns), tile| {
        patterns.fill(0);
        for first in rows.clone().step_by(BATCH) {
            let now = first..rows.end.min(first + BATCH);
            for (row, lanes) in now.clone().zip(batch.chunks_exact_mut(shape.lanes)) {
                read(tile.start, row, bytes);
                split(bytes, shape.width, lanes);
            }
            for group in weights.of_rows(now) {
                add_rows(batch, shape.lanes, group, patterns);
            }
        }
        for (sum, terms) in tile.sums.chunks_exact_mut(shape.lanes).zip(weights.sums()) {
            for term in terms {
                let pattern = &patterns[term.pattern * shape.lanes..(term.pattern + 1) * shape.lanes];
                if term.negative { subtract(sum, pattern) } else { add(sum, pattern) }
            }
        }
    });
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

    fn compare(part: PartId, rows: Range<usize>, cut: usize) {
        let section = Section { part, rows };
        let draw = || Weights::draw(&section, |group| SecretStream::new(&[group; 32]));
        let layout = part.part();
        let row_bytes = layout.row_words * layout.word_bytes();
        let mut body = vec![0; section.rows.len() * row_bytes];
        SecretStream::new(&[9; 32]).fill(0, &mut body);
        let mut sums = Sums::new(section.clone(), draw(), MaskStream::new(&SEED));
        for (i, rows) in body.chunks(cut * row_bytes).enumerate() {
            sums.absorb(rows);
            if i % 2 == 0 {
                sums.add_bodies();
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
        compare(PartId::Bootstrapping, 100..117, 5);
        compare(PartId::Squashing, 7..16, 4);
        compare(PartId::Compression, 6140..6144, 1);
        compare(PartId::CompactPublic, 0..1, 1);
    }
}
