//! Noise that every party deals before the coin, so that opened sums hide the rows' own noise.
//!
//! Each element of noise is shared with the degree of its section. The points of the `degree` receivers after the dealer
//! (cyclic) are pseudo-random: the dealer sends them a seed, and only the others, whose points follow from the value and
//! the seeded points, get them in full. A dealer is free in its noise and in its points, but all of it is fixed before the
//! coin: noise that is too large or on no polynomial makes the check fail whatever the honest secrets are.
use super::super::context::{Context, Purpose};
use super::super::dealing::SecretVector;
use super::super::message::Incoming;
use super::packing::{PACKED, element_bytes, read_element};
use super::section::Section;
use crate::errors::Result;
use crate::ring::{Committee, Gr};
use crate::stream::{BLOCK, SecretStream};
use rayon::prelude::*;
use zeroize::Zeroizing;

pub const SEED_BYTES: usize = 32;
/// Elements worked on at once.
pub const BATCH: usize = 512;

/// Steps from dealer to receiver around the committee.
pub const fn distance(committee: Committee, dealer: usize, receiver: usize) -> usize {
    (receiver + committee.n() - dealer) % committee.n()
}

/// Whether the receiver at `distance` makes its points of a section from its seed.
pub fn is_seeded(committee: Committee, section: &Section, distance: usize) -> bool {
    (1..=section.degree(committee)).contains(&distance)
}

/// Whether the receiver at `distance` gets a seed at all.
pub fn has_seed(committee: Committee, distance: usize) -> bool {
    (1..=2 * committee.t()).contains(&distance)
}

pub const fn section_bytes(section: &Section) -> usize {
    section.coefficients() * section.part.part().word_bytes()
}

/// Bytes of the message to the receiver at `distance`: its seed, then its points of all other sections.
pub fn message_bytes(committee: Committee, sections: &[Section], distance: usize) -> usize {
    let full = sections.iter().filter(|section| !is_seeded(committee, section, distance));
    let seed = if has_seed(committee, distance) { SEED_BYTES } else { 0 };
    seed + full.map(section_bytes).sum::<usize>()
}

/// The points that a receiver makes from its seed.
pub fn seeded_points(
    context: &Context,
    section: &Section,
    dealer: usize,
    receiver: usize,
    seed: &[u8],
) -> SecretStream {
    let between = [dealer as u8, receiver as u8];
    context.stream(seed, Purpose::RowSharing, section.part.number(), &between)
}

/// Reads elements `first..first + out.len()` of a seeded section.
pub fn read_points(points: &SecretStream, section: &Section, first: usize, out: &mut [Gr]) {
    let width = section.part.part().width;
    let size = element_bytes(width);
    let mut bytes = Zeroizing::new(vec![0; out.len() * size]);
    points.fill((first * size / BLOCK) as u128, &mut bytes);
    out.iter_mut()
        .zip(bytes.chunks_exact(size))
        .for_each(|(point, bytes)| *point = read_element(bytes, width));
}

/// By section: this party's shares of the sum of all dealers' noise.
///
/// # Errors
/// `KEYGEN_MESSAGE_MALFORMED` naming the dealer.
pub fn receive(context: &Context, sections: &[Section], incoming: &Incoming) -> Result<Vec<SecretVector>> {
    let zero = |section: &Section| Zeroizing::new(vec![Gr::ZERO; section.coefficients() / PACKED]);
    let mut sums: Vec<SecretVector> = sections.iter().map(zero).collect();
    for dealer in context.committee.parties() {
        incoming.broadcast(dealer, 0)?;
        add_dealing(context, sections, dealer, incoming, &mut sums)?;
    }
    Ok(sums)
}

/// Adds this party's points of one dealer's noise.
fn add_dealing(
    context: &Context,
    sections: &[Section],
    dealer: usize,
    incoming: &Incoming,
    sums: &mut [SecretVector],
) -> Result<()> {
    let committee = context.committee;
    let step = distance(committee, dealer, context.index);
    let message = incoming.private(dealer, message_bytes(committee, sections, step))?;
    let (seed, mut rest) = message.split_at(if has_seed(committee, step) { SEED_BYTES } else { 0 });
    for (section, sum) in sections.iter().zip(sums) {
        if is_seeded(committee, section, step) {
            add_seeded(&seeded_points(context, section, dealer, context.index, seed), section, sum);
        } else {
            let (own, others) = rest.split_at(section_bytes(section));
            add_points(own, section, sum);
            rest = others;
        }
    }
    Ok(())
}

