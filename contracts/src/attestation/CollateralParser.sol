// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICollateralParser, ParsedCollateral} from "../interfaces/ICollateralParser.sol";
import {QeIdentityText} from "./QeIdentityText.sol";
import {TcbInfoText} from "./TcbInfoText.sol";

/// @title CollateralParser
/// @notice Parser of the JSON that Intel has issued without change from 2024 to 2026.
contract CollateralParser is ICollateralParser {
    /// @inheritdoc ICollateralParser
    function parseTcbInfo(bytes calldata json) external pure returns (ParsedCollateral memory) {
        return TcbInfoText.parse(json);
    }

    /// @inheritdoc ICollateralParser
    function parseQeIdentity(bytes calldata json) external pure returns (ParsedCollateral memory) {
        return QeIdentityText.parse(json);
    }
}
