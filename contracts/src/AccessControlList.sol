// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SlotDerivation} from "@openzeppelin/contracts/utils/SlotDerivation.sol";
import {TransientSlot} from "@openzeppelin/contracts/utils/TransientSlot.sol";
import {ICoprocessor} from "./interfaces/ICoprocessor.sol";

/// @title Who may use and decrypt a handle (protocol §8, §10)
/// @notice Permissions are only ever given, by those who have them. Nodes accept persistent ones alone: transient ones
/// end with the transaction.
abstract contract AccessControlList is ICoprocessor {
    using SlotDerivation for bytes32;
    using TransientSlot for *;

    struct Permits {
        uint256 nonce;
        uint64 invalidBefore;
    }

    /// @dev Base of the transient permissions, apart from the slots of the reentrancy guards that others use.
    bytes32 private constant TRANSIENT_BASE = keccak256("twinlock/transient-permission/v1");

    mapping(bytes32 handle => mapping(address account => bool)) private _allowed;
    mapping(bytes32 handle => bool) private _allowedForDecryption;
    mapping(address user => Permits) private _permits;

    function allow(bytes32 handle, address account) external {
        _requireUse(handle, msg.sender);
        _allowed[handle][account] = true;
        emit Allowed(handle, account, msg.sender);
    }

    function allowTransient(bytes32 handle, address account) external {
        _requireUse(handle, msg.sender);
        _allowTransient(handle, account);
    }

    function allowForDecryption(bytes32 handle) external {
        _requireUse(handle, msg.sender);
        _allowedForDecryption[handle] = true;
        emit AllowedForDecryption(handle, msg.sender);
    }

    function invalidatePermitsBefore(uint64 before) external {
        Permits storage permits = _permits[msg.sender];
        if (before <= permits.invalidBefore) revert FloorNotAhead(before, permits.invalidBefore);
        // A floor in the future would lock the user out of its own data by mistake.
        if (before > block.timestamp) revert FloorInFuture(before);
        permits.invalidBefore = before;
        emit PermitsInvalidated(msg.sender, before);
    }

    function usePermitNonce() external {
        emit PermitNonceUsed(msg.sender, _permits[msg.sender].nonce++);
    }

    function isAllowed(bytes32 handle, address account) external view returns (bool) {
        return _allowed[handle][account];
    }

    function mayUse(bytes32 handle, address account) external view returns (bool) {
        return _mayUse(handle, account);
    }

    function isAllowedForDecryption(bytes32 handle) external view returns (bool) {
        return _allowedForDecryption[handle];
    }

    function permitFloor(address user) external view returns (uint256 nonce, uint64 invalidBefore) {
        Permits storage permits = _permits[user];
        return (permits.nonce, permits.invalidBefore);
    }

    function _allowTransient(bytes32 handle, address account) internal {
        _transientSlot(handle, account).asBoolean().tstore(true);
    }

    function _requireUse(bytes32 handle, address account) internal view {
        if (!_mayUse(handle, account)) revert NotAllowed(handle, account);
    }

    function _mayUse(bytes32 handle, address account) private view returns (bool) {
        return _transientSlot(handle, account).asBoolean().tload() || _allowed[handle][account];
    }

    function _transientSlot(bytes32 handle, address account) private pure returns (bytes32) {
        return TRANSIENT_BASE.deriveMapping(handle).deriveMapping(account);
    }
}
