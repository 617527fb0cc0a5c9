// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ResultTree} from "../src/libraries/ResultTree.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {Test} from "./support/Test.sol";
import {Vector} from "./support/Vector.sol";

/// @notice Trees of results as the vectors say: roots, paths, and what is no place.
contract VectorsTreeTest is Test {
    using Vector for Vector.File;

    function rootOf(bytes32 leaf, uint256 index, bytes32[] calldata path) external pure returns (bytes32) {
        return ResultTree.rootOf(leaf, index, path);
    }

    function test_everyTree() public view {
        Vector.File[] memory files = Vector.ofSubject("merkle");
        for (uint256 i; i < files.length; ++i) {
            if (files[i].says("operation", "build")) _checkTree(files[i]);
            else _checkPlace(files[i]);
        }
    }

    function _checkTree(Vector.File memory file) private view {
        bytes32[] memory leaves = file.words("content");
        for (uint256 i; i < leaves.length; ++i) {
            leaves[i] = ResultTree.leafOf(leaves[i]);
        }
        uint256 index = file.number("index");
        bytes32[] memory path = file.words("sibling");
        if (!file.says("expect", "success")) {
            vm.assertFalse(ResultTree.isPlace(index, leaves.length, path.length), file.path);
            return;
        }
        bytes32 root = file.word("root");
        vm.assertTrue(ResultTree.isPlace(index, leaves.length, path.length), file.path);
        vm.assertEq(this.rootOf(leaves[index], index, path), root, file.path);
        vm.assertEq(MerkleTree.rootOf(leaves), root, file.path);
        vm.assertEq(ResultTree.rootOf(leaves), root, file.path);
    }

    function _checkPlace(Vector.File memory file) private view {
        uint256 index = file.number("index");
        bytes32[] memory path = file.words("sibling");
        bool isPlace = ResultTree.isPlace(index, file.number("leaves"), path.length);
        vm.assertTrue(isPlace == file.says("expect", "success"), file.path);
        if (isPlace) vm.assertEq(this.rootOf(file.word("leaf"), index, path), file.word("root"), file.path);
    }
}
