// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Evidence} from "../interfaces/IQuoteVerifier.sol";

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

/// @notice Group signature over a tree whose results are all given, in the order of their leaves.
/// @param signers bit (i - 1) = party i took part
struct BatchCertificate {
    bytes32 keyId;
    uint32 epoch;
    uint256 signers;
    address r;
    uint256 s;
}

/// @notice Signatures of a quorum of seats over a Merkle tree of results, with the place of one result in it: rule E, for
/// when the group cannot sign.
/// @param signers bit (i - 1) = party i signed
/// @param signatures (r, vs) of EIP-2098 for every bit of `signers`, ascending by party. What they sign, in EIP-712 form:
/// EndorsedBatch(bytes32 keyId,uint32 epoch,bytes32 root,uint32 leaves)
struct EndorsedCertificate {
    bytes32 keyId;
    uint32 epoch;
    uint256 signers;
    uint32 leaves;
    uint32 index;
    bytes32[] path;
    bytes32[2][] signatures;
}

/// @notice What a requester demands before its result counts. All zero: the group signature of live seats, or the
/// signatures of a quorum of live seats.
/// @param endorsements live seats that must sign beside the group (rule A); above 0 the group signature is needed
/// @param freshQuotes live seats whose enclaves must quote for this result; above 0 the group signature is needed
/// @param groupOnly whether a quorum of seats does not replace the group signature
struct AcceptancePolicy {
    uint8 endorsements;
    uint8 freshQuotes;
    bool groupOnly;
}

/// @notice A quote that a seat's enclave made for one tree of results.
/// @param index of the party
struct FreshQuote {
    uint8 index;
    Evidence evidence;
}

/// @notice What goes beyond the group signature.
/// @param endorsers bit (i - 1) = party i signed
/// @param signatures as in EndorsedCertificate
/// @param quotes strictly ascending by party
struct PolicyEvidence {
    uint256 endorsers;
    bytes32[2][] signatures;
    FreshQuote[] quotes;
}

/// @notice How a result was accepted.
/// Group: group signature of live seats. Endorsed: signatures of a quorum of live seats. Policy: group signature and what
/// the requester demands besides.
enum AcceptanceRule {
    Group,
    Endorsed,
    Policy
}

/// @notice Why a result cannot be delivered now. PolicyNotMet: the requester demands more than was brought.
/// TooLittleGas: what is left does not suffice for its callback and the results behind it.
enum Obstacle {
    None,
    WrongStatus,
    StillCancellable,
    HandlesMismatch,
    PolicyNotMet,
    TooLittleGas
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
/// @param endorsements freshQuotes groupOnly see AcceptancePolicy
/// @param handlesHash keccak256 of the concatenated handles
struct DecryptionRequest {
    address requester;
    uint40 requestedAt;
    RequestStatus status;
    bytes4 callback;
    uint40 deadline;
    uint32 callbackGas;
    uint96 fee;
    uint8 endorsements;
    uint8 freshQuotes;
    bool groupOnly;
    bytes32 handlesHash;
}
