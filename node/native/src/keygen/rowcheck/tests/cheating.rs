//! Parties that lie in the rounds of the check. Party 1 is corrupt and speaks last.
use super::super::super::layout::PartId;
use super::super::super::message::{Outgoing, Secret};
use super::super::packing::{element_bytes, read_element, write_element};
use super::super::section::Section;
use super::{Adversary, Step, Table, exchange, nobody, sample, take_in};
use crate::errors::{Code, Failure};
use crate::ring::shamir::{dot, lagrange};
use crate::ring::{Committee, Gr};

/// A part with products and one without.
const PARTS: [PartId; 3] = [PartId::Bootstrapping, PartId::Squashing, PartId::KeySwitching];

fn failures(table: &Table, section: &Section, adversary: Adversary<'_>) -> Vec<Failure> {
    let body = table.body(section);
    let verdicts = table.check(std::slice::from_ref(section), &[body], adversary);
    verdicts.into_iter().filter_map(|verdict| verdict.err()).collect()
}

/// All parties refuse with `code`, and name `culprits`.
fn all_refuse(table: &Table, section: &Section, code: Code, culprits: &[usize], adversary: Adversary<'_>) {
    let failures = failures(table, section, adversary);
    assert_eq!(failures.len(), table.committee.n(), "{:?}", section.part);
    for failure in failures {
        assert_eq!((failure.code, failure.culprits.as_slice()), (code, culprits), "{:?}", section.part);
    }
}

/// The point with which party 1 makes the polynomial through the parties 1..=degree + 1 end in zero.
fn hiding_point(committee: Committee, degree: usize, points: &[Gr]) -> Gr {
    let set: Vec<usize> = (1..=degree + 1).collect();
    assert!(set.len() <= committee.n());
    let weights = lagrange(&set, 0);
    let rest = dot(&weights[1..], &points[1..=degree]);
    -(weights[0].invert().expect("a unit") * rest)
}

#[test]
fn a_rushing_party_cannot_move_a_sum_with_its_own_point() {
    let table = Table::new(4, 1);
    for part in PARTS {
        let section = sample(part);
        let (width, degree) = (part.part().width, section.degree(table.committee));
        let size = element_bytes(width);
        all_refuse(&table, &section, Code::RowPoints, &[], &mut |step, sent| {
            if step != Step::Points {
                return;
            }
            for element in 0..sent[0].broadcast.len() / size {
                let range = element * size..(element + 1) * size;
                let points: Vec<Gr> = sent
                    .iter()
                    .map(|message| read_element(&message.broadcast[range.clone()], width))
                    .collect();
                let point = hiding_point(table.committee, degree, &points);
                write_element(point, width, &mut sent[0].broadcast[range]);
            }
        });
    }
}

#[test]
fn a_changed_bit_of_any_point_is_refused() {
    let table = Table::new(4, 1);
    for part in PARTS {
        let section = sample(part);
        for (party, byte) in [(0, 0), (1, 17), (3, usize::MAX)] {
            all_refuse(&table, &section, Code::RowPoints, &[], &mut |step, sent| {
                if step == Step::Points {
                    let points = &mut sent[party].broadcast;
                    let byte = byte.min(points.len() - 1);
                    points[byte] ^= 0x80;
                }
            });
        }
    }
}

#[test]
fn noise_that_is_shared_inconsistently_is_refused_and_names_nobody() {
    let table = Table::new(4, 1);
    for part in PARTS {
        for receiver in 1..4 {
            all_refuse(&table, &sample(part), Code::RowPoints, &[], &mut |step, sent| {
                if step == Step::Noise {
                    let message = sent[0].private[receiver].as_mut().expect("private");
                    *message.last_mut().expect("not empty") ^= 1;
                }
            });
        }
    }
}

#[test]
fn noise_that_is_too_large_is_refused_and_names_nobody() {
    let table = Table::new(4, 1);
    let n = table.committee.n();
    for part in [PartId::Bootstrapping, PartId::KeySwitching] {
        let section = sample(part);
        let width = part.part().width;
        let size = element_bytes(width);
        let large = Gr::scalar((9.0 * section.deviation(table.committee)) as u128);
        let seeded: Vec<usize> = (2..=section.degree(table.committee) + 1).collect();
        let base = [&[0], &seeded[..]].concat();
        all_refuse(&table, &section, Code::RowMaximum, &[], &mut |step, sent| {
            if step != Step::Noise {
                return;
            }
            // More noise under the same seeds: only the other points change.
            for receiver in (1..=n).filter(|receiver| !seeded.contains(receiver)) {
                let shift = lagrange(&base, receiver)[0] * large;
                let message = sent[0].private[receiver - 1].as_mut().expect("private");
                let start = message.len() - section.coefficients() / 4 * size;
                for bytes in message[start..].chunks_exact_mut(size) {
                    write_element(read_element(bytes, width) + shift, width, bytes);
                }
            }
        });
    }
}

#[test]
fn a_coin_that_was_not_committed_names_its_party() {
    let table = Table::new(4, 1);
    all_refuse(&table, &sample(PartId::Bootstrapping), Code::CommitmentMismatch, &[1], &mut |step, sent| {
        if step == Step::Coin {
            sent[0].broadcast[0] ^= 1;
        }
    });
}

#[test]
fn points_under_another_coin_are_refused() {
    let table = Table::new(4, 1);
    // The coin changes after the weights of the first section are drawn.
    let sections = [sample(PartId::KeySwitching), sample(PartId::Bootstrapping)];
    let bodies = sections.clone().map(|section| table.body(&section));
    let mut rows = table.rows(&sections, &mut nobody).expect("honest");
    rows[0].coin[0] ^= 1;
    let points = rows.into_iter().map(|rows| take_in(rows, &sections, &bodies)).collect();
    for verdict in exchange(points, Step::Points, &mut nobody) {
        let failure = verdict.err().expect("refused");
        assert_eq!((failure.code, failure.culprits.len()), (Code::RowPoints, 0));
        assert!(failure.text.contains("bootstrapping-key"), "{failure}");
    }
}

#[test]
fn messages_out_of_form_name_their_senders() {
    let table = Table::new(4, 1);
    let section = sample(PartId::Squashing);
    let refused = |at: Step, change: &dyn Fn(&mut Outgoing)| {
        all_refuse(&table, &section, Code::MessageMalformed, &[1], &mut |step, sent| {
            if step == at {
                change(&mut sent[0]);
            }
        });
    };
    for step in [Step::Noise, Step::Coin, Step::Points] {
        refused(step, &|message| message.broadcast.push(0));
    }
    for step in [Step::Coin, Step::Points] {
        refused(step, &|message| {
            message.broadcast.pop();
        });
        refused(step, &|message| message.private.iter_mut().for_each(|p| *p = Some(Secret::default())));
    }
    refused(Step::Noise, &|message| {
        message.private.iter_mut().flatten().for_each(|p| {
            p.pop();
        });
    });
    refused(Step::Noise, &|message| message.private.iter_mut().flatten().for_each(|p| p.push(0)));
    refused(Step::Noise, &|message| message.private.iter_mut().for_each(|p| *p = None));
}
