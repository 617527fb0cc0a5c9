// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What an attested node may do. Joined to its measurement by the allow-list entry.
enum Role {
    None,
    Keyholder,
    Executor
}

/// @notice Standing of one attested signer (protocol §2, docs/attestation.md).
/// @param operator human or company that registered it
/// @param role of its allow-list entry
/// @param revoked true for ever once revoked
/// @param inGrace whether its newest quote rests on collateral past its date
/// @param expiresAt end of its standing in seconds, exclusive; 0 once standing was removed
/// @param attestedAt when its newest quote was verified; 0 once that quote was found bad
/// @param challengeBlock block whose hash its newest quote carries
/// @param ppid provisioning id of its platform, from the PCK certificate
/// @param piid id of its platform instance; 0 where the Processor CA signed
/// @param peerIdHash keccak256 of the libp2p peer id's multihash bytes
/// @param configHash hash of its security-relevant configuration, from the report data
/// @param entryId allow-list entry that its newest quote matched
struct NodeRecord {
    address operator;
    Role role;
    bool revoked;
    bool inGrace;
    uint32 expiresAt;
    uint32 attestedAt;
    uint64 challengeBlock;
    bytes16 ppid;
    bytes16 piid;
    bytes32 peerIdHash;
    bytes32 configHash;
    uint32 entryId;
}

/// @notice What a quote for a registration binds, and what the operator consents to. EIP-712 form:
/// Registration(address operator,uint8 role,address signer,bytes32 peerIdHash,bytes32 configHash,uint64 challengeBlock)
struct Registration {
    address operator;
    Role role;
    address signer;
    bytes32 peerIdHash;
    bytes32 configHash;
    uint64 challengeBlock;
}

/// @notice Software that may run in a role.
/// @param imageId keccak256(mrTd ‖ rtMr0 ‖ rtMr1 ‖ rtMr2), one per shape of the virtual machine
/// @param composeHash SHA-256 of the compose file
/// @param providerId root of the key provider that the compose file pins
/// @param version of the software, for readers
struct AllowListEntry {
    Role role;
    bytes32 imageId;
    bytes32 composeHash;
    bytes32 providerId;
    uint32 version;
}

/// @notice Life of an entry: proposed, then active after the timelock or withdrawn; removed for good.
enum EntryStatus {
    None,
    Proposed,
    Active,
    Withdrawn,
    Removed
}

/// @notice Position of a signer in a committee. `index` is the party index, from 1; 0 where there is no seat.
struct Seat {
    bytes32 keyId;
    uint32 epoch;
    uint8 index;
}
