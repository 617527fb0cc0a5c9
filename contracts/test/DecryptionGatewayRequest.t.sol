// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionGateway} from "../src/interfaces/IDecryptionGateway.sol";
import {DecryptionRequest, RequestStatus} from "../src/types/Decryption.sol";
import {GatewayTest} from "./support/GatewayTest.sol";

/// @notice Asking, taking back, and the money.
contract DecryptionGatewayRequestTest is GatewayTest {
    function test_requestIsRecorded() public {
        bytes32[] memory handles = _handles(3);
        bytes32 expected = keccak256(
            abi.encode(
                keccak256("twinlock/request/v1"),
                block.chainid,
                address(gateway),
                address(requester),
                keccak256(abi.encodePacked(handles)),
                uint256(0),
                blockhash(block.number - 1)
            )
        );
        uint40 deadline = uint40(block.timestamp) + LIFETIME;
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.DecryptionRequested(
            expected, address(requester), handles, requester.onResult.selector, CALLBACK_GAS, deadline, FEE
        );
        bytes32 requestId = _ask(3, CALLBACK_GAS);
        vm.assertEq(requestId, expected);
        DecryptionRequest memory stored = gateway.requestOf(requestId);
        vm.assertEq(stored.requester, address(requester));
        vm.assertEq(stored.requestedAt, block.timestamp);
        vm.assertEq(stored.handlesHash, keccak256(abi.encodePacked(handles)));
        vm.assertEq(stored.deadline, deadline);
        vm.assertEq(stored.callbackGas, CALLBACK_GAS);
        vm.assertEq(stored.fee, FEE);
        _assertStatus(requestId, RequestStatus.Pending);
    }

    function test_sameRequestTwiceHasTwoIds() public {
        vm.assertNotEq(_ask(1, 0), _ask(1, 0));
    }

    /// @notice The same request in a block with another parent is another request.
    function test_idBindsTheParentBlock() public {
        bytes32 counter = bytes32(uint256(3));
        vm.setBlockhash(block.number - 1, keccak256("one branch"));
        bytes32 one = _ask(1, 0);
        vm.store(address(gateway), counter, 0);
        vm.assertEq(_ask(1, 0), one);
        vm.store(address(gateway), counter, 0);
        vm.setBlockhash(block.number - 1, keccak256("another branch"));
        vm.assertNotEq(_ask(1, 0), one);
    }

    function test_handlesAreCounted() public {
        bytes32[] memory none = new bytes32[](0);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionGateway.HandleCountOutOfRange.selector, 0, 32));
        gateway.request{value: FEE}(none, 0, 0, uint40(block.timestamp) + LIFETIME);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionGateway.HandleCountOutOfRange.selector, 33, 32));
        _ask(33, 0);
        _ask(32, 0);
    }

    function test_feeIsExact() public {
        uint256[3] memory bad = [uint256(0), FEE - 1, FEE + 1];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDecryptionGateway.WrongFee.selector, bad[i], uint256(FEE)));
            gateway.request{value: bad[i]}(_handles(1), 0, 0, uint40(block.timestamp) + LIFETIME);
        }
    }

    function test_callbackAndItsGasComeTogether() public {
        bytes4 callback = requester.onResult.selector;
        bytes4[3] memory callbacks = [bytes4(0), callback, callback];
        uint32[3] memory gases = [uint32(1), 0, 5_000_001];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IDecryptionGateway.CallbackGasOutOfRange.selector, gases[i], 5_000_000)
            );
            gateway.request{value: FEE}(_handles(1), callbacks[i], gases[i], uint40(block.timestamp) + LIFETIME);
        }
    }

    /// @notice ⚔ A deadline that nobody can keep would make every result late: its plaintext on chain, its fee back.
    function test_deadlineLeavesTheTimeToServe() public {
        uint256 earliest = block.timestamp + MIN_LIFETIME;
        uint256 latest = block.timestamp + 30 days;
        uint256[3] memory bad = [uint256(0), earliest - 1, latest + 1];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IDecryptionGateway.DeadlineOutOfRange.selector, uint40(bad[i]), earliest, latest
                )
            );
            gateway.request{value: FEE}(_handles(1), 0, 0, uint40(bad[i]));
        }
        gateway.request{value: FEE}(_handles(1), 0, 0, uint40(earliest));
        gateway.request{value: FEE}(_handles(1), 0, 0, uint40(latest));
    }

    function test_minimalLifetimeIsLongerThanTheCancelWindow() public {
        uint40[2] memory bad = [CANCEL_WINDOW, uint40(30 days) + 1];
        for (uint256 i; i < 2; ++i) {
            bytes memory code = _codeWith(bad[i]);
            vm.expectRevert(
                abi.encodeWithSelector(
                    IDecryptionGateway.LifetimeOutOfRange.selector, bad[i], CANCEL_WINDOW + 1, 30 days
                )
            );
            _make(code);
        }
        vm.assertEq(_make(_codeWith(CANCEL_WINDOW + 1)).minLifetime(), CANCEL_WINDOW + 1);
    }

    function test_cancelInsideTheWindow() public {
        bytes32 requestId = _ask(1, CALLBACK_GAS);
        vm.warp(block.timestamp + CANCEL_WINDOW - 1);
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.DecryptionCancelled(requestId);
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.FeeRefunded(requestId, address(requester), FEE);
        requester.cancel(requestId);
        _assertStatus(requestId, RequestStatus.Cancelled);
        vm.assertEq(gateway.owedTo(address(requester)), FEE);
        vm.expectRevert(_wrongStatus(requestId, RequestStatus.Cancelled));
        requester.cancel(requestId);
    }

    function test_cancelledRequestIsNeverFulfilled() public {
        bytes32 requestId = _ask(1, CALLBACK_GAS);
        requester.cancel(requestId);
        vm.warp(block.timestamp + CANCEL_WINDOW);
        _fulfilRefused(requestId, 1, _wrongStatus(requestId, RequestStatus.Cancelled));
        vm.warp(block.timestamp + LIFETIME + 1);
        vm.expectRevert(_wrongStatus(requestId, RequestStatus.Cancelled));
        gateway.refund(requestId);
    }

    /// @notice Nodes release shares from this second on, so nothing may be taken back.
    function test_cancelWindowCloses() public {
        bytes32 requestId = _ask(1, CALLBACK_GAS);
        uint256 closesAt = block.timestamp + CANCEL_WINDOW;
        vm.warp(closesAt);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionGateway.CancelWindowOver.selector, requestId, closesAt));
        requester.cancel(requestId);
    }

    function test_nothingIsDeliveredInsideTheCancelWindow() public {
        bytes32 requestId = _ask(1, CALLBACK_GAS);
        uint256 closesAt = block.timestamp + CANCEL_WINDOW;
        vm.warp(closesAt - 1);
        _fulfilRefused(
            requestId,
            1,
            abi.encodeWithSelector(IDecryptionGateway.StillCancellable.selector, requestId, closesAt)
        );
    }

    function test_onlyTheRequesterCancels() public {
        bytes32 requestId = _ask(1, CALLBACK_GAS);
        vm.expectRevert(
            abi.encodeWithSelector(IDecryptionGateway.NotRequester.selector, address(this), address(requester))
        );
        gateway.cancel(requestId);
        vm.expectRevert(_wrongStatus(keccak256("unknown"), RequestStatus.None));
        gateway.cancel(keccak256("unknown"));
    }

    function test_refundAfterTheDeadline() public {
        bytes32 requestId = _ask(1, CALLBACK_GAS);
        uint40 deadline = gateway.requestOf(requestId).deadline;
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionGateway.DeadlineNotPassed.selector, requestId, deadline));
        gateway.refund(requestId);
        vm.warp(deadline + 1);
        gateway.refund(requestId);
        _assertStatus(requestId, RequestStatus.Refunded);
        vm.assertEq(gateway.owedTo(address(requester)), FEE);
        vm.expectRevert(_wrongStatus(requestId, RequestStatus.Refunded));
        gateway.refund(requestId);
    }

    function test_withdrawPaysOnce() public {
        bytes32 requestId = _ask(1, CALLBACK_GAS);
        requester.cancel(requestId);
        address to = addressOfName("receiver");
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.Withdrawn(address(requester), to, FEE);
        requester.withdraw(to);
        vm.assertEq(to.balance, FEE);
        vm.assertEq(address(gateway).balance, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IDecryptionGateway.NothingToWithdraw.selector, address(requester))
        );
        requester.withdraw(to);
    }

    function test_failedPaymentKeepsTheDebt() public {
        bytes32 requestId = _ask(1, CALLBACK_GAS);
        requester.cancel(requestId);
        vm.expectRevert(
            abi.encodeWithSelector(IDecryptionGateway.PaymentFailed.selector, address(verifier), uint256(FEE))
        );
        requester.withdraw(address(verifier));
        vm.assertEq(gateway.owedTo(address(requester)), FEE);
    }

    function _codeWith(uint40 minLifetime) private view returns (bytes memory) {
        bytes memory arguments = abi.encode(verifier, treasury, FEE, CANCEL_WINDOW, minLifetime);
        return bytes.concat(vm.getCode("out/DecryptionGateway.sol/DecryptionGateway.json"), arguments);
    }

    function _make(bytes memory code) private returns (IDecryptionGateway made) {
        assembly ("memory-safe") {
            made := create(0, add(code, 0x20), mload(code))
        }
    }
}
