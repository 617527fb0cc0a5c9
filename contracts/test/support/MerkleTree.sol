// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The whole tree, level by level: the slow twin of ResultTree.
library MerkleTree {
    bytes32 internal constant PADDING = keccak256(hex"02");

    function rootOf(bytes32[] memory leaves) internal pure returns (bytes32) {
        bytes32[] memory level = _padded(leaves);
        while (level.length > 1) level = _parents(level);
        return level[0];
    }

    function pathOf(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory path) {
        bytes32[] memory level = _padded(leaves);
        while (level.length > 1) {
            bytes32[] memory longer = new bytes32[](path.length + 1);
            for (uint256 i; i < path.length; ++i) longer[i] = path[i];
            longer[path.length] = level[index ^ 1];
            (path, level, index) = (longer, _parents(level), index / 2);
        }
    }

    function _padded(bytes32[] memory leaves) private pure returns (bytes32[] memory level) {
        uint256 size = 1;
        while (size < leaves.length) size *= 2;
        level = new bytes32[](size);
        for (uint256 i; i < size; ++i) level[i] = i < leaves.length ? leaves[i] : PADDING;
    }

    function _parents(bytes32[] memory level) private pure returns (bytes32[] memory parents) {
        parents = new bytes32[](level.length / 2);
        for (uint256 i; i < parents.length; ++i) {
            parents[i] = keccak256(abi.encodePacked(hex"01", level[2 * i], level[2 * i + 1]));
        }
    }
}
