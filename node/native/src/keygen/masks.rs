//! The public masks of a key: one AES-128-CTR stream from the ceremony's seed, as tfhe-csprng makes it (docs/keygen.md §1).
//!
//! All parts read disjoint ranges of this one stream, in the order of `CompressedXofKeySet`. Everything here is public.
use crate::stream::{BLOCK, counter_mode};
use aes::Aes128;
use aes::cipher::{BlockEncrypt, KeyInit};
use tfhe::XofSeed;
use tfhe::core_crypto::commons::math::random::CompressionSeed;
use tfhe_csprng::generators::aes_ctr::{AesCtrParams, TableIndex};
use tfhe_csprng::seeders::SeedKind;

/// Bytes of the ceremony's public seed.
pub const PUBLIC_SEED_BYTES: usize = 32;
const DOMAIN_SEPARATOR: [u8; 8] = *b"TFHE_GEN";

/// The seed in tfhe's form.
pub(super) fn xof_seed(public_seed: &[u8; PUBLIC_SEED_BYTES]) -> XofSeed {
    XofSeed::new(public_seed.to_vec(), DOMAIN_SEPARATOR)
}

/// What a seeded tfhe entity stores so that it expands to the masks from byte `offset` on.
pub fn compression_seed(public_seed: &[u8; PUBLIC_SEED_BYTES], offset: u64) -> CompressionSeed {
    let mut parameters = AesCtrParams::from(xof_seed(public_seed));
    parameters.first_index = parameters.first_index.increased(offset.into());
    parameters.into()
}

/// Random access to the masks.
#[derive(Clone)]
pub struct MaskStream {
    cipher: Aes128,
    first: u128,
}

impl MaskStream {
    pub fn new(public_seed: &[u8; PUBLIC_SEED_BYTES]) -> MaskStream {
        MaskStream::of_xof(&xof_seed(public_seed))
    }

    /// What tfhe expands from `seed`, from its first mask on. None where that begins inside a block of the cipher.
    pub fn of(seed: &CompressionSeed) -> Option<MaskStream> {
        let AesCtrParams { seed, first_index } = &seed.inner;
        let stream = match seed {
            SeedKind::Ctr(key) => MaskStream { cipher: Aes128::new(&key.0.to_le_bytes().into()), first: 0 },
            SeedKind::Xof(seed) => MaskStream::of_xof(seed),
        };
        let skipped = TableIndex::distance(first_index, &TableIndex::FIRST)?.0;
        let first = stream.first.wrapping_add(skipped / BLOCK as u128);
        skipped.is_multiple_of(BLOCK as u128).then_some(MaskStream { first, ..stream })
    }

    /// Key and first counter are the last two blocks of a CBC chain under the zero key over separator ‖ seed ‖ bit length.
    fn of_xof(seed: &XofSeed) -> MaskStream {
        let zero_key = Aes128::new(&[0; BLOCK].into());
        let mut words: Vec<u128> = seed
            .bytes()
            .chunks(BLOCK)
            .map(|chunk| {
                let mut word = [0; BLOCK];
                word[..chunk.len()].copy_from_slice(chunk);
                u128::from_le_bytes(word)
            })
            .collect();
        words.push(seed.bit_len());
        let (mut previous, mut current) = (0u128, 0u128);
        for word in words {
            previous = current;
            let mut block = (previous ^ word).to_le_bytes().into();
            zero_key.encrypt_block(&mut block);
            current = u128::from_le_bytes(block.into());
        }
        MaskStream { cipher: Aes128::new(&current.to_le_bytes().into()), first: previous }
    }

    /// Fills `out` with the mask bytes from `offset` on, a multiple of 16.
    pub fn fill(&self, offset: u64, out: &mut [u8]) {
        debug_assert_eq!(offset % BLOCK as u64, 0);
        let mut counter = self.first.wrapping_add(u128::from(offset) / BLOCK as u128);
        counter_mode(&self.cipher, out, || {
            let block = counter.to_le_bytes();
            counter = counter.wrapping_add(1);
            block
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::{PartId, mask_offset};
    use super::*;
    use tfhe::core_crypto::commons::math::random::RandomGenerator;
    use tfhe::core_crypto::prelude::DefaultRandomGenerator;

    #[test]
    fn masks_equal_tfhes_expansion_at_every_offset() {
        let seed = [42; PUBLIC_SEED_BYTES];
        let stream = MaskStream::new(&seed);
        for offset in [0u64, 16, 16_384, 1_611_169_792 - 16_384] {
            let mut generator =
                RandomGenerator::<DefaultRandomGenerator>::new(compression_seed(&seed, offset));
            let mut words = vec![0u64; 1000];
            generator.fill_slice_with_random_uniform(&mut words);
            let mut bytes = vec![0; 8000];
            stream.fill(offset, &mut bytes);
            let want: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            assert_eq!(bytes, want, "offset {offset}");
        }
    }

    /// From the first row of each part, and across its end into what follows.
    #[test]
    fn masks_of_every_part_equal_tfhes_at_its_place() {
        let seed = [43; PUBLIC_SEED_BYTES];
        let stream = MaskStream::new(&seed);
        for id in PartId::ALL {
            let part = id.part();
            let end = mask_offset(id) + (part.rows() * part.mask_bytes_per_row()) as u64;
            for offset in [mask_offset(id), end - 800] {
                let mut generator =
                    RandomGenerator::<DefaultRandomGenerator>::new(compression_seed(&seed, offset));
                let mut words = vec![0u128; 100];
                generator.fill_slice_with_random_uniform(&mut words);
                let mut bytes = vec![0; 1600];
                stream.fill(offset, &mut bytes);
                let want: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
                assert_eq!(bytes, want, "{} at {offset}", part.name);
            }
        }
    }

    #[test]
    fn wide_words_use_the_same_bytes() {
        let seed = [1; PUBLIC_SEED_BYTES];
        let mut generator = RandomGenerator::<DefaultRandomGenerator>::new(compression_seed(&seed, 160));
        let mut words = vec![0u128; 100];
        generator.fill_slice_with_random_uniform(&mut words);
        let mut bytes = vec![0; 1600];
        MaskStream::new(&seed).fill(160, &mut bytes);
        let want: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(bytes, want);
    }
}
