// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {VectorVm} from "./VectorVm.sol";

/// @notice Production's contracts at the addresses that vectors name.
abstract contract VectorTest is Test {
    VectorVm internal constant vvm = VectorVm(address(vm));

    function _create(string memory name, bytes memory arguments) internal returns (address) {
        return vm.deployCode(_artifact(name), arguments);
    }

    /// @notice Runs the constructor at `where`, whose address the contract then caches, and leaves the contract there.
    function _createAt(address where, string memory name, bytes memory arguments) internal {
        vm.etch(where, abi.encodePacked(vvm.getCode(_artifact(name)), arguments));
        (bool succeeded, bytes memory runtime) = where.call("");
        vm.assertTrue(succeeded, name);
        vm.etch(where, runtime);
    }

    /// @notice The part of `text` before `mark`.
    function _upTo(string memory text, string memory mark) internal pure returns (string memory) {
        return vvm.split(text, mark)[0];
    }

    function _artifact(string memory name) private pure returns (string memory) {
        return string.concat("out/", name, ".sol/", name, ".json");
    }
}
