// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FheType, Operator} from "../types/Encrypted.sol";

/// @title What the types can hold and which operations they have
library FheTypes {
    uint256 private constant BOOL = 1 << uint256(FheType.Bool);
    uint256 private constant ALL = (1 << (uint256(type(FheType).max) + 1)) - 1;
    /// @dev Numbers: every type but Bool and Uint160, which carries addresses.
    uint256 private constant NUMBERS = ALL & ~(BOOL | (1 << uint256(FheType.Uint160)));

    /// @return bits of the clear value
    function bitsOf(FheType fheType) internal pure returns (uint256) {
        if (fheType == FheType.Bool) return 1;
        if (fheType == FheType.Uint160) return 160;
        if (fheType == FheType.Uint256) return 256;
        return 2 << uint256(fheType);
    }

    /// @return packed blocks of the squashed ciphertext: 4 bits each, at least one
    function blockCountOf(FheType fheType) internal pure returns (uint32) {
        return fheType == FheType.Bool ? 1 : uint32(bitsOf(fheType) / 4);
    }

    /// @notice True where a clear value fits.
    function fits(uint256 value, FheType fheType) internal pure returns (bool) {
        return fheType == FheType.Uint256 || value >> bitsOf(fheType) == 0;
    }

    /// @notice True where the operator takes operands of this type.
    function takes(Operator operator, FheType fheType) internal pure returns (bool) {
        uint256 types = NUMBERS;
        if (operator == Operator.Eq || operator == Operator.Ne || operator == Operator.Select) types = ALL;
        else if (isBitwise(operator)) types = NUMBERS | BOOL;
        return (types >> uint256(fheType)) & 1 == 1;
    }

    function isBitwise(Operator operator) internal pure returns (bool) {
        return operator == Operator.BitAnd || operator == Operator.BitOr || operator == Operator.BitXor
            || operator == Operator.Not;
    }

    function isShift(Operator operator) internal pure returns (bool) {
        return operator >= Operator.Shl && operator <= Operator.Rotr;
    }

    /// @notice True where the result is a Bool.
    function isComparison(Operator operator) internal pure returns (bool) {
        return operator >= Operator.Eq && operator <= Operator.Lt;
    }

    /// @notice True for operations on two operands, of which {isDivision} takes a clear divisor only.
    function isBinary(Operator operator) internal pure returns (bool) {
        return operator <= Operator.Max;
    }

    function isDivision(Operator operator) internal pure returns (bool) {
        return operator == Operator.Div || operator == Operator.Rem;
    }

    function isUnary(Operator operator) internal pure returns (bool) {
        return operator == Operator.Neg || operator == Operator.Not;
    }
}
