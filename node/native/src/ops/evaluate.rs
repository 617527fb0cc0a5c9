//! Evaluation of symbolic operations on the crate's integer layer. It has one code path for all widths and takes the
//! key as an argument; the high-level types keep it in a thread-local variable.

use super::operation::{Binary, Operand, Operation, Unary};
use crate::ciphertext::{Ciphertext, FheType};
use crate::errors::{Code, Failure, Result};
use tfhe::integer::prelude::ServerKeyDefaultCMux;
use tfhe::integer::{BooleanBlock, RadixCiphertext, ServerKey, U256};

/// A pure function of key and operation: equal on every executor, bit for bit.
///
/// # Errors
/// `NATIVE_INTERNAL` for combinations that [`Operation::parse`] refuses.
pub fn evaluate(key: &ServerKey, operation: &Operation) -> Result<Ciphertext> {
    match operation {
        Operation::Unary(operator, Ciphertext::Uint(fhe_type, operand)) => Ok(Ciphertext::Uint(
            *fhe_type,
            match operator {
                Unary::Neg => key.neg_parallelized(operand),
                Unary::Not => key.bitnot(operand),
            },
        )),
        Operation::Unary(Unary::Not, Ciphertext::Bool(operand)) => {
            Ok(Ciphertext::Bool(key.boolean_bitnot(operand)))
        }
        Operation::Unary(Unary::Neg, Ciphertext::Bool(_)) => Err(untyped()),
        Operation::Binary(operator, lhs, rhs) => binary(key, *operator, lhs, rhs),
        Operation::Select { condition, if_true, if_false } => select(key, condition, if_true, if_false),
        Operation::Cast { operand, to } => Ok(cast(key, operand, *to)),
        Operation::Trivial { fhe_type, value } => Ok(trivial(key, *fhe_type, *value)),
    }
}

fn untyped() -> Failure {
    Failure::new(Code::Internal, "an operation passed the type check and has no meaning")
}

fn binary(key: &ServerKey, operator: Binary, lhs: &Ciphertext, rhs: &Operand) -> Result<Ciphertext> {
    match (lhs, rhs) {
        (Ciphertext::Uint(fhe_type, lhs), Operand::Encrypted(Ciphertext::Uint(_, rhs))) => {
            encrypted(key, operator, *fhe_type, lhs, rhs)
        }
        (Ciphertext::Uint(fhe_type, lhs), Operand::Clear(rhs)) => {
            Ok(clear(key, operator, *fhe_type, lhs, *rhs))
        }
        (Ciphertext::Bool(lhs), Operand::Encrypted(Ciphertext::Bool(rhs))) => {
            boolean(key, operator, lhs, rhs)
        }
        (Ciphertext::Bool(lhs), Operand::Clear(rhs)) => {
            boolean(key, operator, lhs, &key.create_trivial_boolean_block(*rhs != U256::ZERO))
        }
        (Ciphertext::Uint(..), Operand::Encrypted(Ciphertext::Bool(_)))
        | (Ciphertext::Bool(_), Operand::Encrypted(Ciphertext::Uint(..))) => Err(untyped()),
    }
}

fn encrypted(
    key: &ServerKey,
    operator: Binary,
    fhe_type: FheType,
    lhs: &RadixCiphertext,
    rhs: &RadixCiphertext,
) -> Result<Ciphertext> {
    let uint = |radix| Ciphertext::Uint(fhe_type, radix);
    Ok(match operator {
        Binary::Add => uint(key.add_parallelized(lhs, rhs)),
        Binary::Sub => uint(key.sub_parallelized(lhs, rhs)),
        Binary::Mul => uint(key.mul_parallelized(lhs, rhs)),
        Binary::Div | Binary::Rem => return Err(untyped()),
        Binary::And => uint(key.bitand_parallelized(lhs, rhs)),
        Binary::Or => uint(key.bitor_parallelized(lhs, rhs)),
        Binary::Xor => uint(key.bitxor_parallelized(lhs, rhs)),
        Binary::Shl => uint(key.left_shift_parallelized(lhs, rhs)),
        Binary::Shr => uint(key.right_shift_parallelized(lhs, rhs)),
        Binary::Rotl => uint(key.rotate_left_parallelized(lhs, rhs)),
        Binary::Rotr => uint(key.rotate_right_parallelized(lhs, rhs)),
        Binary::Eq => Ciphertext::Bool(key.eq_parallelized(lhs, rhs)),
        Binary::Ne => Ciphertext::Bool(key.ne_parallelized(lhs, rhs)),
        Binary::Ge => Ciphertext::Bool(key.ge_parallelized(lhs, rhs)),
        Binary::Gt => Ciphertext::Bool(key.gt_parallelized(lhs, rhs)),
        Binary::Le => Ciphertext::Bool(key.le_parallelized(lhs, rhs)),
        Binary::Lt => Ciphertext::Bool(key.lt_parallelized(lhs, rhs)),
        Binary::Min => uint(key.min_parallelized(lhs, rhs)),
        Binary::Max => uint(key.max_parallelized(lhs, rhs)),
    })
}

