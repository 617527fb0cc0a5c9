use super::{compute, decrypt, encrypt, request, with_scalar, word};
use crate::ciphertext::FheType;
use crate::ops::operation::Request;

type Model = fn(u128, u128) -> u128;

/// On eight bits; comparisons give 0 or 1.
const ARITHMETIC: [(&str, Model); 18] = [
    ("add", |a, b| (a + b) & 0xff),
    ("sub", |a, b| a.wrapping_sub(b) & 0xff),
    ("mul", |a, b| (a * b) & 0xff),
    ("and", |a, b| a & b),
    ("or", |a, b| a | b),
    ("xor", |a, b| a ^ b),
    ("shl", |a, b| (a << b) & 0xff),
    ("shr", |a, b| a >> b),
    ("rotl", |a, b| u8::rotate_left(a as u8, b as u32).into()),
    ("rotr", |a, b| u8::rotate_right(a as u8, b as u32).into()),
    ("eq", |a, b| (a == b).into()),
    ("ne", |a, b| (a != b).into()),
    ("ge", |a, b| (a >= b).into()),
    ("gt", |a, b| (a > b).into()),
    ("le", |a, b| (a <= b).into()),
    ("lt", |a, b| (a < b).into()),
    ("min", |a, b| a.min(b)),
    ("max", |a, b| a.max(b)),
];

fn is_shift(operator: &str) -> bool {
    ["shl", "shr", "rotl", "rotr"].contains(&operator)
}

fn is_comparison(operator: &str) -> bool {
    ["eq", "ne", "ge", "gt", "le", "lt"].contains(&operator)
}

fn result_type(operator: &str, fhe_type: FheType) -> FheType {
    if is_comparison(operator) { FheType::Bool } else { fhe_type }
}

#[test]
fn binary_operations_on_two_encrypted_bytes() {
    for (operator, model) in ARITHMETIC {
        let pairs = if is_shift(operator) { [(0xb5, 3), (0x81, 7)] } else { [(0xb5, 0x6c), (0x42, 0x42)] };
        for (a, b) in pairs {
            let result =
                compute(request(operator, &[&encrypt(FheType::Uint8, a), &encrypt(FheType::Uint8, b)]));
            let expected = (result_type(operator, FheType::Uint8), model(a, b));
            assert_eq!(decrypt(&result), expected, "{operator} {a} {b}");
        }
    }
}

#[test]
fn binary_operations_with_a_clear_byte() {
    let division: [(&str, Model); 2] = [("div", |a, b| a / b), ("rem", |a, b| a % b)];
    for (operator, model) in ARITHMETIC.into_iter().chain(division) {
        let pairs = match operator {
            _ if is_shift(operator) => [(0xb5, 3), (0x81, 0)],
            "div" | "rem" => [(0xb5, 7), (0xfe, 0x80)],
            // zero makes the crate return known values, which must pass as encrypted ones
            _ => [(0xb5, 0x6c), (0x42, 0)],
        };
        for (a, b) in pairs {
            let result = compute(with_scalar(operator, &encrypt(FheType::Uint8, a), b));
            let expected = (result_type(operator, FheType::Uint8), model(a, b));
            assert_eq!(decrypt(&result), expected, "{operator} {a} clear {b}");
        }
    }
}

#[test]
fn results_that_the_crate_knows_in_the_clear_can_be_computed_on() {
    let zero = compute(with_scalar("mul", &encrypt(FheType::Uint8, 9), 0));
    let always = compute(with_scalar("ge", &encrypt(FheType::Uint8, 9), 0));
    let sum = compute(request("add", &[&zero, &encrypt(FheType::Uint8, 5)]));
    let chosen = compute(request("select", &[&always, &sum, &zero]));
    assert_eq!(decrypt(&chosen), (FheType::Uint8, 5));
}

#[test]
fn wider_types_with_scalars_of_their_width() {
    let a = 0xfedc_ba98_7654_3210;
    let sixty_four = encrypt(FheType::Uint64, a);
    assert_eq!(decrypt(&compute(with_scalar("add", &sixty_four, u64::MAX.into()))).1, a - 1);
    assert_eq!(decrypt(&compute(with_scalar("sub", &sixty_four, a + 1))).1, u64::MAX.into());
    assert_eq!(decrypt(&compute(with_scalar("div", &sixty_four, 1_000_003))).1, a / 1_000_003);
    let address = encrypt(FheType::Uint160, a << 40);
    assert_eq!(decrypt(&compute(with_scalar("eq", &address, a << 40))), (FheType::Bool, 1));
    assert_eq!(decrypt(&compute(with_scalar("ne", &address, a))), (FheType::Bool, 1));
    let widest = encrypt(FheType::Uint256, 1 << 100);
    assert_eq!(decrypt(&compute(with_scalar("gt", &widest, (1 << 100) - 1))), (FheType::Bool, 1));
    assert_eq!(decrypt(&compute(with_scalar("shr", &widest, 98))).1, 4);
}

