//! The cheater of every case knows its own tau, so each bad list carries a valid proof of knowledge unless the proof
//! itself is the subject. Lists are short except where a test says so: the algebra depends on n alone.

mod audit;
mod full_size;
mod group;
mod honest;
mod malformed;

use super::audit::Link;
use super::codec::{G1_BYTES, G2_BYTES, SCALAR_BYTES, decode_g1, decode_g2, encode_g1, encode_g2};
use super::message::{Context, HEADER_BYTES};
use super::parameters::CrsParameters;
use super::update::{Tau, multiply_state, sign, start_state};
use rand::rngs::OsRng;
use std::ops::Range;
use tfhe_zk_pok::curve_api::CurveGroupOps;
use tfhe_zk_pok::curve_api::bls12_446::{G1, G2, Zp};

/// Short lists.
pub const N: usize = 8;
pub const CEREMONY: [u8; 32] = [0x42; 32];

pub fn context(round: u32, party: u32) -> Context {
    Context { ceremony: CEREMONY, round, party }
}

/// A ceremony after the first update by party 1, and the honest second update by party 2 with a known factor.
pub struct Scene {
    pub parameters: CrsParameters,
    pub start: Vec<u8>,
    pub first_message: Vec<u8>,
    pub previous: Vec<u8>,
    pub tau: Tau,
    pub next: Vec<u8>,
    /// The previous state under another factor.
    pub other: Vec<u8>,
    /// Logarithm of the first element of `next`.
    pub alpha: Zp,
}

impl Scene {
    pub fn new(parameters: CrsParameters) -> Self {
        let factors = [Zp::rand(&mut OsRng), Zp::rand(&mut OsRng)];
        let [first, tau] = factors.map(Tau::from_scalar);
        let start = start_state(&parameters);
        let previous = multiply_state(&parameters, &start, &first).unwrap();
        let first_message = sign(&parameters, &start, &previous, &context(1, 1), &first).unwrap();
        let next = multiply_state(&parameters, &previous, &tau).unwrap();
        let other = multiply_state(&parameters, &previous, &Tau::random()).unwrap();
        let alpha = factors[0] * factors[1];
        Self { parameters, start, first_message, previous, tau, next, other, alpha }
    }

    pub fn short() -> Self {
        Self::new(CrsParameters::toy(N))
    }

    /// Where the verifier stands: the second round belongs to party 2.
    pub fn place(&self) -> Context {
        context(2, 2)
    }

    /// A message of party 2 in round 2 over any list, with a valid proof of knowledge of `self.tau`.
    pub fn signed(&self, next: &[u8]) -> Vec<u8> {
        self.signed_at(&self.place(), next)
    }

    pub fn signed_at(&self, place: &Context, next: &[u8]) -> Vec<u8> {
        sign(&self.parameters, &self.previous, next, place, &self.tau).unwrap()
    }

    pub fn honest(&self) -> Vec<u8> {
        self.signed(&self.next)
    }

    /// The honest next state with one change, signed.
    pub fn mutated(&self, change: impl Fn(&mut List)) -> Vec<u8> {
        let mut list = self.list();
        change(&mut list);
        self.signed(&list.bytes)
    }

    /// The honest message with one change of its bytes.
    pub fn altered(&self, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let mut message = self.honest();
        change(&mut message);
        message
    }

    pub fn list(&self) -> List {
        List { n: self.parameters.n, bytes: self.next.clone() }
    }

    pub fn first_link(&self) -> Link {
        Link::of_message(&self.parameters, &self.first_message).unwrap()
    }
}

/// Where the commitment R and the response z stand in a message.
pub const COMMITMENT: Range<usize> = RESPONSE.start - G1_BYTES..RESPONSE.start;
pub const RESPONSE: Range<usize> = HEADER_BYTES - SCALAR_BYTES..HEADER_BYTES;

/// A state seen as one-based positions of two lists.
pub struct List {
    pub n: usize,
    pub bytes: Vec<u8>,
}

impl List {
    fn g_range(position: usize) -> Range<usize> {
        (position - 1) * G1_BYTES..position * G1_BYTES
    }

    fn h_range(&self, position: usize) -> Range<usize> {
        let offset = 2 * self.n * G1_BYTES;
        offset + (position - 1) * G2_BYTES..offset + position * G2_BYTES
    }

    pub fn g_bytes(&mut self, position: usize) -> &mut [u8] {
        &mut self.bytes[Self::g_range(position)]
    }

    pub fn h_bytes(&mut self, position: usize) -> &mut [u8] {
        let range = self.h_range(position);
        &mut self.bytes[range]
    }

    /// Takes one-based positions of G1 over from another state.
    pub fn take_g(&mut self, positions: Range<usize>, state: &[u8]) {
        let bytes = Self::g_range(positions.start).start..Self::g_range(positions.end).start;
        self.bytes[bytes.clone()].copy_from_slice(&state[bytes]);
    }

    /// Takes the whole list of G2 over from another state.
    pub fn take_h(&mut self, state: &[u8]) {
        let start = self.h_range(1).start;
        self.bytes[start..].copy_from_slice(&state[start..]);
    }

    pub fn change_g(&mut self, position: usize, change: impl Fn(G1) -> G1) {
        let bytes = self.g_bytes(position);
        let point = change(G1::projective(decode_g1(bytes).unwrap()));
        bytes.copy_from_slice(&encode_g1(&point.normalize()));
    }

    pub fn change_h(&mut self, position: usize, change: impl Fn(G2) -> G2) {
        let bytes = self.h_bytes(position);
        let point = change(G2::projective(decode_g2(bytes).unwrap()));
        bytes.copy_from_slice(&encode_g2(&point.normalize()));
    }

    pub fn change_all_h(&mut self, change: impl Fn(G2) -> G2) {
        for position in 1..=self.n {
            self.change_h(position, &change);
        }
    }

    pub fn exchange_g(&mut self, one: usize, two: usize) {
        let (first, second) = (self.g_bytes(one).to_vec(), self.g_bytes(two).to_vec());
        self.g_bytes(one).copy_from_slice(&second);
        self.g_bytes(two).copy_from_slice(&first);
    }

    pub fn exchange_h(&mut self, one: usize, two: usize) {
        let (first, second) = (self.h_bytes(one).to_vec(), self.h_bytes(two).to_vec());
        self.h_bytes(one).copy_from_slice(&second);
        self.h_bytes(two).copy_from_slice(&first);
    }
}

pub fn tripled<G: CurveGroupOps<Zp>>(point: G) -> G {
    point.double() + point
}

pub fn negated<G: CurveGroupOps<Zp>>(point: G) -> G {
    G::ZERO - point
}

/// A finished message under the round, party, ceremony and previous digest of another one.
pub fn with_header_of(message: &[u8], donor: &[u8]) -> Vec<u8> {
    [&donor[..COMMITMENT.start], &message[COMMITMENT.start..]].concat()
}
