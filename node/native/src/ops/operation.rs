//! Symbolic operations with the rules of the host contract (`contracts/src/libraries/FheTypes.sol`): what it emits is
//! what is accepted here, and nothing else.

use crate::ciphertext::{Ciphertext, FheType};
use crate::errors::{Code, Failure, Result};
use tfhe::integer::U256;

const SCALAR_BYTES: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    Neg,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    And,
    Or,
    Xor,
    Shl,
    Shr,
    Rotl,
    Rotr,
    Eq,
    Ne,
    Ge,
    Gt,
    Le,
    Lt,
    Min,
    Max,
}

/// Right-hand side of a binary operation.
#[derive(Clone, Debug)]
pub enum Operand {
    Encrypted(Ciphertext),
    Clear(U256),
}

/// A well-typed operation.
#[derive(Clone, Debug)]
pub enum Operation {
    Unary(Unary, Ciphertext),
    Binary(Binary, Ciphertext, Operand),
    Select { condition: Ciphertext, if_true: Ciphertext, if_false: Ciphertext },
    Cast { operand: Ciphertext, to: FheType },
    Trivial { fhe_type: FheType, value: U256 },
}

/// An operation as it comes from JavaScript.
#[derive(Debug, Default)]
pub struct Request {
    pub operator: String,
    /// Canonical ciphertexts; for `select` the condition first.
    pub operands: Vec<Vec<u8>>,
    /// Big-endian word: right-hand side of a binary operation or value of `trivial`.
    pub scalar: Option<Vec<u8>>,
    /// Result type of `cast` and `trivial`.
    pub to_type: Option<u32>,
}

fn invalid(text: impl Into<String>) -> Failure {
    Failure::new(Code::Operation, text)
}

fn unary_of(name: &str) -> Option<Unary> {
    Some(match name {
        "neg" => Unary::Neg,
        "not" => Unary::Not,
        _ => return None,
    })
}

fn binary_of(name: &str) -> Option<Binary> {
    Some(match name {
        "add" => Binary::Add,
        "sub" => Binary::Sub,
        "mul" => Binary::Mul,
        "div" => Binary::Div,
        "rem" => Binary::Rem,
        "and" => Binary::And,
        "or" => Binary::Or,
        "xor" => Binary::Xor,
        "shl" => Binary::Shl,
        "shr" => Binary::Shr,
        "rotl" => Binary::Rotl,
        "rotr" => Binary::Rotr,
        "eq" => Binary::Eq,
        "ne" => Binary::Ne,
        "ge" => Binary::Ge,
        "gt" => Binary::Gt,
        "le" => Binary::Le,
        "lt" => Binary::Lt,
        "min" => Binary::Min,
        "max" => Binary::Max,
        _ => return None,
    })
}

impl Binary {
    const fn takes(self, fhe_type: FheType) -> bool {
        match fhe_type {
            FheType::Bool => matches!(self, Self::Eq | Self::Ne | Self::And | Self::Or | Self::Xor),
            // an address, not a number
            FheType::Uint160 => matches!(self, Self::Eq | Self::Ne),
            _ => true,
        }
    }

    const fn is_division(self) -> bool {
        matches!(self, Self::Div | Self::Rem)
    }

    const fn is_shift(self) -> bool {
        matches!(self, Self::Shl | Self::Shr | Self::Rotl | Self::Rotr)
    }
}

impl Unary {
    const fn takes(self, fhe_type: FheType) -> bool {
        match fhe_type {
            FheType::Bool => matches!(self, Self::Not),
            FheType::Uint160 => false,
            _ => true,
        }
    }
}

/// # Errors
/// `OPERATION_INVALID` unless the word has 32 bytes and its value fits the type.
fn read_scalar(scalar: Option<&[u8]>, fhe_type: FheType) -> Result<U256> {
    let word = scalar.ok_or_else(|| invalid("a clear value is missing"))?;
    if word.len() != SCALAR_BYTES {
        return Err(invalid(format!("a clear value has {SCALAR_BYTES} bytes, got {}", word.len())));
    }
    let mut value = U256::ZERO;
    value.copy_from_be_byte_slice(word);
    if fhe_type != FheType::Uint256 && value >= (U256::ONE << fhe_type.bits() as u32) {
        return Err(invalid(format!("a clear value does not fit {fhe_type:?}")));
    }
    Ok(value)
}

