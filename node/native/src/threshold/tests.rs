//! Against a plain model: shares dealt in the open, decrypted by every set of t + 1 parties.

use super::seal::{seal, unseal};
use super::share::{MAX_BLOCKS, decryption_share};
use crate::errors::Code;
use crate::ring::committee::Committee;
use crate::ring::element::{GR_BYTES, Gr};
use crate::ring::key_share::{KeyShare, NS_BITS, NSC_BITS};
use crate::ring::prss::{PRSS_KEY_BYTES, PrssKeys, log_flood_bound};
use crate::ring::shamir::{dot, evaluate, lagrange};
use crate::squash::{MASK_WORDS, PACKED_BLOCK_BYTES};
use rand::{Rng, SeedableRng, rngs::StdRng};

const DELTA: u32 = 123;

struct Model {
    committee: Committee,
    secret: Vec<bool>,
    shares: Vec<KeyShare>,
    rng: StdRng,
}

impl Model {
    fn new(n: usize, t: usize, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let committee = Committee::new(n, t).unwrap();
        let secret: Vec<bool> = (0..NS_BITS).map(|_| rng.r#gen()).collect();
        let polynomials: Vec<Vec<Gr>> =
            secret.iter().map(|_| (0..t).map(|_| Gr(rng.r#gen())).collect()).collect();
        let subset_keys: Vec<(u16, [u8; PRSS_KEY_BYTES])> =
            committee.subsets().iter().map(|subset| (subset.0, rng.r#gen())).collect();
        let shares = committee
            .parties()
            .map(|index| {
                let bits = secret.iter().zip(&polynomials);
                let ns = bits.map(|(bit, rest)| evaluate(Gr::scalar((*bit).into()), rest, index)).collect();
                let known = committee.subsets_with(index);
                let keys = known
                    .iter()
                    .map(|subset| subset_keys.iter().find(|(mask, _)| *mask == subset.0).unwrap().1);
                let prss = PrssKeys::new(committee, index, keys.collect()).unwrap();
                KeyShare::new(ns, vec![Gr::ZERO; NSC_BITS], prss).unwrap()
            })
            .collect();
        Self { committee, secret, shares, rng }
    }

    /// Canonical words that encrypt the given 4-bit messages with noise of 66 bits.
    fn encrypt(&mut self, messages: &[u8]) -> Vec<u8> {
        let mut words = Vec::with_capacity(messages.len() * PACKED_BLOCK_BYTES);
        for message in messages {
            let noise = u128::from(self.rng.r#gen::<u64>()).wrapping_mul(4).wrapping_sub(1 << 65);
            let mut body = (u128::from(*message) << DELTA).wrapping_add(noise);
            for bit in &self.secret {
                let mask: u128 = self.rng.r#gen();
                words.extend_from_slice(&mask.to_le_bytes());
                body = body.wrapping_add(mask * u128::from(*bit));
            }
            words.extend_from_slice(&body.to_le_bytes());
        }
        words
    }
}

fn elements(share: &[u8]) -> Vec<Gr> {
    share.chunks_exact(GR_BYTES).map(|bytes| Gr::from_bytes(bytes.try_into().unwrap())).collect()
}

fn message_of(value: Gr) -> u8 {
    assert_eq!(value.0[1..], [0, 0, 0], "an opened value is a scalar");
    u8::try_from(value.0[0].wrapping_add(1 << (DELTA - 1)) >> DELTA).unwrap()
}

#[test]
fn every_set_of_t_plus_1_parties_decrypts() {
    for (n, t) in [(4, 1), (7, 2)] {
        let mut model = Model::new(n, t, 1);
        let messages = [0, 1, 7, 15];
        let words = model.encrypt(&messages);
        let shares: Vec<Vec<Gr>> = model
            .shares
            .iter()
            .map(|key| elements(&decryption_share(key, &words, &[9; 32]).unwrap()))
            .collect();
        for mask in (0u32..1 << n).filter(|mask| mask.count_ones() as usize == t + 1) {
            let parties: Vec<usize> = (1..=n).filter(|index| mask >> (index - 1) & 1 == 1).collect();
            let coefficients = lagrange(&parties, 0);
            for (block, message) in messages.iter().enumerate() {
                let points: Vec<Gr> = parties.iter().map(|index| shares[index - 1][block]).collect();
                assert_eq!(message_of(dot(&coefficients, &points)), *message, "{parties:?}");
            }
        }
    }
}

#[test]
fn opened_values_are_flooded() {
    let mut model = Model::new(4, 1, 2);
    let words = model.encrypt(&[0; 32]);
    let parties = [1, 2];
    let shares: Vec<Vec<Gr>> = parties
        .iter()
        .map(|i| elements(&decryption_share(&model.shares[i - 1], &words, &[9; 32]).unwrap()))
        .collect();
    let coefficients = lagrange(&parties, 0);
    let noise = |block: usize| {
        dot(&coefficients, &[shares[0][block], shares[1][block]]).0[0].cast_signed().unsigned_abs()
    };
    let widest = (0..32).map(noise).max().unwrap();
    // sums of 2·C(n,t) values below B: the widest of 32 is far above the ciphertext's own 66 bits
    assert!(widest > 1 << (log_flood_bound(model.committee) - 1));
    assert!(widest < 1 << 122);
}

#[test]
fn equal_words_and_sessions_give_equal_bytes_and_others_other_masks() {
    let mut model = Model::new(4, 1, 3);
    let words = model.encrypt(&[3, 4]);
    let key = &model.shares[0];
    let share = decryption_share(key, &words, &[1; 32]).unwrap();
    assert_eq!(share.len(), 2 * GR_BYTES);
    assert_eq!(share, decryption_share(key, &words, &[1; 32]).unwrap());
    assert_ne!(share, decryption_share(key, &words, &[2; 32]).unwrap());
    // a body changed by one, same session: were the masks equal, the shares would differ by one in coefficient 0
    let mut other = words.clone();
    other[MASK_WORDS * 16] ^= 1;
    let difference = elements(&decryption_share(key, &other, &[1; 32]).unwrap())[0] - elements(&share)[0];
    assert!(difference.0[0] != 1 && difference.0[0] != u128::MAX);
}

#[test]
fn only_whole_blocks_up_to_the_widest_type_are_taken() {
    let model = Model::new(4, 1, 4);
    let key = &model.shares[0];
    let whole = PACKED_BLOCK_BYTES;
    for length in [0, 1, whole - 1, whole + 1, whole - 16, (MAX_BLOCKS + 1) * whole] {
        let failure = decryption_share(key, &vec![0; length], &[1; 32]).unwrap_err();
        assert_eq!(failure.code, Code::ShareWords, "{length}");
    }
    assert!(decryption_share(key, &vec![0; MAX_BLOCKS * whole], &[1; 32]).is_ok());
}

#[test]
fn a_sealed_share_opens_only_under_its_key_and_context() {
    let model = Model::new(4, 1, 5);
    let share = &model.shares[2];
    let sealed = seal(share, &[7; 32], b"context").unwrap();
    let opened = unseal(&sealed, &[7; 32], b"context").unwrap();
    assert_eq!(opened.encode(), share.encode());
    assert_ne!(sealed, seal(share, &[7; 32], b"context").unwrap(), "fresh nonce");
    let code =
        |sealed: &[u8], key: &[u8; 32], context: &[u8]| unseal(sealed, key, context).err().map(|f| f.code);
    assert_eq!(code(&sealed, &[8; 32], b"context"), Some(Code::ShareSealed));
    assert_eq!(code(&sealed, &[7; 32], b"contexu"), Some(Code::ShareSealed));
    for length in [0, 4, 5, 28, 44, sealed.len() - 1] {
        assert_eq!(code(&sealed[..length], &[7; 32], b"context"), Some(Code::ShareSealed), "{length}");
    }
    for position in [0, 4, 5, 28, 29, 1000, sealed.len() - 1] {
        let mut changed = sealed.clone();
        changed[position] ^= 1;
        assert_eq!(code(&changed, &[7; 32], b"context"), Some(Code::ShareSealed), "{position}");
    }
}
