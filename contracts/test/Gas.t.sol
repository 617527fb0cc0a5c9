// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Certificate, DecryptionResult} from "../src/types/Decryption.sol";
import {System} from "./support/System.sol";
import {Vm} from "./support/Vm.sol";

/// @notice Gas of what happens for every decryption, compared with snapshots/ (signing design, rule B′).
contract GasTest is System {
    /// @notice A result of one handle, 3 of 4 signers, as a whole transaction.
    function test_gas_acceptOneHandle() public {
        vm.assertLe(_accept(1, "accept 3 of 4, 1 handle, whole transaction"), 40_000);
    }

    /// @notice The three tallies of the vote, as a whole transaction.
    function test_gas_acceptThreeHandles() public {
        vm.assertLe(_accept(3, "accept 3 of 4, 3 handles, whole transaction"), 40_000);
    }

    function _accept(uint256 handles, string memory name) private returns (uint256 total) {
        bytes32 keyId = _activeKey();
        DecryptionResult memory result = _result(keccak256("request"), handles);
        Certificate memory certificate = _certify(keyId, result, 7);
        bytes memory data = abi.encodeCall(verifier.verify, (result, certificate));
        _coolDown();
        (bool accepted,) = address(verifier).staticcall(data);
        vm.assertTrue(accepted);
        total = _transactionGas(data, _lastGas());
        vm.snapshotValue("Acceptance", name, total);
    }

    /// @dev Only storage that this transaction has not touched costs what a fresh transaction pays.
    function _coolDown() private {
        vm.cool(address(verifier));
    }

    function _lastGas() private view returns (uint256 used) {
        Vm.Gas memory gas = vm.lastCallGas();
        return gas.gasTotalUsed;
    }

    /// @dev Intrinsic gas, calldata and execution, or the floor of EIP-7623.
    function _transactionGas(bytes memory data, uint256 execution) private pure returns (uint256) {
        uint256 tokens;
        for (uint256 i; i < data.length; ++i) tokens += data[i] == 0 ? 1 : 4;
        uint256 standard = 21_000 + 4 * tokens + execution;
        uint256 floor = 21_000 + 10 * tokens;
        return standard > floor ? standard : floor;
    }
}
