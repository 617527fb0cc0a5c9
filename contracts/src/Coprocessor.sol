// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControlList} from "./AccessControlList.sol";
import {ICiphertextCommitments} from "./interfaces/ICiphertextCommitments.sol";
import {IDecryptionVerifier} from "./interfaces/IDecryptionVerifier.sol";
import {IKeyRegistry} from "./interfaces/IKeyRegistry.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {FheTypes} from "./libraries/FheTypes.sol";
import {HandleLayout} from "./libraries/HandleLayout.sol";
import {InputAttestation} from "./libraries/InputAttestation.sol";
import {EncryptedInput, FheType, Operator} from "./types/Encrypted.sol";

/// @title Symbolic operations on handles, access control and input verification (protocol §1, §8)
/// @notice Computes nothing: it names results, checks types and permissions, and emits what executors compute. Every
/// handle is a result of an operation here or an input that k live executors vouched for.
contract Coprocessor is AccessControlList {
    bytes32 private constant OPERATION_TAG = keccak256("twinlock/op/v1");
    bytes32 private constant INPUT_TAG = keccak256("twinlock/input-handle/v1");

    IKeyRegistry public immutable keyRegistry;
    INodeRegistry public immutable nodeRegistry;
    IDecryptionVerifier public immutable verifier;
    /// @dev Part of the host binding through this contract's address: nobody can swap it under a key.
    address public immutable commitments;

    constructor(
        IKeyRegistry keyRegistry_,
        INodeRegistry nodeRegistry_,
        IDecryptionVerifier verifier_,
        ICiphertextCommitments commitments_
    ) {
        keyRegistry = keyRegistry_;
        nodeRegistry = nodeRegistry_;
        verifier = verifier_;
        commitments = address(commitments_);
    }

    function unary(Operator operator, bytes32 operand) external returns (bytes32 result) {
        if (!FheTypes.isUnary(operator)) revert OperandsNotSupported(operator);
        FheType fheType = _operand(operator, operand);
        return _emitOperation(operator, fheType, operand, 0, 0, false);
    }

    function binary(Operator operator, bytes32 lhs, bytes32 rhs) external returns (bytes32 result) {
        if (!FheTypes.isBinary(operator) || FheTypes.isDivision(operator)) revert OperandsNotSupported(operator);
        FheType fheType = _operand(operator, lhs);
        _requireType(fheType, rhs);
        return _emitOperation(operator, _resultType(operator, fheType), lhs, rhs, 0, false);
    }

    function binaryScalar(Operator operator, bytes32 lhs, uint256 rhs) external returns (bytes32 result) {
        if (!FheTypes.isBinary(operator)) revert OperandsNotSupported(operator);
        FheType fheType = _operand(operator, lhs);
        if (!FheTypes.fits(rhs, fheType)) revert ScalarOutOfRange(rhs, fheType);
        if (rhs == 0 && FheTypes.isDivision(operator)) revert DivisionByZero();
        if (rhs >= FheTypes.bitsOf(fheType) && FheTypes.isShift(operator)) revert ShiftOutOfRange(rhs, fheType);
        return _emitOperation(operator, _resultType(operator, fheType), lhs, bytes32(rhs), 0, true);
    }

    function select(bytes32 condition, bytes32 ifTrue, bytes32 ifFalse) external returns (bytes32 result) {
        _requireType(FheType.Bool, condition);
        FheType fheType = _operand(Operator.Select, ifTrue);
        _requireType(fheType, ifFalse);
        return _emitOperation(Operator.Select, fheType, condition, ifTrue, ifFalse, false);
    }

    function cast(bytes32 operand, FheType toType) external returns (bytes32 result) {
        _requireUse(operand, msg.sender);
        FheType fromType = HandleLayout.typeOf(operand);
        if (fromType == toType || (fromType != FheType.Bool && !FheTypes.takes(Operator.Cast, fromType))) {
            revert TypeNotSupported(Operator.Cast, fromType);
        }
        if (!FheTypes.takes(Operator.Cast, toType)) revert TypeNotSupported(Operator.Cast, toType);
        return _emitOperation(Operator.Cast, toType, operand, 0, 0, false);
    }

    function trivialEncrypt(uint256 value, FheType fheType) external returns (bytes32 result) {
        if (!FheTypes.fits(value, fheType)) revert ScalarOutOfRange(value, fheType);
        return _emitOperation(Operator.TrivialEncrypt, fheType, bytes32(value), 0, 0, true);
    }

    function verifyInput(EncryptedInput calldata input, address user) external {
        bytes32 keyId = keyRegistry.keyOfHost(address(this));
        if (keyId == 0) revert NoKey(address(this));
        uint256 count = input.handles.length;
        if (count == 0 || count > HandleLayout.OPERATION_INDEX) revert InputCountOutOfRange(count);
        for (uint256 i; i < count; ++i) {
            bytes32 handle = input.handles[i];
            bytes32 digest = keccak256(
                abi.encode(INPUT_TAG, input.listDigest, i, msg.sender, user, address(this), block.chainid, keyId)
            );
            // The executors' word decides about the type only: everything else follows from list, contract and user.
            bool known = HandleLayout.isHandle(handle);
            if (!known || handle != HandleLayout.format(digest, uint8(i), HandleLayout.typeOf(handle))) {
                revert BadInputHandle(i, handle);
            }
            _allowTransient(handle, msg.sender);
        }
        _requireExecutors(keyId, inputDigest(keyId, msg.sender, user, input.listDigest, input.handles), input.signatures);
        emit InputVerified(keyId, msg.sender, user, input.listDigest, input.handles);
    }

    function inputDigest(
        bytes32 keyId,
        address contractAddress,
        address user,
        bytes32 listDigest,
        bytes32[] calldata handles
    ) public view returns (bytes32) {
        return InputAttestation.digest(address(verifier), keyId, contractAddress, user, listDigest, handles);
    }

    /// @dev k distinct executors of the key, all of them live, signed the digest.
    function _requireExecutors(bytes32 keyId, bytes32 digest, bytes[] calldata signatures) private view {
        (address[] memory executors, uint8 k) = keyRegistry.executorsOf(keyId);
        if (signatures.length < k) revert TooFewExecutors(signatures.length, k);
        uint256 seen;
        for (uint256 i; i < signatures.length; ++i) {
            address executor = InputAttestation.signerOf(digest, signatures[i]);
            uint256 position;
            while (position < executors.length && executors[position] != executor) ++position;
            if (position == executors.length) revert NotAnExecutor(executor);
            if ((seen >> position) & 1 == 1) revert ExecutorRepeated(executor);
            seen |= 1 << position;
            uint32 liveUntil = nodeRegistry.liveUntil(executor);
            if (liveUntil <= block.timestamp) revert ExecutorNotLive(executor, liveUntil);
        }
    }

    function _emitOperation(
        Operator operator,
        FheType resultType,
        bytes32 lhs,
        bytes32 rhs,
        bytes32 third,
        bool scalar
    ) private returns (bytes32 result) {
        // The parent block hash makes the result of an orphaned block another handle.
        bytes32 digest = keccak256(
            abi.encode(
                OPERATION_TAG,
                operator,
                lhs,
                rhs,
                third,
                scalar,
                resultType,
                msg.sender,
                address(this),
                block.chainid,
                blockhash(block.number - 1)
            )
        );
        result = HandleLayout.format(digest, HandleLayout.OPERATION_INDEX, resultType);
        _allowTransient(result, msg.sender);
        emit Operation(operator, msg.sender, result, lhs, rhs, third, scalar, digest);
    }

    /// @dev Type of an operand that the caller may use and the operator takes.
    function _operand(Operator operator, bytes32 handle) private view returns (FheType fheType) {
        _requireUse(handle, msg.sender);
        fheType = HandleLayout.typeOf(handle);
        if (!FheTypes.takes(operator, fheType)) revert TypeNotSupported(operator, fheType);
    }

    /// @dev The caller may use the handle and it has the type.
    function _requireType(FheType expected, bytes32 handle) private view {
        _requireUse(handle, msg.sender);
        FheType actual = HandleLayout.typeOf(handle);
        if (actual != expected) revert TypeMismatch(expected, actual);
    }

    function _resultType(Operator operator, FheType operands) private pure returns (FheType) {
        return FheTypes.isComparison(operator) ? FheType.Bool : operands;
    }
}
