use super::recover::recover_signer;

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    let mut out = [0; N];
    for (i, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("hex");
    }
    out
}

const DIGEST: &str = "d53fc53a05b23a2f8eb8c27424552dc20073f62bfebeede311e9e9094eb8fd85";
const R: &str = "74399b3ea6e87d8eb044e9628b4db394becf22afb72d301c5aa15c66fb234fd8";
const S: &str = "6ca91e452830f24e13b3bb2ee44f7ac58d447b5566ea442e34adff69aff8bc96";
const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
const ABOVE_ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364143"; // also the x coordinate of a point
const HALF: &str = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";
const ABOVE_HALF: &str = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1";
const ZERO: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const OFF_CURVE: &str = "0000000000000000000000000000000000000000000000000000000000000005";

fn recover(r: &str, s: &str, v: &str) -> Option<[u8; 20]> {
    recover_signer(&bytes(DIGEST), &bytes::<65>(&format!("{r}{s}{v}")))
}

#[test]
fn names_the_signer_of_a_signature_made_by_noble() {
    assert_eq!(recover(R, S, "1b"), Some(bytes("5d5c99edf529335160ff180fa141dd4967fc00d2")));
    assert!(
        recover(R, S, "1c").is_some_and(|other| other != bytes("5d5c99edf529335160ff180fa141dd4967fc00d2"))
    );
}

#[test]
fn refuses_what_is_not_canonical() {
    assert!(recover(R, HALF, "1b").is_some());
    for (r, s, v) in [
        (ZERO, S, "1b"),
        (ORDER, S, "1b"),
        (OFF_CURVE, S, "1b"),
        (R, ZERO, "1b"),
        (R, ORDER, "1b"),
        (ABOVE_ORDER, S, "1b"),
        (R, ABOVE_ORDER, "1b"),
        (R, ABOVE_HALF, "1b"),
        (R, S, "00"),
        (R, S, "1d"),
    ] {
        assert_eq!(recover(r, s, v), None, "{r} {s} {v}");
    }
    let whole = bytes::<65>(&format!("{R}{S}1b"));
    assert_eq!(recover_signer(&bytes(DIGEST), &whole[..64]), None);
    assert_eq!(recover_signer(&bytes(DIGEST), &[&whole[..], &[0]].concat()), None);
}

#[test]
fn refuses_a_key_at_infinity() {
    // R = G and s = z: sR - zG = 0.
    let generator = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    let signature = bytes::<65>(&format!("{generator}{S}1b"));
    assert_eq!(recover_signer(&bytes(S), &signature), None);
    assert!(recover_signer(&bytes(DIGEST), &signature).is_some());
}
