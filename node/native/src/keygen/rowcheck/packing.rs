//! Coefficients of row sums as ring elements: four in one element, Σ V_k X^k, so that an opened element costs no more than
//! its four words. Where q = 2^64 all shares are reduced modulo 2^64 first: a ring map, and the upper halves are not masked.
use super::super::negacyclic::Width;
use super::super::words::{read_words, write_words};
use crate::ring::Gr;

/// Coefficients in one element.
pub const PACKED: usize = 4;

/// Bytes of an element of `width`.
pub const fn element_bytes(width: Width) -> usize {
    match width {
        Width::Bits64 => 8 * PACKED,
        Width::Bits128 => 16 * PACKED,
    }
}

/// Shares of four coefficients as a share of their element.
#[inline(always)]
pub fn pack(shares: &[Gr; PACKED]) -> Gr {
    shares.iter().rev().fold(Gr::ZERO, |sum, &share| sum.mul_x() + share)
}

/// The low bits of an element's words; `out` has [`element_bytes`].
#[inline(always)]
pub fn write_element(element: Gr, width: Width, out: &mut [u8]) {
    write_words(&element.0, width, out);
}

/// The inverse of [`write_element`].
#[inline(always)]
pub fn read_element(bytes: &[u8], width: Width) -> Gr {
    let mut element = Gr::ZERO;
    read_words(bytes, width, &mut element.0);
    element
}

/// An element times 2^64 where its words are narrow. Such elements are equal modulo 2^128 exactly if the elements are
/// equal modulo 2^64, also after any linear map.
#[inline(always)]
pub fn read_scaled(bytes: &[u8], width: Width) -> Gr {
    let element = read_element(bytes, width);
    match width {
        Width::Bits64 => element.scale(1 << 64),
        Width::Bits128 => element,
    }
}

/// The signed value of a word of a scaled element.
#[inline(always)]
pub const fn signed(word: u128, width: Width) -> i128 {
    match width {
        Width::Bits64 => word as i128 >> 64,
        Width::Bits128 => word as i128,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_values_are_the_coefficients_of_their_element() {
        let values = [1u128, 5, u128::MAX, 1 << 100];
        assert_eq!(pack(&values.map(Gr::scalar)), Gr(values));
    }

    #[test]
    fn elements_round_trip_at_their_width() {
        let element = Gr([1 << 64 | 3, u128::MAX, 0, 7]);
        let mut wide = [0; 64];
        write_element(element, Width::Bits128, &mut wide);
        assert_eq!(read_element(&wide, Width::Bits128), element);
        let mut narrow = [0; 32];
        write_element(element, Width::Bits64, &mut narrow);
        assert_eq!(read_element(&narrow, Width::Bits64), Gr([3, u64::MAX.into(), 0, 7]));
        let scaled = read_scaled(&narrow, Width::Bits64);
        assert_eq!(scaled.0.map(|word| signed(word, Width::Bits64)), [3, -1, 0, 7]);
        assert_eq!(signed(u128::MAX, Width::Bits128), -1);
    }
}
