//! The production parameters.

use super::{context, tripled};
use crate::crs::assemble::{CRS_BYTES, assemble, read_crs, serialise};
use crate::crs::codec::{encode_g1, encode_g2};
use crate::crs::error::CrsError;
use crate::crs::message::HEADER_BYTES;
use crate::crs::parameters::CrsParameters;
use crate::crs::update::{start_state, update};
use crate::crs::verify::{CheckedState, check_state, verify};
use crate::params::META;
use std::time::Instant;
use tfhe::core_crypto::prelude::LweCiphertextCount;
use tfhe::safe_serialization::{safe_deserialize_conformant, safe_serialize};
use tfhe::zk::{CompactPkeCrs, ZkComputeLoad, new_compact_pke_crs_conformance_params};
use tfhe::{ClientKey, CompactCiphertextList, CompactPublicKey, Config, ProvenCompactCiphertextList};
use tfhe_zk_pok::curve_api::CurveGroupOps;
use tfhe_zk_pok::curve_api::bls12_446::G1;

#[test]
fn sizes_are_those_of_the_design() {
    let parameters = CrsParameters::production();
    assert_eq!((parameters.d, parameters.k, parameters.n), (2048, 512, 7936));
    assert_eq!((parameters.noise_bound, parameters.q, parameters.t), (131_072, 0, 32));
    assert_eq!(parameters.bound_squared, 225_369_684_739_368_960);
    assert_eq!(parameters.state_bytes(), 3_555_328);
    assert_eq!(HEADER_BYTES + parameters.state_bytes(), 3_555_560);
}

/// Why the digest must be compared before a proof is made.
#[test]
#[ignore = "half a minute: one full update, the crate's check of every point"]
fn the_crate_takes_a_malformed_string_that_every_party_refuses() {
    let parameters = CrsParameters::production();
    let place = context(1, 1);
    let start = start_state(&parameters);
    let message = update(&parameters, &start, &place).unwrap();
    let CheckedState { mut g, h } = check_state(&parameters, &message[HEADER_BYTES..]).unwrap();
    let last = g.len() - 1;
    g[last] = tripled(G1::projective(g[last])).normalize();
    let encoded = g.iter().flat_map(encode_g1).chain(h.iter().flat_map(encode_g2)).collect::<Vec<_>>();
    assert_eq!(check_state(&parameters, &encoded).err(), Some(CrsError::Powers));
    let bytes = serialise(&parameters, CheckedState { g, h }, &[7; 32]).unwrap();
    let CompactPkeCrs::PkeV2(crs) = read_crs(&bytes).unwrap() else { panic!("another scheme") };
    assert!(crs.is_usable());
}

/// These include the curve and subgroup of every point.
fn passes_the_crates_checks(bytes: &[u8]) -> bool {
    let key = META.dedicated_compact_public_key_parameters.unwrap().pke_params;
    let messages = LweCiphertextCount(CrsParameters::production().k);
    let conformance = new_compact_pke_crs_conformance_params(key, messages).unwrap();
    safe_deserialize_conformant::<CompactPkeCrs>(bytes, CRS_BYTES as u64, &conformance).is_ok()
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
    assert!(passes_the_crates_checks(&bytes));
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
