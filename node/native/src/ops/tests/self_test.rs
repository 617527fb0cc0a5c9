//! The self-test sees a wrong part, whichever it is. Minutes: two full keys and the crate's own CRS.

use super::full_key::{open, open_packed, timed};
use crate::crs::assemble::CRS_BYTES;
use crate::errors::Result;
use crate::ops::inputs::ProofContext;
use crate::ops::self_test::{RareParts, evaluate};
use crate::ops::server_key::ServerKey;
use crate::params::META;
use crate::word_format::WordFormat;
use tfhe::safe_serialization::safe_serialize;
use tfhe::zk::CompactPkeCrs;
use tfhe::{ClientKey, CompactPublicKey, CompressedServerKey, Config};

const METADATA: &[u8] = b"self-test";

/// A key in the clear.
struct Made {
    compressed: CompressedServerKey,
    public_key: Vec<u8>,
    secrets: [Vec<u128>; 2],
}

fn make() -> Made {
    let client = ClientKey::generate(Config::from(META));
    let (_, _, _, squashing, packing, ..) = client.clone().into_raw_parts();
    let squashing = squashing.unwrap().into_raw_parts();
    let packing = packing.unwrap().into_raw_parts();
    let mut public_key = Vec::new();
    safe_serialize(&CompactPublicKey::new(&client), &mut public_key, 1 << 20).unwrap();
    Made {
        compressed: timed("server key", || CompressedServerKey::new(&client)),
        public_key,
        secrets: [
            squashing.post_noise_squashing_lwe_secret_key().as_ref().to_vec(),
            packing.post_packing_ks_key().as_ref().to_vec(),
        ],
    }
}

/// `key` with part number `part` of `other`, counted as in the raw parts.
fn swapped(key: &CompressedServerKey, other: &CompressedServerKey, part: usize) -> CompressedServerKey {
    let (mut a, b) = (key.clone().into_raw_parts(), other.clone().into_raw_parts());
    match part {
        0 => a.0 = b.0,
        1 => a.1 = b.1,
        2 => a.2 = b.2,
        3 => a.3 = b.3,
        4 => a.4 = b.4,
        5 => a.5 = b.5,
        6 => a.6 = b.6,
        7 => a.7 = b.7,
        _ => panic!("a server key has eight parts"),
    }
    CompressedServerKey::from_raw_parts(a.0, a.1, a.2, a.3, a.4, a.5, a.6, a.7, a.8)
}

#[test]
#[ignore = "minutes: makes two full server keys"]
fn a_part_of_another_key_is_seen_whichever_it_is() {
    let (made, other) = (make(), make());
    let crs = CompactPkeCrs::from_config(Config::from(META), 2048).unwrap();
    let mut file = Vec::new();
    safe_serialize(&crs, &mut file, CRS_BYTES as u64).unwrap();
    let results = |key: &ServerKey, parts: &RareParts, public_key: &[u8]| -> Result<[u128; 2]> {
        let context = ProofContext::new(public_key, &file, METADATA)?;
        let list = context.encrypt(&[200, 100])?;
        let words = timed("self-test", || evaluate(key, parts, &context, &list, METADATA))?;
        let (narrow, wide) = words.split_at(WordFormat::Raw.byte_length(2));
        assert_eq!(wide.len(), WordFormat::Packed.byte_length(8));
        Ok([open(&made.secrets[0], narrow), open_packed(&made.secrets[1], wide)])
    };
    let key = timed("load", || ServerKey::from_compressed(made.compressed.clone())).unwrap();
    let parts = RareParts::of(made.compressed.clone()).unwrap();
    let expected = [300 - 256, (200 * 0x0101_0101 + 100 * 0x0001_0203) & 0xffff_ffff];
    assert_eq!(results(&key, &parts, &made.public_key).unwrap(), expected);

    assert_ne!(results(&key, &parts, &other.public_key).ok(), Some(expected), "public key");
    for part in [2, 3, 6, 7] {
        let parts = RareParts::of(swapped(&made.compressed, &other.compressed, part)).unwrap();
        assert_ne!(results(&key, &parts, &made.public_key).ok(), Some(expected), "part {part}");
    }
    drop(key);
    for part in [0, 1, 4, 5] {
        let key = ServerKey::from_compressed(swapped(&made.compressed, &other.compressed, part)).unwrap();
        assert_ne!(results(&key, &parts, &made.public_key).ok(), Some(expected), "part {part}");
    }
}
