// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What an attested node may do. Joined to its measurement by the allow-list entry.
enum Role {
    None,
    Keyholder,
    Executor
}

/// @notice Standing of one attested signer (protocol §2, attestation.md).
/// @param operator human or company that registered it
/// @param role of its allow-list entry
/// @param revoked true for ever once revoked
/// @param expiresAt end of its standing in seconds, exclusive; 0 once standing was removed
/// @param challengeBlock block whose hash its newest quote carries
/// @param ppid provisioning id of its platform, from the PCK certificate
/// @param peerIdHash keccak256 of the libp2p peer id's multihash bytes
/// @param configHash hash of its security-relevant configuration, from the report data
/// @param entryId allow-list entry that its newest quote matched
struct NodeRecord {
    address operator;
    Role role;
    bool revoked;
    uint32 expiresAt;
    uint64 challengeBlock;
    bytes16 ppid;
    bytes32 peerIdHash;
    bytes32 configHash;
    bytes32 entryId;
}

/// @notice Position of a signer in a committee. `index` is the party index, from 1; 0 where there is no seat.
struct Seat {
    bytes32 keyId;
    uint32 epoch;
    uint8 index;
}
