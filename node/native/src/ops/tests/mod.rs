//! Operations against plain integers under a small key: the computation part of the parameter set only, a second to
//! make. Proven inputs and noise squashing need the full key and are tested from JavaScript on a dealt one.

mod determinism;
mod encoding;
pub mod full_key;
mod results;
mod self_test;
mod typing;

use crate::ciphertext::{Ciphertext, FheType};
use crate::ops::evaluate::evaluate;
use crate::ops::operation::{Operation, Request};
use crate::params::META;
use std::sync::LazyLock;
use tfhe::integer::{BooleanBlock, ClientKey, ServerKey, U256};
use tfhe::shortint::AtomicPatternParameters;
use tfhe::shortint::ShortintParameterSet;

pub struct Keys {
    pub client: ClientKey,
    pub server: ServerKey,
}

pub static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let AtomicPatternParameters::Standard(parameters) = META.compute_parameters else {
        panic!("standard atomic pattern")
    };
    let client = ClientKey::new(ShortintParameterSet::from(parameters));
    Keys { server: ServerKey::new_radix_server_key(&client), client }
});

pub fn number(value: u128) -> U256 {
    U256::from((value, 0))
}

/// Big-endian word of a small number.
pub fn word(value: u128) -> Vec<u8> {
    [&[0; 16][..], &value.to_be_bytes()].concat()
}

pub fn encrypt(fhe_type: FheType, value: u128) -> Vec<u8> {
    let ciphertext = match fhe_type {
        FheType::Bool => Ciphertext::Bool(KEYS.client.encrypt_bool(value != 0)),
        _ => Ciphertext::Uint(fhe_type, KEYS.client.encrypt_radix(number(value), fhe_type.blocks())),
    };
    ciphertext.encode().unwrap()
}

pub fn decrypt(bytes: &[u8]) -> (FheType, u128) {
    match Ciphertext::decode(bytes).unwrap() {
        Ciphertext::Bool(block) => (FheType::Bool, decrypt_bool(&block).into()),
        Ciphertext::Uint(fhe_type, radix) => {
            let value: U256 = KEYS.client.decrypt_radix(&radix);
            let (low, high) = value.to_low_high_u128();
            assert_eq!(high, 0);
            (fhe_type, low)
        }
    }
}

fn decrypt_bool(block: &BooleanBlock) -> bool {
    KEYS.client.decrypt_bool(block)
}

/// The encoded result, as executors store it.
pub fn compute(request: Request) -> Vec<u8> {
    let operation = Operation::parse(&request).unwrap();
    evaluate(&KEYS.server, &operation).unwrap().encode().unwrap()
}

pub fn request(operator: &str, operands: &[&[u8]]) -> Request {
    Request {
        operator: operator.into(),
        operands: operands.iter().map(|bytes| bytes.to_vec()).collect(),
        ..Request::default()
    }
}

pub fn with_scalar(operator: &str, operand: &[u8], scalar: u128) -> Request {
    Request { scalar: Some(word(scalar)), ..request(operator, &[operand]) }
}
