//! Words as 64-bit lanes, so that a sum of words is a sum of lanes that know nothing of each other: a 128-bit word is its
//! two lower quarters and its upper half. A lane wraps; a quarter's has room for 2^31 words. Public.
use super::super::negacyclic::Width;

const QUARTER: u64 = u32::MAX as u64;

/// Lanes of one word.
pub const fn lanes(width: Width) -> usize {
    match width {
        Width::Bits64 => 1,
        Width::Bits128 => 3,
    }
}

/// Fills `out` with the lanes of little-endian words, lane by lane.
pub fn split(bytes: &[u8], width: Width, out: &mut [u64]) {
    match width {
        Width::Bits64 => out
            .iter_mut()
            .zip(bytes.as_chunks::<8>().0)
            .for_each(|(lane, bytes)| *lane = u64::from_le_bytes(*bytes)),
        Width::Bits128 => {
            let (low, rest) = out.split_at_mut(out.len() / 3);
            let (middle, high) = rest.split_at_mut(low.len());
            let words = bytes.as_chunks::<16>().0.iter().map(|bytes| u128::from_le_bytes(*bytes));
            for (((word, low), middle), high) in words.zip(low).zip(middle).zip(high) {
                *low = word as u64 & QUARTER;
                *middle = word as u64 >> 32;
                *high = (word >> 64) as u64;
            }
        }
    }
}

/// The words, modulo 2^64 or 2^128, whose lanes are sums and differences of such.
pub fn join(lanes: &[u64], width: Width, out: &mut [u128]) {
    match width {
        Width::Bits64 => out.iter_mut().zip(lanes).for_each(|(word, &lane)| *word = lane.into()),
        Width::Bits128 => {
            let (low, rest) = lanes.split_at(lanes.len() / 3);
            let (middle, high) = rest.split_at(low.len());
            let signed = |lane: u64| lane as i64 as u128;
            for (((word, &low), &middle), &high) in out.iter_mut().zip(low).zip(middle).zip(high) {
                *word = signed(low).wrapping_add(signed(middle) << 32).wrapping_add(u128::from(high) << 64);
            }
        }
    }
}

/// Adds every row of `size` lanes to the pattern named for it.
pub fn add_rows(rows: &[u64], size: usize, names: &[u32], patterns: &mut [u64]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has just been asked.
        return unsafe { add_rows_wide(rows, size, names, patterns) };
    }
    add_rows_plain(rows, size, names, patterns);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_rows_wide(rows: &[u64], size: usize, names: &[u32], patterns: &mut [u64]) {
    add_rows_plain(rows, size, names, patterns);
}

#[inline(always)]
fn add_rows_plain(rows: &[u64], size: usize, names: &[u32], patterns: &mut [u64]) {
    for (row, &name) in rows.chunks_exact(size).zip(names) {
        add(&mut patterns[name as usize * size..][..size], row);
    }
}

#[inline(always)]
pub fn add(sum: &mut [u64], lanes: &[u64]) {
    sum.iter_mut().zip(lanes).for_each(|(sum, &lane)| *sum = sum.wrapping_add(lane));
}

#[inline(always)]
pub fn subtract(sum: &mut [u64], lanes: &[u64]) {
    sum.iter_mut().zip(lanes).for_each(|(sum, &lane)| *sum = sum.wrapping_sub(lane));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::SecretStream;

    const WORDS: usize = 64;

    /// Sums and differences of words as lanes against the same of words as such.
    fn compare(width: Width, word_bytes: usize, fill: impl Fn(u64, &mut [u8])) {
        let size = WORDS * lanes(width);
        let (mut sum, mut term) = (vec![0; size], vec![0; size]);
        let mut want = vec![0u128; WORDS];
        let mut bytes = vec![0; WORDS * word_bytes];
        for row in 0..100 {
            fill(row, &mut bytes);
            split(&bytes, width, &mut term);
            let words = bytes.chunks_exact(word_bytes).map(super::super::super::words::read_word);
            if row % 3 == 0 {
                add_rows(&term, size, &[0], &mut sum);
                want.iter_mut().zip(words).for_each(|(want, word)| *want = want.wrapping_add(word));
            } else {
                subtract(&mut sum, &term);
                want.iter_mut().zip(words).for_each(|(want, word)| *want = want.wrapping_sub(word));
            }
        }
        let mut got = vec![0; WORDS];
        join(&sum, width, &mut got);
        let want: Vec<u128> =
            want.into_iter().map(|word| super::super::super::words::truncate(word, width)).collect();
        assert_eq!(got, want);
    }

    #[test]
    fn sums_of_lanes_are_sums_of_words() {
        let random = |row: u64, bytes: &mut [u8]| SecretStream::new(&[4; 32]).fill(row.into(), bytes);
        for (width, word_bytes) in [(Width::Bits64, 8), (Width::Bits128, 16)] {
            compare(width, word_bytes, random);
            compare(width, word_bytes, |_, bytes| bytes.fill(0xff));
            compare(width, word_bytes, |row, bytes| bytes.fill(if row == 50 { 1 } else { 0 }));
        }
    }

    #[test]
    fn every_row_goes_to_its_pattern() {
        let rows: Vec<u64> = (0..40).collect();
        let names = [2, 0, 2, 3];
        let (mut plain, mut chosen) = (vec![0; 40], vec![0; 40]);
        add_rows_plain(&rows, 10, &names, &mut plain);
        add_rows(&rows, 10, &names, &mut chosen);
        assert_eq!(plain, chosen);
        assert_eq!(plain[20..30], (0..10).map(|i| 20 + 2 * i).collect::<Vec<u64>>());
        assert_eq!(plain[10..20], [0; 10]);
    }
}
