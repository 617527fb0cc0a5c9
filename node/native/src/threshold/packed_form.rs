//! The linear forms of packed words (protocol §5): for block k, coefficient k of B − Σ_p A_p·S_p modulo X^1024 + 1, where
//! S_p are this party's shares of the key `nsc`.
//!
//! All blocks read the same mask words, shifted: per polynomial, y_k = Σ_i c[k − i]·s[i] with c[m] = A[m] and, below zero,
//! c[m] = −A[m + 1024]. That is a Toeplitz matrix, taken here in tiles of 8×8. Halving a tile three times, with three half
//! products instead of four each time, leaves 27 products of 64. Products are added up over all tiles before they are
//! combined to the 8 results of a row, once.
//!
//! Public: the words. Secret: the shares, their sums here, the products, the results. Only additions and multiplications
//! of wrapping 128-bit words: neither a branch nor an address depends on a secret.

use super::fault;
use crate::ring::element::Gr;
use crate::word_format::{PACKED_DEGREE, PACKED_MASK_WORDS, WORD_BYTES, word};
use zeroize::{Zeroize, Zeroizing};

/// Rows and columns of a tile.
const TILE: usize = 8;
/// Distinct entries of a tile: its diagonals.
const DIAGONALS: usize = 2 * TILE - 1;
/// Products that a tile needs.
const PRODUCTS: usize = 27;
const COLUMNS: usize = PACKED_DEGREE / TILE;

/// The two ways to halve a product, equally dear, with different intermediate values throughout. With the blocks T0 above,
/// T1 on and T2 below the diagonal:
/// sums: y0 = T1(v0 + v1) + (T0 − T1)v1, y1 = T1(v0 + v1) + (T2 − T1)v0;
/// differences: y0 = T1(v0 − v1) + (T0 + T1)v1, y1 = (T2 + T1)v0 − T1(v0 − v1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halving {
    Sums,
    Differences,
}

/// The phases of all blocks: what the words decrypt to under these shares, before masking.
///
/// `words` are words of the packed format (its length is checked by the caller), `nsc` the 6144 shares.
pub fn phases(words: &[u8], nsc: &[Gr], halving: Halving) -> Zeroizing<Vec<Gr>> {
    match halving {
        Halving::Sums => phases_by::<true>(words, nsc),
        Halving::Differences => phases_by::<false>(words, nsc),
    }
}

fn phases_by<const SUMS: bool>(words: &[u8], nsc: &[Gr]) -> Zeroizing<Vec<Gr>> {
    let (masks, bodies) = words.split_at(PACKED_MASK_WORDS * WORD_BYTES);
    let rows = (bodies.len() / WORD_BYTES).div_ceil(TILE);
    let mut products = Zeroizing::new(vec![[Gr::ZERO; PRODUCTS]; rows]);
    let polynomials = masks.chunks_exact(PACKED_DEGREE * WORD_BYTES).zip(nsc.chunks_exact(PACKED_DEGREE));
    // the second way also goes the other way round
    if SUMS {
        polynomials.for_each(|(mask, share)| add_products::<SUMS>(mask, share, &mut products));
    } else {
        polynomials.rev().for_each(|(mask, share)| add_products::<SUMS>(mask, share, &mut products));
    }
    let mut out = Zeroizing::new(Vec::with_capacity(rows * TILE));
    for row in products.iter() {
        out.extend_from_slice(combine::<SUMS>(row).as_ref());
    }
    out.truncate(bodies.len() / WORD_BYTES);
    for (value, body) in out.iter_mut().zip(bodies.chunks_exact(WORD_BYTES)) {
        *value = Gr::scalar(word(body)) - *value;
    }
    out
}

/// Adds the tile products of one polynomial: those of row r to `products[r]`.
fn add_products<const SUMS: bool>(mask: &[u8], share: &[Gr], products: &mut [[Gr; PRODUCTS]]) {
    let tiles = tiles::<SUMS>(mask, products.len());
    let mut halves = Zeroizing::new(Halves::default());
    for column in 0..COLUMNS {
        let column = if SUMS { column } else { COLUMNS - 1 - column };
        let vector = halves.of_vector::<SUMS>(&share[column * TILE..][..TILE]);
        for (row, sums) in products.iter_mut().enumerate() {
            let tile = &tiles[row + COLUMNS - 1 - column];
            for ((sum, value), entry) in sums.iter_mut().zip(vector).zip(tile) {
                *sum += value.scale(*entry);
            }
            fault::touch(&mut sums[0]);
        }
    }
}

/// The halved tiles of one polynomial. Tile number d + 127 stands d tiles below the diagonal; public.
fn tiles<const SUMS: bool>(mask: &[u8], rows: usize) -> Vec<[u128; PRODUCTS]> {
    // c[m] is at m + 1023
    let mut diagonals = Vec::with_capacity(PACKED_DEGREE - 1 + rows * TILE);
    diagonals.extend(mask.chunks_exact(WORD_BYTES).skip(1).map(|a| word(a).wrapping_neg()));
    diagonals.extend(mask.chunks_exact(WORD_BYTES).take(rows * TILE).map(word));
    (0..COLUMNS - 1 + rows).map(|tile| halve_tile::<SUMS>(&diagonals[tile * TILE..][..DIAGONALS])).collect()
}

