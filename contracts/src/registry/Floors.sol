// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {timelockDelay} from "../libraries/Timelock.sol";
import {Governed} from "./Governed.sol";

/// @title Floors
/// @notice Lowest accepted TCB evaluation numbers (attestation.md, amendment 1). Storing a newer set never moves
/// them: Intel signs an early and a standard set at the same time, and whoever stores first must not decide which
/// one counts.
abstract contract Floors is INodeRegistry, Governed {
    /// @param tcb qe in force
    /// @param highestTcb highestQe ever in force
    /// @param loweredAt block of the last change downwards: what fell below the highest floors stays down until a
    /// newer quote
    struct Levels {
        uint16 tcb;
        uint16 qe;
        uint16 highestTcb;
        uint16 highestQe;
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
        _levels = Levels(tcb, qe, tcb, qe, 0);
    }

    /// @inheritdoc INodeRegistry
    function proposeFloors(uint16 tcb, uint16 qe) external onlyGovernance {
        uint40 activeAt = uint40(block.timestamp + timelockDelay());
        _proposed = Proposal(tcb, qe, activeAt);
        emit FloorsProposed(tcb, qe, activeAt);
    }

    /// @inheritdoc INodeRegistry
    function withdrawFloors() external onlyGovernanceOrGuardian {
        delete _proposed;
        emit FloorsWithdrawn();
    }

    /// @inheritdoc INodeRegistry
    function activateFloors() external {
        Proposal memory proposed = _proposed;
        if (proposed.activeAt == 0) revert NoFloorsProposed();
        if (block.timestamp < proposed.activeAt) revert TimelockRunning(proposed.activeAt, block.timestamp);
        delete _proposed;
        _setFloors(proposed.tcb, proposed.qe);
    }

    /// @inheritdoc INodeRegistry
    function raiseFloors(uint16 tcb, uint16 qe) external onlyGovernanceOrGuardian {
        Levels memory levels = _levels;
        if (tcb < levels.tcb || qe < levels.qe) revert FloorsNotHigher(levels.tcb, levels.qe);
        _setFloors(tcb, qe);
    }

    /// @inheritdoc INodeRegistry
    function floors() public view returns (uint16 tcb, uint16 qe) {
        return (_levels.tcb, _levels.qe);
    }

    function _isAboveFloors(uint16 tcb, uint16 qe, uint40 challengeBlock) internal view returns (bool) {
        Levels memory levels = _levels;
        if (tcb < levels.tcb || qe < levels.qe) return false;
        return challengeBlock > levels.loweredAt || (tcb >= levels.highestTcb && qe >= levels.highestQe);
    }

    /// @dev Zeroes the expiry of every seat whose signer has no standing any more.
    function _clearFallenSeats() internal virtual;

    function _setFloors(uint16 tcb, uint16 qe) private {
        Levels memory held = _levels;
        _levels = Levels({
            tcb: tcb,
            qe: qe,
            highestTcb: tcb > held.highestTcb ? tcb : held.highestTcb,
            highestQe: qe > held.highestQe ? qe : held.highestQe,
            loweredAt: tcb < held.tcb || qe < held.qe ? uint40(block.number) : held.loweredAt
        });
        emit FloorsSet(tcb, qe);
        _clearFallenSeats();
    }
}
