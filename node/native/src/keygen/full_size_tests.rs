//! The whole key at full size, four parties in one process: bits, contributions, assembly, then real use.
//!
//! Run with `cargo test --release --locked full_size -- --ignored --nocapture`; several minutes and 4 GB on 2 cores.
//! The secret is reconstructed here, and only here, to compare every coefficient of every part with the exact message.
use super::assembly::public_key::assemble_public_key;
use super::assembly::server_key::{Bodies, compressed_server_key};
use super::assembly::server_key_file::{SERVER_KEY_LIMIT, assemble_server_key};
use super::context::{Context, Root};
use super::contribution::Contributor;
use super::expected::noise_of;
use super::layout::{PARTS, PartId, chunks};
use super::measure::{cpu, resident};
use super::noise::noise_bound;
use super::party::{Party, Sent};
use super::sum::add_into;
use crate::params::{KEY_BITS, META, Secret};
use crate::ring::shamir::{dot, lagrange};
use crate::ring::{Committee, Gr, KeyShare};
use crate::threshold::share::{ShareKey, ShareRequest, decryption_share};
use crate::word_format::WordFormat;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tfhe::conformance::ParameterSetConformant;
use tfhe::prelude::*;
use tfhe::safe_serialization::{safe_deserialize, safe_serialize};
use tfhe::{CompactCiphertextList, CompactPublicKey, CompressedServerKey, Config, FheUint64, ServerKey};

fn bit_phase(committee: Committee) -> Vec<Party> {
    let mut parties: Vec<Party> = committee
        .parties()
        .map(|index| {
            let context = Context { committee, index, ceremony_id: [5; 32], attempt: 0, bits: KEY_BITS };
            Party::new(context, Root::from_os().expect("randomness"))
        })
        .collect();
    let noise = number_of(&parties, "row-noise");
    run_rounds(&mut parties, "product-points", 0..=noise - 1);
    run_rounds(&mut parties, "row-noise", noise..=noise);
    parties
}

fn number_of(parties: &[Party], round: &str) -> usize {
    parties[0].rounds().iter().position(|name| name == round).expect("a round")
}

/// Runs honest rounds and prints what a party spent and sent up to the round `name`.
fn run_rounds(parties: &mut [Party], name: &str, rounds: std::ops::RangeInclusive<usize>) {
    let (started, mut sent_bytes) = (cpu(), 0);
    let others = parties.len() - 1;
    for round in rounds {
        let sent: Vec<Sent> = parties.iter_mut().map(|p| p.produce(round).expect("in order")).collect();
        sent_bytes += sent[0].broadcast.len() * others;
        sent_bytes += sent[0].sealed.iter().flatten().map(Vec::len).sum::<usize>();
        let broadcasts: Vec<Vec<u8>> = sent.iter().map(|s| s.broadcast.clone()).collect();
        for (q, party) in parties.iter_mut().enumerate() {
            let sealed = sent.iter().map(|s| s.sealed[q].clone()).collect();
            party.consume(round, broadcasts.clone(), sealed).expect("honest");
        }
    }
    let per_party = (cpu() - started) / parties.len() as f64;
    let resident = resident();
    println!("up to {name}: {per_party:.3} CPU-s per party, party 1 sends {sent_bytes} bytes, {resident} MB");
}

/// Every party takes in all bodies and opens its sums.
fn row_check(parties: &mut [Party], files: &[PathBuf]) {
    let coin = number_of(parties, "row-coin");
    run_rounds(parties, "row-coin", coin..=coin);
    let started = cpu();
    for chunk in chunks() {
        let body = std::fs::read(&files[chunk.index]).expect("chunk file");
        for party in parties.iter_mut() {
            party.absorb(&chunk, &body).expect("in order");
        }
    }
    let per_party = (cpu() - started) / parties.len() as f64;
    println!("rows: {per_party:.3} CPU-s per party, {} MB resident", resident());
    run_rounds(parties, "row-points", coin + 1..=coin + 1);
}

