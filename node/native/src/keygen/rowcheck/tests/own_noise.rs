//! A party that knows its errors and deals noise to match: everything that it contributes and deals is chosen together,
//! before the coin.
use super::super::super::context::Purpose;
use super::super::super::layout::PartId;
use super::super::super::noise::NoiseSource;
use super::super::section::Section;
use super::{Step, Table, plant, samples, shift_noise};
use crate::errors::Code;
use crate::stream::SecretStream;

/// How all parties judge `section` with errors in its words, and with party 1's noise shifted.
fn verdict(
    table: &Table,
    section: &Section,
    error: &dyn Fn(usize) -> i128,
    shift: &dyn Fn(usize) -> i128,
) -> Option<Code> {
    let mut body = table.body(section);
    for word in 0..body.len() / section.part.part().word_bytes() {
        plant(section, &mut body, word, error(word));
    }
    let verdicts = table.check(std::slice::from_ref(section), &[body], &mut |step, sent| {
        if step == Step::Noise {
            shift_noise(table.committee, section, sent, shift);
        }
    });
    let codes: Vec<Option<Code>> =
        verdicts.into_iter().map(|verdict| verdict.err().map(|failure| failure.code)).collect();
    assert!(codes.iter().all(|code| *code == codes[0]), "all parties agree");
    codes[0]
}

/// The noise that party 1 would deal.
fn own_noise(table: &Table, section: &Section) -> Vec<u128> {
    let session = table.session(1);
    let stream = |purpose| session.root.stream(&session.context, purpose, section.part.number(), &[]);
    let bound = section.noise_bound(table.committee);
    let source = NoiseSource::new(bound, stream(Purpose::RowNoise), stream(Purpose::RowNoiseRetry));
    let mut noise = vec![0; section.coefficients()];
    let mut scratch = vec![0; 8 * noise.len()];
    source.add(0, &mut noise, &mut scratch);
    noise
}

fn whole(part: PartId) -> Section {
    Section { part, rows: 0..part.part().rows() }
}

#[test]
fn noise_that_undoes_the_errors_of_rows_hides_them_in_no_part() {
    for (n, t) in [(4, 1), (7, 2)] {
        let table = Table::new(n, t);
        for section in samples() {
            let bits = section.part.part().word_bits();
            for error in [1 << (bits - 7), 1i128.wrapping_shl(bits - 1)] {
                let got = verdict(&table, &section, &|_| error, &|_| error.wrapping_neg());
                assert_eq!(got, Some(Code::RowMaximum), "{n}/{t} {:?} {error}", section.part);
            }
        }
    }
}

/// Half of the noise undoes the error, so that every other place, bucket or sum is a good guess.
#[test]
fn one_error_is_seen_although_half_of_the_noise_undoes_it() {
    let table = Table::new(4, 1);
    for section in samples() {
        let error = 1i128 << (section.part.part().word_bits() - 7);
        let got = verdict(&table, &section, &|word| if word == 0 { error } else { 0 }, &|coefficient| {
            if coefficient % 2 == 0 { -error } else { 0 }
        });
        assert_eq!(got, Some(Code::RowMaximum), "{:?}", section.part);
    }
}

/// What corrupt parties save by dealing no noise is room for errors: up to the energy that docs/keygen.md §6 states.
#[test]
fn energy_in_the_room_of_noise_that_was_not_dealt_is_bounded() {
    let table = Table::new(4, 1);
    let signs = SecretStream::new(&[5; 32]);
    let sums = [PartId::Bootstrapping, PartId::Squashing, PartId::SquashedCompression];
    let sections = samples().into_iter().filter(|section| sums.contains(&section.part));
    let cases = sections
        .map(|section| (section, 2.6))
        .chain([(whole(PartId::KeySwitching), 1.5), (whole(PartId::CompactKeySwitching), 1.5)]);
    for (section, sigmas) in cases {
        let own = own_noise(&table, &section);
        let error = (sigmas * table.row_deviation(&section, &table.body(&section))) as i128;
        let sign = |word: usize| 1 - 2 * (signs.word(word as u128) & 1) as i128;
        let nothing = |coefficient: usize| -(own[coefficient] as i128);
        assert_eq!(verdict(&table, &section, &|_| 0, &nothing), None, "{:?}", section.part);
        let got = verdict(&table, &section, &|word| sign(word) * error, &nothing);
        assert_eq!(got, Some(Code::RowEnergy), "{:?}", section.part);
    }
}
