//! The row check of a whole key, and errors that no functional test of a key sees (docs/keygen.md §6): they are planted into
//! all ten parts, the key that has them all is assembled and passes its self-test, and the row check refuses each.
//!
//! Run with `cargo test --release --locked rowcheck::tests::full_size -- --ignored --nocapture`.
use super::super::super::assembly::public_key::assemble_public_key;
use super::super::super::assembly::server_key_file::assemble_server_key;
use super::super::super::contribution_tests::SEED;
use super::super::super::layout::{Chunk, PartId, chunks};
use super::super::super::measure::{cpu, resident};
use super::super::super::message::Outgoing;
use super::super::super::rounds::Round;
use super::super::super::rounds::rows::{AfterChunk, RowPointsRound, Rows};
use super::super::super::sum::add_into;
use super::super::section::{Section, whole_key};
use super::{Step, Table, exchange, nobody};
use crate::crs::assemble::CRS_BYTES;
use crate::errors::Code;
use crate::ops::inputs::ProofContext;
use crate::ops::self_test::self_test;
use crate::ops::server_key::ServerKey;
use crate::ops::tests::full_key::{open, open_packed};
use crate::params::{META, Secret};
use crate::word_format::WordFormat;
use std::path::{Path, PathBuf};
use tfhe::Config;
use tfhe::safe_serialization::safe_serialize;
use tfhe::zk::CompactPkeCrs;

/// Values of the self-test.
const A: u8 = 200;
const B: u8 = 100;

/// One check: the parties' states until all chunks are in.
struct Check {
    sections: Vec<Section>,
    rows: Vec<AfterChunk>,
}

impl Check {
    fn begin(table: &Table, sections: Vec<Section>) -> Check {
        let rows = table.rows(&sections, &mut nobody).expect("honest");
        Check { rows: rows.into_iter().map(Rows::settle).collect(), sections }
    }

    fn absorb(&mut self, chunk: &Chunk, body: &[u8]) {
        if !self.sections.iter().any(|section| section.part == chunk.part) {
            return;
        }
        let states = std::mem::take(&mut self.rows).into_iter();
        self.rows = states
            .map(|state| match state {
                AfterChunk::Rows(rows) => {
                    rows.expect(chunk, body).expect("in order");
                    rows.absorb(chunk, body)
                }
                AfterChunk::Points(_) => panic!("more chunks than sections"),
            })
            .collect();
    }

    fn points(self) -> Vec<RowPointsRound> {
        let points = self.rows.into_iter().map(|state| match state {
            AfterChunk::Points(round) => round,
            AfterChunk::Rows(_) => panic!("fewer chunks than sections"),
        });
        points.collect()
    }

    fn refused(self) -> Vec<Option<Code>> {
        let verdicts = exchange(self.points(), Step::Points, &mut nobody);
        verdicts.into_iter().map(|verdict| verdict.err().map(|failure| failure.code)).collect()
    }
}

/// Errors that every function of a key survives: a bit of one coefficient in every part.
const PLANTED: [(PartId, u32); 10] = [
    (PartId::CompactPublic, 40),
    (PartId::Compression, 52),
    (PartId::Decompression, 30),
    (PartId::KeySwitching, 52),
    (PartId::Bootstrapping, 30),
    (PartId::Squashing, 60),
    (PartId::CompactKeySwitching, 52),
    (PartId::Rerandomisation, 40),
    (PartId::SquashedCompression, 20),
    (PartId::PseudoRandomFunction, 30),
];

/// `body` with 2^`bits` added to one coefficient.
fn planted(chunk: &Chunk, body: &[u8], bits: u32) -> Vec<u8> {
    let mut body = body.to_vec();
    let word_bytes = chunk.part.part().word_bytes();
    let error = (1u128 << bits).to_le_bytes();
    let word = chunk.words() / 2 + 1;
    add_into(&mut body[word * word_bytes..][..word_bytes], &error[..word_bytes], word_bytes)
        .expect("one word");
    body
}

