// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FheType} from "./Encrypted.sol";

/// @notice What an executor computed for one handle (protocol §8).
/// @param operationDigest full hash whose first 21 bytes are the handle's: of the operation or of the input
/// @param inputsDigest keccak256 of the packed ciphertext digests of the operands in order; SHA-256 of the list for an
/// encrypted input
/// @param ciphertextDigest SHA-256 of the result's serialisation before squashing
/// @param squashedDigest SHA-256 of the canonical words after squashing
/// @param blockCount packed blocks of the squashed ciphertext, fixed by the type
struct Commitment {
    bytes32 handle;
    bytes32 operationDigest;
    bytes32 inputsDigest;
    bytes32 ciphertextDigest;
    bytes32 squashedDigest;
    FheType fheType;
    uint32 blockCount;
}
