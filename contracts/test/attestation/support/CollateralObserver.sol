// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICollateralObserver} from "../../../src/interfaces/ICollateralObserver.sol";
import {ICollateralStore} from "../../../src/interfaces/ICollateralStore.sol";

/// @notice Notes what the store says about one certificate at each call.
contract CollateralObserver is ICollateralObserver {
    error NotNow();

    uint256 private immutable _serial;
    uint256 public calls;
    bool public revoked;
    bool public failing;

    constructor(uint256 serial) {
        _serial = serial;
    }

    function fail() external {
        failing = true;
    }

    function revocationsChanged() external {
        if (failing) revert NotNow();
        calls++;
        revoked = ICollateralStore(msg.sender).isRevoked(0, _serial);
    }
}
