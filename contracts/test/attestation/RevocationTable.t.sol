// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DataContract} from "../../src/attestation/DataContract.sol";
import {RevocationTable} from "../../src/attestation/RevocationTable.sol";
import {Test} from "../support/Test.sol";

contract RevocationTableTest is Test {
    function testFuzz_containsExactlyWhatWasInserted(uint256 seed, uint8 count) public {
        count = uint8(bound(count, 1, 200));
        bytes memory table = RevocationTable.create(count);
        for (uint256 i = 0; i < count; i++) RevocationTable.insert(table, _serial(seed, i));
        address data = DataContract.write(table, address(0));
        for (uint256 i = 0; i < count; i++) vm.assertTrue(RevocationTable.contains(data, _serial(seed, i)));
        for (uint256 i = count; i < 2 * uint256(count); i++) {
            vm.assertFalse(RevocationTable.contains(data, _serial(seed, i)));
        }
    }

    /// @dev Serials that all belong to the last cell wrap around to the first ones.
    function test_clusterAtTheEnd_wrapsAround() public {
        bytes memory table = RevocationTable.create(5);
        for (uint256 i = 1; i <= 5; i++) RevocationTable.insert(table, 10 * i + 9);
        address data = DataContract.write(table, address(0));
        for (uint256 i = 1; i <= 5; i++) vm.assertTrue(RevocationTable.contains(data, 10 * i + 9));
        vm.assertFalse(RevocationTable.contains(data, 69));
        vm.assertFalse(RevocationTable.contains(data, 1));
    }

    function test_serialWithoutLowBits_isFound() public {
        bytes memory table = RevocationTable.create(1);
        RevocationTable.insert(table, 1 << 150);
        address data = DataContract.write(table, address(0));
        vm.assertTrue(RevocationTable.contains(data, 1 << 150));
        vm.assertFalse(RevocationTable.contains(data, 2));
    }

    function test_fullTable_fitsOneContract() public {
        bytes memory table = RevocationTable.create(RevocationTable.MAX_SERIALS);
        for (uint256 i = 0; i < RevocationTable.MAX_SERIALS; i++) RevocationTable.insert(table, _serial(1, i));
        address data = DataContract.write(table, address(0));
        for (uint256 i = 0; i < RevocationTable.MAX_SERIALS; i += 100) {
            vm.assertTrue(RevocationTable.contains(data, _serial(1, i)));
        }
        vm.expectRevert(abi.encodeWithSelector(RevocationTable.TooManyRevokedSerials.selector, 2_401));
        this.create(2_401);
    }

    function create(uint256 count) external pure returns (bytes memory) {
        return RevocationTable.create(count);
    }

    function _serial(uint256 seed, uint256 index) private pure returns (uint256) {
        return uint160(uint256(keccak256(abi.encode(seed, index))));
    }
}
