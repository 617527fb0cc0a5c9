// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FheType} from "../types/Encrypted.sol";

/// @title Layout of handles: hash (21 bytes) ‖ index (1) ‖ chain id (8) ‖ type (1) ‖ version (1) (protocol §1)
library HandleLayout {
    uint8 internal constant VERSION = 1;
    /// @dev Index byte of an operation's result; inputs count from 0 within their list.
    uint8 internal constant OPERATION_INDEX = 255;

    uint256 private constant LOW_BITS = 88;

    /// @param digest its first 21 bytes enter the handle
    function format(bytes32 digest, uint8 index, FheType fheType) internal view returns (bytes32) {
        uint256 low = (uint256(index) << 80) | (uint256(uint64(block.chainid)) << 16) | (uint256(fheType) << 8) | VERSION;
        return bytes32((uint256(digest) >> LOW_BITS) << LOW_BITS | low);
    }

    /// @notice True for a handle of this chain, this version and a known type.
    function isHandle(bytes32 handle) internal view returns (bool) {
        uint256 word = uint256(handle);
        return uint8(word) == VERSION && uint8(word >> 8) <= uint8(type(FheType).max)
            && uint64(word >> 16) == uint64(block.chainid);
    }

    /// @dev Reverts on an unknown type; {isHandle} tells before.
    function typeOf(bytes32 handle) internal pure returns (FheType) {
        return FheType(uint8(uint256(handle) >> 8));
    }

    /// @notice True where `handle` starts with the first 21 bytes of `digest`.
    function isOf(bytes32 handle, bytes32 digest) internal pure returns (bool) {
        return bytes21(handle) == bytes21(digest);
    }
}
