// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionGateway} from "../src/interfaces/IDecryptionGateway.sol";
import {AcceptanceRule, Certificate, DecryptionResult, RequestStatus} from "../src/types/Decryption.sol";
import {GatewayTest} from "./support/GatewayTest.sol";
import {Requester} from "./support/Requester.sol";

/// @notice A requester that misbehaves hurts itself alone, and a submitter cannot make it fail.
contract DecryptionGatewayCallbackTest is GatewayTest {
    function test_revertIsRecordedAndRetriedByAnyone() public {
        bytes32 requestId = _failed(Requester.Behaviour.Revert, 3);
        vm.assertEq(gateway.resultOf(requestId), _plaintexts(3));
        vm.assertEq(gateway.owedTo(treasury), FEE);

        requester.behave(Requester.Behaviour.Accept);
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.CallbackDelivered(requestId);
        vm.prank(addressOfName("anyone"));
        gateway.retryCallback(requestId);
        _assertStatus(requestId, RequestStatus.Fulfilled);
        vm.assertEq(requester.lastPlaintexts(), _plaintexts(3));
        vm.assertEq(gateway.resultOf(requestId), "");
        vm.expectRevert(_wrongStatus(requestId, RequestStatus.Fulfilled));
        gateway.retryCallback(requestId);
    }

    function test_reasonIsTold() public {
        requester.behave(Requester.Behaviour.Revert);
        bytes32 requestId = _askAndWait(1, CALLBACK_GAS);
        (DecryptionResult memory result, Certificate memory certificate) = _certified(requestId, 1);
        bytes memory reason = abi.encodeWithSelector(Requester.Declined.selector, requestId);
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.CallbackReverted(requestId, reason);
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.DecryptionFulfilled(
            requestId, keyId, RequestStatus.CallbackFailed, AcceptanceRule.Group, result.openings
        );
        gateway.fulfil(result, certificate);
    }

    function test_failedRetryChangesNothing() public {
        bytes32 requestId = _failed(Requester.Behaviour.Revert, 2);
        gateway.retryCallback(requestId);
        _assertStatus(requestId, RequestStatus.CallbackFailed);
        vm.assertEq(gateway.resultOf(requestId), _plaintexts(2));
    }

    function test_endlessCallbackIsRecorded() public {
        _failed(Requester.Behaviour.BurnGas, 32);
    }

    function test_returnBombIsCutShort() public {
        requester.behave(Requester.Behaviour.ReturnBomb);
        bytes32 requestId = _askAndWait(1, CALLBACK_GAS);
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.CallbackReverted(requestId, new bytes(256));
        _fulfil(requestId, 1);
    }

    /// @notice A requester without code loses its callback, not its result.
    function test_requesterWithoutCodeKeepsItsResult() public {
        address account = addressOfName("account");
        vm.deal(account, FEE);
        vm.prank(account);
        bytes32 requestId =
            gateway.request{value: FEE}(_handles(1), 0x12345678, 50_000, uint40(block.timestamp) + LIFETIME);
        vm.warp(block.timestamp + CANCEL_WINDOW);
        _fulfil(requestId, 1);
        _assertStatus(requestId, RequestStatus.CallbackFailed);
        vm.assertEq(gateway.resultOf(requestId), _plaintexts(1));
    }

    /// @notice With any gas limit the callback gets what was asked for, or nothing happens at all (63/64 rule).
    function test_fuzz_submitterCannotStarveTheCallback(uint256 gasLimit) public {
        gasLimit = bound(gasLimit, 60_000, 900_000);
        bytes32 requestId = _askAndWait(3, CALLBACK_GAS);
        (DecryptionResult memory result, Certificate memory certificate) = _certified(requestId, 3);
        (bool done,) = address(gateway).call{gas: gasLimit}(abi.encodeCall(gateway.fulfil, (result, certificate)));
        if (done) {
            _assertStatus(requestId, RequestStatus.Fulfilled);
            vm.assertEq(requester.calls(), 1);
            vm.assertGt(requester.gasSeen(), CALLBACK_GAS - 2_000);
        } else {
            _assertStatus(requestId, RequestStatus.Pending);
        }
    }

    function test_tooLittleGasIsTold() public {
        bytes32 requestId = _askAndWait(1, 5_000_000);
        (DecryptionResult memory result, Certificate memory certificate) = _certified(requestId, 1);
        (bool done, bytes memory refusal) =
            address(gateway).call{gas: 5_000_000}(abi.encodeCall(gateway.fulfil, (result, certificate)));
        vm.assertFalse(done);
        vm.assertEq(bytes32(bytes4(refusal)), bytes32(IDecryptionGateway.TooLittleGas.selector));
    }

    /// @notice Who retries may bring more gas than was asked for.
    function test_fuzz_retryGivesAtLeastTheRequestedGas(uint256 gasLimit) public {
        gasLimit = bound(gasLimit, 60_000, 3_000_000);
        bytes32 requestId = _failed(Requester.Behaviour.Revert, 3);
        requester.behave(Requester.Behaviour.Accept);
        (bool done,) = address(gateway).call{gas: gasLimit}(abi.encodeCall(gateway.retryCallback, (requestId)));
        if (done) {
            vm.assertGt(requester.gasSeen(), CALLBACK_GAS - 2_000);
            if (gasLimit > 2_000_000) vm.assertGt(requester.gasSeen(), 4 * CALLBACK_GAS);
        } else {
            _assertStatus(requestId, RequestStatus.CallbackFailed);
        }
    }

    function test_callbackMayAskAgain() public {
        vm.deal(address(requester), FEE);
        requester.reenterWith(
            abi.encodeCall(gateway.request, (_handles(1), 0, 0, uint40(block.timestamp) + 2 * LIFETIME)), FEE
        );
        bytes32 requestId = _askAndWait(1, CALLBACK_GAS);
        _fulfil(requestId, 1);
        vm.assertTrue(requester.reentered());
    }

    function test_callbackCannotDeliverOrRetryFromInside() public {
        bytes32 other = _ask(1, 0);
        bytes32 requestId = _askAndWait(1, CALLBACK_GAS);
        (DecryptionResult memory result, Certificate memory certificate) = _certified(other, 1);
        requester.reenterWith(abi.encodeCall(gateway.fulfil, (result, certificate)), 0);
        _fulfil(requestId, 1);
        vm.assertEq(requester.calls(), 1);
        vm.assertFalse(requester.reentered());
        _assertStatus(other, RequestStatus.Pending);
    }

    function test_retryFromInsideIsRefused() public {
        bytes32 requestId = _failed(Requester.Behaviour.Revert, 1);
        requester.reenterWith(abi.encodeCall(gateway.retryCallback, (requestId)), 0);
        gateway.retryCallback(requestId);
        vm.assertEq(requester.calls(), 1);
        vm.assertFalse(requester.reentered());
        _assertStatus(requestId, RequestStatus.Fulfilled);
    }

    function _failed(Requester.Behaviour behaviour, uint256 handles) private returns (bytes32 requestId) {
        requester.behave(behaviour);
        requestId = _askAndWait(handles, CALLBACK_GAS);
        _fulfil(requestId, handles);
        _assertStatus(requestId, RequestStatus.CallbackFailed);
    }
}
