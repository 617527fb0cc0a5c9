// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CompactSignature} from "../../src/libraries/CompactSignature.sol";
import {ResultHash} from "../../src/libraries/ResultHash.sol";
import {Schnorr} from "../../src/libraries/Schnorr.sol";
import {SeatQuote} from "../../src/libraries/SeatQuote.sol";
import {Test} from "../support/Test.sol";

/// @notice What single seats sign and quote, byte for byte as off-chain code makes it.
contract SignedFormsTest is Test {
    bytes32 private constant KEY = bytes32(uint256(0x11) * 0x0101010101010101010101010101010101010101010101010101010101010101);
    bytes32 private constant ROOT = bytes32(uint256(0x22) * 0x0101010101010101010101010101010101010101010101010101010101010101);

    /// @notice The same constant stands in sdk/src/protocol/eip712.test.ts.
    function test_endorsedBatch() public pure {
        vm.assertEq(
            ResultHash.ofEndorsed(KEY, 3, ROOT, 5), 0x1702040ecf9182e860995e019822fb3aa00c2065bbdfa2b26adec9df006dd591
        );
    }

    /// @notice The same constant stands in sdk/src/protocol/freshQuote.test.ts.
    function test_freshQuote() public {
        vm.chainId(31337);
        address verifier = 0x3333333333333333333333333333333333333333;
        vm.assertEq(
            SeatQuote.bindingOf(verifier, KEY, 3, 4, ROOT, 5),
            0x10629e3b6fa164214918cc2405409ac2459c01ab3d0b4d37201b5efbb829123c
        );
    }

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
