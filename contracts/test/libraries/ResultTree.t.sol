// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ResultTree} from "../../src/libraries/ResultTree.sol";
import {MerkleTree} from "../support/MerkleTree.sol";
import {Test} from "../support/Test.sol";

contract ResultTreeTest is Test {
    function rootOf(bytes32 leaf, uint256 index, bytes32[] calldata path) external pure returns (bytes32) {
        return ResultTree.rootOf(leaf, index, path);
    }

    function test_fuzz_everyLeafLeadsToTheRoot(uint256 size, uint256 index) public view {
        size = bound(size, 1, 33);
        index = bound(index, 0, size - 1);
        bytes32[] memory leaves = _leaves(size);
        bytes32[] memory path = MerkleTree.pathOf(leaves, index);
        vm.assertTrue(ResultTree.isPlace(index, size, path.length));
        vm.assertEq(this.rootOf(leaves[index], index, path), MerkleTree.rootOf(leaves));
    }

    function test_fuzz_allLeavesGiveTheRoot(uint256 size) public pure {
        bytes32[] memory leaves = _leaves(bound(size, 1, 70));
        bytes32 expected = MerkleTree.rootOf(leaves);
        vm.assertEq(ResultTree.rootOf(leaves), expected);
    }

    function test_fuzz_anotherPlaceLeadsElsewhere(uint256 size, uint256 index, uint256 other) public view {
        size = bound(size, 2, 33);
        index = bound(index, 0, size - 1);
        other = bound(other, 0, size - 1);
        vm.assume(index != other);
        bytes32[] memory leaves = _leaves(size);
        bytes32[] memory path = MerkleTree.pathOf(leaves, index);
        vm.assertNotEq(this.rootOf(leaves[index], other, path), MerkleTree.rootOf(leaves));
    }

    function test_fuzz_onlyTheDepthOfTheTreeIsAPlace(uint32 leaves, uint256 index, uint8 length) public pure {
        uint256 depth;
        while (1 << depth < uint256(leaves)) ++depth;
        vm.assertTrue(ResultTree.isPlace(index, leaves, length) == (index < leaves && length == depth));
    }

    function test_placesAtTheEdges() public pure {
        vm.assertTrue(ResultTree.isPlace(0, 1, 0));
        vm.assertFalse(ResultTree.isPlace(0, 0, 0));
        vm.assertFalse(ResultTree.isPlace(1, 1, 0));
        vm.assertFalse(ResultTree.isPlace(0, 1, 1));
        vm.assertFalse(ResultTree.isPlace(0, 2, 0));
        vm.assertTrue(ResultTree.isPlace(1, 2, 1));
        vm.assertTrue(ResultTree.isPlace(4, 5, 3));
        vm.assertFalse(ResultTree.isPlace(4, 5, 2));
        vm.assertTrue(ResultTree.isPlace(type(uint32).max - 1, type(uint32).max, 32));
        vm.assertFalse(ResultTree.isPlace(0, type(uint32).max, 33));
        vm.assertFalse(ResultTree.isPlace(0, type(uint32).max, type(uint256).max));
    }

    /// @notice Leaf, node and padding cannot stand for each other.
    function test_domainsOfHashesAreApart() public pure {
        bytes32 word = keccak256("word");
        vm.assertEq(ResultTree.leafOf(word), keccak256(abi.encodePacked(hex"00", word)));
        vm.assertNotEq(ResultTree.leafOf(word), keccak256(abi.encodePacked(word)));
        vm.assertNotEq(MerkleTree.PADDING, ResultTree.leafOf(bytes32(0)));
    }

    function _leaves(uint256 size) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](size);
        for (uint256 i; i < size; ++i) leaves[i] = ResultTree.leafOf(keccak256(abi.encode(i)));
    }
}
