//! The cheater of every case knows its own tau, so each bad list carries a valid proof of knowledge unless the proof
//! itself is the subject. Lists are short here: the algebra depends on n alone.

mod forgeries;
mod full_size;
mod group;
mod honest;

use super::codec::{G1_BYTES, G2_BYTES, decode_g1, decode_g2, encode_g1, encode_g2};
use super::message::{Context, HEADER_BYTES};
use super::parameters::CrsParameters;
use super::update::{Tau, multiply_state, sign, start_state};
use tfhe_zk_pok::curve_api::CurveGroupOps;
use tfhe_zk_pok::curve_api::bls12_446::{G1, G2, Zp};

pub const N: usize = 8;
const CEREMONY: [u8; 32] = [0x42; 32];

pub fn context(round: u32, party: u32) -> Context {
    Context { ceremony: CEREMONY, round, party }
}

/// A ceremony after its first update, and the honest second update of party 2 with a known factor.
pub struct Scene {
    pub parameters: CrsParameters,
    pub start: Vec<u8>,
    pub first_message: Vec<u8>,
    pub previous: Vec<u8>,
    pub tau: Tau,
    pub next: Vec<u8>,
}

impl Scene {
    pub fn new() -> Self {
        let parameters = CrsParameters::toy(N);
        let start = start_state(&parameters);
        let first = Tau::random();
        let previous = multiply_state(&parameters, &start, &first).unwrap();
        let first_message = sign(&parameters, &start, &previous, &context(0, 1), &first).unwrap();
        let tau = Tau::random();
        let next = multiply_state(&parameters, &previous, &tau).unwrap();
        Self { parameters, start, first_message, previous, tau, next }
    }

    /// A message of party 2 in round 1 over any list, with a valid proof of knowledge of `self.tau`.
    pub fn signed(&self, next: &[u8]) -> Vec<u8> {
        sign(&self.parameters, &self.previous, next, &context(1, 2), &self.tau).unwrap()
    }

    /// The honest next state with one change.
    pub fn mutated(&self, change: impl Fn(&mut List)) -> Vec<u8> {
        let mut list = List(self.next.clone());
        change(&mut list);
        self.signed(&list.0)
    }
}

/// A state seen as one-based positions of two lists.
pub struct List(pub Vec<u8>);

impl List {
    pub fn g_bytes(&mut self, position: usize) -> &mut [u8] {
        &mut self.0[(position - 1) * G1_BYTES..position * G1_BYTES]
    }

    pub fn h_bytes(&mut self, position: usize) -> &mut [u8] {
        let offset = 2 * N * G1_BYTES;
        &mut self.0[offset + (position - 1) * G2_BYTES..offset + position * G2_BYTES]
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

    pub fn triple_g(&mut self, position: usize) {
        self.change_g(position, |point| point.mul_scalar(Zp::from_u64(3)));
    }

    pub fn triple_h(&mut self, position: usize) {
        self.change_h(position, |point| point.mul_scalar(Zp::from_u64(3)));
    }
}

/// Replaces header fields of a finished message: round, party, ceremony, previous digest.
pub fn with_header_of(message: &[u8], donor: &[u8]) -> Vec<u8> {
    let end_of_digest = HEADER_BYTES - G1_BYTES - super::codec::SCALAR_BYTES;
    [&donor[..end_of_digest], &message[end_of_digest..]].concat()
}
