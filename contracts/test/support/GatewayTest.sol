// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionGateway} from "../../src/interfaces/IDecryptionGateway.sol";
import {Certificate, DecryptionResult, RequestStatus} from "../../src/types/Decryption.sol";
import {Requester} from "./Requester.sol";
import {System} from "./System.sol";

/// @notice An active key, a requester and helpers to take a request through its life.
abstract contract GatewayTest is System {
    uint32 internal constant CALLBACK_GAS = 300_000;
    uint40 internal constant LIFETIME = 1 hours;
    uint256 internal constant SIGNERS = 7;

    bytes32 internal keyId;
    Requester internal requester;

    function setUp() public virtual override {
        super.setUp();
        keyId = _activeKey();
        requester = new Requester(gateway);
        vm.deal(address(this), 1 ether);
    }

    function _ask(uint256 handles, uint32 callbackGas) internal returns (bytes32 requestId) {
        return requester.ask{value: FEE}(_handles(handles), callbackGas, uint40(block.timestamp) + LIFETIME);
    }

    /// @notice A request that can no longer be cancelled.
    function _askAndWait(uint256 handles, uint32 callbackGas) internal returns (bytes32 requestId) {
        requestId = _ask(handles, callbackGas);
        vm.warp(block.timestamp + CANCEL_WINDOW);
    }

    function _certified(bytes32 requestId, uint256 handles)
        internal
        view
        returns (DecryptionResult memory result, Certificate memory certificate)
    {
        result = _result(requestId, handles);
        certificate = _certify(keyId, result, SIGNERS);
    }

    function _fulfil(bytes32 requestId, uint256 handles) internal {
        (DecryptionResult memory result, Certificate memory certificate) = _certified(requestId, handles);
        gateway.fulfil(result, certificate);
    }

    function _fulfilRefused(bytes32 requestId, uint256 handles, bytes memory refusal) internal {
        (DecryptionResult memory result, Certificate memory certificate) = _certified(requestId, handles);
        vm.expectRevert(refusal);
        gateway.fulfil(result, certificate);
    }

    function _plaintexts(uint256 handles) internal view returns (bytes memory plaintexts) {
        DecryptionResult memory result = _result(0, handles);
        for (uint256 i; i < handles; ++i) plaintexts = abi.encodePacked(plaintexts, result.openings[i].plaintext);
    }

    function _assertStatus(bytes32 requestId, RequestStatus status) internal view {
        vm.assertEq(uint256(gateway.requestOf(requestId).status), uint256(status));
    }

    function _wrongStatus(bytes32 requestId, RequestStatus status) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IDecryptionGateway.WrongStatus.selector, requestId, status);
    }
}
