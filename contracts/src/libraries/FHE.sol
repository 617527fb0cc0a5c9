// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICoprocessor} from "../interfaces/ICoprocessor.sol";
import {EncryptedInput, FheType, Operator} from "../types/Encrypted.sol";
import {HandleLayout} from "./HandleLayout.sol";

type ebool is bytes32;

type euint8 is bytes32;

type euint16 is bytes32;

using FHE for ebool global;
using FHE for euint8 global;
using FHE for euint16 global;

/// @title Encrypted values in a contract: typed handles over the coprocessor
/// @notice The contract names its coprocessor once, in its constructor, with {useCoprocessor}. Arithmetic wraps around.
library FHE {
    /// @dev keccak256(abi.encode(uint256(keccak256("twinlock.storage.FHE")) - 1)) & ~0xff (ERC-7201), so that the setting
    /// collides with no variable of the contract.
    bytes32 private constant SLOT = 0xb17487af10e98afc6a2921880c662ba2bae1dd8fa713e8e93fd8e4e4b7196400;

    struct Settings {
        ICoprocessor coprocessor;
    }

    error WrongType(bytes32 handle, FheType expected);

    function useCoprocessor(ICoprocessor coprocessor_) internal {
        _settings().coprocessor = coprocessor_;
    }

    function coprocessor() internal view returns (ICoprocessor) {
        return _settings().coprocessor;
    }

    /// @notice Accepts a user's proven inputs; afterwards {asEuint8} and its like take its handles.
    /// @param user whom this contract authenticated, normally msg.sender
    function verify(EncryptedInput calldata input, address user) internal {
        coprocessor().verifyInput(input, user);
    }

    function asEbool(bytes32 handle) internal view returns (ebool) {
        return ebool.wrap(_typed(handle, FheType.Bool));
    }

    function asEuint8(bytes32 handle) internal view returns (euint8) {
        return euint8.wrap(_typed(handle, FheType.Uint8));
    }

    function asEuint16(bytes32 handle) internal view returns (euint16) {
        return euint16.wrap(_typed(handle, FheType.Uint16));
    }

    /// @notice Handle of a value that everybody knows.
    function trivialEuint8(uint8 value) internal returns (euint8) {
        return euint8.wrap(coprocessor().trivialEncrypt(value, FheType.Uint8));
    }

    /// @notice Handle of a value that everybody knows.
    function trivialEuint16(uint16 value) internal returns (euint16) {
        return euint16.wrap(coprocessor().trivialEncrypt(value, FheType.Uint16));
    }

    function add(euint8 lhs, euint8 rhs) internal returns (euint8) {
        return euint8.wrap(_binary(Operator.Add, lhs.unwrap(), rhs.unwrap()));
    }

    function add(euint16 lhs, euint16 rhs) internal returns (euint16) {
        return euint16.wrap(_binary(Operator.Add, lhs.unwrap(), rhs.unwrap()));
    }

    function sub(euint8 lhs, euint8 rhs) internal returns (euint8) {
        return euint8.wrap(_binary(Operator.Sub, lhs.unwrap(), rhs.unwrap()));
    }

    function sub(euint16 lhs, euint16 rhs) internal returns (euint16) {
        return euint16.wrap(_binary(Operator.Sub, lhs.unwrap(), rhs.unwrap()));
    }

    function mul(euint8 lhs, euint8 rhs) internal returns (euint8) {
        return euint8.wrap(_binary(Operator.Mul, lhs.unwrap(), rhs.unwrap()));
    }

    function mul(euint16 lhs, euint16 rhs) internal returns (euint16) {
        return euint16.wrap(_binary(Operator.Mul, lhs.unwrap(), rhs.unwrap()));
    }

    function eq(euint8 lhs, euint8 rhs) internal returns (ebool) {
        return ebool.wrap(_binary(Operator.Eq, lhs.unwrap(), rhs.unwrap()));
    }

    function eq(euint16 lhs, euint16 rhs) internal returns (ebool) {
        return ebool.wrap(_binary(Operator.Eq, lhs.unwrap(), rhs.unwrap()));
    }

    function eq(euint8 lhs, uint8 rhs) internal returns (ebool) {
        return ebool.wrap(coprocessor().binaryScalar(Operator.Eq, lhs.unwrap(), rhs));
    }

    function eq(euint16 lhs, uint16 rhs) internal returns (ebool) {
        return ebool.wrap(coprocessor().binaryScalar(Operator.Eq, lhs.unwrap(), rhs));
    }

    function lt(euint16 lhs, euint16 rhs) internal returns (ebool) {
        return ebool.wrap(_binary(Operator.Lt, lhs.unwrap(), rhs.unwrap()));
    }

    function min(euint16 lhs, uint16 rhs) internal returns (euint16) {
        return euint16.wrap(coprocessor().binaryScalar(Operator.Min, lhs.unwrap(), rhs));
    }

    function and(ebool lhs, ebool rhs) internal returns (ebool) {
        return ebool.wrap(_binary(Operator.BitAnd, lhs.unwrap(), rhs.unwrap()));
    }

    function or(ebool lhs, ebool rhs) internal returns (ebool) {
        return ebool.wrap(_binary(Operator.BitOr, lhs.unwrap(), rhs.unwrap()));
    }

    function not(ebool operand) internal returns (ebool) {
        return ebool.wrap(coprocessor().unary(Operator.Not, operand.unwrap()));
    }

    function select(ebool condition, euint8 ifTrue, euint8 ifFalse) internal returns (euint8) {
        return euint8.wrap(coprocessor().select(condition.unwrap(), ifTrue.unwrap(), ifFalse.unwrap()));
    }

    function select(ebool condition, euint16 ifTrue, euint16 ifFalse) internal returns (euint16) {
        return euint16.wrap(coprocessor().select(condition.unwrap(), ifTrue.unwrap(), ifFalse.unwrap()));
    }

    function asEuint16(euint8 operand) internal returns (euint16) {
        return euint16.wrap(coprocessor().cast(operand.unwrap(), FheType.Uint16));
    }

    /// @notice Lets `account` use and privately decrypt the value for ever.
    function allow(bytes32 handle, address account) internal {
        coprocessor().allow(handle, account);
    }

    /// @notice Keeps the value usable by this contract in later transactions.
    function allowThis(bytes32 handle) internal {
        coprocessor().allow(handle, address(this));
    }

    /// @notice Lets the network decrypt the value publicly, for ever.
    function allowForDecryption(bytes32 handle) internal {
        coprocessor().allowForDecryption(handle);
    }

    function unwrap(ebool value) internal pure returns (bytes32) {
        return ebool.unwrap(value);
    }

    function unwrap(euint8 value) internal pure returns (bytes32) {
        return euint8.unwrap(value);
    }

    function unwrap(euint16 value) internal pure returns (bytes32) {
        return euint16.unwrap(value);
    }

    function _binary(Operator operator, bytes32 lhs, bytes32 rhs) private returns (bytes32) {
        return coprocessor().binary(operator, lhs, rhs);
    }

    function _typed(bytes32 handle, FheType expected) private view returns (bytes32) {
        if (!HandleLayout.isHandle(handle) || HandleLayout.typeOf(handle) != expected) {
            revert WrongType(handle, expected);
        }
        return handle;
    }

    function _settings() private pure returns (Settings storage settings) {
        bytes32 slot = SLOT;
        assembly ("memory-safe") {
            settings.slot := slot
        }
    }
}
