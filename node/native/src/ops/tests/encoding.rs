use super::{KEYS, decrypt, encrypt};
use crate::ciphertext::{Ciphertext, FheType, conformance};
use crate::errors::Code;
use tfhe::conformance::ParameterSetConformant;
use tfhe::integer::IntegerCiphertext;

fn code(bytes: &[u8]) -> Option<Code> {
    Ciphertext::decode(bytes).err().map(|failure| failure.code)
}

#[test]
fn every_type_has_one_length_and_round_trips() {
    for fhe_type in FheType::ALL {
        let bytes = encrypt(fhe_type, 1);
        assert_eq!(bytes.len(), 6 + fhe_type.bits().div_ceil(2) * 16_392, "{fhe_type:?}");
        assert_eq!(Ciphertext::decode(&bytes).unwrap().encode().unwrap(), bytes);
        assert_eq!(decrypt(&bytes), (fhe_type, 1));
        assert_eq!(fhe_type.packed_blocks(), fhe_type.bits().div_ceil(4));
    }
}

#[test]
fn decoded_values_pass_the_crates_own_conformance_check() {
    for fhe_type in [FheType::Bool, FheType::Uint8, FheType::Uint64] {
        match Ciphertext::decode(&encrypt(fhe_type, 1)).unwrap() {
            Ciphertext::Bool(block) => assert!(block.as_ref().is_conformant(&conformance(fhe_type))),
            Ciphertext::Uint(_, radix) => {
                assert!(radix.blocks().iter().all(|block| block.is_conformant(&conformance(fhe_type))));
            }
        }
    }
}

#[test]
fn other_bytes_are_refused() {
    let bytes = encrypt(FheType::Uint8, 1);
    for length in [0, 1, 5, 6, 7, bytes.len() - 1, bytes.len() - 16_392] {
        assert_eq!(code(&bytes[..length]), Some(Code::CiphertextMalformed), "{length}");
    }
    assert_eq!(code(&[&bytes[..], &[0]].concat()), Some(Code::CiphertextMalformed));
    for position in 0..5 {
        let mut changed = bytes.clone();
        changed[position] ^= 1;
        assert_eq!(code(&changed), Some(Code::CiphertextMalformed), "magic byte {position}");
    }
    for (other, expected) in
        [(3, Code::CiphertextMalformed), (9, Code::CiphertextType), (255, Code::CiphertextType)]
    {
        let mut changed = bytes.clone();
        changed[5] = other;
        assert_eq!(code(&changed), Some(expected), "type {other}");
    }
}

#[test]
fn flipped_words_decode_to_other_values_without_a_panic() {
    let bytes = encrypt(FheType::Uint8, 1);
    for step in 0..200 {
        let mut changed = bytes.clone();
        let bit = (step * 104_729 + 3) % (8 * bytes.len());
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(ciphertext) = Ciphertext::decode(&changed) {
            assert_eq!(ciphertext.encode().unwrap(), changed);
        }
    }
}

#[test]
fn values_with_carries_or_noise_are_not_encoded() {
    let Ciphertext::Uint(fhe_type, radix) = Ciphertext::decode(&encrypt(FheType::Uint8, 3)).unwrap() else {
        panic!("a number")
    };
    let unclean = KEYS.server.unchecked_add(&radix, &radix);
    assert_eq!(Ciphertext::Uint(fhe_type, unclean).encode().unwrap_err().code, Code::Internal);
    assert_eq!(Ciphertext::Uint(FheType::Uint16, radix).encode().unwrap_err().code, Code::Internal);
}
