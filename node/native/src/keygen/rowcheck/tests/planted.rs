//! Errors in bodies, as a party makes them that contributes something else than its shares say. Whoever plants them, the
//! sum of the contributions is off by a known amount.
use super::super::super::layout::{PartId, Shape};
use super::super::super::sum::add_into;
use super::super::super::words::{read_words, write_words};
use super::super::section::Section;
use super::{Adversary, Table, nobody, sample, samples};
use crate::errors::Code;
use crate::stream::SecretStream;

/// Adds `error` to a word of a body.
pub fn plant(section: &Section, body: &mut [u8], word: usize, error: i128) {
    let part = section.part.part();
    let bytes = &mut body[word * part.word_bytes()..(word + 1) * part.word_bytes()];
    let mut value = [0];
    read_words(bytes, part.width, &mut value);
    write_words(&[value[0].wrapping_add(error as u128)], part.width, bytes);
}

/// The codes with which all parties refuse a body, `None` where they accept it.
fn verdict(table: &Table, section: &Section, body: Vec<u8>) -> Option<Code> {
    verdict_against(table, section, body, &mut nobody)
}

/// The same where somebody lies in the rounds, too.
pub fn verdict_against(
    table: &Table,
    section: &Section,
    body: Vec<u8>,
    adversary: Adversary<'_>,
) -> Option<Code> {
    let verdicts = table.check(std::slice::from_ref(section), &[body], adversary);
    let codes: Vec<Option<Code>> = verdicts
        .into_iter()
        .map(|verdict| {
            let failure = verdict.err()?;
            assert!(failure.culprits.is_empty(), "a sum names nobody");
            Some(failure.code)
        })
        .collect();
    assert!(codes.iter().all(|code| *code == codes[0]), "all parties agree");
    codes[0]
}

#[test]
fn one_error_of_16_deviations_is_caught_in_every_part() {
    for (n, t) in [(4, 1), (7, 2)] {
        let table = Table::new(n, t);
        for section in samples() {
            let honest = table.body(&section);
            let error = (16.2 * section.deviation(table.committee)) as i128;
            let words = honest.len() / section.part.part().word_bytes();
            for (word, error) in [(0, error), (words / 2 + 1, -error), (words - 1, error)] {
                let mut body = honest.clone();
                plant(&section, &mut body, word, error);
                let name = section.part.part().name;
                assert_eq!(verdict(&table, &section, body), Some(Code::RowMaximum), "{n}/{t} {name} {word}");
            }
        }
    }
}

#[test]
fn errors_up_to_half_the_modulus_are_caught_in_every_part() {
    let table = Table::new(4, 1);
    for section in samples() {
        let honest = table.body(&section);
        let bits = section.part.part().word_bits();
        for error in [1i128 << (bits - 2), 1i128.wrapping_shl(bits - 1)] {
            let mut body = honest.clone();
            plant(&section, &mut body, 3, error);
            assert_eq!(verdict(&table, &section, body), Some(Code::RowMaximum), "{:?}", section.part);
        }
    }
}

#[test]
fn one_error_of_2_deviations_is_accepted_in_every_part() {
    let table = Table::new(4, 1);
    for section in samples() {
        let mut body = table.body(&section);
        plant(&section, &mut body, 5, (2.0 * section.deviation(table.committee)) as i128);
        assert_eq!(verdict(&table, &section, body), None, "{:?}", section.part);
    }
}

#[test]
fn small_errors_in_all_coefficients_are_caught_by_their_energy() {
    let table = Table::new(4, 1);
    let signs = SecretStream::new(&[5; 32]);
    for (part, sigmas) in [
        (PartId::Bootstrapping, 2.0),
        (PartId::Decompression, 2.0),
        (PartId::PseudoRandomFunction, 2.0),
        (PartId::Squashing, 2.0),
        (PartId::SquashedCompression, 2.0),
        (PartId::Compression, 2.0),
        (PartId::KeySwitching, 3.0),
        (PartId::CompactKeySwitching, 3.0),
    ] {
        let section = sample(part);
        let mut body = table.body(&section);
        let error = (sigmas * table.row_deviation(&section, &body)) as i128;
        for word in 0..body.len() / part.part().word_bytes() {
            let sign = 1 - 2 * (signs.word(word as u128) & 1) as i128;
            plant(&section, &mut body, word, sign * error);
        }
        assert_eq!(verdict(&table, &section, body), Some(Code::RowEnergy), "{part:?}");
    }
}

#[test]
fn errors_in_one_coefficient_of_many_rows_are_caught() {
    let table = Table::new(4, 1);
    let signs = SecretStream::new(&[6; 32]);
    for part in [PartId::Bootstrapping, PartId::Squashing] {
        let section = sample(part);
        let mut body = table.body(&section);
        let error = (30.0 * table.row_deviation(&section, &body)) as i128;
        for row in 0..section.rows.len() {
            let sign = 1 - 2 * (signs.word(row as u128) & 1) as i128;
            plant(&section, &mut body, row * part.part().row_words + 77, sign * error);
        }
        assert_eq!(verdict(&table, &section, body), Some(Code::RowMaximum), "{part:?}");
    }
}