/// From the 15 diagonals of a tile, lowest column difference first, to the 27 factors of its products.
fn halve_tile<const SUMS: bool>(diagonals: &[u128]) -> [u128; PRODUCTS] {
    /// One Toeplitz block of size 2H to three of size H: the one on the diagonal, the changed ones above and below it.
    #[inline(always)]
    fn halve<const SUMS: bool, const H: usize>(whole: &[u128], out: &mut [u128]) {
        let side = 2 * H - 1;
        for j in 0..side {
            let (above, on, below) = (whole[j], whole[j + H], whole[j + 2 * H]);
            out[j] = on;
            out[side + j] = if SUMS { above.wrapping_sub(on) } else { above.wrapping_add(on) };
            out[2 * side + j] = if SUMS { below.wrapping_sub(on) } else { below.wrapping_add(on) };
        }
    }
    let mut fours = [0; 3 * 7];
    halve::<SUMS, 4>(diagonals, &mut fours);
    let mut twos = [0; 9 * 3];
    for (whole, halves) in fours.chunks_exact(7).zip(twos.chunks_exact_mut(9)) {
        halve::<SUMS, 2>(whole, halves);
    }
    let mut ones = [0; PRODUCTS];
    for (whole, halves) in twos.chunks_exact(3).zip(ones.chunks_exact_mut(3)) {
        halve::<SUMS, 1>(whole, halves);
    }
    ones
}

/// The halved vector of one column of tiles, level by level: kept together so that it is wiped once.
#[derive(Zeroize)]
struct Halves {
    fours: [Gr; 3 * 4],
    twos: [Gr; 9 * 2],
    ones: [Gr; PRODUCTS],
}

impl Default for Halves {
    fn default() -> Self {
        Self { fours: [Gr::ZERO; 3 * 4], twos: [Gr::ZERO; 9 * 2], ones: [Gr::ZERO; PRODUCTS] }
    }
}

impl Halves {
    /// From 8 elements of the vector to what the 27 factors multiply.
    #[inline(always)]
    fn of_vector<const SUMS: bool>(&mut self, elements: &[Gr]) -> &[Gr; PRODUCTS] {
        #[inline(always)]
        fn halve<const SUMS: bool, const H: usize>(whole: &[Gr], out: &mut [Gr]) {
            for j in 0..H {
                let (first, second) = (whole[j], whole[j + H]);
                out[j] = if SUMS { first + second } else { first - second };
                out[H + j] = second;
                out[2 * H + j] = first;
            }
        }
        halve::<SUMS, 4>(elements, &mut self.fours);
        for (whole, halves) in self.fours.chunks_exact(4).zip(self.twos.chunks_exact_mut(6)) {
            halve::<SUMS, 2>(whole, halves);
        }
        for (whole, halves) in self.twos.chunks_exact(2).zip(self.ones.chunks_exact_mut(3)) {
            halve::<SUMS, 1>(whole, halves);
        }
        &self.ones
    }
}

/// From the 27 sums of products of a row of tiles to its 8 results.
fn combine<const SUMS: bool>(products: &[Gr; PRODUCTS]) -> Zeroizing<[Gr; TILE]> {
    #[inline(always)]
    fn join<const SUMS: bool, const H: usize>(parts: &[Gr], out: &mut [Gr]) {
        for j in 0..H {
            let (on, above, below) = (parts[j], parts[H + j], parts[2 * H + j]);
            out[j] = on + above;
            out[H + j] = if SUMS { below + on } else { below - on };
        }
    }
    let mut twos = Zeroizing::new([Gr::ZERO; 9 * 2]);
    for (parts, whole) in products.chunks_exact(3).zip(twos.chunks_exact_mut(2)) {
        join::<SUMS, 1>(parts, whole);
    }
    let mut fours = Zeroizing::new([Gr::ZERO; 3 * 4]);
    for (parts, whole) in twos.chunks_exact(6).zip(fours.chunks_exact_mut(4)) {
        join::<SUMS, 2>(parts, whole);
    }
    let mut eights = Zeroizing::new([Gr::ZERO; TILE]);
    join::<SUMS, 4>(&fours[..], &mut eights[..]);
    eights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::key_share::NSC_BITS;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    /// The definition: negacyclic products, coefficient by coefficient.
    fn by_definition(words: &[u8], nsc: &[Gr]) -> Vec<Gr> {
        let words: Vec<u128> = words.chunks_exact(WORD_BYTES).map(word).collect();
        let (masks, bodies) = words.split_at(PACKED_MASK_WORDS);
        let phase = |(k, body): (usize, &u128)| {
            let terms = masks.iter().zip(0..).map(|(&a, at): (&u128, usize)| {
                // X^j · X^i = X^k where i + j = k, and −X^k where i + j = k + 1024
                let (p, j) = (at / PACKED_DEGREE, at % PACKED_DEGREE);
                match j <= k {
                    true => nsc[p * PACKED_DEGREE + k - j].scale(a),
                    false => -nsc[p * PACKED_DEGREE + PACKED_DEGREE + k - j].scale(a),
                }
            });
            terms.fold(Gr::scalar(*body), |phase, term| phase - term)
        };
        (0..).zip(bodies).map(phase).collect()
    }

    #[test]
    fn both_ways_equal_the_definition() {
        let mut rng = StdRng::seed_from_u64(1);
        let nsc: Vec<Gr> = (0..NSC_BITS).map(|_| Gr(rng.r#gen())).collect();
        for blocks in [8, 16, 32, 40, 64] {
            let words: Vec<u8> =
                (0..(PACKED_MASK_WORDS + blocks) * WORD_BYTES).map(|_| rng.r#gen()).collect();
            let want = by_definition(&words, &nsc);
            assert_eq!(*phases(&words, &nsc, Halving::Sums), want, "{blocks}");
            assert_eq!(*phases(&words, &nsc, Halving::Differences), want, "{blocks}");
        }
    }
}
