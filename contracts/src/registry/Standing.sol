// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionVerifier} from "../interfaces/IDecryptionVerifier.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {PlatformFacts} from "../interfaces/IQuoteVerifier.sol";
import {NodeRecord, Role, Seat} from "../types/Node.sol";
import {AllowList} from "./AllowList.sol";
import {Floors} from "./Floors.sol";
import {SeatBook, Seats} from "./SeatBook.sol";

/// @notice What the registry keeps about a signer.
/// @param seat number of its seat plus one; 0 without
/// @param ppid piid of its machine
/// @param challengeBlock of its newest quote
/// @param registeredBlock challenge block of its first quote
/// @param attestedAt when its newest quote was verified; 0 once that quote was found bad
/// @param leafExpiresAt end of the PCK certificate of its newest quote
/// @param inGrace whether its newest quote rests on collateral past its date
/// @param platform the machine of its newest quote
struct Node {
    address operator;
    Role role;
    uint32 expiresAt;
    uint32 entryId;
    uint16 seat;
    // second slot
    bytes16 ppid;
    bytes16 piid;
    // third slot
    uint40 challengeBlock;
    uint40 registeredBlock;
    uint32 attestedAt;
    uint32 leafExpiresAt;
    uint16 tcbEvaluation;
    uint16 qeEvaluation;
    bool revoked;
    bool exiting;
    bool inGrace;
    // further slots
    bytes32 peerIdHash;
    bytes32 configHash;
    PlatformFacts platform;
}

/// @param removedAt block of the last removal: older challenges have no standing
/// @param revokedAt block of the last removal or revocation of a signer: older challenges are refused
/// @param seats by number
/// @param inKey its place in each key
struct Operator {
    bool admitted;
    uint40 removedAt;
    uint40 revokedAt;
    uint256 seats;
    mapping(bytes32 keyId => OperatorSeats) inKey;
}

/// @notice An operator's seats in one key.
/// @param seat number of its seat plus one; 0 without
/// @param successor the same for its seat in a later epoch
struct OperatorSeats {
    uint16 seat;
    uint16 successor;
}

/// @notice A machine under its PPID, and again under its PIID.
/// @param deniedAt block of the last denial: signers that registered before it have no standing
/// @param revokedAt block of the last denial or revocation of a signer: older challenges are refused
struct Platform {
    bool denied;
    uint40 deniedAt;
    uint40 revokedAt;
}

