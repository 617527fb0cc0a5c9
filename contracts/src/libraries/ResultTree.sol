// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Merkle tree of results (protocol §6)
/// @notice leaf = keccak256(0x00 ‖ struct hash), node = keccak256(0x01 ‖ left ‖ right), missing leaves are
/// keccak256(0x02). The number of leaves fixes the depth; the root of one leaf is that leaf.
library ResultTree {
    bytes32 private constant PADDING = keccak256(hex"02");

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
            root = (index >> level) & 1 == 0 ? _nodeOf(root, path[level]) : _nodeOf(path[level], root);
        }
    }

    /// @notice Root over all leaves, at least one. The array is used up.
    function rootOf(bytes32[] memory leaves) internal pure returns (bytes32) {
        // What stands at a level for every place without a result below it.
        bytes32 padding = PADDING;
        unchecked {
            for (uint256 count = leaves.length; count > 1; count = (count + 1) / 2) {
                for (uint256 i; i < count; i += 2) {
                    leaves[i / 2] = _nodeOf(leaves[i], i + 1 < count ? leaves[i + 1] : padding);
                }
                padding = _nodeOf(padding, padding);
            }
        }
        return leaves[0];
    }

    function _nodeOf(bytes32 left, bytes32 right) private pure returns (bytes32 node) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0x01)
            mstore(add(free, 0x01), left)
            mstore(add(free, 0x21), right)
            node := keccak256(free, 0x41)
        }
    }
}
