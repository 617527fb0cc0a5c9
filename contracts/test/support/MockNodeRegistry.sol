// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionVerifier} from "../../src/interfaces/IDecryptionVerifier.sol";
import {NodeRecord, Role, Seat} from "../../src/types/Node.sol";

/// @notice The part of NodeRegistry that the other contracts use, without quotes: the test says who stands.
contract MockNodeRegistry {
    IDecryptionVerifier public immutable verifier;
    mapping(address signer => NodeRecord) private _nodes;
    mapping(address signer => Seat) private _seats;

    constructor(IDecryptionVerifier verifier_) {
        verifier = verifier_;
    }

    function put(address signer, address operator, Role role, uint32 expiresAt, bytes16 ppid) external {
        NodeRecord storage node = _nodes[signer];
        node.operator = operator;
        node.role = role;
        node.expiresAt = expiresAt;
        node.ppid = ppid;
    }

    function setInstance(address signer, bytes16 piid) external {
        _nodes[signer].piid = piid;
    }

    /// @notice As a renewal or a removal (0) would.
    function setExpiry(address signer, uint32 expiresAt) external {
        _nodes[signer].expiresAt = expiresAt;
        Seat memory seat = _seats[signer];
        if (seat.index != 0) verifier.setExpiry(seat.keyId, seat.epoch, seat.index, expiresAt);
    }

    /// @notice As the removal of an allow-list entry would.
    function clear(bytes32 keyId, uint32 epoch, uint256 parties) external {
        uint256[4] memory committeeIds;
        committeeIds[0] = verifier.committeeIdOf(keyId, epoch);
        verifier.clearExpiries(committeeIds, parties);
    }

    function revoke(address signer) external {
        _nodes[signer].revoked = true;
        _nodes[signer].expiresAt = 0;
    }

    function assignSeat(address signer, bytes32 keyId, uint32 epoch, uint8 index) external {
        _seats[signer] = Seat(keyId, epoch, index);
    }

    function nodeOf(address signer) external view returns (NodeRecord memory) {
        return _nodes[signer];
    }

    function liveUntil(address signer) external view returns (uint32) {
        return _nodes[signer].expiresAt;
    }

    function seatOf(address signer) external view returns (Seat memory) {
        return _seats[signer];
    }
}
