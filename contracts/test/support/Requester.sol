// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionGateway} from "../../src/interfaces/IDecryptionGateway.sol";
import {AcceptancePolicy} from "../../src/types/Decryption.sol";

/// @notice A requester whose callback does what the test asks for.
contract Requester {
    enum Behaviour {
        Accept,
        Revert,
        BurnGas,
        ReturnBomb,
        Reenter
    }

    error Declined(bytes32 requestId);

    IDecryptionGateway private immutable _gateway;
    Behaviour public behaviour;
    bytes public reentrantCall;
    uint256 public reentrantValue;
    uint256 public calls;
    uint256 public gasSeen;
    bytes32 public lastRequestId;
    bytes public lastPlaintexts;
    bool public reentered;

    constructor(IDecryptionGateway gateway) {
        _gateway = gateway;
    }

    receive() external payable {}

    function behave(Behaviour behaviour_) external {
        behaviour = behaviour_;
    }

    /// @notice What to call on the gateway from inside the callback.
    function reenterWith(bytes calldata call, uint256 value) external {
        behaviour = Behaviour.Reenter;
        (reentrantCall, reentrantValue) = (call, value);
    }

    function ask(bytes32[] calldata handles, uint32 callbackGas, uint40 deadline) external payable returns (bytes32) {
        bytes4 callback = callbackGas == 0 ? bytes4(0) : this.onResult.selector;
        return _gateway.request{value: msg.value}(handles, callback, callbackGas, deadline);
    }

    function askWithPolicy(
        bytes32[] calldata handles,
        uint32 callbackGas,
        uint40 deadline,
        AcceptancePolicy calldata policy
    ) external payable returns (bytes32) {
        bytes4 callback = callbackGas == 0 ? bytes4(0) : this.onResult.selector;
        return _gateway.requestWithPolicy{value: msg.value}(handles, callback, callbackGas, deadline, policy);
    }

    function cancel(bytes32 requestId) external {
        _gateway.cancel(requestId);
    }

    function withdraw(address to) external {
        _gateway.withdraw(to);
    }

    function onResult(bytes32 requestId, bytes calldata plaintexts) external {
        gasSeen = gasleft();
        if (behaviour == Behaviour.Revert) revert Declined(requestId);
        if (behaviour == Behaviour.BurnGas) while (true) {}
        if (behaviour == Behaviour.ReturnBomb) {
            assembly {
                revert(0x10000, 100000)
            }
        }
        if (behaviour == Behaviour.Reenter) {
            (reentered,) = address(_gateway).call{value: reentrantValue}(reentrantCall);
        }
        require(msg.sender == address(_gateway), "not the gateway");
        ++calls;
        lastRequestId = requestId;
        lastPlaintexts = plaintexts;
    }
}
