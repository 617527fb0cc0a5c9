// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../interfaces/INodeRegistry.sol";

/// @title Governed
/// @notice The two powers of the registry. Governance adds, behind a timelock where it matters; the guardian only
/// takes away.
abstract contract Governed {
    address public immutable governance;
    address public immutable guardian;

    constructor(address governance_, address guardian_) {
        governance = governance_;
        guardian = guardian_;
    }

    modifier onlyGovernance() {
        if (msg.sender != governance) revert INodeRegistry.NotGovernance(msg.sender);
        _;
    }

    modifier onlyGovernanceOrGuardian() {
        if (msg.sender != governance && msg.sender != guardian) {
            revert INodeRegistry.NotGovernanceOrGuardian(msg.sender);
        }
        _;
    }
}