/// @title Standing
/// @notice The records, and the standing that follows from them and from what is accepted now. Removals reach any
/// number of registered signers without touching them; only seats, at most 64, have expiries that removals write.
abstract contract Standing is INodeRegistry, AllowList, Floors {
    using SeatBook for Seats;

    /// @notice Longest standing that one quote gives, in seconds.
    uint256 public constant STANDING = 7 days;

    IDecryptionVerifier public immutable verifier;

    mapping(address signer => Node) internal _nodes;
    mapping(address operator => Operator) internal _operators;
    mapping(bytes16 ppidOrPiid => Platform) internal _platforms;
    Seats internal _seats;

    constructor(IDecryptionVerifier verifier_) {
        verifier = verifier_;
    }

    /// @inheritdoc INodeRegistry
    function liveUntil(address signer) public view returns (uint32) {
        Node storage node = _nodes[signer];
        uint32 expiresAt = node.expiresAt;
        if (expiresAt == 0) return 0;
        uint40 challengeBlock = node.challengeBlock;
        Operator storage operator = _operators[node.operator];
        if (!operator.admitted || challengeBlock <= operator.removedAt) return 0;
        if (!_isActive(node.entryId)) return 0;
        if (!_isAboveFloors(node.tcbEvaluation, node.qeEvaluation, challengeBlock)) return 0;
        uint40 registeredBlock = node.registeredBlock;
        if (_isShutOut(node.ppid, registeredBlock)) return 0;
        bytes16 piid = node.piid;
        return piid != 0 && _isShutOut(piid, registeredBlock) ? 0 : expiresAt;
    }

    /// @inheritdoc INodeRegistry
    function nodeOf(address signer) external view returns (NodeRecord memory) {
        Node storage node = _nodes[signer];
        return NodeRecord({
            operator: node.operator,
            role: node.role,
            revoked: node.revoked,
            inGrace: node.inGrace,
            expiresAt: node.expiresAt,
            attestedAt: node.attestedAt,
            challengeBlock: node.challengeBlock,
            ppid: node.ppid,
            piid: node.piid,
            peerIdHash: node.peerIdHash,
            configHash: node.configHash,
            entryId: node.entryId
        });
    }

    /// @inheritdoc INodeRegistry
    function platformOf(address signer) external view returns (PlatformFacts memory) {
        return _nodes[signer].platform;
    }

    /// @inheritdoc INodeRegistry
    function isAdmitted(address operator) external view returns (bool) {
        return _operators[operator].admitted;
    }

    /// @inheritdoc INodeRegistry
    function seatOf(address signer) public view returns (Seat memory) {
        return _seatAt(_nodes[signer].seat);
    }

    /// @inheritdoc INodeRegistry
    function seatsOfOperator(address operator, bytes32 keyId)
        external
        view
        returns (Seat memory seat, Seat memory successor)
    {
        OperatorSeats storage held = _operators[operator].inKey[keyId];
        return (_seatAt(held.seat), _seatAt(held.successor));
    }

    /// @inheritdoc INodeRegistry
    function graceOf(bytes32 keyId, uint32 epoch) external view returns (uint256 parties) {
        return _seats.graceOf(keyId, epoch);
    }

    /// @return node one that registered and was not revoked
    function _requireRegistered(address signer) internal view returns (Node storage node) {
        node = _nodes[signer];
        if (node.revoked) revert SignerRevoked(signer);
        if (node.operator == address(0)) revert UnknownSigner(signer);
    }

    /// @dev Ends a signer for good and voids what its operator and machine have waiting.
    function _endForGood(Node storage node) internal {
        node.revoked = true;
        node.expiresAt = 0;
        node.attestedAt = 0;
        if (node.operator == address(0)) return;
        _operators[node.operator].revokedAt = uint40(block.number);
        _platforms[node.ppid].revokedAt = uint40(block.number);
        if (node.piid != 0) _platforms[node.piid].revokedAt = uint40(block.number);
    }

    /// @dev Writes the standing of a seated signer to the verifier: 0 where anything that it rests on is gone.
    function _writeThrough(address signer, Node storage node) internal {
        (bytes32 keyId, uint32 epoch, uint8 index) = _seats.locate(node.seat - 1);
        verifier.setExpiry(keyId, epoch, index, liveUntil(signer));
    }

    /// @inheritdoc AllowList
    function _clearSeatsOf(uint32 entryId) internal override {
        _seats.clear(_seats.byEntry[entryId], verifier);
    }

    /// @dev Zeroes the expiry of every seat whose signer has no standing any more; for removals without a bitmap.
    function _clearFallenSeats() internal override {
        uint256 fallen;
        uint256 taken = _seats.taken;
        for (uint256 number = 0; taken >> number != 0; number++) {
            if ((taken >> number) & 1 == 1 && liveUntil(_seats.signers[number]) == 0) fallen |= 1 << number;
        }
        _seats.clear(fallen, verifier);
    }

    /// @param number of the seat plus one; 0 for none
    function _seatAt(uint256 number) private view returns (Seat memory seat) {
        if (number != 0) (seat.keyId, seat.epoch, seat.index) = _seats.locate(number - 1);
    }

    function _isShutOut(bytes16 ppidOrPiid, uint40 registeredBlock) private view returns (bool) {
        Platform storage platform = _platforms[ppidOrPiid];
        return platform.denied || registeredBlock <= platform.deniedAt;
    }
}
