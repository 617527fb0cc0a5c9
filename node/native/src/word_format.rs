//! How the canonical words of a squashed ciphertext are read (protocol §1, §5): a function of its type, so that one
//! handle has one reading. Words are u128 little-endian without a header; lengths are exact.
//!
//! * Raw, for types of up to 4 blocks: per block the 4096 mask words and the body of an LWE ciphertext under `ns`.
//! * Packed, for types of 8 blocks and more: the blocks of one value, packed into one GLWE ciphertext under `nsc`: 6 mask
//!   polynomials of 1024 words, then one body word per block. The form of block k is coefficient k of B − Σ A_p·S_p modulo
//!   X^1024 + 1. One list is one value: block numbers never restart in it.

use crate::ciphertext::FheType;
use crate::errors::{Code, Failure, Result};

/// Bytes of a word.
pub const WORD_BYTES: usize = 16;
/// Mask words of a block in the raw format: the dimension of the noise-squashing key.
pub const RAW_MASK_WORDS: usize = 4096;
/// Bytes of a block in the raw format.
pub const RAW_BLOCK_BYTES: usize = (RAW_MASK_WORDS + 1) * WORD_BYTES;
/// Coefficients of a polynomial of the packed format.
pub const PACKED_DEGREE: usize = 1024;
/// Mask words of a value in the packed format: 6 polynomials.
pub const PACKED_MASK_WORDS: usize = 6 * PACKED_DEGREE;
/// Types of fewer blocks are raw: packed, they would be longer.
const FIRST_PACKED_BLOCKS: usize = 8;

/// The number is that of the format in session ids, and of the part of the key that it is read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum WordFormat {
    Raw = 1,
    Packed = 2,
}

impl WordFormat {
    pub const fn of(fhe_type: FheType) -> Self {
        if fhe_type.packed_blocks() < FIRST_PACKED_BLOCKS { Self::Raw } else { Self::Packed }
    }

    /// # Errors
    /// `SHARE_WORDS` for an unknown code.
    pub fn from_code(code: u32) -> Result<Self> {
        [Self::Raw, Self::Packed].into_iter().find(|format| *format as u32 == code).ok_or_else(|| {
            Failure::new(Code::ShareWords, format!("word format must be 1 (raw) or 2 (packed), got {code}"))
        })
    }

    /// Bytes of the words of so many blocks.
    pub const fn byte_length(self, blocks: usize) -> usize {
        match self {
            Self::Raw => blocks * RAW_BLOCK_BYTES,
            Self::Packed => (PACKED_MASK_WORDS + blocks) * WORD_BYTES,
        }
    }

    /// Blocks in words of this format.
    ///
    /// # Errors
    /// `SHARE_WORDS` unless a type of this format has words of exactly `length` bytes.
    pub fn blocks(self, length: usize) -> Result<usize> {
        FheType::ALL
            .into_iter()
            .filter(|fhe_type| Self::of(*fhe_type) == self)
            .map(FheType::packed_blocks)
            .find(|blocks| self.byte_length(*blocks) == length)
            .ok_or_else(|| {
                Failure::new(Code::ShareWords, format!("no type has {self:?} words of {length} bytes"))
            })
    }
}

/// One word of a chunk of exactly its bytes.
#[inline(always)]
pub fn word(bytes: &[u8]) -> u128 {
    u128::from_le_bytes(bytes.try_into().expect("chunk of sixteen bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_one_format_and_one_length() {
        let lengths = FheType::ALL.map(|fhe_type| {
            let format = WordFormat::of(fhe_type);
            let length = format.byte_length(fhe_type.packed_blocks());
            assert_eq!(format.blocks(length).unwrap(), fhe_type.packed_blocks());
            (format as u8, length)
        });
        let want = [
            (1, 65_552),
            (1, 65_552),
            (1, 131_104),
            (1, 262_208),
            (2, 98_432),
            (2, 98_560),
            (2, 98_816),
            (2, 98_944),
            (2, 99_328),
        ];
        assert_eq!(lengths, want);
    }

    #[test]
    fn other_lengths_are_refused() {
        let code = |format: WordFormat, length: usize| format.blocks(length).err().map(|f| f.code);
        for length in [0, 1, 16, 65_551, 65_553, 65_568, 3 * RAW_BLOCK_BYTES, 16 * RAW_BLOCK_BYTES, 98_560] {
            assert_eq!(code(WordFormat::Raw, length), Some(Code::ShareWords), "raw {length}");
        }
        for length in [0, 98_304, 98_431, 98_433, 98_448, 98_561, 99_344, 65_552, 262_208] {
            assert_eq!(code(WordFormat::Packed, length), Some(Code::ShareWords), "packed {length}");
        }
        assert_eq!(WordFormat::from_code(2).unwrap(), WordFormat::Packed);
        for unknown in [0, 3, 256] {
            assert_eq!(WordFormat::from_code(unknown).unwrap_err().code, Code::ShareWords);
        }
    }
}