/// Sums all contributions into one file per chunk.
fn sum_into_files(contributors: &[Arc<Contributor>], folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut spent = vec![0.0; contributors.len()];
    for chunk in chunks() {
        let mut sum = vec![0; chunk.byte_length()];
        for (party, spent) in contributors.iter().zip(&mut spent) {
            let started = cpu();
            let body = party.contribution(&chunk);
            *spent += cpu() - started;
            add_into(&mut sum, &body, chunk.part.part().word_bytes()).expect("same chunk");
        }
        let path = folder.join(format!("{}.chunk", chunk.index));
        std::fs::write(&path, sum).expect("disk");
        files.push(path);
    }
    println!("contributions: CPU-s by party {spent:.2?}, {} MB resident", resident());
    files
}

/// Bodies from chunk files.
struct Files<'a>(&'a [PathBuf]);

impl Files<'_> {
    fn bytes(&self, part: PartId) -> Vec<u8> {
        let own = chunks().into_iter().filter(|chunk| chunk.part == part);
        own.flat_map(|chunk| std::fs::read(&self.0[chunk.index]).expect("chunk file")).collect()
    }
}

impl Bodies for Files<'_> {
    fn narrow(&mut self, part: PartId) -> Vec<u64> {
        self.bytes(part).as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect()
    }

    fn wide(&mut self, part: PartId) -> Vec<u128> {
        self.bytes(part).as_chunks::<16>().0.iter().map(|word| u128::from_le_bytes(*word)).collect()
    }
}

/// The key bits, interpolated from the parties 2 and 3.
fn reconstruct(contributors: &[Arc<Contributor>]) -> Vec<u128> {
    let weights = lagrange(&[2, 3], 0);
    (0..KEY_BITS)
        .map(|e| {
            let value = dot(&weights, &[contributors[1].shares()[e], contributors[2].shares()[e]]);
            assert!(value == Gr::ZERO || value == Gr::ONE, "key bit {e}");
            value.0[0]
        })
        .collect()
}

/// Compares every coefficient of a part with the exact message: the rest must be noise of the right size.
fn check_noise(seed: &[u8; 32], bits: &[u128], committee: Committee, id: PartId, body: &[u8]) {
    let part = id.part();
    let noise = noise_of(seed, bits, id, 0, body);
    let maximum = noise.iter().map(|e| e.unsigned_abs()).max().expect("not empty");
    let squares: f64 = noise.iter().map(|&e| (e as f64).powi(2)).sum();
    let bound = noise_bound(part.noise_log, part.budget.shares(committee)) as u128;
    let deviation = (squares / part.words() as f64).sqrt().log2();
    println!("{}: noise deviation 2^{deviation:.3}, maximum 2^{:.2}", part.name, (maximum as f64).log2());
    assert!(maximum <= committee.n() as u128 * bound, "{}", part.name);
    let want = (committee.n() as f64 * (bound * (bound + 1)) as f64 / 3.0).sqrt().log2();
    let room = if part.words() > 100_000 { 0.01 } else { 0.15 };
    assert!((deviation - want).abs() < room, "{}: {deviation} against {want}", part.name);
}

/// Opens a squashed ciphertext with shares of t + 1 parties.
fn threshold_decrypt(shares: &[&KeyShare], squashed: &tfhe::SquashedNoiseFheUint) -> u64 {
    let set: Vec<usize> = shares.iter().map(|share| share.index()).collect();
    let weights = lagrange(&set, 0);
    let keys: Vec<ShareKey> = shares.iter().map(|&share| ShareKey::new(share.clone())).collect();
    let squashed = squashed.underlying_squashed_noise_ciphertext();
    squashed.packed_blocks().iter().enumerate().fold(0, |value, (i, block)| {
        // block by block, each as the words of a value of one block
        let words: Vec<u8> =
            block.lwe_ciphertext().as_ref().iter().flat_map(|word| word.to_le_bytes()).collect();
        let request = ShareRequest { words: &words, format: WordFormat::Raw, session: &[8; 32] };
        let partial: Vec<Gr> = keys
            .iter()
            .map(|key| {
                let share = decryption_share(key, request).expect("one block");
                Gr::from_bytes(share.as_slice().try_into().expect("one element"))
            })
            .collect();
        let opened = dot(&weights, &partial);
        assert_eq!(opened.0[1..], [0, 0, 0], "an opened block is a scalar");
        let message = opened.0[0].wrapping_add(1 << 122) >> 123;
        value | ((message % 16) as u64) << (4 * i)
    })
}

