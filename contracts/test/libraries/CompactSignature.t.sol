// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CompactSignature} from "../../src/libraries/CompactSignature.sol";
import {Schnorr} from "../../src/libraries/Schnorr.sol";
import {Test} from "../support/Test.sol";

/// @notice Compact signatures of single seats: whose they are, and which are nobody's.
contract CompactSignatureTest is Test {
    function test_fuzz_compactSignatureIsRecovered(uint256 key, bytes32 digest) public pure {
        key = bound(key, 1, Schnorr.N - 1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        bytes32 vs = bytes32(uint256(s) | (uint256(v - 27) << 255));
        vm.assertEq(CompactSignature.recover(digest, r, vs), vm.addr(key));
        vm.assertNotEq(CompactSignature.recover(digest, r, vs ^ bytes32(uint256(1) << 255)), vm.addr(key));
    }

    /// @notice Just above half of the order, whatever the parity.
    function test_fuzz_highSIsNobodys(bytes32 digest, bytes32 r, uint256 s) public pure {
        s = bound(s, Schnorr.N / 2 + 1, type(uint256).max >> 1);
        vm.assertEq(CompactSignature.recover(digest, r, bytes32(s)), address(0));
        vm.assertEq(CompactSignature.recover(digest, r, bytes32(s | (1 << 255))), address(0));
    }
}
