//! One party's dealing of noise for the row check, in the form of `shared_noise`. Secret: noise, points, messages.
use super::super::context::{Purpose, Session};
use super::super::dealing::SecretVector;
use super::super::message::Secret;
use super::super::noise::NoiseSource;
use super::packing::{PACKED, element_bytes, write_element};
use super::section::Section;
use super::shared_noise::{
    BATCH, SEED_BYTES, distance, has_seed, is_seeded, message_bytes, read_points, section_bytes,
    seeded_points,
};
use crate::ring::Gr;
use crate::ring::shamir::{dot, lagrange};
use crate::stream::SecretStream;
use rayon::prelude::*;
use zeroize::Zeroizing;

/// This party's messages to all receivers, itself included.
pub fn deal(session: &Session, sections: &[Section]) -> Vec<Secret> {
    let (context, committee) = (&session.context, session.context.committee);
    let steps: Vec<usize> =
        committee.parties().map(|receiver| distance(committee, context.index, receiver)).collect();
    let mut messages: Vec<Secret> =
        steps.iter().map(|&step| Zeroizing::new(vec![0; message_bytes(committee, sections, step)])).collect();
    let seeds: Vec<Zeroizing<[u8; SEED_BYTES]>> = committee
        .parties()
        .map(|receiver| session.root.key(context, Purpose::RowSharingSeed, 0, &[receiver as u8]))
        .collect();
    let mut rest: Vec<&mut [u8]> = messages.iter_mut().map(|message| message.as_mut_slice()).collect();
    for ((rest, seed), &step) in rest.iter_mut().zip(&seeds).zip(&steps) {
        if has_seed(committee, step) {
            take(rest, SEED_BYTES).copy_from_slice(seed.as_ref());
        }
    }
    for section in sections {
        let (mut seeded, mut receivers, mut outs) = (Vec::new(), Vec::new(), Vec::new());
        for (q, (rest, &step)) in rest.iter_mut().zip(&steps).enumerate() {
            if is_seeded(committee, section, step) {
                let points = seeded_points(context, section, context.index, q + 1, seeds[q].as_ref());
                seeded.push((q + 1, points));
            } else {
                receivers.push(q + 1);
                outs.push(take(rest, section_bytes(section)));
            }
        }
        SectionDealing::new(session, section, seeded, &receivers).fill(outs);
    }
    messages
}

/// Cuts the next `length` bytes off.
fn take<'a>(rest: &mut &'a mut [u8], length: usize) -> &'a mut [u8] {
    let (head, tail) = std::mem::take(rest).split_at_mut(length);
    *rest = tail;
    head
}

/// The dealing of one section to the receivers that are not seeded.
struct SectionDealing<'a> {
    section: &'a Section,
    noise: NoiseSource,
    seeded: Vec<SecretStream>,
    /// By receiver: its point from the value and the seeded points.
    coefficients: Vec<Vec<Gr>>,
}

impl<'a> SectionDealing<'a> {
    fn new(
        session: &Session,
        section: &'a Section,
        seeded: Vec<(usize, SecretStream)>,
        receivers: &[usize],
    ) -> SectionDealing<'a> {
        let stream = |purpose| session.root.stream(&session.context, purpose, section.part.number(), &[]);
        let (known, seeded): (Vec<usize>, Vec<SecretStream>) = seeded.into_iter().unzip();
        let base = [&[0], &known[..]].concat();
        let bound = section.noise_bound(session.context.committee);
        SectionDealing {
            section,
            noise: NoiseSource::new(bound, stream(Purpose::RowNoise), stream(Purpose::RowNoiseRetry)),
            seeded,
            coefficients: receivers.iter().map(|&receiver| lagrange(&base, receiver)).collect(),
        }
    }

    /// `outs` are the section's bytes in the receivers' messages.
    fn fill(&self, outs: Vec<&mut [u8]>) {
        let size = element_bytes(self.section.part.part().width);
        let mut batches: Vec<Vec<&mut [u8]>> = Vec::new();
        for out in outs {
            for (i, batch) in out.chunks_mut(BATCH * size).enumerate() {
                if i == batches.len() {
                    batches.push(Vec::new());
                }
                batches[i].push(batch);
            }
        }
        batches.into_par_iter().enumerate().for_each(|(i, outs)| self.fill_batch(i * BATCH, outs));
    }

    fn fill_batch(&self, first: usize, outs: Vec<&mut [u8]>) {
        let width = self.section.part.part().width;
        let size = element_bytes(width);
        let count = outs.first().map_or(0, |out| out.len() / size);
        let known = self.known_points(first, count);
        for (out, coefficients) in outs.into_iter().zip(&self.coefficients) {
            for (bytes, points) in out.chunks_exact_mut(size).zip(known.chunks_exact(coefficients.len())) {
                write_element(dot(coefficients, points), width, bytes);
            }
        }
    }

    /// Element by element: the noise, then the seeded points.
    fn known_points(&self, first: usize, count: usize) -> SecretVector {
        let mut words = Zeroizing::new(vec![0u128; PACKED * count]);
        let mut scratch = Zeroizing::new(vec![0u8; 8 * words.len()]);
        self.noise.add((PACKED * first) as u64, &mut words, &mut scratch);
        let points = self.seeded.len() + 1;
        let mut known = Zeroizing::new(vec![Gr::ZERO; points * count]);
        for (point, noise) in known.iter_mut().step_by(points).zip(words.as_chunks::<PACKED>().0) {
            *point = Gr(*noise);
        }
        let mut column = Zeroizing::new(vec![Gr::ZERO; count]);
        for (k, stream) in self.seeded.iter().enumerate() {
            read_points(stream, self.section, first, &mut column);
            known
                .iter_mut()
                .skip(k + 1)
                .step_by(points)
                .zip(column.iter())
                .for_each(|(to, &from)| *to = from);
        }
        known
    }
}
