//! Against a plain model: shares dealt in the open, decrypted by every set of t + 1 parties.

use super::batch::{ShareWork, decryption_shares};
use super::fault;
use super::seal::{seal, unseal};
use super::share::{ShareKey, ShareRequest, decryption_share};
use crate::ciphertext::FheType;
use crate::errors::Code;
use crate::ring::committee::Committee;
use crate::ring::element::{GR_BYTES, Gr};
use crate::ring::key_share::{KeyShare, NS_BITS, NSC_BITS};
use crate::ring::prss::{PRSS_KEY_BYTES, PrssKeys, log_flood_bound};
use crate::ring::shamir::{dot, evaluate, lagrange};
use crate::word_format::{
    PACKED_DEGREE, PACKED_MASK_WORDS, RAW_BLOCK_BYTES, RAW_MASK_WORDS, WORD_BYTES, WordFormat,
};
use rand::{Rng, SeedableRng, rngs::StdRng};

const DELTA: u32 = 123;

struct Model {
    committee: Committee,
    ns: Vec<bool>,
    nsc: Vec<bool>,
    keys: Vec<ShareKey>,
    rng: StdRng,
}

impl Model {
    fn new(n: usize, t: usize, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let committee = Committee::new(n, t).unwrap();
        let secret: Vec<bool> = (0..NS_BITS + NSC_BITS).map(|_| rng.r#gen()).collect();
        let polynomials: Vec<Vec<Gr>> =
            secret.iter().map(|_| (0..t).map(|_| Gr(rng.r#gen())).collect()).collect();
        let subset_keys: Vec<(u16, [u8; PRSS_KEY_BYTES])> =
            committee.subsets().iter().map(|subset| (subset.0, rng.r#gen())).collect();
        let keys = committee
            .parties()
            .map(|index| {
                let bits = secret.iter().zip(&polynomials);
                let mut ns: Vec<Gr> =
                    bits.map(|(bit, rest)| evaluate(Gr::scalar((*bit).into()), rest, index)).collect();
                let nsc = ns.split_off(NS_BITS);
                let known = committee.subsets_with(index);
                let keys = known
                    .iter()
                    .map(|subset| subset_keys.iter().find(|(mask, _)| *mask == subset.0).unwrap().1);
                let prss = PrssKeys::new(committee, index, keys.collect()).unwrap();
                ShareKey::new(KeyShare::new(ns, nsc, prss).unwrap())
            })
            .collect();
        let (ns, nsc) = secret.split_at(NS_BITS);
        Self { committee, ns: ns.to_vec(), nsc: nsc.to_vec(), keys, rng }
    }

    fn random_words(&mut self, count: usize) -> Vec<u128> {
        (0..count).map(|_| self.rng.r#gen()).collect()
    }

    /// Δ·message + noise of 66 bits
    fn encode(&mut self, message: u8) -> u128 {
        let noise = u128::from(self.rng.r#gen::<u64>()).wrapping_mul(4).wrapping_sub(1 << 65);
        (u128::from(message) << DELTA).wrapping_add(noise)
    }

    /// Canonical words that encrypt the given 4-bit messages.
    fn encrypt(&mut self, messages: &[u8], format: WordFormat) -> Vec<u8> {
        let words = match format {
            WordFormat::Raw => messages.iter().flat_map(|&message| self.encrypt_raw(message)).collect(),
            WordFormat::Packed => self.encrypt_packed(messages),
        };
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    fn encrypt_raw(&mut self, message: u8) -> Vec<u128> {
        let mut words = self.random_words(RAW_MASK_WORDS);
        let products = words.iter().zip(&self.ns).map(|(a, bit)| a * u128::from(*bit));
        let product = products.fold(0, u128::wrapping_add);
        words.push(self.encode(message).wrapping_add(product));
        words
    }

    fn encrypt_packed(&mut self, messages: &[u8]) -> Vec<u128> {
        let mut words = self.random_words(PACKED_MASK_WORDS);
        let mut bodies: Vec<u128> = messages.iter().map(|&message| self.encode(message)).collect();
        for (mask, bits) in words.chunks(PACKED_DEGREE).zip(self.nsc.chunks(PACKED_DEGREE)) {
            for (i, a) in mask.iter().enumerate() {
                for j in (0..PACKED_DEGREE).filter(|&j| bits[j]) {
                    match bodies.get_mut((i + j) % PACKED_DEGREE) {
                        Some(body) if i + j < PACKED_DEGREE => *body = body.wrapping_add(*a),
                        Some(body) => *body = body.wrapping_sub(*a),
                        None => {}
                    }
                }
            }
        }
        words.extend(bodies);
        words
    }

    fn shares(&self, words: &[u8], format: WordFormat) -> Vec<Vec<Gr>> {
        self.keys.iter().map(|key| elements(&share_of(key, words, format).unwrap())).collect()
    }
}

fn share_of(key: &ShareKey, words: &[u8], format: WordFormat) -> crate::errors::Result<Vec<u8>> {
    decryption_share(key, ShareRequest { words, format, session: &[9; 32] })
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
    for (n, t) in [(4, 1), (5, 1), (7, 2)] {
        let mut model = Model::new(n, t, 1);
        let cases: [(&[u8], WordFormat); 4] = [
            (&[13], WordFormat::Raw),
            (&[0, 1, 7, 15], WordFormat::Raw),
            (&[0, 1, 7, 15, 8, 2, 3, 4], WordFormat::Packed),
            (&[9, 1, 7, 15, 8, 2, 3, 4, 0, 5, 6, 10, 11, 12, 13, 14], WordFormat::Packed),
        ];
        for (messages, format) in cases {
            let words = model.encrypt(messages, format);
            let shares = model.shares(&words, format);
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
}

#[test]
fn opened_values_are_flooded() {
    let mut model = Model::new(4, 1, 2);
    let words = model.encrypt(&[0; 32], WordFormat::Packed);
    let shares = model.shares(&words, WordFormat::Packed);
    let coefficients = lagrange(&[1, 2], 0);
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
    for (messages, format) in [(&[3u8; 2][..], WordFormat::Raw), (&[4; 8], WordFormat::Packed)] {
        let words = model.encrypt(messages, format);
        let key = &model.keys[0];
        let share = |words: &[u8], session: &[u8; 32]| {
            decryption_share(key, ShareRequest { words, format, session }).unwrap()
        };
        let first = share(&words, &[1; 32]);
        assert_eq!(first.len(), messages.len() * GR_BYTES);
        assert_eq!(first, share(&words, &[1; 32]));
        assert_ne!(first, share(&words, &[2; 32]));
        // a body changed by one, same session: were the masks equal, the shares would differ by one in coefficient 0
        let mut other = words.clone();
        let body = match format {
            WordFormat::Raw => RAW_MASK_WORDS * WORD_BYTES,
            WordFormat::Packed => PACKED_MASK_WORDS * WORD_BYTES,
        };
        other[body] ^= 1;
        let difference = elements(&share(&other, &[1; 32]))[0] - elements(&first)[0];
        assert!(difference.0[0] != 1 && difference.0[0] != u128::MAX);
    }
}

#[test]
fn only_the_exact_words_of_a_type_are_taken() {
    let model = Model::new(4, 1, 4);
    let key = &model.keys[0];
    let good: Vec<usize> = FheType::ALL
        .iter()
        .map(|fhe_type| WordFormat::of(*fhe_type).byte_length(fhe_type.packed_blocks()))
        .collect();
    for (format, other) in [(WordFormat::Raw, WordFormat::Packed), (WordFormat::Packed, WordFormat::Raw)] {
        for &length in &good {
            let words = vec![0; length];
            let readable = format.blocks(length).is_ok();
            assert_eq!(share_of(key, &words, format).is_ok(), readable);
            assert_ne!(share_of(key, &words, other).is_ok(), readable, "no length has two readings");
            for wrong in [length - 16, length - 1, length + 1, length + 16] {
                let failure = share_of(key, &vec![0; wrong], format).unwrap_err();
                assert_eq!(failure.code, Code::ShareWords, "{wrong}");
            }
        }
        assert_eq!(share_of(key, &[], format).unwrap_err().code, Code::ShareWords);
        let many = vec![0; 16 * RAW_BLOCK_BYTES];
        assert_eq!(share_of(key, &many, format).unwrap_err().code, Code::ShareWords, "wide types are packed");
    }
}

#[test]
fn a_batch_equals_its_parts() {
    let mut model = Model::new(7, 2, 6);
    let mut work = Vec::new();
    for session in 0..9u8 {
        let (messages, format) = match session % 3 {
            0 => (&[1u8, 2][..], WordFormat::Raw),
            1 => (&[3; 8][..], WordFormat::Packed),
            _ => (&[5; 64][..], WordFormat::Packed),
        };
        work.push(ShareWork { words: model.encrypt(messages, format), format, session: [session; 32] });
    }
    let key = &model.keys[3];
    let shares = decryption_shares(key, &work).unwrap();
    for (ShareWork { words, format, session }, share) in work.iter().zip(&shares) {
        let alone = decryption_share(key, ShareRequest { words, format: *format, session }).unwrap();
        assert_eq!(*share, alone);
    }
    assert_eq!(decryption_shares(key, &[]).unwrap(), Vec::<Vec<u8>>::new());
    work[4].words.pop();
    assert_eq!(decryption_shares(key, &work).unwrap_err().code, Code::ShareWords);
}

#[test]
fn a_fault_in_either_computation_is_caught() {
    let mut model = Model::new(4, 1, 7);
    for (messages, format, touched) in
        [(&[1u8, 2, 3, 4][..], WordFormat::Raw, 4), (&[5; 16][..], WordFormat::Packed, 6 * 128 * 2)]
    {
        let words = model.encrypt(messages, format);
        let key = &model.keys[0];
        let good = share_of(key, &words, format).unwrap();
        for after in [0, touched / 2, touched - 1, touched, touched + touched / 2, 2 * touched - 1] {
            for bit in [0, 64, 127] {
                fault::strike(after, 1 << bit);
                let failure = share_of(key, &words, format).unwrap_err();
                assert_eq!(failure.code, Code::ShareFault, "{format:?}, value {after}, bit {bit}");
            }
        }
        assert_eq!(share_of(key, &words, format).unwrap(), good, "and a repetition is well");
    }
}

#[test]
fn a_sealed_share_opens_only_under_its_key_and_context() {
    let model = Model::new(4, 1, 5);
    let share = model.keys[2].share();
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
