// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

enum KeyStatus {
    None,
    Proposed,
    Active,
    Discarded
}

/// @notice The contracts that a key serves, fixed for ever by the key id (protocol §1).
struct Host {
    uint64 chainId;
    address coprocessor;
    address gateway;
}

/// @notice What governance asks a committee to generate (protocol §4).
/// @param n parties, equal to `parties.length`
/// @param t tolerated corruptions
/// @param k executors that must agree
/// @param parties signer of each keyholder; party index = position + 1
/// @param executors signer of each executor; executor index = position + 1
/// @param parametersHash keccak256 of the name of the TFHE parameters
/// @param deadline last second in which the key may be activated
struct Proposal {
    uint8 n;
    uint8 t;
    uint8 k;
    address[] parties;
    address[] executors;
    bytes32 parametersHash;
    Host host;
    uint64 deadline;
}

/// @notice What the finished ceremony produced. Digests are SHA-256 of the exact files.
/// @param groupX x coordinate of the FROST group key, 1..n-1
/// @param groupV 27 or 28 by the parity of its y coordinate
struct Activation {
    bytes32 publicKeyDigest;
    bytes32 serverKeyDigest;
    bytes32 crsDigest;
    bytes32 transcriptDigest;
    uint256 groupX;
    uint8 groupV;
}

/// @notice A key as the registry knows it.
/// @param epoch current epoch; 0 until activation
/// @param ceremonyNonce number of the proposal, part of the key id
struct Key {
    KeyStatus status;
    uint32 epoch;
    uint64 deadline;
    uint64 ceremonyNonce;
    Host host;
    bytes32 parametersHash;
    bytes32 publicKeyDigest;
    bytes32 serverKeyDigest;
    bytes32 crsDigest;
    bytes32 transcriptDigest;
}

/// @notice Parties of one sharing. `parties[i]` is the signer of party i + 1.
struct Committee {
    uint8 n;
    uint8 t;
    address[] parties;
}
