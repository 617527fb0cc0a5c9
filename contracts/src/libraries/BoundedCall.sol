// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A call into a contract that is not trusted: fixed gas, bounded return data
library BoundedCall {
    uint256 private constant MAX_RETURN = 256;

    /// @notice Calls `target` with exactly `gasLimit` gas where that much is left (63/64 rule: the caller checks).
    /// @return success false also where there is no contract at `target`
    /// @return returned at most 256 bytes of the return data
    function call(address target, uint256 gasLimit, bytes memory data)
        internal
        returns (bool success, bytes memory returned)
    {
        if (target.code.length == 0) return (false, "");
        assembly ("memory-safe") {
            success := call(gasLimit, target, 0, add(data, 0x20), mload(data), 0, 0)
            let size := returndatasize()
            if gt(size, MAX_RETURN) { size := MAX_RETURN }
            returned := mload(0x40)
            mstore(returned, size)
            returndatacopy(add(returned, 0x20), 0, size)
            mstore(0x40, and(add(add(returned, size), 0x3f), not(0x1f)))
        }
    }
}
