// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

interface ICoprocessor {
    function trivialEncrypt(uint256 value, uint8 fheType) external returns (bytes32);
    function allowForDecryption(bytes32 handle) external;
}

interface IGateway {
    function request(bytes32[] calldata handles, bytes4 callback, uint32 callbackGas, uint40 deadline)
        external
        payable
        returns (bytes32);
}

/// @title A dApp that asks for many decryptions: makes handles that anybody may see, then requests one after the other
/// and brings the results
contract Requester {
    uint40 private constant LIFETIME = 20 days;
    ICoprocessor private immutable coprocessor;
    IGateway private immutable gateway;

    constructor(ICoprocessor coprocessor_, IGateway gateway_) {
        coprocessor = coprocessor_;
        gateway = gateway_;
    }

    function make(uint256 first, uint256 count, uint8 fheType) external {
        for (uint256 i; i < count; ++i) {
            coprocessor.allowForDecryption(coprocessor.trivialEncrypt(first + i, fheType));
        }
    }

    function ask(bytes32[] calldata handles) external payable {
        uint256 fee = msg.value / handles.length;
        for (uint256 i; i < handles.length; ++i) {
            gateway.request{value: fee}(handles[i:i + 1], 0, 0, uint40(block.timestamp) + LIFETIME);
        }
    }

    /// @dev Calls of the gateway; one that fails leaves its request open, which shows.
    function submit(bytes[] calldata calls) external {
        for (uint256 i; i < calls.length; ++i) {
            (bool accepted,) = address(gateway).call(calls[i]);
            accepted;
        }
    }
}