/// A check of the chunk's part alone, with its error, from the part's first chunk to its last. The body as it was given.
fn refuses_planted(table: &Table, chunk: &Chunk, body: Vec<u8>, check: &mut Option<Check>) -> Vec<u8> {
    let part = chunk.part;
    let rows = part.part().rows();
    if chunk.rows.start == 0 {
        *check = Some(Check::begin(table, vec![Section { part, rows: 0..rows }]));
    }
    let (_, bits) = PLANTED.into_iter().find(|(planted, _)| *planted == part).expect("every part");
    let given = if chunk.rows.contains(&(rows / 2)) { planted(chunk, &body, bits) } else { body };
    check.as_mut().expect("begun with the first chunk").absorb(chunk, &given);
    if let Some(check) = check.take_if(|_| chunk.rows.end == rows) {
        let codes = check.refused();
        assert_eq!(codes, vec![Some(Code::RowMaximum); table.committee.n()], "{part:?} + 2^{bits}");
    }
    given
}

/// What the self-test computes under the key of these chunks.
fn self_test_results(table: &Table, files: &[PathBuf], folder: &Path) -> [u128; 2] {
    let file = folder.join("server-key");
    let written = assemble_server_key(&SEED, files, &file).expect("assembles");
    let chunk = chunks().into_iter().find(|chunk| chunk.part == PartId::CompactPublic).expect("one");
    let chunk = std::fs::read(&files[chunk.index]).expect("written");
    let public_key = assemble_public_key(&SEED, &chunk).expect("assembles");
    let crs = CompactPkeCrs::from_config(Config::from(META), 2048).expect("made");
    let mut crs_file = Vec::new();
    safe_serialize(&crs, &mut crs_file, CRS_BYTES as u64).expect("serialises");
    let key = ServerKey::load(&file, &written.sha256).expect("loads");
    let context = ProofContext::new(&public_key, &crs_file, b"unseen").expect("fits");
    let list = context.encrypt(&[A, B]).expect("two values");
    let words = self_test(&key, &file, &written.sha256, &context, &list, b"unseen").expect("computes");
    let (narrow, wide) = words.split_at(WordFormat::Raw.byte_length(2));
    let secret = |which: Secret| &table.bits[which.range()];
    [open(secret(Secret::Ns), narrow), open_packed(secret(Secret::Nsc), wide)]
}

#[test]
#[ignore = "full size: minutes of CPU time"]
fn full_size_rows_pass_and_errors_that_functional_tests_miss_do_not() {
    let (n, t) = (4, 1);
    let table = Table::new(n, t);
    let per_party = |seconds: f64| seconds / n as f64;

    let started = cpu();
    let first = table.first_round(1, &whole_key());
    let dealt = first.produce();
    let sent: usize = dealt.private[1..].iter().flatten().map(|message| message.len()).sum();
    println!("dealing noise: {:.3} CPU-s, {sent} bytes to others, {} MB", cpu() - started, resident());

    let started = cpu();
    let mut honest = Check::begin(&table, whole_key());
    println!("noise and coin of all: {:.3} CPU-s per party, {} MB", per_party(cpu() - started), resident());
    let mut wrong = None;
    let folder = std::env::temp_dir().join(format!("twinlock-unseen-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("disk");
    let mut files = Vec::new();
    let (mut contributing, mut absorbing) = (0.0, 0.0);
    for chunk in chunks() {
        let started = cpu();
        let mut body = vec![0; chunk.byte_length()];
        for party in &table.contributors {
            add_into(&mut body, &party.contribution(&chunk), chunk.part.part().word_bytes())
                .expect("one chunk");
        }
        contributing += cpu() - started;
        let started = cpu();
        honest.absorb(&chunk, &body);
        absorbing += cpu() - started;
        let given = refuses_planted(&table, &chunk, body, &mut wrong);
        let path = folder.join(format!("{}.chunk", chunk.index));
        std::fs::write(&path, given).expect("disk");
        files.push(path);
    }
    println!(
        "contributions: {:.3} CPU-s per party; sums and own shares: {:.3} CPU-s per party, {} MB",
        per_party(contributing),
        per_party(absorbing),
        resident()
    );
    let points = honest.points();
    let sent: Vec<Outgoing> = points.iter().map(Round::produce).collect();
    println!("points: {} bytes to all others", sent[0].broadcast.len() * (n - 1));
    let started = cpu();
    for verdict in exchange(points, Step::Points, &mut nobody) {
        verdict.map(drop).expect("honest");
    }
    println!("verdict: {:.3} CPU-s per party, {} MB", per_party(cpu() - started), resident());

    let results = self_test_results(&table, &files, &folder);
    std::fs::remove_dir_all(&folder).expect("disk");
    let (a, b) = (u128::from(A), u128::from(B));
    assert_eq!(results, [(a + b) % (1 << 8), (a * 0x0101_0101 + b * 0x0001_0203) % (1 << 32)]);
}