#[test]
fn unary_operations() {
    let byte = encrypt(FheType::Uint8, 0x35);
    assert_eq!(decrypt(&compute(request("neg", &[&byte]))), (FheType::Uint8, 0xcb));
    assert_eq!(decrypt(&compute(request("not", &[&byte]))), (FheType::Uint8, 0xca));
    for value in [0, 1] {
        let result = compute(request("not", &[&encrypt(FheType::Bool, value)]));
        assert_eq!(decrypt(&result), (FheType::Bool, 1 - value));
    }
}

#[test]
fn boolean_operations_have_their_truth_tables() {
    let table: [(&str, Model); 5] = [
        ("and", |a, b| a & b),
        ("or", |a, b| a | b),
        ("xor", |a, b| a ^ b),
        ("eq", |a, b| (a == b).into()),
        ("ne", |a, b| (a != b).into()),
    ];
    for (operator, model) in table {
        for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let lhs = encrypt(FheType::Bool, a);
            let encrypted = compute(request(operator, &[&lhs, &encrypt(FheType::Bool, b)]));
            let clear = compute(with_scalar(operator, &lhs, b));
            assert_eq!(decrypt(&encrypted), (FheType::Bool, model(a, b)), "{operator} {a} {b}");
            assert_eq!(decrypt(&clear), (FheType::Bool, model(a, b)), "{operator} {a} clear {b}");
        }
    }
}

#[test]
fn select_takes_either_branch_of_numbers_and_booleans() {
    for (condition, expected) in [(1, 17), (0, 99)] {
        let operands =
            [encrypt(FheType::Bool, condition), encrypt(FheType::Uint16, 17), encrypt(FheType::Uint16, 99)];
        let result = compute(request("select", &operands.each_ref().map(Vec::as_slice)));
        assert_eq!(decrypt(&result), (FheType::Uint16, expected));
        let operands =
            [encrypt(FheType::Bool, condition), encrypt(FheType::Bool, 1), encrypt(FheType::Bool, 0)];
        let result = compute(request("select", &operands.each_ref().map(Vec::as_slice)));
        assert_eq!(decrypt(&result), (FheType::Bool, condition));
    }
}

#[test]
fn casts_keep_the_low_bits() {
    let cases = [
        (FheType::Uint16, 0x1234, FheType::Uint8, 0x34),
        (FheType::Uint8, 0x9a, FheType::Uint64, 0x9a),
        (FheType::Uint8, 0x9a, FheType::Uint8, 0x9a),
        (FheType::Uint8, 0x9a, FheType::Bool, 1),
        (FheType::Uint8, 0, FheType::Bool, 0),
        (FheType::Bool, 1, FheType::Uint32, 1),
        (FheType::Bool, 0, FheType::Bool, 0),
    ];
    for (from, value, to, expected) in cases {
        let cast = Request { to_type: Some(to as u32), ..request("cast", &[&encrypt(from, value)]) };
        let result = compute(cast);
        assert_eq!(decrypt(&result), (to, expected), "{from:?} {value} to {to:?}");
        if to == FheType::Uint64 {
            // the new blocks are known zeros: computing on them must work
            assert_eq!(decrypt(&compute(with_scalar("add", &result, 1 << 40))).1, expected + (1 << 40));
        }
    }
}

#[test]
fn trivial_values_decrypt_and_can_be_computed_on() {
    for (fhe_type, value) in [(FheType::Bool, 1), (FheType::Uint8, 200), (FheType::Uint64, 1 << 63)] {
        let trivial =
            Request { scalar: Some(word(value)), to_type: Some(fhe_type as u32), ..request("trivial", &[]) };
        let bytes = compute(trivial);
        assert_eq!(decrypt(&bytes), (fhe_type, value));
        let same = compute(request("eq", &[&bytes, &encrypt(fhe_type, value)]));
        assert_eq!(decrypt(&same), (FheType::Bool, 1));
    }
}
