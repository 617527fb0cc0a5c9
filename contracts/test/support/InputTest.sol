// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HandleLayout} from "../../src/libraries/HandleLayout.sol";
import {EncryptedInput, FheType} from "../../src/types/Encrypted.sol";
import {System} from "./System.sol";

/// @notice An active key, and inputs as both executors would attest them.
abstract contract InputTest is System {
    bytes32 internal keyId;
    uint256 private _lists;

    function setUp() public virtual override {
        super.setUp();
        keyId = _activeKey();
    }

    /// @notice A fresh list of two values.
    function _input(address contractAddress, address user, FheType first, FheType second)
        internal
        returns (EncryptedInput memory input)
    {
        input.listDigest = keccak256(abi.encode("list", _lists++));
        input.handles = new bytes32[](2);
        input.handles[0] = _inputHandle(input.listDigest, 0, contractAddress, user, first);
        input.handles[1] = _inputHandle(input.listDigest, 1, contractAddress, user, second);
        _sign(input, contractAddress, user);
    }

    function _sign(EncryptedInput memory input, address contractAddress, address user) internal view {
        bytes32 digest = coprocessor.inputDigest(keyId, contractAddress, user, input.listDigest, input.handles);
        input.signatures = new bytes[](executorKeys.length);
        for (uint256 i; i < executorKeys.length; ++i) input.signatures[i] = signDigest(executorKeys[i], digest);
    }

    function _inputHandle(bytes32 listDigest, uint8 index, address contractAddress, address user, FheType fheType)
        private
        view
        returns (bytes32)
    {
        bytes32 digest = keccak256(
            abi.encode(
                keccak256("twinlock/input-handle/v1"),
                listDigest,
                uint256(index),
                contractAddress,
                user,
                address(coprocessor),
                block.chainid,
                keyId
            )
        );
        return HandleLayout.format(digest, index, fheType);
    }
}
