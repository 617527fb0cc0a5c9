use super::{encrypt, request, with_scalar, word};
use crate::ciphertext::FheType;
use crate::errors::Code;
use crate::ops::operation::{Operation, Request};

fn refused(request: &Request, code: Code, name: &str) {
    assert_eq!(Operation::parse(request).unwrap_err().code, code, "{name}");
}

#[test]
fn operations_that_no_contract_emits_are_refused() {
    let (bit, byte, short) =
        (encrypt(FheType::Bool, 1), encrypt(FheType::Uint8, 1), encrypt(FheType::Uint16, 1));
    let address = encrypt(FheType::Uint160, 1);
    let cases = [
        ("unknown operator", request("power", &[&byte, &byte])),
        ("two widths", request("add", &[&byte, &short])),
        ("number and bool", request("and", &[&byte, &bit])),
        ("arithmetic on bool", request("add", &[&bit, &bit])),
        ("order of bools", request("lt", &[&bit, &bit])),
        ("negated bool", request("neg", &[&bit])),
        ("arithmetic on addresses", request("add", &[&address, &address])),
        ("order of addresses", with_scalar("lt", &address, 1)),
        ("one operand", request("add", &[&byte])),
        ("three operands", request("add", &[&byte, &byte, &byte])),
        ("encrypted divisor", request("div", &[&byte, &byte])),
        ("division by zero", with_scalar("div", &byte, 0)),
        ("remainder by zero", with_scalar("rem", &byte, 0)),
        ("shift by the width", with_scalar("shl", &byte, 8)),
        ("rotation by the width", with_scalar("rotr", &byte, 8)),
        ("clear value too wide", with_scalar("add", &byte, 256)),
        ("clear bool too wide", with_scalar("and", &bit, 2)),
        ("clear value too short", Request { scalar: Some(vec![1; 31]), ..request("add", &[&byte]) }),
        (
            "two encrypted values and a clear one",
            Request { scalar: Some(word(1)), ..request("add", &[&byte, &byte]) },
        ),
        ("clear value for a unary", with_scalar("neg", &byte, 1)),
        ("result type for a binary", Request { to_type: Some(2), ..request("add", &[&byte, &byte]) }),
        ("condition that is no bool", request("select", &[&byte, &byte, &byte])),
        ("branches of two types", request("select", &[&bit, &byte, &short])),
        ("cast without a type", request("cast", &[&byte])),
        ("trivial without a value", Request { to_type: Some(2), ..request("trivial", &[]) }),
        ("trivial without a type", Request { scalar: Some(word(2)), ..request("trivial", &[]) }),
        (
            "trivial too wide",
            Request { scalar: Some(word(300)), to_type: Some(2), ..request("trivial", &[]) },
        ),
    ];
    for (name, request) in &cases {
        refused(request, Code::Operation, name);
    }
}

#[test]
fn unknown_types_are_refused() {
    let byte = encrypt(FheType::Uint8, 1);
    refused(&Request { to_type: Some(9), ..request("cast", &[&byte]) }, Code::CiphertextType, "cast");
    let trivial = Request { scalar: Some(word(2)), to_type: Some(u32::MAX), ..request("trivial", &[]) };
    refused(&trivial, Code::CiphertextType, "trivial");
}