fn clear(
    key: &ServerKey,
    operator: Binary,
    fhe_type: FheType,
    lhs: &RadixCiphertext,
    rhs: U256,
) -> Ciphertext {
    let uint = |radix| Ciphertext::Uint(fhe_type, radix);
    match operator {
        Binary::Add => uint(key.scalar_add_parallelized(lhs, rhs)),
        Binary::Sub => uint(key.scalar_sub_parallelized(lhs, rhs)),
        Binary::Mul => uint(key.scalar_mul_parallelized(lhs, rhs)),
        Binary::Div => uint(key.scalar_div_parallelized(lhs, rhs)),
        Binary::Rem => uint(key.scalar_rem_parallelized(lhs, rhs)),
        Binary::And => uint(key.scalar_bitand_parallelized(lhs, rhs)),
        Binary::Or => uint(key.scalar_bitor_parallelized(lhs, rhs)),
        Binary::Xor => uint(key.scalar_bitxor_parallelized(lhs, rhs)),
        Binary::Shl => uint(key.scalar_left_shift_parallelized(lhs, rhs)),
        Binary::Shr => uint(key.scalar_right_shift_parallelized(lhs, rhs)),
        Binary::Rotl => uint(key.scalar_rotate_left_parallelized(lhs, rhs)),
        Binary::Rotr => uint(key.scalar_rotate_right_parallelized(lhs, rhs)),
        Binary::Eq => Ciphertext::Bool(key.scalar_eq_parallelized(lhs, rhs)),
        Binary::Ne => Ciphertext::Bool(key.scalar_ne_parallelized(lhs, rhs)),
        Binary::Ge => Ciphertext::Bool(key.scalar_ge_parallelized(lhs, rhs)),
        Binary::Gt => Ciphertext::Bool(key.scalar_gt_parallelized(lhs, rhs)),
        Binary::Le => Ciphertext::Bool(key.scalar_le_parallelized(lhs, rhs)),
        Binary::Lt => Ciphertext::Bool(key.scalar_lt_parallelized(lhs, rhs)),
        Binary::Min => uint(key.scalar_min_parallelized(lhs, rhs)),
        Binary::Max => uint(key.scalar_max_parallelized(lhs, rhs)),
    }
}

fn boolean(key: &ServerKey, operator: Binary, lhs: &BooleanBlock, rhs: &BooleanBlock) -> Result<Ciphertext> {
    let shortint: &tfhe::shortint::ServerKey = key.as_ref();
    Ok(Ciphertext::Bool(match operator {
        Binary::And => key.boolean_bitand(lhs, rhs),
        Binary::Or => key.boolean_bitor(lhs, rhs),
        Binary::Xor => key.boolean_bitxor(lhs, rhs),
        Binary::Eq => BooleanBlock::new_unchecked(shortint.equal(lhs.as_ref(), rhs.as_ref())),
        Binary::Ne => BooleanBlock::new_unchecked(shortint.not_equal(lhs.as_ref(), rhs.as_ref())),
        _ => return Err(untyped()),
    }))
}

fn select(
    key: &ServerKey,
    condition: &Ciphertext,
    if_true: &Ciphertext,
    if_false: &Ciphertext,
) -> Result<Ciphertext> {
    match (condition, if_true, if_false) {
        (Ciphertext::Bool(condition), Ciphertext::Uint(fhe_type, if_true), Ciphertext::Uint(_, if_false)) => {
            Ok(Ciphertext::Uint(*fhe_type, key.if_then_else_parallelized(condition, if_true, if_false)))
        }
        (Ciphertext::Bool(condition), Ciphertext::Bool(if_true), Ciphertext::Bool(if_false)) => {
            Ok(Ciphertext::Bool(key.if_then_else_parallelized(condition, if_true, if_false)))
        }
        _ => Err(untyped()),
    }
}

/// Keeps the low bits; a Bool is whether the value is not zero.
fn cast(key: &ServerKey, operand: &Ciphertext, to: FheType) -> Ciphertext {
    match (operand, to) {
        (Ciphertext::Bool(operand), FheType::Bool) => Ciphertext::Bool(operand.clone()),
        (Ciphertext::Uint(_, operand), FheType::Bool) => {
            Ciphertext::Bool(key.scalar_ne_parallelized(operand, 0u8))
        }
        (Ciphertext::Bool(operand), to) => Ciphertext::Uint(to, operand.clone().into_radix(to.blocks(), key)),
        (Ciphertext::Uint(_, operand), to) => {
            Ciphertext::Uint(to, key.cast_to_unsigned(operand.clone(), to.blocks()))
        }
    }
}

/// A known value in the form of an encrypted one: zero masks, so it decrypts under every key.
fn trivial(key: &ServerKey, fhe_type: FheType, value: U256) -> Ciphertext {
    match fhe_type {
        FheType::Bool => Ciphertext::Bool(key.create_trivial_boolean_block(value != U256::ZERO)),
        _ => Ciphertext::Uint(fhe_type, key.create_trivial_radix(value, fhe_type.blocks())),
    }
}
