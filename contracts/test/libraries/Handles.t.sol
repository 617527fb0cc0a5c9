// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FheTypes} from "../../src/libraries/FheTypes.sol";
import {HandleLayout} from "../../src/libraries/HandleLayout.sol";
import {FheType, Operator} from "../../src/types/Encrypted.sol";
import {Test} from "../support/Test.sol";

contract HandlesTest is Test {
    function test_layout() public view {
        bytes32 digest = 0x1122334455667788990011223344556677889900112233445566778899001122;
        bytes32 handle = HandleLayout.format(digest, 7, FheType.Uint16);
        vm.assertEq(block.chainid, 31337);
        vm.assertEq(handle, 0x112233445566778899001122334455667788990011070000000000007a690301);
        vm.assertTrue(HandleLayout.isHandle(handle));
        vm.assertTrue(HandleLayout.isOf(handle, digest));
        vm.assertTrue(HandleLayout.typeOf(handle) == FheType.Uint16);
    }

    function test_fuzz_layoutKeepsTypeAndDigest(bytes32 digest, uint8 index, uint8 code) public view {
        FheType fheType = FheType(bound(code, 0, 8));
        bytes32 handle = HandleLayout.format(digest, index, fheType);
        vm.assertTrue(HandleLayout.isHandle(handle) && HandleLayout.isOf(handle, digest));
        vm.assertTrue(HandleLayout.typeOf(handle) == fheType);
        vm.assertEq(uint8(uint256(handle) >> 80), index);
    }

    function test_foreignHandlesAreNone() public {
        bytes32 handle = HandleLayout.format(keccak256("digest"), 0, FheType.Uint8);
        vm.assertFalse(HandleLayout.isHandle(handle ^ bytes32(uint256(2))), "version");
        vm.assertFalse(HandleLayout.isHandle(handle | bytes32(uint256(9 << 8))), "type");
        vm.assertFalse(HandleLayout.isOf(handle ^ bytes32(uint256(1) << 255), keccak256("digest")), "digest");
        vm.chainId(1);
        vm.assertFalse(HandleLayout.isHandle(handle), "chain");
    }

    function test_sizes() public pure {
        uint16[9] memory bits = [1, 4, 8, 16, 32, 64, 128, 160, 256];
        uint8[9] memory blocks = [1, 1, 2, 4, 8, 16, 32, 40, 64];
        for (uint256 code; code < 9; ++code) {
            FheType fheType = FheType(code);
            vm.assertEq(FheTypes.bitsOf(fheType), bits[code]);
            vm.assertEq(FheTypes.blockCountOf(fheType), blocks[code]);
            vm.assertTrue(FheTypes.fits(0, fheType));
            vm.assertTrue(FheTypes.fits(type(uint256).max >> (256 - bits[code]), fheType));
            if (bits[code] < 256) vm.assertFalse(FheTypes.fits(1 << bits[code], fheType));
        }
    }

    /// @notice One line per operator: the types that it takes, as a string of 0 and 1 from Bool to Uint256.
    function test_typesOfOperators() public pure {
        string[25] memory table;
        for (uint256 code; code < 25; ++code) table[code] = "011111101";
        table[uint256(Operator.BitAnd)] = "111111101";
        table[uint256(Operator.BitOr)] = "111111101";
        table[uint256(Operator.BitXor)] = "111111101";
        table[uint256(Operator.Not)] = "111111101";
        table[uint256(Operator.Eq)] = "111111111";
        table[uint256(Operator.Ne)] = "111111111";
        table[uint256(Operator.Select)] = "111111111";
        for (uint256 code; code < 25; ++code) {
            for (uint256 fheType; fheType < 9; ++fheType) {
                bool expected = bytes(table[code])[fheType] == "1";
                vm.assertTrue(FheTypes.takes(Operator(code), FheType(fheType)) == expected, vm.toString(code));
            }
        }
    }

    function test_kindsOfOperators() public pure {
        for (uint256 code; code < 25; ++code) {
            Operator operator = Operator(code);
            vm.assertTrue(FheTypes.isBinary(operator) == code < 20, "binary");
            vm.assertTrue(FheTypes.isUnary(operator) == (code == 20 || code == 21), "unary");
            vm.assertTrue(FheTypes.isDivision(operator) == (code == 3 || code == 4), "division");
            vm.assertTrue(FheTypes.isShift(operator) == (code >= 8 && code <= 11), "shift");
            vm.assertTrue(FheTypes.isComparison(operator) == (code >= 12 && code <= 17), "comparison");
        }
    }
}
