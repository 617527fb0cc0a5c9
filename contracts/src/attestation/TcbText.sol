// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Json} from "./Json.sol";
import {TcbStatus} from "./TcbStatus.sol";

/// @title TcbText
/// @notice The parts that Intel's TCB info and enclave identity spell alike.
library TcbText {
    /// @notice Reads `,"issueDate":"…","nextUpdate":"…"`.
    function dates(uint256 pos) internal pure returns (uint256 issuedAt, uint256 expiresAt, uint256 stop) {
        pos = Json.literal(pos, 13, ',"issueDate":');
        (issuedAt, pos) = Json.date(pos);
        pos = Json.literal(pos, 14, ',"nextUpdate":');
        (expiresAt, stop) = Json.date(pos);
    }

    /// @notice Reads `,"tcbDate":"…","tcbStatus":"…"` and, where present, `,"advisoryIDs":[…]`, up to the brace.
    function verdict(uint256 pos, uint256 limit) internal pure returns (TcbStatus status, uint256 stop) {
        pos = Json.literal(pos, 11, ',"tcbDate":');
        (, pos) = Json.date(pos);
        pos = Json.literal(pos, 14, ',"tcbStatus":"');
        (status, stop) = _status(pos);
        if (Json.peek(stop) == 0x2c) {
            stop = Json.skipPast(Json.literal(stop, 16, ',"advisoryIDs":['), limit, 0x5d);
        }
        stop = Json.literal(stop, 1, "}");
    }

    /// @notice Reads the comma before the next element (`more`) or the bracket that ends the list.
    function next(uint256 pos) internal pure returns (bool more, uint256 stop) {
        uint256 character = Json.peek(pos);
        more = character == 0x2c;
        if (!more && character != 0x5d) revert Json.MalformedJson(pos);
        unchecked {
            stop = pos + 1;
        }
    }

    /// @dev Also skips the closing quotation mark.
    function _status(uint256 pos) private pure returns (TcbStatus status, uint256 stop) {
        bytes32 word;
        assembly ("memory-safe") {
            word := calldataload(pos)
        }
        unchecked {
            if (bytes9(word) == 'UpToDate"') return (TcbStatus.UpToDate, pos + 9);
            if (bytes10(word) == 'OutOfDate"') return (TcbStatus.OutOfDate, pos + 10);
            if (bytes18(word) == 'SWHardeningNeeded"') return (TcbStatus.SWHardeningNeeded, pos + 18);
            if (bytes20(word) == 'ConfigurationNeeded"') return (TcbStatus.ConfigurationNeeded, pos + 20);
            if (bytes29(word) == 'OutOfDateConfigurationNeeded"') {
                return (TcbStatus.OutOfDateConfigurationNeeded, pos + 29);
            }
            if (bytes8(word) == 'Revoked"') return (TcbStatus.Revoked, pos + 8);
            if (word == "ConfigurationAndSWHardeningNeede") {
                return (TcbStatus.ConfigurationAndSWHardeningNeeded, Json.literal(pos + 32, 2, 'd"'));
            }
        }
        revert Json.MalformedJson(pos);
    }
}
