//! The whole path under one full key made in the clear: file, inputs, operations, squashing. Minutes; run with
//! `--ignored --nocapture` to see the times.

use crate::ciphertext::FheType;
use crate::crs::assemble::CRS_BYTES;
use crate::errors::{Code, Failure};
use crate::ops::inputs::{LIST_LIMIT, ProofContext};
use crate::ops::server_key::ServerKey;
use crate::ops::tests::{request, with_scalar};
use crate::params::META;
use crate::squash::squash;
use crate::word_format::{
    PACKED_DEGREE, PACKED_MASK_WORDS, RAW_BLOCK_BYTES, RAW_MASK_WORDS, WORD_BYTES, WordFormat, word,
};
use sha2::{Digest, Sha256};
use std::time::Instant;
use tfhe::safe_serialization::safe_serialize;
use tfhe::zk::{CompactPkeCrs, ZkComputeLoad};
use tfhe::{ClientKey, CompactCiphertextList, CompactPublicKey, CompressedServerKey, Config};

pub fn timed<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let clock = Instant::now();
    let result = work();
    println!("{name}: {:?}", clock.elapsed());
    result
}

/// The value of a squashed ciphertext from the phases of its blocks.
fn value(phases: impl DoubleEndedIterator<Item = u128>) -> u128 {
    phases.rev().fold(0, |value, phase| value << 4 | phase.wrapping_add(1 << 122) >> 123)
}

/// Opens raw words under the noise-squashing key, without any sharing.
pub fn open(ns: &[u128], words: &[u8]) -> u128 {
    value(words.chunks_exact(RAW_BLOCK_BYTES).map(|block| {
        let (mask, body) = block.split_at(RAW_MASK_WORDS * WORD_BYTES);
        let products = mask.chunks_exact(WORD_BYTES).zip(ns).map(|(a, s)| word(a).wrapping_mul(*s));
        products.fold(word(body), u128::wrapping_sub)
    }))
}

/// Opens packed words under the key of compressed squashed ciphertexts: coefficients of B − Σ A_p·S_p.
pub fn open_packed(nsc: &[u128], words: &[u8]) -> u128 {
    let (mask, bodies) = words.split_at(PACKED_MASK_WORDS * WORD_BYTES);
    let mask: Vec<u128> = mask.chunks_exact(WORD_BYTES).map(word).collect();
    let phase = |(k, body): (usize, &[u8])| {
        mask.iter().enumerate().fold(word(body), |phase, (at, a)| {
            let (first, j) = (at - at % PACKED_DEGREE, at % PACKED_DEGREE);
            let product = a.wrapping_mul(nsc[first + (PACKED_DEGREE + k - j) % PACKED_DEGREE]);
            if j <= k { phase.wrapping_sub(product) } else { phase.wrapping_add(product) }
        })
    };
    value(bodies.chunks_exact(WORD_BYTES).enumerate().map(phase))
}

fn code<T>(result: Result<T, Failure>) -> Option<Code> {
    result.err().map(|failure| failure.code)
}

