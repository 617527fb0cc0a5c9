//! The row check of a whole key, and errors that no functional test of a key sees (docs/keygen.md §6).
//!
//! Run with `cargo test --release --locked rowcheck::tests::full_size -- --ignored --nocapture`.
use super::super::super::layout::{Chunk, PartId, chunks};
use super::super::super::measure::{cpu, resident};
use super::super::super::message::Outgoing;
use super::super::super::rounds::Round;
use super::super::super::rounds::rows::{AfterChunk, RowPointsRound, Rows};
use super::super::super::sum::add_into;
use super::super::section::{Section, whole_key};
use super::{Step, Table, exchange, nobody};
use crate::errors::Code;

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

/// Errors that every function of a key survives, most of them always: a bit of one coefficient in every part.
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

/// A check of the chunk's part alone, with its error, from the part's first chunk to its last.
fn refuses_planted(table: &Table, chunk: &Chunk, body: &[u8], check: &mut Option<Check>) {
    let part = chunk.part;
    let rows = part.part().rows();
    if chunk.rows.start == 0 {
        *check = Some(Check::begin(table, vec![Section { part, rows: 0..rows }]));
    }
    let Some(check_now) = check.as_mut() else { return };
    let bits = PLANTED.into_iter().find(|(planted, _)| *planted == part).map_or(0, |(_, bits)| bits);
    if chunk.rows.contains(&(rows / 2)) {
        check_now.absorb(chunk, &planted(chunk, body, bits));
    } else {
        check_now.absorb(chunk, body);
    }
    if let Some(check) = check.take_if(|_| chunk.rows.end == rows) {
        let codes = check.refused();
        assert_eq!(codes, vec![Some(Code::RowMaximum); table.committee.n()], "{part:?} + 2^{bits}");
    }
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
        refuses_planted(&table, &chunk, &body, &mut wrong);
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
}
