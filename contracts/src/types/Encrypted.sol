// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Type of an encrypted value; byte 30 of its handle. Codes as in fhEVM handles.
enum FheType {
    Bool,
    Uint4,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Uint128,
    Uint160,
    Uint256
}

/// @notice Symbolic operation. The codes are part of every operation digest and never change.
enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    BitAnd,
    BitOr,
    BitXor,
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
    Neg,
    Not,
    Select,
    Cast,
    TrivialEncrypt
}

/// @notice Encrypted values that came in one proven list, with the executors' word for them.
/// @param handles one per value of the list, in its order
/// @param listDigest SHA-256 of the serialised list with its proof
/// @param signatures EIP-712 InputAttestation signatures of at least k distinct live executors, in any order
struct EncryptedInput {
    bytes32[] handles;
    bytes32 listDigest;
    bytes[] signatures;
}
