//! Byte strings that are no message.

use super::super::Scene;
use super::{Case, case};
use crate::crs::codec::{G1_BYTES, G2_BYTES};
use crate::crs::error::CrsError::{Curve, Header, Length};
use crate::crs::message::HEADER_BYTES;

/// The honest message without its last bytes.
fn shortened(scene: &Scene, by: usize) -> Vec<u8> {
    scene.altered(|message| message.truncate(message.len() - by))
}

fn lengthened(scene: &Scene, by: usize) -> Vec<u8> {
    scene.altered(|message| message.resize(message.len() + by, 0))
}

/// Two elements of G1 fewer, one of G2 more: the same length.
fn shifted(scene: &Scene) -> Vec<u8> {
    let end_of_g = scene.parameters.g1_list_bytes();
    let mut list = scene.next.clone();
    list.drain(end_of_g - 2 * G1_BYTES..end_of_g);
    list.extend_from_slice(&scene.next[end_of_g..end_of_g + G2_BYTES]);
    scene.signed(&list)
}

pub fn cases() -> Vec<Case> {
    vec![
        case("empty", Length, |_| Vec::new()),
        case("the header alone", Length, |s| s.honest()[..HEADER_BYTES].to_vec()),
        case("one byte missing", Length, |s| shortened(s, 1)),
        case("one element missing", Length, |s| shortened(s, G2_BYTES)),
        case("one byte too many", Length, |s| lengthened(s, 1)),
        case("one element too many", Length, |s| lengthened(s, G1_BYTES)),
        case("lists shifted by one", Curve, shifted),
        case("another magic", Header, |s| s.altered(|message| message[0] ^= 1)),
        case("another version", Header, |s| s.altered(|message| message[7] ^= 1)),
    ]
}
