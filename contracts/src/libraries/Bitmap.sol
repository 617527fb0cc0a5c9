// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Sets of committee positions: bit (index - 1) stands for the member with that index
library Bitmap {
    /// @return ones number of members
    function count(uint256 bits) internal pure returns (uint8 ones) {
        unchecked {
            for (; bits != 0; bits &= bits - 1) ++ones;
        }
    }

    /// @param index from 1
    function has(uint256 bits, uint256 index) internal pure returns (bool) {
        return (bits >> (index - 1)) & 1 == 1;
    }

    /// @param index from 1
    function with(uint256 bits, uint256 index) internal pure returns (uint256) {
        return bits | (1 << (index - 1));
    }
}
