// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TcbSet} from "../../src/attestation/TcbSet.sol";
import {TcbStatus} from "../../src/attestation/TcbStatus.sol";
import {Test} from "../support/Test.sol";

contract TcbSetTest is Test {
    /// @dev All 32 SVNs are compared in one word; here they are compared one by one.
    function testFuzz_levelIsReached_exactlyIfEverySvnIs(uint256 components, uint256 needed, uint16 pce, uint16 neededPce)
        public
        pure
    {
        bool expected = pce >= neededPce;
        for (uint256 i = 0; i < 256; i += 8) {
            if (uint8(components >> i) < uint8(needed >> i)) expected = false;
        }
        (bool found, TcbStatus status) = TcbSet.platformStatus(_set(needed, neededPce), components, pce);
        vm.assertEq(found, expected);
        if (found) vm.assertTrue(status == TcbStatus.OutOfDate);
    }

    function testFuzz_oneSvnBelow_missesTheLevel(uint256 needed, uint8 index) public pure {
        uint256 shift = 8 * uint256(index % 32);
        vm.assume(uint8(needed >> shift) != 0);
        uint256 reached = type(uint256).max - (uint256(0xff) << shift);
        uint256 below = reached | (uint256(uint8(needed >> shift)) - 1) << shift;
        uint256 equal = reached | uint256(uint8(needed >> shift)) << shift;
        (bool found,) = TcbSet.platformStatus(_set(needed, 0), below, 0);
        vm.assertFalse(found);
        (found,) = TcbSet.platformStatus(_set(needed, 0), equal, 0);
        vm.assertTrue(found);
    }

    function test_firstReachedLevel_counts() public pure {
        bytes memory set = abi.encodePacked(
            uint8(3), uint16(3), _level(5, 1, TcbStatus.UpToDate), _level(4, 2, TcbStatus.Revoked),
            _level(4, 1, TcbStatus.OutOfDate)
        );
        _assertLevel(set, 5, 9, TcbStatus.UpToDate);
        _assertLevel(set, 4, 2, TcbStatus.Revoked);
        _assertLevel(set, 4, 1, TcbStatus.OutOfDate);
        (bool found,) = TcbSet.platformStatus(set, 4, 0);
        vm.assertFalse(found);
        (found,) = TcbSet.platformStatus(set, 3, 9);
        vm.assertFalse(found);
    }

    function test_moduleLevels() public pure {
        bytes memory set = abi.encodePacked(
            uint8(0), uint16(3 + 6 + 4), hex"0302", uint8(5), TcbStatus.UpToDate, uint8(3), TcbStatus.OutOfDate,
            hex"0101", uint8(11), TcbStatus.SWHardeningNeeded
        );
        (bool found, TcbStatus status) = TcbSet.moduleStatus(set, 3, 5);
        vm.assertTrue(found && status == TcbStatus.UpToDate);
        (found, status) = TcbSet.moduleStatus(set, 3, 4);
        vm.assertTrue(found && status == TcbStatus.OutOfDate);
        (found,) = TcbSet.moduleStatus(set, 3, 2);
        vm.assertFalse(found);
        (found, status) = TcbSet.moduleStatus(set, 1, 255);
        vm.assertTrue(found && status == TcbStatus.SWHardeningNeeded);
        (found,) = TcbSet.moduleStatus(set, 2, 255);
        vm.assertFalse(found);
    }

    function _assertLevel(bytes memory set, uint256 components, uint256 pceSvn, TcbStatus status) private pure {
        (bool found, TcbStatus held) = TcbSet.platformStatus(set, components, pceSvn);
        vm.assertTrue(found && held == status);
    }

    function _set(uint256 needed, uint16 pceSvn) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(1), uint16(3), _level(needed, pceSvn, TcbStatus.OutOfDate));
    }

    function _level(uint256 needed, uint16 pceSvn, TcbStatus status) private pure returns (bytes memory) {
        return abi.encodePacked(needed, pceSvn, status);
    }
}
