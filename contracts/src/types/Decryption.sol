// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice One decrypted handle.
/// @param session names the linear form on the key that was opened
/// @param plaintext the clear value as a big-endian word
struct Opening {
    bytes32 handle;
    bytes32 session;
    uint256 plaintext;
}

/// @notice One decryption result, without parallel arrays whose lengths could differ. Its EIP-712 form is
/// DecryptionResult(uint256 chainId,address gateway,bytes32 requestId,bytes32[] handles,bytes32[] sessions,bytes plaintexts)
/// with the chain id of the verifier's chain and one 32-byte word of `plaintexts` per handle.
struct DecryptionResult {
    address gateway;
    bytes32 requestId;
    Opening[] openings;
}

/// @notice Group signature over a Merkle tree of results, with the place of one result in it (protocol §6).
/// @param signers bit (i - 1) = party i took part
/// @param leaves number of results in the tree; fixes its depth
/// @param index place of this result, from 0
/// @param path siblings from the leaf upwards
/// @param r address of the nonce point
/// @param s response, 1..n-1
struct Certificate {
    bytes32 keyId;
    uint32 epoch;
    uint256 signers;
    uint32 leaves;
    uint32 index;
    bytes32[] path;
    address r;
    uint256 s;
}

/// @notice Header of an epoch in the verifier.
struct EpochHeader {
    uint256 groupX;
    uint8 groupV;
    uint8 n;
    uint8 quorum;
    address gateway;
}

/// @notice Life of a request.
/// None: unknown. Pending: waits for its result. Cancelled: taken back in the cancel window; final.
/// Fulfilled: result delivered (or stored, where no callback was wanted); final.
/// CallbackFailed: result verified and stored, the callback reverted and anyone may repeat it.
/// Refunded: the deadline passed without a result and the fee went back; a late result is still stored.
/// FulfilledLate: result stored after the deadline, fee given back, no callback; final.
enum RequestStatus {
    None,
    Pending,
    Cancelled,
    Fulfilled,
    CallbackFailed,
    Refunded,
    FulfilledLate
}

/// @notice A request as stored.
/// @param requestedAt timestamp of its block
/// @param callback selector of `f(bytes32 requestId, bytes plaintexts)` on the requester; 0 = none, the result is stored
/// @param deadline last second of an on-time result
/// @param handlesHash keccak256 of the concatenated handles
struct DecryptionRequest {
    address requester;
    uint40 requestedAt;
    RequestStatus status;
    bytes4 callback;
    uint40 deadline;
    uint32 callbackGas;
    uint96 fee;
    bytes32 handlesHash;
}
