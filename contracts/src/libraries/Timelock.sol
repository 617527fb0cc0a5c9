// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Chain id of the local test network: the only chain with a short timelock and with a root of trust other
/// than Intel's.
uint256 constant LOCAL_CHAIN_ID = 31337;

/// @dev Seconds after the end of its timelock in which a proposal may take effect. What was proposed and forgotten
/// must not turn up when the circumstances behind it are gone.
uint256 constant ACTIVATION_WINDOW = 30 days;

/// @notice Seconds between a proposal of governance and the first moment at which it may take effect.
function timelockDelay() view returns (uint256) {
    return block.chainid == LOCAL_CHAIN_ID ? 60 seconds : 7 days;
}
