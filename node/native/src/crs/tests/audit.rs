//! Audits of whole ceremonies: the chain of links, the parties in it, the final state.

use super::honest::{Ceremony, ceremony};
use super::{CEREMONY, N, Scene};
use crate::crs::audit::{LINK_BYTES, Link, audit};
use crate::crs::codec::G1_BYTES;
use crate::crs::error::CrsError;
use crate::crs::parameters::CrsParameters;
use crate::crs::update::start_state;

fn audited(ceremony: &Ceremony, parties: &[u32], links: &[Link]) -> Result<(), CrsError> {
    audit(&ceremony.parameters, &CEREMONY, parties, links, &ceremony.state).map(|_| ())
}

#[test]
fn the_chain_of_links_and_the_final_state_prove_the_ceremony() {
    let ceremony = ceremony(&[1, 2, 3]);
    assert_eq!(audited(&ceremony, &[1, 2, 3], &ceremony.links), Ok(()));
    for link in &ceremony.links {
        let bytes = link.to_bytes();
        assert_eq!(bytes.len(), LINK_BYTES);
        assert_eq!(LINK_BYTES, 304);
        assert_eq!(Link::from_bytes(&bytes).unwrap().to_bytes(), bytes);
    }
}

#[test]
fn a_ceremony_without_a_silent_party_is_proven_for_those_who_spoke() {
    let ceremony = ceremony(&[1, 3, 4]);
    assert_eq!(audited(&ceremony, &[1, 3, 4], &ceremony.links), Ok(()));
    assert_eq!(audited(&ceremony, &[1, 2, 3], &ceremony.links), Err(CrsError::Context));
    assert_eq!(audited(&ceremony, &[1, 2, 3, 4], &ceremony.links), Err(CrsError::Length));
}

#[test]
fn every_changed_chain_is_refused_by_name() {
    let ceremony = ceremony(&[1, 2, 3]);
    type Change = fn(&mut Vec<Link>);
    let cases: [(&str, CrsError, Change); 14] = [
        ("another party", CrsError::Context, |links| links[1].party = 9),
        ("another round", CrsError::Context, |links| links[1].round = 9),
        ("rounds from zero", CrsError::Context, |links| links.iter_mut().for_each(|link| link.round -= 1)),
        ("two exchanged", CrsError::Context, |links| links.swap(1, 2)),
        ("two exchanged under the right places", CrsError::Proof, |links| {
            links.swap(1, 2);
            for (round, link) in (1..).zip(links) {
                (link.round, link.party) = (round, round);
            }
        }),
        ("another digest", CrsError::Proof, |links| links[1].next_digest[0] ^= 1),
        ("the digest of the last", CrsError::Proof, |links| links[2].next_digest[31] ^= 1),
        ("the next first element", CrsError::Proof, |links| links[1].first = links[2].first),
        ("the previous first element", CrsError::Unchanged, |links| links[1].first = links[0].first),
        ("first element zero", CrsError::FirstZero, |links| links[1].first = [0; G1_BYTES]),
        ("first element off the curve", CrsError::ProofPoint, |links| links[1].first[0] ^= 1),
        ("another response", CrsError::Proof, |links| links[1].proof.response[0] ^= 1),
        ("another commitment", CrsError::ProofPoint, |links| links[1].proof.commitment[0] ^= 1),
        ("a proof twice", CrsError::Proof, |links| links[2].proof = links[1].proof),
    ];
    for (name, error, change) in cases {
        let mut links = ceremony.links.clone();
        change(&mut links);
        assert_eq!(audited(&ceremony, &[1, 2, 3], &links), Err(error), "{name}");
    }
}

#[test]
fn links_that_are_missing_or_too_many_are_refused() {
    let ceremony = ceremony(&[1, 2, 3]);
    let [first, second, third] = [0, 1, 2].map(|at| ceremony.links[at].clone());
    assert_eq!(audited(&ceremony, &[], &[]), Err(CrsError::Length));
    assert_eq!(audited(&ceremony, &[1, 2], &ceremony.links), Err(CrsError::Length));
    // the chain of the first two is a good one, of another state
    assert_eq!(audited(&ceremony, &[1, 2], &[first.clone(), second]), Err(CrsError::Previous));
    assert_eq!(audited(&ceremony, &[1, 3], &[first.clone(), third.clone()]), Err(CrsError::Context));
    let renumbered = Link { round: 2, ..third };
    assert_eq!(audited(&ceremony, &[1, 3], &[first, renumbered]), Err(CrsError::Proof));
}

#[test]
fn a_party_contributes_once_and_has_an_index() {
    let twice = ceremony(&[1, 2, 1]);
    assert_eq!(audited(&twice, &[1, 2, 1], &twice.links), Err(CrsError::Order));
    let nobody = ceremony(&[1, 0]);
    assert_eq!(audited(&nobody, &[1, 0], &nobody.links), Err(CrsError::Order));
}

#[test]
fn links_of_another_ceremony_or_state_are_refused() {
    let ceremony = ceremony(&[1, 2, 3]);
    let refused = |id: &[u8; 32], parameters: &CrsParameters, state: &[u8]| {
        audit(parameters, id, &[1, 2, 3], &ceremony.links, state).err()
    };
    let parameters = &ceremony.parameters;
    assert_eq!(refused(&[0x43; 32], parameters, &ceremony.state), Some(CrsError::Proof));
    assert_eq!(refused(&CEREMONY, parameters, &start_state(parameters)), Some(CrsError::Previous));
    assert_eq!(refused(&CEREMONY, parameters, &Scene::short().next), Some(CrsError::Previous));
    assert_eq!(refused(&CEREMONY, &CrsParameters::toy(N + 1), &ceremony.state), Some(CrsError::Length));
    let mut flipped = ceremony.state.clone();
    flipped[5] ^= 1;
    assert_eq!(refused(&CEREMONY, parameters, &flipped), Some(CrsError::Previous));
}

#[test]
fn links_have_one_length() {
    let bytes = Scene::short().first_link().to_bytes();
    for other in [&bytes[..303], &[&bytes[..], &[0]].concat(), &[]] {
        assert_eq!(Link::from_bytes(other).err(), Some(CrsError::Length));
    }
}
