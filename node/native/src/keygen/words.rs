//! Little-endian body and mask words of 64 or 128 bits, held as `u128` while they are worked on.
use super::negacyclic::Width;

/// The value modulo 2^64 or 2^128.
pub fn truncate(value: u128, width: Width) -> u128 {
    match width {
        Width::Bits64 => u128::from(value as u64),
        Width::Bits128 => value,
    }
}

/// A little-endian word of 8 or 16 bytes.
#[inline(always)]
pub fn read_word(bytes: &[u8]) -> u128 {
    match (bytes.first_chunk::<16>(), bytes.first_chunk::<8>()) {
        (Some(word), _) => u128::from_le_bytes(*word),
        (None, Some(word)) => u64::from_le_bytes(*word).into(),
        (None, None) => 0,
    }
}

/// Fills `out` from bytes.
pub fn read_words(bytes: &[u8], width: Width, out: &mut [u128]) {
    match width {
        Width::Bits64 => out
            .iter_mut()
            .zip(bytes.as_chunks::<8>().0)
            .for_each(|(word, bytes)| *word = u64::from_le_bytes(*bytes).into()),
        Width::Bits128 => out
            .iter_mut()
            .zip(bytes.as_chunks::<16>().0)
            .for_each(|(word, bytes)| *word = u128::from_le_bytes(*bytes)),
    }
}

/// The low bits of each word as bytes.
pub fn write_words(words: &[u128], width: Width, out: &mut [u8]) {
    match width {
        Width::Bits64 => out
            .as_chunks_mut::<8>()
            .0
            .iter_mut()
            .zip(words)
            .for_each(|(bytes, word)| *bytes = (*word as u64).to_le_bytes()),
        Width::Bits128 => out
            .as_chunks_mut::<16>()
            .0
            .iter_mut()
            .zip(words)
            .for_each(|(bytes, word)| *bytes = word.to_le_bytes()),
    }
}
