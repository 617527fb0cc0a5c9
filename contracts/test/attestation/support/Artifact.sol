// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AttestationVm} from "./AttestationVm.sol";

/// @notice Contracts as production compiles them; tests themselves are compiled without the optimiser.
library Artifact {
    AttestationVm private constant avm = AttestationVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev An opcode of the caller and no cheatcode: `expectRevert` sees what the constructor says.
    function create(string memory name, bytes memory arguments) internal returns (address created) {
        bytes memory code = bytes.concat(avm.getCode(string.concat("out/", name, ".sol/", name, ".json")), arguments);
        assembly ("memory-safe") {
            created := create(0, add(code, 32), mload(code))
            if iszero(created) {
                let reason := mload(0x40)
                returndatacopy(reason, 0, returndatasize())
                revert(reason, returndatasize())
            }
        }
    }
}