fn exactly<const N: usize>(request: &Request) -> Result<[Ciphertext; N]> {
    if request.operands.len() != N {
        let Request { operator, operands, .. } = request;
        return Err(invalid(format!("{operator} takes {N} ciphertexts, got {}", operands.len())));
    }
    let operands =
        request.operands.iter().map(|bytes| Ciphertext::decode(bytes)).collect::<Result<Vec<_>>>()?;
    operands.try_into().map_err(|_| invalid("operand count"))
}

/// Arguments that the operator does not take are refused, so that one operation has one form.
fn check_no_extras(request: &Request, scalar: bool, to_type: bool) -> Result<()> {
    if (!scalar && request.scalar.is_some()) || (!to_type && request.to_type.is_some()) {
        return Err(invalid(format!("{} has an argument that it does not take", request.operator)));
    }
    Ok(())
}

fn to_type(request: &Request) -> Result<FheType> {
    FheType::from_code(request.to_type.ok_or_else(|| invalid("the result type is missing"))?)
}

fn binary(operator: Binary, request: &Request) -> Result<Operation> {
    check_no_extras(request, true, false)?;
    let (lhs, rhs) = if request.scalar.is_some() {
        let [lhs] = exactly(request)?;
        let value = read_scalar(request.scalar.as_deref(), lhs.fhe_type())?;
        (lhs, Operand::Clear(value))
    } else {
        let [lhs, rhs] = exactly(request)?;
        (lhs, Operand::Encrypted(rhs))
    };
    let fhe_type = lhs.fhe_type();
    if !operator.takes(fhe_type) {
        return Err(invalid(format!("{operator:?} does not take {fhe_type:?}")));
    }
    match &rhs {
        Operand::Encrypted(rhs) if rhs.fhe_type() != fhe_type => {
            return Err(invalid(format!("{operator:?} on {fhe_type:?} and {:?}", rhs.fhe_type())));
        }
        Operand::Encrypted(_) if operator.is_division() => {
            return Err(invalid(format!("{operator:?} takes a clear divisor")));
        }
        Operand::Clear(value) if operator.is_division() && *value == U256::ZERO => {
            return Err(invalid("division by zero"));
        }
        Operand::Clear(value) if operator.is_shift() && *value >= U256::from(fhe_type.bits() as u64) => {
            return Err(invalid(format!("{operator:?} by as many bits as {fhe_type:?} has, or more")));
        }
        Operand::Encrypted(_) | Operand::Clear(_) => {}
    }
    Ok(Operation::Binary(operator, lhs, rhs))
}

impl Operation {
    /// Decodes and type-checks a request.
    ///
    /// # Errors
    /// `OPERATION_INVALID`, and those of [`Ciphertext::decode`].
    pub fn parse(request: &Request) -> Result<Self> {
        if let Some(operator) = binary_of(&request.operator) {
            return binary(operator, request);
        }
        if let Some(operator) = unary_of(&request.operator) {
            check_no_extras(request, false, false)?;
            let [operand] = exactly(request)?;
            if !operator.takes(operand.fhe_type()) {
                return Err(invalid(format!("{operator:?} does not take {:?}", operand.fhe_type())));
            }
            return Ok(Self::Unary(operator, operand));
        }
        match request.operator.as_str() {
            "select" => {
                check_no_extras(request, false, false)?;
                let [condition, if_true, if_false] = exactly(request)?;
                if condition.fhe_type() != FheType::Bool || if_true.fhe_type() != if_false.fhe_type() {
                    return Err(invalid("select takes a Bool and two values of one type"));
                }
                Ok(Self::Select { condition, if_true, if_false })
            }
            "cast" => {
                check_no_extras(request, false, true)?;
                let [operand] = exactly(request)?;
                Ok(Self::Cast { operand, to: to_type(request)? })
            }
            "trivial" => {
                let [] = exactly(request)?;
                let fhe_type = to_type(request)?;
                Ok(Self::Trivial { fhe_type, value: read_scalar(request.scalar.as_deref(), fhe_type)? })
            }
            unknown => {
                Err(invalid(format!("unknown operator {:?}", unknown.chars().take(32).collect::<String>())))
            }
        }
    }
}
