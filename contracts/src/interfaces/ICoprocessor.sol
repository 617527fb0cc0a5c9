// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EncryptedInput, FheType, Operator} from "../types/Encrypted.sol";

/// @title Symbolic operations on handles, access control and input verification (protocol §1, §8)
/// @notice handle = hash (21 bytes) ‖ index (1) ‖ chain id (8) ‖ type (1) ‖ version (1).
interface ICoprocessor {
    /// @param digest full hash whose first 21 bytes are the result's
    /// @param lhs first operand; for TrivialEncrypt the value; for Select the condition
    /// @param rhs second operand or, where `scalar`, the clear value; for Select the handle taken where true
    /// @param third for Select the handle taken where false; else 0
    event Operation(
        Operator indexed operator,
        address indexed caller,
        bytes32 indexed result,
        bytes32 lhs,
        bytes32 rhs,
        bytes32 third,
        bool scalar,
        bytes32 digest
    );
    event InputVerified(
        bytes32 indexed keyId, address indexed contractAddress, address indexed user, bytes32 listDigest, bytes32[] handles
    );
    event Allowed(bytes32 indexed handle, address indexed account, address indexed by);
    event AllowedForDecryption(bytes32 indexed handle, address indexed by);
    event PermitsInvalidated(address indexed user, uint64 before);
    event PermitNonceUsed(address indexed user, uint256 nonce);

    error NotAllowed(bytes32 handle, address account);
    error TypeNotSupported(Operator operator, FheType fheType);
    error TypeMismatch(FheType expected, FheType actual);
    error OperandsNotSupported(Operator operator);
    error ScalarOutOfRange(uint256 scalar, FheType fheType);
    error DivisionByZero();
    error ShiftOutOfRange(uint256 shift, FheType fheType);
    error NoKey(address coprocessor);
    error InputCountOutOfRange(uint256 count);
    error BadInputHandle(uint256 position, bytes32 handle);
    error NotAnExecutor(address recovered);
    error ExecutorNotLive(address executor, uint32 liveUntil);
    error ExecutorRepeated(address executor);
    error TooFewExecutors(uint256 executors, uint8 k);
    error FloorNotAhead(uint64 floor, uint64 current);
    error FloorInFuture(uint64 floor);

    /// @notice Neg or Not.
    function unary(Operator operator, bytes32 operand) external returns (bytes32 result);

    /// @notice Operation on two encrypted values of one type.
    function binary(Operator operator, bytes32 lhs, bytes32 rhs) external returns (bytes32 result);

    /// @notice Operation on an encrypted and a clear value, which must fit the type.
    function binaryScalar(Operator operator, bytes32 lhs, uint256 rhs) external returns (bytes32 result);

    /// @notice `ifTrue` where `condition` holds, else `ifFalse`.
    function select(bytes32 condition, bytes32 ifTrue, bytes32 ifFalse) external returns (bytes32 result);

    function cast(bytes32 operand, FheType toType) external returns (bytes32 result);

    /// @notice Handle of a value that everybody knows.
    function trivialEncrypt(uint256 value, FheType fheType) external returns (bytes32 result);

    /// @notice Accepts proven inputs for the calling contract on the word of k distinct live executors; the caller may
    /// use the handles within this transaction.
    /// @param user who encrypted; the calling contract must pass whom it authenticated, normally its own caller
    function verifyInput(EncryptedInput calldata input, address user) external;

    /// @notice Lets `account` use and privately decrypt the handle for ever. The caller must be allowed itself.
    function allow(bytes32 handle, address account) external;

    /// @notice Lets `account` use the handle within this transaction. The caller must be allowed itself.
    function allowTransient(bytes32 handle, address account) external;

    /// @notice Lets the network decrypt the handle publicly, for ever. The caller must be allowed itself.
    function allowForDecryption(bytes32 handle) external;

    /// @notice Makes every permit of the caller that starts earlier than `before` void. Only forward, never the future.
    function invalidatePermitsBefore(uint64 before) external;

    /// @notice Makes every permit of the caller with the current nonce void.
    function usePermitNonce() external;

    /// @return true where the permission is persistent, the only kind that nodes accept
    function isAllowed(bytes32 handle, address account) external view returns (bool);

    /// @return true where the account may use the handle in this transaction, by either kind of permission
    function mayUse(bytes32 handle, address account) external view returns (bool);

    function isAllowedForDecryption(bytes32 handle) external view returns (bool);

    /// @return nonce that a permit must carry
    /// @return invalidBefore earliest `notBefore` that a permit may have
    function permitFloor(address user) external view returns (uint256 nonce, uint64 invalidBefore);

    /// @notice EIP-712 digest that executors sign to vouch for an input.
    function inputDigest(
        bytes32 keyId,
        address contractAddress,
        address user,
        bytes32 listDigest,
        bytes32[] calldata handles
    ) external view returns (bytes32);

    /// @notice Where the ciphertexts of this coprocessor are anchored.
    function commitments() external view returns (address);
}
