use super::super::super::layout::PartId;
use super::super::super::message::Outgoing;
use super::super::super::rounds::Round;
use super::super::super::rounds::rows::AfterChunk;
use super::super::accumulation::weights;
use super::super::gram::Gram;
use super::super::section::Section;
use super::super::verdict::open;
use super::{Table, chunk_of, nobody, sample, samples, take_in};
use crate::errors::Code;

#[test]
fn honest_rows_of_every_part_pass_in_every_committee() {
    for (n, t) in [(4, 1), (7, 2)] {
        let table = Table::new(n, t);
        let sections = samples();
        let bodies: Vec<Vec<u8>> = sections.iter().map(|section| table.body(section)).collect();
        for verdict in table.check(&sections, &bodies, &mut nobody) {
            verdict.map(drop).expect("honest");
        }
    }
}

#[test]
fn sums_have_the_deviation_that_the_tests_assume() {
    let table = Table::new(4, 1);
    for section in samples() {
        let body = table.body(&section);
        let sections = std::slice::from_ref(&section);
        let rows = table.rows(sections, &mut nobody).expect("honest");
        let weights = weights(&table.session(1).context, &section, &rows[0].coin);
        let gram = Gram::new(&weights, section.rows.len());
        let rounds = rows.into_iter().map(|rows| take_in(rows, sections, std::slice::from_ref(&body)));
        let sent: Vec<Outgoing> = rounds.map(|round| round.produce()).collect();
        let points: Vec<&[u8]> = sent.iter().map(|message| message.broadcast.as_slice()).collect();
        let opened = open(table.committee, &section, &points).expect("on polynomials");
        let (noise, shared) =
            (section.noise_variance(table.committee), section.shared_variance(table.committee));
        let variance = |rows: usize| rows as f64 * noise + shared;
        let sums = opened.chunks(section.part.part().row_words).zip(&gram.rows);
        let (energy, mean, count) = sums.fold((0.0, 0.0, 0.0), |(energy, mean, count), (sum, &rows)| {
            let squares: f64 = sum.iter().map(|&value| (value as f64).powi(2)).sum();
            let words = sum.len() as f64;
            (energy + squares, mean + words * variance(rows), count + words)
        });
        let ratio = (energy / mean).sqrt();
        let room = 0.01 + 3.0 / (2.0 * count).sqrt();
        assert!((ratio - 1.0).abs() < room, "{}: {ratio}", section.part.part().name);
    }
}

#[test]
fn rows_may_come_in_any_number_of_chunks_but_only_in_their_order() {
    let table = Table::new(4, 1);
    for part in [PartId::Bootstrapping, PartId::KeySwitching] {
        let section = sample(part);
        let body = table.body(&section);
        let whole = table.points(std::slice::from_ref(&section), std::slice::from_ref(&body), &mut nobody);
        let want = whole.expect("honest")[0].produce().broadcast;
        let middle = section.rows.start + 4;
        let parts = [section.rows.start..middle, middle..section.rows.end];
        let cut: Vec<Section> = parts.map(|rows| Section { part, rows }).into();
        let bytes = body.len() / section.rows.len() * 4;
        let rows = table.rows(std::slice::from_ref(&section), &mut nobody).expect("honest").swap_remove(0);
        let wrong = [
            rows.expect(&chunk_of(&cut[1]), &body[bytes..]),
            rows.expect(&chunk_of(&cut[0]), &body[1..bytes]),
            rows.expect(&chunk_of(&sample(PartId::Squashing)), &body),
        ];
        for refused in wrong {
            assert_eq!(refused.map_err(|failure| failure.code), Err(Code::KeyLayout));
        }
        rows.expect(&chunk_of(&cut[0]), &body[..bytes]).expect("the next one");
        let AfterChunk::Rows(rows) = rows.absorb(&chunk_of(&cut[0]), &body[..bytes]) else { panic!("half") };
        rows.expect(&chunk_of(&cut[1]), &body[bytes..]).expect("the next one");
        let AfterChunk::Points(round) = rows.absorb(&chunk_of(&cut[1]), &body[bytes..]) else {
            panic!("all")
        };
        assert!(round.produce().broadcast == want);
    }
}