fn add_seeded(points: &SecretStream, section: &Section, sum: &mut [Gr]) {
    sum.par_chunks_mut(BATCH).enumerate().for_each(|(i, sum)| {
        let mut own = Zeroizing::new(vec![Gr::ZERO; sum.len()]);
        read_points(points, section, i * BATCH, &mut own);
        sum.iter_mut().zip(own.iter()).for_each(|(sum, &point)| *sum += point);
    });
}

fn add_points(bytes: &[u8], section: &Section, sum: &mut [Gr]) {
    let width = section.part.part().width;
    for (sum, bytes) in sum.iter_mut().zip(bytes.chunks_exact(element_bytes(width))) {
        *sum += read_element(bytes, width);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::context::Root;
    use super::super::super::context::Session;
    use super::super::super::layout::PartId;
    use super::super::super::message::Secret;
    use super::super::noise_dealing::deal;
    use super::super::packing::{read_scaled, signed, write_element};
    use super::*;
    use crate::ring::shamir::PolynomialTest;

    fn sections() -> Vec<Section> {
        vec![
            Section { part: PartId::Squashing, rows: 3..50 },
            Section { part: PartId::KeySwitching, rows: 0..600 },
            Section { part: PartId::Decompression, rows: 0..10 },
        ]
    }

    fn session(committee: Committee, index: usize) -> Session {
        let context = Context { committee, index, ceremony_id: [1; 32], attempt: 0, bits: 8 };
        Session { context, root: Root::from_label(&format!("dealer {index}")) }
    }

    /// By party: its shares of the noise of the dealers `who`, by section.
    fn shares(committee: Committee, who: &[usize]) -> Vec<Vec<SecretVector>> {
        let dealt: Vec<Vec<Secret>> =
            committee.parties().map(|dealer| deal(&session(committee, dealer), &sections())).collect();
        let receive = |receiver: usize| {
            let private = dealt.iter().map(|messages| Some(messages[receiver - 1].clone())).collect();
            let incoming = Incoming { broadcasts: vec![Vec::new(); committee.n()], private };
            let context = session(committee, receiver).context;
            let zero = |section: &Section| Zeroizing::new(vec![Gr::ZERO; section.coefficients() / PACKED]);
            let mut sums: Vec<SecretVector> = sections().iter().map(zero).collect();
            for &dealer in who {
                add_dealing(&context, &sections(), dealer, &incoming, &mut sums).expect("well formed");
            }
            sums
        };
        committee.parties().map(receive).collect()
    }

    #[test]
    fn dealt_noise_is_shared_with_its_degree_and_fills_its_range() {
        for (n, t) in [(4, 1), (7, 2), (8, 2)] {
            let committee = Committee::new(n, t).expect("allowed");
            let everyone: Vec<usize> = committee.parties().collect();
            for who in [&[1][..], &[n], &everyone] {
                let shares = shares(committee, who);
                for (s, section) in sections().into_iter().enumerate() {
                    let (width, degree) = (section.part.part().width, section.degree(committee));
                    let mut bytes = vec![0; element_bytes(width)];
                    let mut scaled = |share: Gr| {
                        write_element(share, width, &mut bytes);
                        read_scaled(&bytes, width)
                    };
                    let (test, lower) =
                        (PolynomialTest::new(committee, degree), PolynomialTest::new(committee, degree - 1));
                    let bound = section.noise_bound(committee) as f64;
                    let (mut squares, mut largest) = (0.0, 0f64);
                    for e in 0..section.coefficients() / PACKED {
                        let points: Vec<Gr> = shares.iter().map(|own| scaled(own[s][e])).collect();
                        let value = test.value(&points).expect("on a polynomial of its degree");
                        assert!(degree == 1 || lower.value(&points).is_none(), "of no lower degree");
                        for word in value.0 {
                            let noise = signed(word, width) as f64;
                            squares += noise * noise;
                            largest = largest.max(noise.abs());
                        }
                    }
                    let variance =
                        squares / section.coefficients() as f64 / (who.len() as f64 * bound * bound / 3.0);
                    assert!((variance - 1.0).abs() < 0.15, "{n}/{t} {section:?} {variance}");
                    assert!(largest <= who.len() as f64 * bound);
                }
            }
        }
    }

    #[test]
    fn most_receivers_of_products_get_seeds() {
        let committee = Committee::new(13, 4).expect("allowed");
        let bytes: Vec<usize> =
            (0..13).map(|step| message_bytes(committee, &super::super::section::whole_key(), step)).collect();
        assert_eq!(bytes[0], bytes[12], "the dealer itself and the last receivers get all points");
        assert!(bytes[1..=4].iter().all(|&length| length == SEED_BYTES));
        assert!(bytes[5..=8].iter().all(|&length| length > SEED_BYTES && length < bytes[9]));
    }
}
