//! Good lists under proofs of knowledge that are made for something else, and lists whose factor nobody proves.

use super::super::{COMMITMENT, RESPONSE, Scene, context, tripled, with_header_of};
use super::{Case, case};
use crate::crs::codec::{G1_BYTES, SCALAR_BYTES};
use crate::crs::error::CrsError::{Context as OtherContext, Encoding, Previous, Proof, Unchanged};
use crate::crs::message::{Context, HEADER_BYTES};
use crate::crs::update::{multiply_state, sign};
use num_bigint::BigUint;

const FOREIGN: Context = Context { ceremony: [0x43; 32], round: 2, party: 2 };

/// The same statement claimed for the verifier's own place.
fn rewritten(scene: &Scene, message: &[u8]) -> Vec<u8> {
    with_header_of(message, &scene.honest())
}

/// An update of the start state: drops what party 1 contributed.
fn restarted(scene: &Scene) -> Vec<u8> {
    let fresh = multiply_state(&scene.parameters, &scene.start, &scene.tau).unwrap();
    sign(&scene.parameters, &scene.start, &fresh, &scene.place(), &scene.tau).unwrap()
}

/// z + r: the same scalar in another form.
fn response_of_another_form(scene: &Scene) -> Vec<u8> {
    scene.altered(|message| {
        let order: BigUint = super::super::group::ORDER.parse().unwrap();
        let sum = BigUint::from_bytes_le(&message[RESPONSE]) + order;
        let mut bytes = sum.to_bytes_le();
        bytes.resize(SCALAR_BYTES, 0);
        message[RESPONSE].copy_from_slice(&bytes);
    })
}

pub fn cases() -> Vec<Case> {
    vec![
        case("made for another party", OtherContext, |s| s.signed_at(&context(2, 3), &s.next)),
        case("made for another party, header rewritten", Proof, |s| {
            rewritten(s, &s.signed_at(&context(2, 3), &s.next))
        }),
        case("made for another round", OtherContext, |s| s.signed_at(&context(3, 2), &s.next)),
        case("made for another round, header rewritten", Proof, |s| {
            rewritten(s, &s.signed_at(&context(3, 2), &s.next))
        }),
        // links do not repeat the ceremony: the auditor's own one is under the proof
        Case {
            name: "made for another ceremony",
            verifier: OtherContext,
            auditor: Proof,
            message: |s| s.signed_at(&FOREIGN, &s.next),
        },
        case("made for another ceremony, header rewritten", Proof, |s| {
            rewritten(s, &s.signed_at(&FOREIGN, &s.next))
        }),
        case("moved to another list of the same first element", Proof, |s| {
            let mut list = s.list();
            list.change_g(5, tripled);
            [&s.honest()[..HEADER_BYTES], &list.bytes].concat()
        }),
        case("moved to another first element", Proof, |s| [&s.honest()[..HEADER_BYTES], &s.other].concat()),
        case("response changed", Proof, |s| s.altered(|message| message[RESPONSE.start] ^= 1)),
        case("response zero", Proof, |s| s.altered(|message| message[RESPONSE].fill(0))),
        case("commitment changed", Proof, |s| {
            let first = s.next[..G1_BYTES].to_vec();
            s.altered(|message| message[COMMITMENT].copy_from_slice(&first))
        }),
        case("commitment infinity and response zero", Proof, |s| {
            s.altered(|message| message[COMMITMENT.start..RESPONSE.end].fill(0))
        }),
        case("response not below the group's order", Encoding, |s| {
            s.altered(|message| message[RESPONSE].fill(0xff))
        }),
        case("response plus the group's order", Encoding, response_of_another_form),
        // links do not repeat the previous digest: the chain gives it
        Case { name: "update of the start state", verifier: Previous, auditor: Proof, message: restarted },
        case("update of the start state, header rewritten", Proof, |s| rewritten(s, &restarted(s))),
        case("the first message again", OtherContext, |s| s.first_message.clone()),
        case("the first message again, header rewritten", Unchanged, |s| rewritten(s, &s.first_message)),
        case("the start state again", Proof, |s| s.signed(&s.start)),
    ]
}
