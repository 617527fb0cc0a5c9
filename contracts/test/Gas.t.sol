// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Certificate, DecryptionResult, EpochHeader} from "../src/types/Decryption.sol";
import {FheType} from "../src/types/Encrypted.sol";
import {BlindVote} from "../src/examples/BlindVote.sol";
import {InputTest} from "./support/InputTest.sol";

/// @notice Gas of whole transactions, compared with snapshots/: what every decryption and every ballot costs.
/// forge-config: default.isolate = true
contract GasTest is InputTest {
    string private constant GROUP = "Transactions";
    /// @dev Budget of the verification part.
    uint256 private constant ACCEPTANCE = 40_000;

    function test_gas_acceptOneHandle() public {
        DecryptionResult memory result = _result(keccak256("request"), 1);
        _verify(result, _certify(keyId, result, 7));
        vm.assertLe(_snapshot("accept 1 handle, 3 of 4"), ACCEPTANCE);
    }

    /// @notice The size of the vote's tally.
    function test_gas_acceptThreeHandles() public {
        DecryptionResult memory result = _result(keccak256("request"), 3);
        _verify(result, _certify(keyId, result, 7));
        vm.assertLe(_snapshot("accept 3 handles, 3 of 4"), ACCEPTANCE);
    }

    function test_gas_acceptInALargeCommittee() public {
        uint32[] memory expiries = new uint32[](13);
        for (uint256 i; i < 13; ++i) expiries[i] = uint32(block.timestamp + 1);
        vm.prank(address(keys));
        verifier.installEpoch(
            "large", EPOCH, EpochHeader(group.x, group.v, 13, 9, address(gateway)), expiries
        );
        DecryptionResult memory result = _result(keccak256("request"), 3);
        _verify(result, _certify("large", result, 0x1ff0));
        _snapshot("accept 3 handles, 9 of 13");
    }

    function test_gas_vote() public {
        vm.deal(address(this), 1 ether);
        BlindVote vote = BlindVote(_create("BlindVote", abi.encode(coprocessor, gateway, 5)));
        for (uint256 i; i < 2; ++i) {
            address voter = addressOfName(vm.toString(i));
            vm.startPrank(voter);
            vote.castVote(_input(address(vote), voter, FheType.Uint8, FheType.Uint16));
            _snapshot(i == 0 ? "first ballot" : "later ballot");
            vm.stopPrank();
        }
        vote.close{value: FEE}();
        _snapshot("close the vote");
        vm.warp(block.timestamp + CANCEL_WINDOW);
        DecryptionResult memory result = _result(vote.requestId(), 3);
        for (uint256 i; i < 3; ++i) result.openings[i].handle = vote.encryptedTally()[i];
        gateway.fulfil(result, _certify(keyId, result, 7));
        _snapshot("fulfil 3 handles with the vote's callback");
    }

    /// @dev A call instead of a static call: only calls are isolated, so that their gas is a transaction's.
    function _verify(DecryptionResult memory result, Certificate memory certificate) private {
        (bool accepted,) = address(verifier).call(abi.encodeCall(verifier.verify, (result, certificate)));
        vm.assertTrue(accepted);
    }

    function _snapshot(string memory name) private returns (uint256) {
        return vm.snapshotGasLastCall(GROUP, name);
    }
}
