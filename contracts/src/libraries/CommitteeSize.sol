// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Sizes that follow from n parties and t tolerated corruptions (protocol, words)
library CommitteeSize {
    /// @dev At ring degree 4. With n >= 3t + 1 it also bounds C(n,t), the number of PRSS keys, by C(15,4) = 1365 < 2048.
    uint8 internal constant MAX_PARTIES = 15;

    /// @notice 1 <= t and 3t + 1 <= n <= 15.
    function isValid(uint8 n, uint8 t) internal pure returns (bool) {
        return t != 0 && n <= MAX_PARTIES && n >= 3 * uint256(t) + 1;
    }

    /// @notice Members that sign a result.
    function quorum(uint8 t) internal pure returns (uint8) {
        return 2 * t + 1;
    }

    /// @notice ⌈(n + t + 1) / 2⌉: two such groups share an honest member.
    function agreement(uint8 n, uint8 t) internal pure returns (uint8) {
        return (n + t + 2) / 2;
    }
}
