// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ICollateralObserver
/// @notice Whoever keeps conclusions from quotes and must drop them when a certificate behind them is revoked.
interface ICollateralObserver {
    /// @notice Called by the collateral store in the transaction in which other certificates became revoked, or a grace
    /// ended by veto. Open to everybody: what is revoked is the store's to say.
    /// @dev A revert undoes the new list, so it must not depend on the list's content.
    function revocationsChanged() external;
}
