//! The production parameters.

use super::context;
use crate::crs::assemble::{CRS_BYTES, assemble, read_crs};
use crate::crs::error::CrsError;
use crate::crs::message::HEADER_BYTES;
use crate::crs::parameters::CrsParameters;
use crate::crs::update::{start_state, update};
use crate::crs::verify::verify;
use crate::params::META;
use std::time::Instant;
use tfhe::safe_serialization::safe_serialize;
use tfhe::zk::{CompactPkeCrs, ZkComputeLoad};
use tfhe::{ClientKey, CompactCiphertextList, CompactPublicKey, Config, ProvenCompactCiphertextList};

#[test]
fn sizes_are_those_of_the_design() {
    let parameters = CrsParameters::production();
    assert_eq!((parameters.d, parameters.k, parameters.n), (2048, 512, 7936));
    assert_eq!((parameters.noise_bound, parameters.q, parameters.t), (131_072, 0, 32));
    assert_eq!(parameters.bound_squared, 225_369_684_739_368_960);
    assert_eq!(parameters.state_bytes(), 3_555_328);
    assert_eq!(HEADER_BYTES + parameters.state_bytes(), 3_555_560);
}

#[test]
#[ignore = "about a minute: two full updates, the crate's own generator, proofs"]
fn a_full_ceremony_gives_a_usable_string() {
    let parameters = CrsParameters::production();
    let mut state = start_state(&parameters);
    for round in 1..=2 {
        let place = context(round, round);
        let clock = Instant::now();
        let message = update(&parameters, &state, &place).unwrap();
        let updated = clock.elapsed();
        let clock = Instant::now();
        state = verify(&parameters, &state, &message, &place).unwrap();
        println!("update {updated:?}, verify {:?}", clock.elapsed());
        let mut bad = message;
        let last = bad.len() - 1;
        bad[last] ^= 1;
        assert_eq!(verify(&parameters, &state, &bad, &place), Err(CrsError::Previous));
    }
    let clock = Instant::now();
    let bytes = assemble(&parameters, &state, &[7; 32]).unwrap();
    println!("assemble {:?}", clock.elapsed());
    assert_eq!(bytes.len(), CRS_BYTES);
    assert_eq!(bytes, assemble(&parameters, &state, &[7; 32]).unwrap());
    assert_ne!(bytes, assemble(&parameters, &state, &[8; 32]).unwrap());
    assert_eq!(read_crs(&bytes[..bytes.len() - 1]).err(), Some(CrsError::Length));
    assert_eq!(read_crs(&[&bytes[..], &[0]].concat()).err(), Some(CrsError::Length));
    assert_eq!(read_crs(&vec![0; bytes.len()]).err(), Some(CrsError::Unusable));

    let client = ClientKey::generate(Config::from(META));
    let public = CompactPublicKey::new(&client);
    let crs = read_crs(&bytes).unwrap();
    let list: ProvenCompactCiphertextList = CompactCiphertextList::builder(&public)
        .push(true)
        .push(201u8)
        .push(0x0123_4567_89ab_cdefu64)
        .build_with_proof_packed(&crs, b"meta", ZkComputeLoad::Proof)
        .unwrap();
    assert_eq!(list.len(), 3);
    assert!(list.verify(&crs, &public, b"meta").is_valid());
    assert!(!list.verify(&crs, &public, b"beta").is_valid());
    let other = CompactPkeCrs::from_config(Config::from(META), 2048).unwrap();
    let mut other_bytes = Vec::new();
    safe_serialize(&other, &mut other_bytes, CRS_BYTES as u64).unwrap();
    assert_eq!(other_bytes.len(), CRS_BYTES);
    assert!(!list.verify(&other, &public, b"meta").is_valid());
}