#[test]
#[ignore = "minutes: makes a full server key and the crate's own CRS"]
fn inputs_operations_and_squashing_under_a_full_key() {
    let client = ClientKey::generate(Config::from(META));
    let (_, _, _, squashing, packing, ..) = client.clone().into_raw_parts();
    let squashing = squashing.unwrap();
    let secret = squashing.into_raw_parts();
    let secret: Vec<u128> = secret.post_noise_squashing_lwe_secret_key().as_ref().to_vec();
    let packed_secret = packing.unwrap().into_raw_parts();
    let packed_secret: Vec<u128> = packed_secret.post_packing_ks_key().as_ref().to_vec();
    let folder = std::env::temp_dir().join(format!("twinlock-full-key-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("server-key");
    let compressed = timed("server key in the clear", || CompressedServerKey::new(&client));
    safe_serialize(&compressed, std::fs::File::create(&path).unwrap(), 1 << 30).unwrap();
    drop(compressed);
    assert_eq!(code(ServerKey::load(&path, &[0; 32])), Some(Code::ServerKey), "another digest");
    let load = || ServerKey::load(&path, &Sha256::digest(std::fs::read(&path).unwrap()).into());
    let key = timed("load", load).unwrap();
    let file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    std::io::Write::write_all(&mut &file, &[0]).unwrap();
    assert_eq!(code(load()), Some(Code::ServerKey), "trailing byte");
    let length = file.metadata().unwrap().len();
    file.set_len(length - 1000).unwrap();
    assert_eq!(code(load()), Some(Code::ServerKey), "cut short");
    std::fs::remove_dir_all(&folder).unwrap();

    let public_key_object = CompactPublicKey::new(&client);
    let mut public_key = Vec::new();
    safe_serialize(&public_key_object, &mut public_key, 1 << 20).unwrap();
    let crs_object =
        timed("CRS in the clear", || CompactPkeCrs::from_config(Config::from(META), 2048)).unwrap();
    let mut crs = Vec::new();
    safe_serialize(&crs_object, &mut crs, CRS_BYTES as u64).unwrap();
    let list = |load: ZkComputeLoad| {
        let list = CompactCiphertextList::builder(&public_key_object)
            .push(true)
            .push(200u8)
            .push(0x0123_4567_89ab_cdefu64)
            .build_with_proof_packed(&crs_object, b"meta", load)
            .unwrap();
        let mut bytes = Vec::new();
        safe_serialize(&list, &mut bytes, 1 << 20).unwrap();
        bytes
    };
    let honest = list(ZkComputeLoad::Proof);
    let context = timed("read public key and CRS", || ProofContext::new(&public_key, &crs, b"meta")).unwrap();
    let types = timed("verify", || context.verify(&honest)).unwrap();
    assert_eq!(types, [FheType::Bool, FheType::Uint8, FheType::Uint64]);
    let other = ProofContext::new(&public_key, &crs, b"beta").unwrap();
    assert_eq!(code(other.verify(&honest)), Some(Code::InputProof));
    assert_eq!(code(other.expand(&key, &honest)), Some(Code::InputProof));
    assert_eq!(
        code(context.verify(&list(ZkComputeLoad::Verify))),
        Some(Code::InputList),
        "expensive to verify"
    );
    assert_eq!(code(context.verify(&vec![0; LIST_LIMIT + 1])), Some(Code::InputList));
    assert_eq!(code(context.verify(&[&honest[..], &[0]].concat())), Some(Code::InputList));
    for step in 0..60 {
        let mut changed = honest.clone();
        let bit = (step * 50_021 + 7) % (8 * changed.len());
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(context.verify(&changed).is_err(), "bit {bit}");
        assert!(context.verify(&honest[..step * honest.len() / 60]).is_err(), "cut to {step} of 60");
    }
    for length in [0, 100, public_key.len() - 1] {
        assert_eq!(code(ProofContext::new(&public_key[..length], &crs, b"")), Some(Code::PublicKey));
    }

    let values = timed("verify and expand", || context.expand(&key, &honest)).unwrap();
    let values: Vec<Vec<u8>> = values.iter().map(|value| value.encode().unwrap()).collect();
    let sum = timed("add u64", || key.compute(&with_scalar("add", &values[2], 1))).unwrap();
    let twice = timed("add u64 encrypted", || key.compute(&request("add", &[&values[2], &sum]))).unwrap();
    let greater = timed("gt u64", || key.compute(&request("gt", &[&sum, &values[2]]))).unwrap();
    let byte = timed("add u8", || key.compute(&request("add", &[&values[1], &values[1]]))).unwrap();
    let words = timed("squash u64", || squash(&key, &twice, FheType::Uint64)).unwrap();
    assert_eq!(words.len(), WordFormat::Packed.byte_length(16));
    assert_eq!(open_packed(&packed_secret, &words), 2 * 0x0123_4567_89ab_cdef + 1);
    assert_eq!(words, squash(&key, &twice, FheType::Uint64).unwrap());
    assert_eq!(open(&secret, &timed("squash bool", || squash(&key, &greater, FheType::Bool)).unwrap()), 1);
    assert_eq!(open(&secret, &squash(&key, &values[0], FheType::Bool).unwrap()), 1);
    assert_eq!(
        open(&secret, &timed("squash u8", || squash(&key, &byte, FheType::Uint8)).unwrap()),
        400 - 256
    );
    assert_eq!(code(squash(&key, &byte, FheType::Uint16)), Some(Code::CiphertextType));

    let context = ProofContext::new(&public_key, &crs, b"self-test").unwrap();
    let own = context.encrypt(&[3, 4]).unwrap();
    assert_eq!(context.verify(&own).unwrap(), [FheType::Uint8; 2]);
}
