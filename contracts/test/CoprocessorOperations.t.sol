// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICoprocessor} from "../src/interfaces/ICoprocessor.sol";
import {FheTypes} from "../src/libraries/FheTypes.sol";
import {HandleLayout} from "../src/libraries/HandleLayout.sol";
import {FheType, Operator} from "../src/types/Encrypted.sol";
import {System} from "./support/System.sol";

/// @notice Types, permissions and names of symbolic operations.
contract CoprocessorOperationsTest is System {
    function test_operationIsNamedByEverythingThatMakesIt() public {
        bytes32 lhs = coprocessor.trivialEncrypt(5, FheType.Uint8);
        bytes32 rhs = coprocessor.trivialEncrypt(6, FheType.Uint8);
        vm.setBlockhash(block.number - 1, keccak256("parent"));
        bytes32 digest = keccak256(
            abi.encode(
                keccak256("twinlock/op/v1"),
                uint256(12),
                lhs,
                rhs,
                bytes32(0),
                false,
                uint256(0),
                address(this),
                address(coprocessor),
                block.chainid,
                keccak256("parent")
            )
        );
        bytes32 expected = HandleLayout.format(digest, 255, FheType.Bool);
        vm.expectEmit(address(coprocessor));
        emit ICoprocessor.Operation(Operator.Eq, address(this), expected, lhs, rhs, 0, false, digest);
        bytes32 result = coprocessor.binary(Operator.Eq, lhs, rhs);
        vm.assertEq(result, expected);

        vm.setBlockhash(block.number - 1, keccak256("another parent"));
        vm.assertNotEq(coprocessor.binary(Operator.Eq, lhs, rhs), result);
    }

    function test_fuzz_binaryOperations(uint8 code, uint8 lhsType, uint8 rhsType) public {
        Operator operator = Operator(bound(code, 0, 24));
        FheType left = FheType(bound(lhsType, 0, 8));
        FheType right = FheType(bound(rhsType, 0, 8));
        bytes32 lhs = coprocessor.trivialEncrypt(1, left);
        bytes32 rhs = coprocessor.trivialEncrypt(1, right);
        if (!FheTypes.isBinary(operator) || FheTypes.isDivision(operator)) {
            vm.expectRevert(abi.encodeWithSelector(ICoprocessor.OperandsNotSupported.selector, operator));
        } else if (!FheTypes.takes(operator, left)) {
            vm.expectRevert(abi.encodeWithSelector(ICoprocessor.TypeNotSupported.selector, operator, left));
        } else if (left != right) {
            vm.expectRevert(abi.encodeWithSelector(ICoprocessor.TypeMismatch.selector, left, right));
        }
        bytes32 result = coprocessor.binary(operator, lhs, rhs);
        if (result == 0) return;
        FheType expected = FheTypes.isComparison(operator) ? FheType.Bool : left;
        vm.assertTrue(HandleLayout.typeOf(result) == expected);
        vm.assertTrue(coprocessor.mayUse(result, address(this)));
        vm.assertFalse(coprocessor.isAllowed(result, address(this)));
    }

    function test_fuzz_scalarOperations(uint8 code, uint8 fheType, uint256 scalar, uint8 shrink) public {
        Operator operator = Operator(bound(code, 0, 24));
        FheType left = FheType(bound(fheType, 0, 8));
        scalar >>= shrink;
        bytes32 lhs = coprocessor.trivialEncrypt(1, left);
        if (!FheTypes.isBinary(operator)) {
            vm.expectRevert(abi.encodeWithSelector(ICoprocessor.OperandsNotSupported.selector, operator));
        } else if (!FheTypes.takes(operator, left)) {
            vm.expectRevert(abi.encodeWithSelector(ICoprocessor.TypeNotSupported.selector, operator, left));
        } else if (!FheTypes.fits(scalar, left)) {
            vm.expectRevert(abi.encodeWithSelector(ICoprocessor.ScalarOutOfRange.selector, scalar, left));
        } else if (FheTypes.isDivision(operator) && scalar == 0) {
            vm.expectRevert(abi.encodeWithSelector(ICoprocessor.DivisionByZero.selector));
        } else if (FheTypes.isShift(operator) && scalar >= FheTypes.bitsOf(left)) {
            vm.expectRevert(abi.encodeWithSelector(ICoprocessor.ShiftOutOfRange.selector, scalar, left));
        }
        bytes32 result = coprocessor.binaryScalar(operator, lhs, scalar);
        if (result != 0) vm.assertTrue(coprocessor.mayUse(result, address(this)));
    }

    function test_divisionByZeroAndShiftsBeyondTheType() public {
        bytes32 lhs = coprocessor.trivialEncrypt(1, FheType.Uint8);
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.DivisionByZero.selector));
        coprocessor.binaryScalar(Operator.Rem, lhs, 0);
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.ShiftOutOfRange.selector, 8, FheType.Uint8));
        coprocessor.binaryScalar(Operator.Rotr, lhs, 8);
        coprocessor.binaryScalar(Operator.Shl, lhs, 7);
        coprocessor.binaryScalar(Operator.Add, lhs, 0);
    }

    function test_unaryOperations() public {
        bytes32 flag = coprocessor.trivialEncrypt(1, FheType.Bool);
        bytes32 number = coprocessor.trivialEncrypt(1, FheType.Uint32);
        vm.assertTrue(HandleLayout.typeOf(coprocessor.unary(Operator.Not, flag)) == FheType.Bool);
        vm.assertTrue(HandleLayout.typeOf(coprocessor.unary(Operator.Neg, number)) == FheType.Uint32);
        vm.expectRevert(
            abi.encodeWithSelector(ICoprocessor.TypeNotSupported.selector, Operator.Neg, FheType.Bool)
        );
        coprocessor.unary(Operator.Neg, flag);
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.OperandsNotSupported.selector, Operator.Add));
        coprocessor.unary(Operator.Add, number);
    }

    function test_select() public {
        bytes32 flag = coprocessor.trivialEncrypt(1, FheType.Bool);
        bytes32 one = coprocessor.trivialEncrypt(1, FheType.Uint160);
        bytes32 two = coprocessor.trivialEncrypt(2, FheType.Uint160);
        vm.assertTrue(HandleLayout.typeOf(coprocessor.select(flag, one, two)) == FheType.Uint160);
        vm.expectRevert(
            abi.encodeWithSelector(ICoprocessor.TypeMismatch.selector, FheType.Bool, FheType.Uint160)
        );
        coprocessor.select(one, one, two);
        vm.expectRevert(
            abi.encodeWithSelector(ICoprocessor.TypeMismatch.selector, FheType.Uint160, FheType.Bool)
        );
        coprocessor.select(flag, one, flag);
    }

    function test_fuzz_cast(uint8 from, uint8 to) public {
        FheType fromType = FheType(bound(from, 0, 8));
        FheType toType = FheType(bound(to, 0, 8));
        bytes32 operand = coprocessor.trivialEncrypt(1, fromType);
        if (fromType == toType || fromType == FheType.Uint160) {
            vm.expectRevert(
                abi.encodeWithSelector(ICoprocessor.TypeNotSupported.selector, Operator.Cast, fromType)
            );
        } else if (toType == FheType.Bool || toType == FheType.Uint160) {
            vm.expectRevert(abi.encodeWithSelector(ICoprocessor.TypeNotSupported.selector, Operator.Cast, toType));
        }
        bytes32 result = coprocessor.cast(operand, toType);
        if (result != 0) vm.assertTrue(HandleLayout.typeOf(result) == toType);
    }

    function test_fuzz_trivialValuesFitTheirType(uint256 value, uint8 shrink, uint8 code) public {
        FheType fheType = FheType(bound(code, 0, 8));
        value >>= shrink;
        if (!FheTypes.fits(value, fheType)) {
            vm.expectRevert(abi.encodeWithSelector(ICoprocessor.ScalarOutOfRange.selector, value, fheType));
        }
        coprocessor.trivialEncrypt(value, fheType);
    }

    /// @notice Every operand of every operation must be the caller's to use.
    function test_foreignOperandsAreRefused() public {
        bytes32 own = coprocessor.trivialEncrypt(1, FheType.Uint8);
        bytes32 flag = coprocessor.trivialEncrypt(1, FheType.Bool);
        vm.prank(address(0xbeef));
        bytes32 foreign = coprocessor.trivialEncrypt(2, FheType.Uint8);
        bytes memory refusal = abi.encodeWithSelector(ICoprocessor.NotAllowed.selector, foreign, address(this));
        bytes[9] memory calls = [
            abi.encodeCall(coprocessor.unary, (Operator.Neg, foreign)),
            abi.encodeCall(coprocessor.binary, (Operator.Add, foreign, own)),
            abi.encodeCall(coprocessor.binary, (Operator.Add, own, foreign)),
            abi.encodeCall(coprocessor.binaryScalar, (Operator.Add, foreign, 1)),
            abi.encodeCall(coprocessor.select, (flag, foreign, own)),
            abi.encodeCall(coprocessor.select, (flag, own, foreign)),
            abi.encodeCall(coprocessor.cast, (foreign, FheType.Uint16)),
            abi.encodeCall(coprocessor.allow, (foreign, address(this))),
            abi.encodeCall(coprocessor.allowForDecryption, (foreign))
        ];
        for (uint256 i; i < calls.length; ++i) {
            (bool done, bytes memory returned) = address(coprocessor).call(calls[i]);
            vm.assertFalse(done, vm.toString(i));
            vm.assertEq(returned, refusal);
        }
        vm.prank(address(0xbeef));
        bytes32 foreignFlag = coprocessor.trivialEncrypt(1, FheType.Bool);
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.NotAllowed.selector, foreignFlag, address(this)));
        coprocessor.select(foreignFlag, own, own);
    }
}
