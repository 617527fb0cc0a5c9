// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionGateway} from "../src/interfaces/IDecryptionGateway.sol";
import {IDecryptionVerifier} from "../src/interfaces/IDecryptionVerifier.sol";
import {AcceptanceRule, Certificate, DecryptionResult, RequestStatus} from "../src/types/Decryption.sol";
import {GatewayTest} from "./support/GatewayTest.sol";

/// @notice A certified result reaches its requester once; nothing else does.
contract DecryptionGatewayFulfilTest is GatewayTest {
    function test_resultReachesTheRequester() public {
        bytes32 requestId = _askAndWait(3, CALLBACK_GAS);
        (DecryptionResult memory result, Certificate memory certificate) = _certified(requestId, 3);
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.DecryptionFulfilled(
            requestId, keyId, RequestStatus.Fulfilled, AcceptanceRule.Group, result.openings
        );
        gateway.fulfil(result, certificate);
        _assertStatus(requestId, RequestStatus.Fulfilled);
        vm.assertEq(requester.calls(), 1);
        vm.assertEq(requester.lastRequestId(), requestId);
        vm.assertEq(requester.lastPlaintexts(), _plaintexts(3));
        vm.assertEq(gateway.resultOf(requestId), "");
    }

    function test_feeOfAnOnTimeResultIsTheTreasurys() public {
        bytes32 requestId = _askAndWait(1, CALLBACK_GAS);
        _fulfil(requestId, 1);
        vm.assertEq(gateway.owedTo(treasury), FEE);
        vm.assertEq(gateway.owedTo(address(requester)), 0);
        vm.prank(treasury);
        gateway.withdraw(treasury);
        vm.assertEq(treasury.balance, FEE);
    }

    function test_resultIsDeliveredOnce() public {
        bytes32 requestId = _askAndWait(1, CALLBACK_GAS);
        _fulfil(requestId, 1);
        _fulfilRefused(requestId, 1, _wrongStatus(requestId, RequestStatus.Fulfilled));
        vm.warp(block.timestamp + LIFETIME + 1);
        vm.expectRevert(_wrongStatus(requestId, RequestStatus.Fulfilled));
        gateway.refund(requestId);
    }

    function test_withoutCallbackTheResultIsStored() public {
        bytes32 requestId = _askAndWait(2, 0);
        _fulfil(requestId, 2);
        _assertStatus(requestId, RequestStatus.Fulfilled);
        vm.assertEq(gateway.resultOf(requestId), _plaintexts(2));
        vm.assertEq(requester.calls(), 0);
    }

    /// @notice Both locks hold here too: the verifier's refusal comes through.
    function test_refusalOfTheVerifierComesThrough() public {
        bytes32 requestId = _askAndWait(1, CALLBACK_GAS);
        (DecryptionResult memory result, Certificate memory certificate) = _certified(requestId, 1);
        nodes.clear(keyId, EPOCH, 1);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.SignerNotLive.selector, 1, 0));
        gateway.fulfil(result, certificate);
        certificate = _certify(keyId, result, 14);
        result.openings[0].plaintext ^= 1;
        bytes32 digest = verifier.batchDigest(result, certificate);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.BadGroupSignature.selector, digest));
        gateway.fulfil(result, certificate);
    }

    function test_otherHandlesThanRequestedAreRefused() public {
        bytes32 requestId = _askAndWait(2, CALLBACK_GAS);
        (DecryptionResult memory result, Certificate memory certificate) = _certified(requestId, 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDecryptionGateway.HandlesMismatch.selector,
                keccak256(abi.encodePacked(_handles(1))),
                keccak256(abi.encodePacked(_handles(2)))
            )
        );
        gateway.fulfil(result, certificate);
    }

    function test_resultForAnotherGatewayIsRefused() public {
        bytes32 requestId = _askAndWait(1, CALLBACK_GAS);
        (DecryptionResult memory result,) = _certified(requestId, 1);
        result.gateway = address(0xbeef);
        Certificate memory certificate = _certify(keyId, result, SIGNERS);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionGateway.WrongGateway.selector, address(0xbeef)));
        gateway.fulfil(result, certificate);
    }

    function test_unknownRequestIsRefused() public {
        _fulfilRefused(keccak256("unknown"), 1, _wrongStatus(keccak256("unknown"), RequestStatus.None));
    }

    // After the deadline.

    function test_lateResultIsStoredAndTheFeeGoesBack() public {
        bytes32 requestId = _askAndWait(2, CALLBACK_GAS);
        vm.warp(gateway.requestOf(requestId).deadline + 1);
        _fulfil(requestId, 2);
        _assertStatus(requestId, RequestStatus.FulfilledLate);
        vm.assertEq(gateway.resultOf(requestId), _plaintexts(2));
        vm.assertEq(requester.calls(), 0);
        vm.assertEq(gateway.owedTo(address(requester)), FEE);
        vm.assertEq(gateway.owedTo(treasury), 0);
    }

    function test_lateResultAfterTheRefundPaysNothingMore() public {
        bytes32 requestId = _askAndWait(2, CALLBACK_GAS);
        vm.warp(gateway.requestOf(requestId).deadline + 1);
        gateway.refund(requestId);
        _fulfil(requestId, 2);
        _assertStatus(requestId, RequestStatus.FulfilledLate);
        vm.assertEq(gateway.resultOf(requestId), _plaintexts(2));
        vm.assertEq(gateway.owedTo(address(requester)), FEE);
        _fulfilRefused(requestId, 2, _wrongStatus(requestId, RequestStatus.FulfilledLate));
    }

    function test_lastSecondIsOnTime() public {
        bytes32 requestId = _askAndWait(1, CALLBACK_GAS);
        vm.warp(gateway.requestOf(requestId).deadline);
        _fulfil(requestId, 1);
        _assertStatus(requestId, RequestStatus.Fulfilled);
    }
}
