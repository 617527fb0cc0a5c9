//! The ten parts of a key, the order of their masks, and the chunks in which contributions are made (docs/keygen.md §1).
//!
//! Parts follow the order of tfhe's `CompressedXofKeySet`, so the masks of all parts are consecutive ranges of one public
//! stream. A chunk is a run of whole rows of one part, at most 4 MiB of body. All of this is public.
use super::negacyclic::Width;
use super::noise::Budget;
use crate::errors::{Code, Failure, Result};
use crate::params::Secret;
use std::ops::Range;

/// Most bytes of body in one chunk.
const CHUNK_BYTES: usize = 4 << 20;

/// What the rows of a part encrypt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One GGSW ciphertext per bit of `from`: per level, k rows of -bit·S_r and one of bit.
    Bootstrapping { from: Secret },
    /// Per bit of `from` and level, one GLWE row of the bit.
    PackingKeySwitch { from: Secret },
    /// Per bit of `from` and level, one LWE row of the bit.
    KeySwitch { from: Secret },
    /// One row of zero whose key polynomial is reversed: tfhe's compact public key.
    CompactPublic,
}

/// One part of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Stable name, also in transcripts.
    pub name: &'static str,
    pub shape: Shape,
    /// The secret under which the rows are encrypted.
    pub under: Secret,
    /// Body coefficients per row: N, or 1 for LWE rows.
    pub row_words: usize,
    /// Mask polynomials per row, or the LWE dimension.
    pub mask_polynomials: usize,
    pub width: Width,
    pub base_log: u32,
    pub levels: usize,
    /// b of tfhe's TUniform(b).
    pub noise_log: u32,
    pub budget: Budget,
}

const fn bootstrapping(name: &'static str, from: Secret) -> Part {
    Part {
        name,
        shape: Shape::Bootstrapping { from },
        under: Secret::Glwe,
        row_words: 2048,
        mask_polynomials: 1,
        width: Width::Bits64,
        base_log: 23,
        levels: 1,
        noise_log: 17,
        budget: Budget::Total,
    }
}

const fn key_switch(name: &'static str, from: Secret) -> Part {
    Part {
        name,
        shape: Shape::KeySwitch { from },
        under: Secret::Lwe,
        row_words: 1,
        mask_polynomials: 918,
        width: Width::Bits64,
        base_log: 4,
        levels: 4,
        noise_log: 45,
        budget: Budget::Total,
    }
}

const fn compact_public(name: &'static str, under: Secret) -> Part {
    Part {
        name,
        shape: Shape::CompactPublic,
        under,
        row_words: 2048,
        mask_polynomials: 1,
        width: Width::Bits64,
        base_log: 0,
        levels: 1,
        noise_log: 17,
        budget: Budget::Total,
    }
}

/// All parts, in the order of their masks.
pub const PARTS: [Part; 10] = [
    compact_public("compact-public-key", Secret::Pke),
    Part {
        name: "compression-key",
        shape: Shape::PackingKeySwitch { from: Secret::Glwe },
        under: Secret::Comp,
        row_words: 256,
        mask_polynomials: 4,
        width: Width::Bits64,
        base_log: 4,
        levels: 3,
        noise_log: 43,
        budget: Budget::Total,
    },
    bootstrapping("decompression-key", Secret::Comp),
    key_switch("key-switching-key", Secret::Glwe),
    bootstrapping("bootstrapping-key", Secret::Lwe),
    Part {
        name: "squashing-key",
        shape: Shape::Bootstrapping { from: Secret::Lwe },
        under: Secret::Ns,
        row_words: 2048,
        mask_polynomials: 2,
        width: Width::Bits128,
        base_log: 24,
        levels: 3,
        noise_log: 30,
        budget: Budget::Honest,
    },
    key_switch("compact-key-switching-key", Secret::Pke),
    compact_public("rerandomisation-key", Secret::Glwe),
    Part {
        name: "squashed-compression-key",
        shape: Shape::PackingKeySwitch { from: Secret::Ns },
        under: Secret::Nsc,
        row_words: 1024,
        mask_polynomials: 6,
        width: Width::Bits128,
        base_log: 41,
        levels: 2,
        noise_log: 3,
        budget: Budget::Honest,
    },
    bootstrapping("pseudo-random-function-key", Secret::Oprf),
];

/// Where a part stands in [`PARTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartId {
    CompactPublic,
    Compression,
    Decompression,
    KeySwitching,
    Bootstrapping,
    Squashing,
    CompactKeySwitching,
    Rerandomisation,
    SquashedCompression,
    PseudoRandomFunction,
}

impl PartId {
    /// In the order of their masks.
    pub const ALL: [PartId; 10] = [
        PartId::CompactPublic,
        PartId::Compression,
        PartId::Decompression,
        PartId::KeySwitching,
        PartId::Bootstrapping,
        PartId::Squashing,
        PartId::CompactKeySwitching,
        PartId::Rerandomisation,
        PartId::SquashedCompression,
        PartId::PseudoRandomFunction,
    ];

    /// 1-based: part 0 means "no part of the key" in names of streams.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }

    pub const fn part(self) -> &'static Part {
        &PARTS[self as usize]
    }
}

