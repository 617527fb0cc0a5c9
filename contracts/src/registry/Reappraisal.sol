// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TcbStatus} from "../attestation/TcbStatus.sol";
import {ICollateralObserver} from "../interfaces/ICollateralObserver.sol";
import {ICollateralStore} from "../interfaces/ICollateralStore.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IQuoteVerifier, PlatformFacts} from "../interfaces/IQuoteVerifier.sol";
import {SeatBook, Seats} from "./SeatBook.sol";
import {Node, Standing} from "./Standing.sol";

/// @title Reappraisal
/// @notice What anyone may do with the evidence that is stored: prolong a standing that newer collateral supports, end
/// one that it does not. Nobody's quote is looked at, so nobody can choose a better or a worse one
/// (docs/attestation.md §6).
abstract contract Reappraisal is Standing, ICollateralObserver {
    using SeatBook for Seats;

    /// @dev None: nothing speaks against the stored evidence. Withdrawn: the collateral of now does not support it, a
    /// new quote may be better. Revoked: its certificate is revoked, so the signer is out for good.
    enum Ground {
        None,
        Withdrawn,
        Revoked
    }

    /// @inheritdoc INodeRegistry
    IQuoteVerifier public immutable quoteVerifier;
    ICollateralStore public immutable collateral;

    constructor(IQuoteVerifier quoteVerifier_) {
        quoteVerifier = quoteVerifier_;
        collateral = quoteVerifier_.collateral();
    }

    /// @inheritdoc INodeRegistry
    function refresh(address signer) external {
        Node storage node = _requireRegistered(signer);
        if (node.exiting) revert SignerExiting(signer);
        if (node.attestedAt == 0) revert NotLive(signer);
        (uint16 tcbFloor, uint16 qeFloor) = floors();
        (TcbStatus status, uint16 tcbEvaluation, uint16 qeEvaluation, uint32 expiresAt) =
            quoteVerifier.judge(node.platform, tcbFloor, qeFloor, false);
        if (status != TcbStatus.UpToDate) revert TcbStatusNotAccepted(status);
        expiresAt = _earliest(expiresAt, node.leafExpiresAt, node.attestedAt + STANDING);
        uint32 held = liveUntil(signer);
        bool sameSets = tcbEvaluation == node.tcbEvaluation && qeEvaluation == node.qeEvaluation && !node.inGrace;
        // Shorter only where it was given in grace: whoever stores an early set must not cut what another supports.
        if (expiresAt <= block.timestamp || (expiresAt < held && !node.inGrace) || (expiresAt == held && sameSets)) {
            revert NothingToRefresh(signer, expiresAt);
        }
        (node.expiresAt, node.tcbEvaluation, node.qeEvaluation) = (expiresAt, tcbEvaluation, qeEvaluation);
        node.inGrace = false;
        // Operator, machine and software must be accepted still.
        if (liveUntil(signer) != expiresAt) revert NotLive(signer);
        if (node.seat != 0) {
            _seats.mark(node.seat - 1, false);
            _writeThrough(signer, node);
        }
        emit NodeRefreshed(signer, expiresAt, tcbEvaluation, qeEvaluation);
    }

    /// @inheritdoc INodeRegistry
    function invalidate(address signer) external {
        Node storage node = _requireRegistered(signer);
        Ground ground = _groundAgainst(signer, node);
        if (ground == Ground.None) {
            if (liveUntil(signer) <= block.timestamp) revert NotLive(signer);
            revert NodeStillGood(signer);
        }
        _end(signer, node, ground);
        if (node.seat != 0) _seats.clear(1 << (node.seat - 1), verifier);
    }

    /// @inheritdoc ICollateralObserver
    /// @dev Reverts for want of gas only; 64 seats that all fall cost less than half of a transaction's cap.
    function revocationsChanged() external {
        uint256 fallen;
        uint256 taken = _seats.taken;
        for (uint256 number = 0; taken >> number != 0; number++) {
            if ((taken >> number) & 1 == 0) continue;
            address signer = _seats.signers[number];
            Node storage node = _nodes[signer];
            if (node.revoked) continue;
            Ground ground = _groundAgainst(signer, node);
            if (ground == Ground.None) continue;
            _end(signer, node, ground);
            fallen |= 1 << number;
        }
        _seats.clear(fallen, verifier);
    }

    /// @dev What speaks against the stored evidence now. A standing never outlives the collateral that gave it, so a
    /// live one without current collateral has lost it: withdrawn with its signer, or its grace vetoed.
    function _groundAgainst(address signer, Node storage node) internal view returns (Ground) {
        PlatformFacts memory facts = node.platform;
        if (collateral.isRevoked(facts.ca, facts.serial)) return Ground.Revoked;
        if (liveUntil(signer) <= block.timestamp) return Ground.None;
        (uint16 tcbFloor, uint16 qeFloor) = floors();
        try quoteVerifier.judge(facts, tcbFloor, qeFloor, node.inGrace) returns (
            TcbStatus status, uint16, uint16, uint32
        ) {
            return status == TcbStatus.UpToDate ? Ground.None : Ground.Withdrawn;
        } catch (bytes memory reason) {
            // ⚔ a caller that gives too little gas must not pass for bad evidence.
            if (reason.length == 0) revert JudgementFailed(signer);
            return Ground.Withdrawn;
        }
    }

    function _end(address signer, Node storage node, Ground ground) private {
        if (ground == Ground.Revoked) {
            _endForGood(node);
            emit NodeRevoked(signer);
        } else {
            (node.expiresAt, node.attestedAt) = (0, 0);
            emit NodeInvalidated(signer);
        }
    }

    function _earliest(uint256 a, uint256 b, uint256 c) private pure returns (uint32) {
        uint256 first = a < b ? a : b;
        return uint32(first < c ? first : c);
    }
}
