// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {ACTIVATION_WINDOW, timelockDelay} from "../libraries/Timelock.sol";
import {Governed} from "./Governed.sol";

/// @title Floors
/// @notice Lowest accepted TCB evaluation numbers (docs/attestation.md §5). Storing a newer set never moves
/// them: Intel signs an early and a standard set at the same time, and whoever stores first must not decide which
/// one counts.
abstract contract Floors is INodeRegistry, Governed {
    /// @param tcb qe in force
    /// @param loweredAt block of the last change downwards: quotes with an older challenge are taken no more
    /// @param formerTcb formerQe in force before it, and the highest since the change downwards that went before. What
    /// was below them had fallen, and stays down until a newer quote. Earlier floors need no memory: two changes
    /// downwards are seven days apart, as long as the longest standing (on the local test network they are not).
    struct Levels {
        uint16 tcb;
        uint16 qe;
        uint16 formerTcb;
        uint16 formerQe;
        uint40 loweredAt;
    }

    struct Proposal {
        uint16 tcb;
        uint16 qe;
        uint40 activeAt;
    }

    Levels private _levels;
    Proposal private _proposed;

    constructor(uint16 tcb, uint16 qe) {
        _levels = Levels(tcb, qe, 0, 0, 0);
    }

    /// @inheritdoc INodeRegistry
    function proposeFloors(uint16 tcb, uint16 qe) external onlyGovernance {
        uint40 activeAt = uint40(block.timestamp + timelockDelay());
        _proposed = Proposal(tcb, qe, activeAt);
        emit FloorsProposed(tcb, qe, activeAt);
    }

    /// @inheritdoc INodeRegistry
    function withdrawFloors() external onlyGovernanceOrGuardian {
        _withdraw();
    }

    /// @inheritdoc INodeRegistry
    function activateFloors() external {
        Proposal memory proposed = _proposed;
        if (proposed.activeAt == 0) revert NoFloorsProposed();
        if (block.timestamp < proposed.activeAt) revert TimelockRunning(proposed.activeAt, block.timestamp);
        uint256 lapsesAt = uint256(proposed.activeAt) + ACTIVATION_WINDOW;
        if (block.timestamp > lapsesAt) revert ProposalLapsed(lapsesAt, block.timestamp);
        delete _proposed;
        _setFloors(proposed.tcb, proposed.qe);
    }

    /// @inheritdoc INodeRegistry
    function raiseFloors(uint16 tcb, uint16 qe) external onlyGovernanceOrGuardian {
        Levels memory levels = _levels;
        if (tcb < levels.tcb || qe < levels.qe) revert FloorsNotHigher(levels.tcb, levels.qe);
        // ⚔ What was proposed before the emergency must not undo its answer.
        if (_proposed.activeAt != 0) _withdraw();
        _setFloors(tcb, qe);
    }

    /// @inheritdoc INodeRegistry
    function floors() public view returns (uint16 tcb, uint16 qe) {
        return (_levels.tcb, _levels.qe);
    }

    function _isAboveFloors(uint16 tcb, uint16 qe, uint40 challengeBlock) internal view returns (bool) {
        Levels memory levels = _levels;
        if (tcb < levels.tcb || qe < levels.qe) return false;
        return challengeBlock > levels.loweredAt || (tcb >= levels.formerTcb && qe >= levels.formerQe);
    }

    /// @return block of the last change downwards
    function _loweredAt() internal view returns (uint40) {
        return _levels.loweredAt;
    }

    /// @dev Zeroes the expiry of every seat whose signer has no standing any more.
    function _clearFallenSeats() internal virtual;

    function _setFloors(uint16 tcb, uint16 qe) private {
        Levels memory levels = _levels;
        if (tcb < levels.tcb || qe < levels.qe) {
            (levels.formerTcb, levels.formerQe, levels.loweredAt) = (levels.tcb, levels.qe, uint40(block.number));
        }
        (levels.tcb, levels.qe) = (tcb, qe);
        _levels = levels;
        emit FloorsSet(tcb, qe);
        _clearFallenSeats();
    }

    function _withdraw() private {
        delete _proposed;
        emit FloorsWithdrawn();
    }
}