impl Part {
    pub const fn word_bytes(&self) -> usize {
        match self.width {
            Width::Bits64 => 8,
            Width::Bits128 => 16,
        }
    }

    pub const fn word_bits(&self) -> u32 {
        8 * self.word_bytes() as u32
    }

    /// Rows that encrypt one bit of the input key.
    pub const fn rows_per_bit(&self) -> usize {
        match self.shape {
            Shape::Bootstrapping { .. } => self.levels * (self.mask_polynomials + 1),
            Shape::PackingKeySwitch { .. } | Shape::KeySwitch { .. } | Shape::CompactPublic => self.levels,
        }
    }

    pub const fn rows(&self) -> usize {
        match self.shape {
            Shape::Bootstrapping { from } | Shape::PackingKeySwitch { from } | Shape::KeySwitch { from } => {
                from.bits() * self.rows_per_bit()
            }
            Shape::CompactPublic => 1,
        }
    }

    /// Body words of the whole part.
    pub const fn words(&self) -> usize {
        self.rows() * self.row_words
    }

    pub const fn mask_bytes_per_row(&self) -> usize {
        self.mask_polynomials * self.row_words * self.word_bytes()
    }

    /// The factor of a message bit at `level`, counted from the finest, as a shift: word bits - base·(levels - level).
    pub const fn shift(&self, level: usize) -> u32 {
        self.word_bits() - self.base_log * (self.levels - level) as u32
    }

    const fn rows_per_chunk(&self) -> usize {
        let rows = CHUNK_BYTES / (self.row_words * self.word_bytes());
        if rows < self.rows() { rows } else { self.rows() }
    }
}

/// First mask byte of part `id` in the public stream.
pub const fn mask_offset(id: PartId) -> u64 {
    let (mut offset, mut i) = (0, 0);
    while i < id as usize {
        offset += (PARTS[i].rows() * PARTS[i].mask_bytes_per_row()) as u64;
        i += 1;
    }
    offset
}

/// A run of rows of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    pub index: usize,
    pub part: PartId,
    pub rows: Range<usize>,
}

impl Chunk {
    pub fn words(&self) -> usize {
        self.rows.len() * self.part.part().row_words
    }

    pub fn byte_length(&self) -> usize {
        self.words() * self.part.part().word_bytes()
    }
}

/// All chunks, in the order of the parts.
pub fn chunks() -> Vec<Chunk> {
    let mut chunks = Vec::new();
    for id in PartId::ALL {
        let part = id.part();
        for first in (0..part.rows()).step_by(part.rows_per_chunk()) {
            let rows = first..part.rows().min(first + part.rows_per_chunk());
            chunks.push(Chunk { index: chunks.len(), part: id, rows });
        }
    }
    chunks
}

/// Chunk `index`.
///
/// # Errors
/// `KEYGEN_KEY_LAYOUT` beyond the last chunk.
pub fn chunk(index: usize) -> Result<Chunk> {
    let mut all = chunks();
    if index < all.len() {
        return Ok(all.swap_remove(index));
    }
    Err(Failure::new(Code::KeyLayout, format!("chunk index must be below {}, got {index}", all.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_sizes_are_those_of_the_design() {
        let sizes: Vec<(&str, usize)> =
            PARTS.iter().map(|part| (part.name, part.words() * part.word_bytes())).collect();
        assert_eq!(
            sizes,
            [
                ("compact-public-key", 16_384),
                ("compression-key", 12_582_912),
                ("decompression-key", 33_554_432),
                ("key-switching-key", 65_536),
                ("bootstrapping-key", 30_081_024),
                ("squashing-key", 270_729_216),
                ("compact-key-switching-key", 65_536),
                ("rerandomisation-key", 16_384),
                ("squashed-compression-key", 134_217_728),
                ("pseudo-random-function-key", 30_081_024),
            ]
        );
        assert_eq!(sizes[1..].iter().map(|(_, bytes)| bytes).sum::<usize>(), 511_393_792);
    }

    #[test]
    fn masks_of_all_parts_are_consecutive() {
        let last = PartId::PseudoRandomFunction;
        let part = last.part();
        let end = mask_offset(last) + (part.rows() * part.mask_bytes_per_row()) as u64;
        assert_eq!(end, 1_611_169_792);
    }

    #[test]
    fn chunks_cover_every_row_once_and_stay_small() {
        let chunks = chunks();
        let mut covered = [0; 10];
        for (i, chunk) in chunks.iter().enumerate() {
            assert_eq!(chunk.index, i);
            assert_eq!(chunk.rows.start, covered[chunk.part as usize], "no gap, no overlap");
            assert!(!chunk.rows.is_empty() && chunk.byte_length() <= CHUNK_BYTES);
            covered[chunk.part as usize] = chunk.rows.end;
        }
        for (id, rows) in covered.into_iter().enumerate() {
            assert_eq!(rows, PARTS[id].rows());
        }
    }

    #[test]
    fn a_chunk_beyond_the_layout_is_refused() {
        let count = chunks().len();
        assert!(chunk(count - 1).is_ok());
        assert_eq!(chunk(count).err().map(|f| f.code), Some(Code::KeyLayout));
    }
}
