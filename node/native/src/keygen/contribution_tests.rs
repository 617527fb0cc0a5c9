//! Contributions of all parties to a few rows of every part, from bits that the test knows.
use super::context::{Context, Root};
use super::contribution::{Contributor, PairKey};
use super::dealing::{deal, messages};
use super::expected::noise_of;
use super::layout::{Chunk, PARTS, PartId, chunks};
use super::message::elements;
use super::noise::noise_bound;
use super::sum::add_into;
use crate::params::KEY_BITS;
use crate::ring::{Committee, Gr};
use crate::stream::SecretStream;
use zeroize::Zeroizing;

pub(super) const SEED: [u8; 32] = [77; 32];

pub(super) const CEREMONY: [u8; 32] = [6; 32];

/// Parties that hold shares of pseudo-random bits, and the bits.
pub(super) fn parties(committee: Committee) -> (Vec<Contributor>, Vec<u128>) {
    parties_in(CEREMONY, committee)
}

/// The same parties, with the same roots and pair keys, in any ceremony.
pub(super) fn parties_in(ceremony_id: [u8; 32], committee: Committee) -> (Vec<Contributor>, Vec<u128>) {
    let stream = SecretStream::new(&[1; 32]);
    let bits: Vec<u128> = (0..KEY_BITS).map(|e| stream.word(e as u128) & 1).collect();
    let mut shares = messages(committee, KEY_BITS);
    let values = bits.iter().map(|&bit| Gr::scalar(bit));
    deal(committee, values, &SecretStream::new(&[2; 32]), &mut shares);
    let parties = committee.parties().map(|index| {
        let context = Context { committee, index, ceremony_id, attempt: 2, bits: KEY_BITS };
        let pairs = committee
            .parties()
            .filter(|&other| other != index)
            .map(|other| {
                let mut key = Zeroizing::new([0; 32]);
                key[0] = index.min(other) as u8;
                key[1] = index.max(other) as u8;
                PairKey { other, key }
            })
            .collect();
        let own = Zeroizing::new(elements(&shares[index - 1]));
        Contributor::new(context, Root::from_label(&format!("party {index}")), own, pairs, &SEED)
    });
    (parties.collect(), bits)
}

/// The first and last rows of every part, as chunks.
fn samples() -> Vec<Chunk> {
    let mut samples = Vec::new();
    for (i, id) in part_ids().into_iter().enumerate() {
        let rows = PARTS[i].rows();
        samples.push(Chunk { index: 0, part: id, rows: 0..rows.min(10) });
        if rows > 10 {
            samples.push(Chunk { index: 0, part: id, rows: rows - 7..rows });
        }
    }
    samples
}

fn part_ids() -> Vec<PartId> {
    let mut ids: Vec<PartId> = chunks().into_iter().map(|chunk| chunk.part).collect();
    ids.dedup();
    ids
}

fn sum(parties: &[Contributor], chunk: &Chunk) -> Vec<u8> {
    let mut sum = vec![0; chunk.byte_length()];
    for party in parties {
        add_into(&mut sum, &party.contribution(chunk), chunk.part.part().word_bytes()).expect("one chunk");
    }
    sum
}

#[test]
fn summed_contributions_are_the_rows_of_the_key_with_small_noise() {
    for (n, t) in [(4, 1), (7, 2)] {
        let committee = Committee::new(n, t).expect("allowed");
        let (parties, bits) = parties(committee);
        for chunk in samples() {
            let part = chunk.part.part();
            let body = sum(&parties, &chunk);
            let noise = noise_of(&SEED, &bits, chunk.part, chunk.rows.start, &body);
            let bound = noise_bound(part.noise_log, part.budget.shares(committee)) as u128;
            let maximum = noise.iter().map(|e| e.unsigned_abs()).max().expect("rows");
            assert!(maximum <= n as u128 * bound, "{n}/{t} {} {:?}: {maximum}", part.name, chunk.rows);
            assert!(maximum > bound / 4, "{n}/{t} {}: no noise", part.name);
        }
    }
}

#[test]
fn without_one_party_nothing_is_left_but_uniform_words() {
    let committee = Committee::new(4, 1).expect("allowed");
    let (parties, bits) = parties(committee);
    for chunk in samples() {
        let body = sum(&parties[1..], &chunk);
        let noise = noise_of(&SEED, &bits, chunk.part, chunk.rows.start, &body);
        let limit = 1u128 << (chunk.part.part().word_bits() - 3);
        let large = noise.iter().filter(|e| e.unsigned_abs() > limit).count();
        assert!(large * 4 > noise.len(), "{}: {large} of {}", chunk.part.part().name, noise.len());
    }
}

#[test]
fn a_contribution_has_the_same_bytes_however_the_rows_are_cut() {
    let committee = Committee::new(4, 1).expect("allowed");
    let (parties, _) = parties(committee);
    for id in part_ids() {
        let rows = id.part().rows().min(9);
        let whole = parties[0].contribution(&Chunk { index: 0, part: id, rows: 0..rows });
        let row_bytes = whole.len() / rows;
        for row in 0..rows {
            let one = parties[0].contribution(&Chunk { index: 0, part: id, rows: row..row + 1 });
            assert!(one == whole[row * row_bytes..(row + 1) * row_bytes], "{} row {row}", id.part().name);
        }
    }
}

#[test]
fn parts_of_one_shape_use_streams_of_their_own() {
    let committee = Committee::new(4, 1).expect("allowed");
    let (parties, bits) = parties(committee);
    let noise = |id: PartId| {
        let chunk = Chunk { index: 0, part: id, rows: 0..4 };
        noise_of(&SEED, &bits, id, 0, &sum(&parties, &chunk))
    };
    let alike = [PartId::Bootstrapping, PartId::Decompression, PartId::PseudoRandomFunction].map(noise);
    for (i, j) in [(0, 1), (0, 2), (1, 2)] {
        let equal = alike[i].iter().zip(&alike[j]).filter(|(a, b)| a == b).count();
        assert!(equal < 50, "noise is drawn anew: {equal} equal coefficients");
    }
}
