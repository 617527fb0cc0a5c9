//! Pseudo-random streams with random access: AES-256-CTR under a key derived by HKDF-SHA256.
//!
//! A key is derived for one purpose only (`derive_key`), and inside one stream every block index is used for one value
//! only, so no block is ever read twice for two purposes (`ledger` holds key generation to this in tests).
use aes::Aes256;
use aes::cipher::consts::U16;
use aes::cipher::inout::InOutBuf;
use aes::cipher::{BlockEncrypt, BlockSizeUser, KeyInit};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

#[cfg(test)]
pub mod ledger;

/// Bytes of one block.
pub const BLOCK: usize = 16;
/// Blocks encrypted in one call of the cipher.
const BATCH: usize = 64;

/// HKDF-SHA256 without salt, 32 bytes. `info` is the concatenation of its parts: callers use fixed-length fields or
/// a fixed tag at the front.
pub fn derive_key(secret: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    // Expanding 32 bytes cannot fail: the limit of HKDF-SHA256 is 8160 bytes.
    Hkdf::<Sha256>::new(None, secret)
        .expand_multi_info(info, key.as_mut())
        .expect("32 bytes are within the limit of HKDF");
    key
}

/// Fills `out` with the encryptions of the blocks that `next` counts, the last one cut to what is left. Nothing of them
/// stays elsewhere.
pub fn counter_mode<C>(cipher: &C, out: &mut [u8], mut next: impl FnMut() -> [u8; BLOCK])
where
    C: BlockEncrypt + BlockSizeUser<BlockSize = U16>,
{
    let (whole, rest) = out.split_at_mut(out.len() - out.len() % BLOCK);
    for batch in whole.chunks_mut(BATCH * BLOCK) {
        batch.as_chunks_mut::<BLOCK>().0.iter_mut().for_each(|block| *block = next());
        cipher.encrypt_blocks_inout(InOutBuf::from(batch).into_chunks().0);
    }
    if !rest.is_empty() {
        let mut last = aes::Block::from(next());
        cipher.encrypt_block(&mut last);
        rest.copy_from_slice(&last[..rest.len()]);
        last.as_mut_slice().zeroize();
    }
}

/// AES-256 in counter mode with a zero initial value: block `i` is AES(i), the counter in big-endian order.
#[derive(Clone)]
pub struct SecretStream {
    cipher: Aes256,
    #[cfg(test)]
    account: Option<ledger::Account>,
}

impl SecretStream {
    pub fn new(key: &[u8; 32]) -> SecretStream {
        SecretStream {
            cipher: Aes256::new(key.into()),
            #[cfg(test)]
            account: ledger::account(key),
        }
    }

    /// Fills `out` with the stream from block `first` on.
    pub fn fill(&self, first: u128, out: &mut [u8]) {
        #[cfg(test)]
        ledger::enter(&self.account, first * BLOCK as u128, out.len());
        self.generate(first, out);
    }

    /// Fills `out` with the stream from byte `start` on.
    pub fn read(&self, start: u128, out: &mut [u8]) {
        #[cfg(test)]
        ledger::enter(&self.account, start, out.len());
        let skip = (start % BLOCK as u128) as usize;
        let (head, rest) = out.split_at_mut(out.len().min((BLOCK - skip) % BLOCK));
        if !head.is_empty() {
            let mut block = [0; BLOCK];
            self.generate(start / BLOCK as u128, &mut block);
            head.copy_from_slice(&block[skip..skip + head.len()]);
            block.zeroize();
        }
        self.generate(start.div_ceil(BLOCK as u128), rest);
    }

    fn generate(&self, first: u128, out: &mut [u8]) {
        let mut counter = first;
        counter_mode(&self.cipher, out, || {
            let block = counter.to_be_bytes();
            counter = counter.wrapping_add(1);
            block
        });
    }

    /// Block `index` as a little-endian integer.
    pub fn word(&self, index: u128) -> u128 {
        let mut bytes = [0; BLOCK];
        self.fill(index, &mut bytes);
        u128::from_le_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_access_equals_one_long_read() {
        let stream = SecretStream::new(&[7; 32]);
        let mut whole = [0; 4000];
        stream.fill(5, &mut whole);
        for block in [0usize, 1, 63, 64, 65, 200] {
            let mut part = [0; 40];
            stream.fill(5 + block as u128, &mut part);
            assert_eq!(part, whole[block * BLOCK..block * BLOCK + 40]);
        }
    }

    #[test]
    fn bytes_are_the_same_wherever_a_read_starts_and_ends() {
        let stream = SecretStream::new(&[7; 32]);
        let mut whole = [0; 100];
        stream.fill(2, &mut whole);
        for (start, end) in [(0, 0), (0, 8), (8, 16), (3, 9), (8, 24), (15, 17), (16, 48), (5, 100)] {
            let mut part = vec![0; end - start];
            stream.read(32 + start as u128, &mut part);
            assert_eq!(part, whole[start..end], "{start}..{end}");
        }
    }

    #[test]
    fn derived_keys_depend_on_secret_and_every_part() {
        let base = derive_key(b"secret", &[b"a", b"b"]);
        assert_ne!(base, derive_key(b"secreT", &[b"a", b"b"]));
        assert_ne!(base, derive_key(b"secret", &[b"a", b"c"]));
        assert_eq!(base, derive_key(b"secret", &[b"ab"]));
    }
}
