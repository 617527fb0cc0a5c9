//! Dealing whole vectors: a degree-t Shamir sharing of every element, as one message per receiver.
//!
//! Secret: values and randomness. Element e reads its own blocks of a stream that serves this vector only.
use super::message::Secret;
use crate::ring::element::GR_BYTES;
use crate::ring::shamir::evaluate;
use crate::ring::{Committee, Gr};
use crate::stream::{BLOCK, SecretStream};
use zeroize::{Zeroize, Zeroizing};

/// Shares or values that are wiped on drop.
pub type SecretVector = Zeroizing<Vec<Gr>>;

/// Empty messages to all n receivers, each with room for `elements` shares.
pub fn messages(committee: Committee, elements: usize) -> Vec<Secret> {
    committee.parties().map(|_| Zeroizing::new(Vec::with_capacity(elements * GR_BYTES))).collect()
}

/// Appends sharings of `values` to the messages.
pub fn deal(
    committee: Committee,
    values: impl Iterator<Item = Gr>,
    randomness: &SecretStream,
    messages: &mut [Secret],
) {
    let mut coefficients = Zeroizing::new(vec![Gr::ZERO; committee.t()]);
    for (e, value) in values.enumerate() {
        draw(randomness, e, &mut coefficients);
        share(value, &coefficients, messages);
    }
}

/// Appends sharings of `count` uniform values: f itself is uniform of degree t.
pub fn deal_random(committee: Committee, count: usize, randomness: &SecretStream, messages: &mut [Secret]) {
    let mut coefficients = Zeroizing::new(vec![Gr::ZERO; committee.t() + 1]);
    for e in 0..count {
        draw(randomness, e, &mut coefficients);
        share(coefficients[0], &coefficients[1..], messages);
    }
}

fn draw(randomness: &SecretStream, e: usize, out: &mut [Gr]) {
    let per_element = out.len() * GR_BYTES / BLOCK;
    let mut bytes = [0; GR_BYTES];
    for (k, coefficient) in out.iter_mut().enumerate() {
        randomness.fill((e * per_element + k * GR_BYTES / BLOCK) as u128, &mut bytes);
        *coefficient = Gr::from_bytes(&bytes);
    }
    bytes.zeroize();
}

fn share(value: Gr, coefficients: &[Gr], messages: &mut [Secret]) {
    for (q, message) in messages.iter_mut().enumerate() {
        message.extend_from_slice(&evaluate(value, coefficients, q + 1).to_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::elements;
    use super::*;
    use crate::ring::shamir::PolynomialTest;

    #[test]
    fn dealt_vectors_are_sharings_of_their_values() {
        let committee = Committee::new(7, 2).expect("allowed");
        let stream = SecretStream::new(&[1; 32]);
        let values = [Gr::ONE, Gr::ZERO, Gr([5, 6, 7, 8])];
        let mut out = messages(committee, 5);
        deal(committee, values.into_iter(), &stream, &mut out);
        deal_random(committee, 2, &SecretStream::new(&[2; 32]), &mut out);
        let received: Vec<Vec<Gr>> = out.iter().map(|m| elements(m)).collect();
        let test = PolynomialTest::new(committee, 2);
        let value = |e: usize| test.value(&received.iter().map(|r| r[e]).collect::<Vec<_>>());
        for (e, want) in values.into_iter().enumerate() {
            assert_eq!(value(e), Some(want));
        }
        assert!(value(3).is_some() && value(3) != value(4));
    }

    #[test]
    fn two_elements_never_share_randomness() {
        let committee = Committee::new(4, 1).expect("allowed");
        let mut out = messages(committee, 100);
        deal(committee, (0..100).map(|_| Gr::ZERO), &SecretStream::new(&[1; 32]), &mut out);
        let mut shares = elements(&out[0]);
        shares.sort_by_key(|share| share.0);
        shares.dedup();
        assert_eq!(shares.len(), 100);
    }
}
