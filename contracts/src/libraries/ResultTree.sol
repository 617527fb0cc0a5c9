// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Merkle tree of results (protocol §6)
/// @notice leaf = keccak256(0x00 ‖ struct hash), node = keccak256(0x01 ‖ left ‖ right), missing leaves are
/// keccak256(0x02). The number of leaves fixes the depth; the root of one leaf is that leaf.
library ResultTree {
    function leafOf(bytes32 structHash) internal pure returns (bytes32 leaf) {
        assembly ("memory-safe") {
            mstore8(0x00, 0x00)
            mstore(0x01, structHash)
            leaf := keccak256(0x00, 0x21)
        }
    }

    /// @notice True where a tree of `leaves` has a leaf `index` and paths of this length.
    function isPlace(uint256 index, uint256 leaves, uint256 pathLength) internal pure returns (bool) {
        if (index >= leaves) return false;
        if (pathLength == 0) return leaves == 1;
        // The depth is the least d with 2^d >= leaves.
        return pathLength <= 32 && leaves <= 1 << pathLength && leaves > 1 << (pathLength - 1);
    }

    /// @notice Root over `leaf` at `index`. The caller has checked the place with {isPlace}.
    function rootOf(bytes32 leaf, uint256 index, bytes32[] calldata path) internal pure returns (bytes32 root) {
        root = leaf;
        for (uint256 level; level < path.length; ++level) {
            root = (index >> level) & 1 == 0
                ? keccak256(abi.encodePacked(bytes1(0x01), root, path[level]))
                : keccak256(abi.encodePacked(bytes1(0x01), path[level], root));
        }
    }
}
