//! Errors in bodies that their author hides behind its own noise: it deals the noise before it contributes, so it can deal
//! the opposite of what it is going to plant.
use super::super::super::context::{Purpose, Session};
use super::super::super::layout::PartId;
use super::super::super::message::Outgoing;
use super::super::super::noise::NoiseSource;
use super::super::accumulation::weights;
use super::super::packing::{PACKED, element_bytes, read_element, write_element};
use super::super::section::Section;
use super::super::shared_noise::{SEED_BYTES, has_seed, is_seeded, section_bytes};
use super::super::weights::Term;
use super::planted::{plant, verdict_against};
use super::{Step, Table, nobody, sample, samples};
use crate::errors::Code;
use crate::ring::shamir::lagrange;
use crate::ring::{Committee, Gr};
use crate::stream::SecretStream;

/// Shifts opened coefficients of party 1's noise: under the same seeds, so only the points of the others change.
fn shift_noise(committee: Committee, section: &Section, shifts: &[(usize, i128)], sent: &mut [Outgoing]) {
    let width = section.part.part().width;
    let size = element_bytes(width);
    let seeded: Vec<usize> = committee.parties().filter(|&q| is_seeded(committee, section, q - 1)).collect();
    let base = [&[0], &seeded[..]].concat();
    for receiver in committee.parties().filter(|q| !seeded.contains(q)) {
        let weight = lagrange(&base, receiver)[0];
        let start = if has_seed(committee, receiver - 1) { SEED_BYTES } else { 0 };
        let message = sent[0].private[receiver - 1].as_mut().expect("private");
        assert_eq!(message.len(), start + section_bytes(section), "one section");
        for (place, shift) in shifts {
            let bytes = &mut message[start + place / PACKED * size..][..size];
            let mut value = Gr::ZERO;
            value.0[place % PACKED] = *shift as u128;
            write_element(read_element(bytes, width) + weight * value, width, bytes);
        }
    }
}

/// The sums whose noise party 1 shifts by the opposite of the error that it plants in the section's row `row`.
fn guessed(section: &Section, row: usize) -> Vec<usize> {
    if section.part.part().row_words == 1 { vec![row] } else { (0..section.sums()).collect() }
}

/// How all parties judge a body whose words `words` are off by `error`, while party 1's noise is off by the opposite in the
/// opened coefficients `places`.
fn verdict(table: &Table, section: &Section, words: &[usize], places: &[usize], error: i128) -> Option<Code> {
    let mut body = table.body(section);
    words.iter().for_each(|&word| plant(section, &mut body, word, error));
    verdict_against(table, section, body, &mut |step, sent| {
        if step == Step::Noise {
            let shifts: Vec<(usize, i128)> =
                places.iter().map(|&place| (place, error.wrapping_neg())).collect();
            shift_noise(table.committee, section, &shifts, sent);
        }
    })
}

#[test]
fn an_error_is_caught_though_its_authors_noise_cancels_it_in_every_part() {
    for (n, t) in [(4, 1), (7, 2)] {
        let table = Table::new(n, t);
        for section in samples() {
            let part = section.part.part();
            let (row, word) = (section.rows.len() / 2, 7 % part.row_words);
            let error = (20.0 * section.deviation(table.committee)) as i128;
            let places: Vec<usize> =
                guessed(&section, row).into_iter().map(|sum| sum * part.row_words + word).collect();
            let code = verdict(&table, &section, &[row * part.row_words + word], &places, error);
            assert_eq!(code, Some(Code::RowMaximum), "{n}/{t} {}", part.name);
        }
    }
}

/// Half the modulus is its own opposite, and all of it in all coefficients looks the same wherever rows are put.
#[test]
fn half_the_modulus_everywhere_is_caught_though_its_authors_noise_cancels_it() {
    let table = Table::new(4, 1);
    for section in samples() {
        let part = section.part.part();
        let half = 1i128.wrapping_shl(part.word_bits() - 1);
        let words: Vec<usize> = (0..section.rows.len() * part.row_words).collect();
        let places: Vec<usize> = (0..section.coefficients()).collect();
        let code = verdict(&table, &section, &words, &places, half);
        assert_eq!(code, Some(Code::RowMaximum), "{}", part.name);
    }
}

/// What makes the two tests above more than tests of their own mistakes: where the author knows the weights, it wins.
#[test]
fn noise_cancels_an_error_in_a_sum_whose_weights_are_known() {
    let table = Table::new(4, 1);
    for section in samples() {
        let part = section.part.part();
        let coin = table.rows(std::slice::from_ref(&section), &mut nobody).expect("honest")[0].coin;
        let weights = weights(&table.session(1).context, &section, &coin);
        let row = section.rows.len() / 2;
        let patterns: Vec<usize> = weights.of_rows(row..row + 1).map(|group| group[0] as usize).collect();
        let error = (1000.0 * section.deviation(table.committee)) as i128;
        let opposite = |(sum, terms): (usize, &Vec<Term>)| {
            let hit = terms.iter().find(|term| patterns.contains(&term.pattern))?;
            Some((sum * part.row_words, if hit.negative { error } else { -error }))
        };
        let shifts: Vec<(usize, i128)> = weights.sums().iter().enumerate().filter_map(opposite).collect();
        let mut body = table.body(&section);
        plant(&section, &mut body, row * part.row_words, error);
        let code = verdict_against(&table, &section, body, &mut |step, sent| {
            if step == Step::Noise {
                shift_noise(table.committee, &section, &shifts, sent);
            }
        });
        assert_eq!(code, None, "{}", part.name);
    }
}

/// The noise that party 1 deals.
fn own_noise(table: &Table, section: &Section) -> Vec<i128> {
    let Session { context, root } = table.session(1);
    let stream = |purpose| root.stream(&context, purpose, section.part.number(), &[]);
    let (bound, retries) = (section.noise_bound(table.committee), stream(Purpose::RowNoiseRetry));
    let mut noise = vec![0; section.coefficients()];
    let mut scratch = vec![0; 8 * noise.len()];
    NoiseSource::new(bound, stream(Purpose::RowNoise), retries).add(0, &mut noise, &mut scratch);
    noise.into_iter().map(|word| word as i128).collect()
}

/// A quarter of the shared noise is party 1's: if it deals none, as much may come from elsewhere before sums get too large.
#[test]
fn the_room_of_noise_that_was_not_dealt_is_no_room_for_errors() {
    let table = Table::new(4, 1);
    let signs = SecretStream::new(&[8; 32]);
    for section in [sample(PartId::Compression), Section { part: PartId::KeySwitching, rows: 0..8192 }] {
        let shifts: Vec<(usize, i128)> =
            own_noise(&table, &section).into_iter().map(|noise| -noise).enumerate().collect();
        let judged = |error: f64| {
            let mut body = table.body(&section);
            let error = (error * section.noise_variance(table.committee).sqrt()) as i128;
            for word in 0..section.rows.len() * section.part.part().row_words {
                let sign = 1 - 2 * (signs.word(word as u128) & 1) as i128;
                plant(&section, &mut body, word, sign * error);
            }
            let verdicts = table.check(std::slice::from_ref(&section), &[body], &mut |step, sent| {
                if step == Step::Noise {
                    shift_noise(table.committee, &section, &shifts, sent);
                }
            });
            verdicts.into_iter().map(|verdict| verdict.err().map(|failure| failure.text)).collect::<Vec<_>>()
        };
        assert_eq!(judged(0.0), [None, None, None, None], "no noise at all harms nobody");
        for text in judged(1.4) {
            let text = text.expect("refused");
            assert!(text.contains("alike"), "the energy alone has room: {text}");
        }
    }
}
