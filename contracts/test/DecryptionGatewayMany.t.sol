// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionGateway} from "../src/interfaces/IDecryptionGateway.sol";
import {IDecryptionVerifier} from "../src/interfaces/IDecryptionVerifier.sol";
import {
    AcceptancePolicy,
    AcceptanceRule,
    BatchCertificate,
    DecryptionResult,
    Obstacle,
    RequestStatus
} from "../src/types/Decryption.sol";
import {GatewayTest} from "./support/GatewayTest.sol";
import {Requester} from "./support/Requester.sol";

/// @notice Many results in one transaction: each reaches its requester once, and none stands in the way of another.
contract DecryptionGatewayManyTest is GatewayTest {
    /// @dev The largest gas limit of a transaction on a chain (EIP-7825).
    uint256 private constant TRANSACTION_GAS = 1 << 24;

    Requester private _other;

    function setUp() public override {
        super.setUp();
        _other = new Requester(gateway);
    }

    function test_everyRequesterGetsItsResult() public {
        DecryptionResult[] memory results = _asked(5);
        BatchCertificate memory certificate = _certifyAll(keyId, results, SIGNERS);
        for (uint256 i; i < 5; ++i) {
            vm.expectEmit(address(gateway));
            emit IDecryptionGateway.DecryptionFulfilled(
                results[i].requestId, keyId, RequestStatus.Fulfilled, AcceptanceRule.Group, results[i].openings
            );
        }
        gateway.fulfilMany(results, certificate);
        vm.assertEq(requester.calls(), 3);
        vm.assertEq(_other.calls(), 2);
        vm.assertEq(gateway.owedTo(treasury), 5 * uint256(FEE));
    }

    function test_sixtyFourWithCallbacksFitIntoATransaction() public {
        DecryptionResult[] memory results = new DecryptionResult[](64);
        for (uint256 i; i < 64; ++i) results[i] = _result(_askOf(requester, 1, 150_000), 1);
        _wait();
        bytes memory call = abi.encodeCall(gateway.fulfilMany, (results, _certifyAll(keyId, results, SIGNERS)));
        (bool done,) = address(gateway).call{gas: TRANSACTION_GAS}(call);
        vm.assertTrue(done);
        for (uint256 i; i < 64; ++i) _assertStatus(results[i].requestId, RequestStatus.Fulfilled);
    }

    /// @notice Both locks hold here too, for all results or for none.
    function test_refusalOfTheVerifierComesThrough() public {
        DecryptionResult[] memory results = _asked(3);
        BatchCertificate memory certificate = _certifyAll(keyId, results, SIGNERS);
        results[2].openings[0].plaintext ^= 1;
        vm.expectRevert();
        gateway.fulfilMany(results, certificate);
        nodes.clear(keyId, EPOCH, 1);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.SignerNotLive.selector, 1, 0));
        gateway.fulfilMany(results, certificate);
        for (uint256 i; i < 3; ++i) _assertStatus(results[i].requestId, RequestStatus.Pending);
    }

    function test_batchForAnotherGatewayIsRefused() public {
        bytes32 foreign = keccak256("foreign key");
        uint32[] memory expiries = new uint32[](4);
        for (uint256 i; i < 4; ++i) expiries[i] = type(uint32).max;
        (bytes32 key, address elsewhere) = (foreign, address(0xbeef));
        vm.startPrank(address(keys));
        verifier.installEpoch(key, EPOCH, _headerFor(elsewhere), expiries, parties);
        vm.stopPrank();
        DecryptionResult[] memory results = _asked(2);
        for (uint256 i; i < 2; ++i) results[i].gateway = elsewhere;
        BatchCertificate memory certificate = _certifyAll(key, results, SIGNERS);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionGateway.WrongGateway.selector, elsewhere));
        gateway.fulfilMany(results, certificate);
    }

    // What is skipped.

    function test_unknownRequestIsSkipped() public {
        DecryptionResult[] memory results = _asked(3);
        results[1].requestId = keccak256("unknown");
        _assertSkipped(results, 1, Obstacle.WrongStatus);
    }

    function test_settledRequestIsSkipped() public {
        DecryptionResult[] memory results = _asked(3);
        _fulfil(results[1].requestId, 1);
        _assertSkipped(results, 1, Obstacle.WrongStatus);
        vm.assertEq(_other.calls(), 1);
    }

    function test_cancelledRequestIsSkipped() public {
        DecryptionResult[] memory results = new DecryptionResult[](3);
        for (uint256 i; i < 3; ++i) results[i] = _result(_askOf(requester, 1, CALLBACK_GAS), 1);
        requester.cancel(results[1].requestId);
        _wait();
        _assertSkipped(results, 1, Obstacle.WrongStatus);
    }

    function test_requestInItsCancelWindowIsSkipped() public {
        DecryptionResult[] memory results = _asked(3);
        results[2] = _result(_askOf(requester, 1, CALLBACK_GAS), 1);
        _assertSkipped(results, 2, Obstacle.StillCancellable);
    }

    function test_otherHandlesAreSkipped() public {
        DecryptionResult[] memory results = _asked(3);
        results[0] = _result(results[0].requestId, 2);
        _assertSkipped(results, 0, Obstacle.HandlesMismatch);
    }

    function test_requestThatNeedsEvidenceIsSkipped() public {
        DecryptionResult[] memory results = _asked(3);
        AcceptancePolicy[3] memory policies =
            [AcceptancePolicy(1, 0, false), AcceptancePolicy(0, 1, false), AcceptancePolicy(0, 0, true)];
        for (uint256 i; i < 3; ++i) {
            results[i] = _result(
                requester.askWithPolicy{value: FEE}(_handles(1), 0, uint40(block.timestamp) + LIFETIME, policies[i]), 1
            );
        }
        _wait();
        gateway.fulfilMany(results, _certifyAll(keyId, results, SIGNERS));
        _assertStatus(results[0].requestId, RequestStatus.Pending);
        _assertStatus(results[1].requestId, RequestStatus.Pending);
        _assertStatus(results[2].requestId, RequestStatus.Fulfilled);
    }

    /// @notice ⚔ The same result twice in a tree is delivered and paid once.
    function test_resultTwiceIsDeliveredOnce() public {
        DecryptionResult[] memory results = _asked(3);
        results[2] = results[0];
        _assertSkipped(results, 2, Obstacle.None);
        vm.assertEq(requester.calls(), 1);
        vm.assertEq(gateway.owedTo(treasury), 2 * uint256(FEE));
    }

    function test_wholeBatchAgainChangesNothing() public {
        DecryptionResult[] memory results = _asked(4);
        BatchCertificate memory certificate = _certifyAll(keyId, results, SIGNERS);
        gateway.fulfilMany(results, certificate);
        gateway.fulfilMany(results, certificate);
        vm.assertEq(requester.calls() + _other.calls(), 4);
        vm.assertEq(gateway.owedTo(treasury), 4 * uint256(FEE));
    }

    function test_lateResultsAreStored() public {
        DecryptionResult[] memory results = _asked(2);
        vm.warp(block.timestamp + LIFETIME);
        gateway.refund(results[0].requestId);
        gateway.fulfilMany(results, _certifyAll(keyId, results, SIGNERS));
        for (uint256 i; i < 2; ++i) _assertStatus(results[i].requestId, RequestStatus.FulfilledLate);
        vm.assertEq(gateway.owedTo(address(requester)) + gateway.owedTo(address(_other)), 2 * uint256(FEE));
    }

    // Callbacks.

    function test_badCallbacksBlockNobody() public {
        Requester.Behaviour[3] memory bad =
            [Requester.Behaviour.Revert, Requester.Behaviour.BurnGas, Requester.Behaviour.ReturnBomb];
        for (uint256 kind; kind < 3; ++kind) {
            DecryptionResult[] memory results = _asked(5);
            requester.behave(bad[kind]);
            uint256 before = _other.calls();
            bytes memory call = abi.encodeCall(gateway.fulfilMany, (results, _certifyAll(keyId, results, SIGNERS)));
            (bool done,) = address(gateway).call{gas: TRANSACTION_GAS}(call);
            vm.assertTrue(done);
            for (uint256 i; i < 5; ++i) {
                _assertStatus(
                    results[i].requestId, i % 2 == 0 ? RequestStatus.CallbackFailed : RequestStatus.Fulfilled
                );
            }
            vm.assertEq(_other.calls(), before + 2);
        }
    }

    /// @notice ⚔ A callback delivers nothing twice by calling back in, and takes nothing from the others.
    function test_callbackCannotReenter() public {
        DecryptionResult[] memory results = _asked(4);
        BatchCertificate memory certificate = _certifyAll(keyId, results, SIGNERS);
        requester.reenterWith(abi.encodeCall(gateway.fulfilMany, (results, certificate)), 0);
        gateway.fulfilMany(results, certificate);
        vm.assertFalse(requester.reentered());
        vm.assertEq(requester.calls() + _other.calls(), 4);
        // Taking a fee back for one of the others is not open to it either.
        results = _asked(4);
        requester.reenterWith(abi.encodeCall(gateway.refund, (results[3].requestId)), 0);
        gateway.fulfilMany(results, _certifyAll(keyId, results, SIGNERS));
        vm.assertFalse(requester.reentered());
        vm.assertEq(gateway.owedTo(treasury), 8 * uint256(FEE));
    }

    /// @notice ⚔ With any gas limit every callback gets what was asked for, or its request is as before; and where the
    /// transaction gets as far as delivering, it does not fail for the ones behind.
    function test_fuzz_submitterCannotStarveACallback(uint256 gasLimit) public {
        DecryptionResult[] memory results = _asked(6);
        requester.behave(Requester.Behaviour.BurnGas);
        bytes memory call = abi.encodeCall(gateway.fulfilMany, (results, _certifyAll(keyId, results, SIGNERS)));
        gasLimit = bound(gasLimit, 100_000, 4_000_000);
        (bool done,) = address(gateway).call{gas: gasLimit}(call);
        // Verification takes 60,000, the six events of skipping not 50,000.
        vm.assertTrue(done || gasLimit < 200_000);
        for (uint256 i; i < 6; ++i) {
            RequestStatus status = gateway.requestOf(results[i].requestId).status;
            if (status == RequestStatus.Pending) continue;
            vm.assertTrue(status == (i % 2 == 0 ? RequestStatus.CallbackFailed : RequestStatus.Fulfilled));
        }
        if (_other.calls() > 0) vm.assertGt(_other.gasSeen(), CALLBACK_GAS - 2_000);
        if (gasLimit > 3_500_000) vm.assertEq(_other.calls(), 3);
    }

    /// @notice ⚔ A delivery leaves enough to skip all results behind it: a callback that burns its gas fails nobody.
    function test_fuzz_deliveryLeavesTheGasToSkip(uint256 gasLimit) public {
        DecryptionResult[] memory results = _asked(64);
        requester.behave(Requester.Behaviour.BurnGas);
        bytes memory call = abi.encodeCall(gateway.fulfilMany, (results, _certifyAll(keyId, results, SIGNERS)));
        (bool done,) = address(gateway).call{gas: bound(gasLimit, 1_300_000, 3_000_000)}(call);
        vm.assertTrue(done);
    }

    /// @notice What little gas left out comes with the next submission.
    function test_skippedForGasIsDeliveredNext() public {
        DecryptionResult[] memory results = _asked(4);
        BatchCertificate memory certificate = _certifyAll(keyId, results, SIGNERS);
        bytes memory call = abi.encodeCall(gateway.fulfilMany, (results, certificate));
        (bool done,) = address(gateway).call{gas: 650_000}(call);
        vm.assertTrue(done);
        _assertStatus(results[0].requestId, RequestStatus.Fulfilled);
        _assertStatus(results[3].requestId, RequestStatus.Pending);
        gateway.fulfilMany(results, certificate);
        for (uint256 i; i < 4; ++i) _assertStatus(results[i].requestId, RequestStatus.Fulfilled);
        vm.assertEq(requester.calls() + _other.calls(), 4);
    }

    /// @notice Storing the largest result needs no more than what is set aside for it.
    function test_largeResultsAreStoredWithTheGasAsked() public {
        DecryptionResult[] memory results = new DecryptionResult[](2);
        for (uint256 i; i < 2; ++i) results[i] = _result(_askOf(requester, 32, 0), 32);
        _wait();
        bytes memory call = abi.encodeCall(gateway.fulfilMany, (results, _certifyAll(keyId, results, SIGNERS)));
        // Two of 80,000 + 32 · 23,000 + 60,000, one 15,000 per place, and the verification.
        (bool done,) = address(gateway).call{gas: 2_000_000}(call);
        vm.assertTrue(done);
        _assertStatus(results[0].requestId, RequestStatus.Fulfilled);
        _assertStatus(results[1].requestId, RequestStatus.Fulfilled);
    }

    /// @notice The largest tree there is, with callbacks: what does not fit is skipped, nothing of it is lost, and every
    /// transaction delivers its share.
    function test_sixtyFourOfThirtyTwoHandlesWithCallbacks() public {
        DecryptionResult[] memory results = new DecryptionResult[](64);
        for (uint256 i; i < 64; ++i) {
            // Both keep what they get: thirty-two words in storage.
            results[i] = _result(_askOf(i % 2 == 0 ? requester : _other, 32, 1_200_000), 32);
        }
        _wait();
        bytes memory call = abi.encodeCall(gateway.fulfilMany, (results, _certifyAll(keyId, results, SIGNERS)));
        uint256 delivered;
        for (uint256 round; round < 5 && delivered < 64; ++round) {
            (bool done,) = address(gateway).call{gas: TRANSACTION_GAS}(call);
            vm.assertTrue(done);
            uint256 before = delivered;
            delivered = requester.calls() + _other.calls();
            vm.assertGt(delivered, before);
        }
        vm.assertEq(delivered, 64);
    }

    /// @notice ⚔ The same where every callback burns its gas: its result is stored, and the rest is skipped.
    /// forge-config: default.fuzz.runs = 16
    function test_fuzz_sixtyFourLargestResultsWithBurningCallbacks(uint256 gasLimit) public {
        DecryptionResult[] memory results = new DecryptionResult[](64);
        for (uint256 i; i < 64; ++i) results[i] = _result(_askOf(requester, 32, CALLBACK_GAS), 32);
        _wait();
        requester.behave(Requester.Behaviour.BurnGas);
        bytes memory call = abi.encodeCall(gateway.fulfilMany, (results, _certifyAll(keyId, results, SIGNERS)));
        gasLimit = bound(gasLimit, 4_000_000, TRANSACTION_GAS);
        (bool done,) = address(gateway).call{gas: gasLimit}(call);
        vm.assertTrue(done);
        for (uint256 i; i < 64; ++i) {
            RequestStatus status = gateway.requestOf(results[i].requestId).status;
            vm.assertTrue(status == RequestStatus.Pending || status == RequestStatus.CallbackFailed);
            if (status == RequestStatus.CallbackFailed) vm.assertEq(gateway.resultOf(results[i].requestId).length, 1024);
        }
    }

    /// @dev Requests of one handle by two requesters in turn, past their cancel window.
    function _asked(uint256 count) private returns (DecryptionResult[] memory results) {
        results = new DecryptionResult[](count);
        for (uint256 i; i < count; ++i) {
            results[i] = _result(_askOf(i % 2 == 0 ? requester : _other, 1, CALLBACK_GAS), 1);
        }
        _wait();
    }

    function _askOf(Requester from, uint256 handles, uint32 callbackGas) private returns (bytes32) {
        return from.ask{value: FEE}(_handles(handles), callbackGas, uint40(vm.getBlockTimestamp()) + LIFETIME);
    }

    function _wait() private {
        vm.warp(vm.getBlockTimestamp() + CANCEL_WINDOW);
    }

    /// @dev Exactly the result at `index` is skipped, and the others are delivered. None: skipped as the second of two.
    function _assertSkipped(DecryptionResult[] memory results, uint256 index, Obstacle obstacle) private {
        RequestStatus before = gateway.requestOf(results[index].requestId).status;
        vm.expectEmit(address(gateway));
        Obstacle told = obstacle == Obstacle.None ? Obstacle.WrongStatus : obstacle;
        emit IDecryptionGateway.ResultSkipped(results[index].requestId, told);
        gateway.fulfilMany(results, _certifyAll(keyId, results, SIGNERS));
        for (uint256 i; i < results.length; ++i) {
            if (i != index) _assertStatus(results[i].requestId, RequestStatus.Fulfilled);
            else if (obstacle != Obstacle.None) _assertStatus(results[i].requestId, before);
        }
    }
}
