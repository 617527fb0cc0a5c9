// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title BlockHistory
/// @notice Hashes of the last 8,191 blocks from the history contract of EIP-2935.
library BlockHistory {
    address internal constant CONTRACT = 0x0000F90827F1C53a10cb7A02335B175320002935;
    /// @dev Oldest block that the history keeps, counted back from the current one.
    uint64 internal constant WINDOW = 8_191;

    /// @notice The chain keeps no hash of this block: outside the window, or no history contract.
    error BlockHashUnavailable(uint256 number);

    function hashOf(uint256 number) internal view returns (bytes32 blockHash) {
        (bool success, bytes memory answer) = CONTRACT.staticcall(abi.encode(number));
        if (success && answer.length == 32) blockHash = abi.decode(answer, (bytes32));
        if (blockHash == 0) revert BlockHashUnavailable(number);
    }
}