/// Equal errors in all rows, and pairs that cancel where nobody weighs rows.
#[test]
fn errors_in_few_or_all_rows_are_caught_in_every_part() {
    let table = Table::new(4, 1);
    for section in samples().into_iter().filter(|section| section.rows.len() > 1) {
        let (part, rows) = (section.part.part(), section.rows.len());
        let honest = table.body(&section);
        let size = (17.0 * section.deviation(table.committee)) as i128;
        let half = 1i128.wrapping_shl(part.word_bits() - 1);
        type Errors<'a> = &'a dyn Fn(usize) -> i128;
        let cases: [(&str, Errors<'_>); 5] = [
            ("the same in all rows", &|_| size),
            ("half the modulus in all rows", &|_| half),
            ("opposite in two rows", &|row| [size, -size].get(row).copied().unwrap_or(0)),
            ("half the modulus in two rows", &|row| if row < 2 { half } else { 0 }),
            ("growing from row to row", &|row| row as i128 * size),
        ];
        for (name, error) in cases {
            let mut body = honest.clone();
            (0..rows).for_each(|row| plant(&section, &mut body, row * part.row_words, error(row)));
            let code = verdict(&table, &section, body);
            assert_eq!(code, Some(Code::RowMaximum), "{} {name}", part.name);
        }
    }
}

/// What the party that sums a chunk may publish after it has seen everybody's contributions.
#[test]
fn bodies_made_from_honest_ones_are_caught_in_every_part() {
    let table = Table::new(4, 1);
    for section in samples() {
        let part = section.part.part();
        let honest = table.body(&section);
        let one = table.contributors[0].contribution(&super::chunk_of(&section));
        let mut words = vec![0; honest.len() / part.word_bytes()];
        read_words(&honest, part.width, &mut words);
        let made = |change: &dyn Fn(usize, u128) -> u128| {
            let changed: Vec<u128> = words.iter().enumerate().map(|(i, &word)| change(i, word)).collect();
            let mut bytes = vec![0; honest.len()];
            write_words(&changed, part.width, &mut bytes);
            bytes
        };
        let last = words.len() - part.row_words;
        let mut twice = honest.clone();
        add_into(&mut twice, &one, part.word_bytes()).expect("one chunk");
        for (name, body) in [
            ("nothing", made(&|_, _| 0)),
            ("the last row nothing", made(&|i, word| if i < last { word } else { 0 })),
            ("doubled", made(&|_, word| word.wrapping_mul(2))),
            ("negated", made(&|_, word| word.wrapping_neg())),
            ("one contribution twice", twice),
            ("uniform", made(&|i, _| SecretStream::new(&[7; 32]).word(i as u128))),
        ] {
            let code = verdict(&table, &section, body);
            assert_eq!(code, Some(Code::RowMaximum), "{} {name}", part.name);
        }
    }
}

#[test]
fn a_row_of_a_wrong_message_bit_is_caught() {
    let table = Table::new(4, 1);
    for section in samples() {
        let part = section.part.part();
        let (from, columns) = match part.shape {
            Shape::Bootstrapping { from } => (from, part.mask_polynomials + 1),
            Shape::PackingKeySwitch { from } | Shape::KeySwitch { from } => (from, 1),
            Shape::CompactPublic => continue,
        };
        // A wrong bit of a key switching key's finest level, 2^48, is no more than an allowed error: the next ones are seen.
        let lowest = if part.row_words == 1 { 1 } else { 0 };
        let level_of = |row: usize| row % part.rows_per_bit() / columns;
        let row = section.rows.clone().find(|&row| level_of(row) == lowest).expect("some row");
        let bit = self::bit(&table, from.range().start + row / part.rows_per_bit());
        let flip = (1 - 2 * bit) << part.shift(lowest);
        let start = (row - section.rows.start) * part.row_words;
        let mut body = table.body(&section);
        if row % columns == columns - 1 {
            plant(&section, &mut body, start, flip);
        } else {
            let key = part.under.range().start + row % columns * part.row_words;
            for word in 0..part.row_words {
                plant(&section, &mut body, start + word, -flip * self::bit(&table, key + word));
            }
        }
        assert_eq!(verdict(&table, &section, body), Some(Code::RowMaximum), "{}", part.name);
    }
}

fn bit(table: &Table, index: usize) -> i128 {
    table.bits[index] as i128
}

#[test]
fn a_body_under_the_mask_of_another_row_is_caught() {
    let table = Table::new(4, 1);
    for section in samples().into_iter().filter(|section| section.rows.len() > 1) {
        let part = section.part.part();
        let mut body = table.body(&section);
        let row = part.row_words * part.word_bytes();
        let (first, rest) = body.split_at_mut(row);
        first.swap_with_slice(&mut rest[..row]);
        assert_eq!(verdict(&table, &section, body), Some(Code::RowMaximum), "{}", part.name);
    }
}