#[test]
#[ignore = "full size: minutes of CPU time"]
fn full_size_key_encrypts_computes_squashes_and_decrypts() {
    let committee = Committee::new(4, 1).expect("allowed");
    let folder = std::env::temp_dir().join(format!("twinlock-full-size-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("disk");
    let mut parties = bit_phase(committee);
    let seed = parties[0].public_seed().expect("revealed");
    let contributors: Vec<Arc<Contributor>> =
        parties.iter().map(|p| p.contributor().expect("checked")).collect();
    let files = sum_into_files(&contributors, &folder);

    let bits = reconstruct(&contributors);
    drop(contributors);
    row_check(&mut parties, &files);
    for part in chunks().into_iter().map(|chunk| chunk.part).collect::<Vec<_>>().chunk_by(|a, b| a == b) {
        check_noise(&seed, &bits, committee, part[0], &Files(&files).bytes(part[0]));
    }

    let key_file = folder.join("server-key");
    let started = Instant::now();
    let written = assemble_server_key(&seed, &files, &key_file).expect("assembles");
    println!(
        "assembly: {} bytes in {:.2?}, {} MB resident",
        written.byte_length,
        started.elapsed(),
        resident()
    );
    let bytes = std::fs::read(&key_file).expect("written");
    assert_eq!(bytes.len() as u64, written.byte_length);
    let whole = compressed_server_key(&seed, &mut Files(&files)).expect("builds");
    let mut serialised = Vec::new();
    safe_serialize(&whole, &mut serialised, SERVER_KEY_LIMIT).expect("serialises");
    assert!(bytes == serialised, "the streamed file equals tfhe's serialisation");
    drop((serialised, whole));
    let key: CompressedServerKey = safe_deserialize(&bytes[..], SERVER_KEY_LIMIT).expect("reads");
    drop(bytes);
    assert!(key.is_conformant(&Config::from(META).into()));

    let chunk = Files(&files).bytes(PartId::CompactPublic);
    let public_bytes = assemble_public_key(&seed, &chunk).expect("assembles");
    assert_eq!(public_bytes.len(), super::assembly::public_key::PUBLIC_KEY_BYTES);
    let public: CompactPublicKey = safe_deserialize(&public_bytes[..], 1 << 20).expect("reads");
    std::fs::remove_dir_all(&folder).expect("disk");

    let server: ServerKey = key.decompress();
    tfhe::set_server_key(server);
    let (x, y) = (0x0123_4567_89ab_cdef_u64, 0x1111_1111_1111_1111_u64);
    let list = CompactCiphertextList::builder(&public).push(x).push(y).build_packed();
    let expanded = list.expand().expect("expands");
    let value = |i: usize| -> FheUint64 { expanded.get(i).expect("in range").expect("a FheUint64") };
    let squashed = (value(0) + value(1)).squash_noise().expect("squashes");
    let shares: Vec<KeyShare> = parties.iter_mut().map(|p| p.finish().expect("finished")).collect();
    for set in [[0, 1], [1, 3], [3, 2]] {
        let chosen = set.map(|i| &shares[i]);
        assert_eq!(threshold_decrypt(&chosen, &squashed), x.wrapping_add(y), "parties {set:?}");
    }
    assert_eq!(PARTS.len(), 10);
    assert_eq!(shares[0].ns().len(), Secret::Ns.bits());
}
