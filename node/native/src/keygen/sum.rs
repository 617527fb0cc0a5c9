//! Summing contributions: wrapping addition of little-endian words. Public data.
use crate::errors::{Code, Failure, Result};

/// accumulator += contribution, word by word.
///
/// # Errors
/// `KEYGEN_KEY_LAYOUT` unless both have the same length, a multiple of `word_bytes`, which is 8 or 16.
pub fn add_into(accumulator: &mut [u8], contribution: &[u8], word_bytes: usize) -> Result<()> {
    if accumulator.len() != contribution.len() || !accumulator.len().is_multiple_of(word_bytes.max(1)) {
        let text = format!(
            "want equal whole words of {word_bytes} bytes, got {} and {} bytes",
            accumulator.len(),
            contribution.len()
        );
        return Err(Failure::new(Code::KeyLayout, text));
    }
    match word_bytes {
        8 => {
            for (a, b) in accumulator.as_chunks_mut::<8>().0.iter_mut().zip(contribution.as_chunks::<8>().0) {
                *a = u64::from_le_bytes(*a).wrapping_add(u64::from_le_bytes(*b)).to_le_bytes();
            }
        }
        16 => {
            for (a, b) in accumulator.as_chunks_mut::<16>().0.iter_mut().zip(contribution.as_chunks::<16>().0)
            {
                *a = u128::from_le_bytes(*a).wrapping_add(u128::from_le_bytes(*b)).to_le_bytes();
            }
        }
        other => {
            return Err(Failure::new(Code::KeyLayout, format!("words have 8 or 16 bytes, got {other}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_wrap_on_their_own() {
        let mut sum = [0xff; 16];
        add_into(&mut sum, &[1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0], 8).expect("fits");
        assert_eq!(sum, [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        let mut wide = [0xff; 16];
        add_into(&mut wide, &1u128.to_le_bytes(), 16).expect("fits");
        assert_eq!(wide, [0; 16]);
    }

    #[test]
    fn other_lengths_and_widths_are_refused() {
        for (a, b, word) in [(8, 16, 8), (12, 12, 8), (24, 24, 16), (8, 8, 4), (8, 8, 0)] {
            let result = add_into(&mut vec![0; a], &vec![0; b], word);
            assert_eq!(result.map_err(|f| f.code), Err(Code::KeyLayout), "{a} {b} {word}");
        }
    }
}
