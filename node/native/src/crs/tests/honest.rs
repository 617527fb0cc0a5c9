use super::{N, context};
use crate::crs::audit::Link;
use crate::crs::codec::{G1_BYTES, decode_g1, decode_g2, encode_g1, encode_g2};
use crate::crs::message::HEADER_BYTES;
use crate::crs::parameters::CrsParameters;
use crate::crs::update::{Tau, multiply_state, start_state, update};
use crate::crs::verify::{check_state, verify};
use tfhe_zk_pok::curve_api::CurveGroupOps;
use tfhe_zk_pok::curve_api::bls12_446::{G1, G2, Zp};

pub struct Ceremony {
    pub parameters: CrsParameters,
    pub links: Vec<Link>,
    pub state: Vec<u8>,
}

/// Updates by the given parties, one after the other.
pub fn ceremony(parties: &[u32]) -> Ceremony {
    let parameters = CrsParameters::toy(N);
    let mut state = start_state(&parameters);
    let mut links = Vec::new();
    for (round, party) in (1..).zip(parties) {
        let place = context(round, *party);
        let message = update(&parameters, &state, &place).unwrap();
        assert_eq!(message.len(), HEADER_BYTES + parameters.state_bytes());
        links.push(Link::of_message(&parameters, &message).unwrap());
        state = verify(&parameters, &state, &message, &place).unwrap();
    }
    Ceremony { parameters, links, state }
}

#[test]
fn every_honest_update_is_accepted_and_the_result_is_well_formed() {
    let ceremony = ceremony(&[1, 2, 3, 4]);
    assert!(check_state(&ceremony.parameters, &ceremony.state).is_ok());
    assert!(ceremony.state[N * G1_BYTES..(N + 1) * G1_BYTES].iter().all(|byte| *byte == 0));
}

#[test]
fn an_update_multiplies_position_i_by_the_ith_power() {
    let parameters = CrsParameters::toy(N);
    let tau = Zp::from_u64(0x1234_5678_9abc_def1) * Zp::from_u64(0xfeed_f00d_dead_beef) - Zp::from_u64(5);
    let state = multiply_state(&parameters, &start_state(&parameters), &Tau::from_scalar(tau)).unwrap();
    let mut power = Zp::ONE;
    for position in 1..=2 * N {
        power = power * tau;
        let expected = if position == N + 1 { G1::ZERO } else { G1::GENERATOR.mul_scalar(power) };
        assert_eq!(
            &state[(position - 1) * G1_BYTES..position * G1_BYTES],
            encode_g1(&expected.normalize()),
            "G1 {position}"
        );
        if position <= N {
            let offset = parameters.g1_list_bytes() + (position - 1) * 224;
            let expected = G2::GENERATOR.mul_scalar(power).normalize();
            assert_eq!(&state[offset..offset + 224], encode_g2(&expected), "G2 {position}");
        }
    }
}

#[test]
fn the_ladder_agrees_with_the_crate_at_the_edges_of_the_scalar_field() {
    let parameters = CrsParameters::toy(3);
    for scalar in
        [Zp::from_u64(2), Zp::from_u64(15), Zp::from_u64(16), Zp::ZERO - Zp::ONE, Zp::ZERO - Zp::from_u64(2)]
    {
        let state =
            multiply_state(&parameters, &start_state(&parameters), &Tau::from_scalar(scalar)).unwrap();
        let g = decode_g1(&state[..G1_BYTES]).unwrap();
        let h = decode_g2(&state[parameters.g1_list_bytes()..][..224]).unwrap();
        assert!(G1::projective(g) == G1::GENERATOR.mul_scalar(scalar));
        assert!(G2::projective(h) == G2::GENERATOR.mul_scalar(scalar));
    }
}

#[test]
fn two_updates_of_one_state_differ() {
    let parameters = CrsParameters::toy(N);
    let start = start_state(&parameters);
    assert_ne!(
        update(&parameters, &start, &context(1, 1)).unwrap(),
        update(&parameters, &start, &context(1, 1)).unwrap()
    );
}
