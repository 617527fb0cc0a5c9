// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ParsedCollateral} from "../interfaces/ICollateralParser.sol";
import {Json} from "./Json.sol";
import {QeIdentity} from "./QeIdentity.sol";
import {TcbStatus} from "./TcbStatus.sol";
import {TcbText} from "./TcbText.sol";

/// @title QeIdentityText
/// @notice Template of Intel's identity of the TD quoting enclave, version 2.
library QeIdentityText {
    uint256 private constant MAX_LEVELS = 32;

    /// @dev Output as QeIdentity.sol reads it.
    function parse(bytes calldata json) internal pure returns (ParsedCollateral memory parsed) {
        uint256 pos;
        uint256 limit;
        assembly ("memory-safe") {
            pos := json.offset
            limit := add(pos, json.length)
        }
        pos = Json.literal(pos, 25, '{"id":"TD_QE","version":2');
        (parsed.issuedAt, parsed.expiresAt, pos) = TcbText.dates(pos);
        pos = Json.literal(pos, 27, ',"tcbEvaluationDataNumber":');
        uint256 value;
        (value, pos) = Json.number(pos, type(uint16).max);
        parsed.evaluation = uint16(value);
        bytes memory enclave;
        (enclave, pos) = _enclave(pos);
        pos = Json.literal(pos, 14, ',"tcbLevels":[');
        bytes memory levels = new bytes(3 * MAX_LEVELS + 29); // room for the last whole word
        uint256 count;
        for (bool more = true; more; count++) {
            if (count == MAX_LEVELS) revert Json.MalformedJson(pos);
            (value, pos) = Json.number(Json.literal(pos, 17, '{"tcb":{"isvsvn":'), type(uint16).max);
            TcbStatus status;
            (status, pos) = TcbText.verdict(Json.literal(pos, 1, "}"), limit);
            _put(levels, 3 * count, (value << 8) | uint8(status));
            (more, pos) = TcbText.next(pos);
        }
        pos = Json.literal(pos, 1, "}");
        if (pos != limit) revert Json.MalformedJson(pos);
        assembly ("memory-safe") {
            mstore(levels, mul(count, 3))
        }
        parsed.data = QeIdentity.pack(enclave, levels);
    }

    /// @dev mrsigner 32 ‖ attributes mask 16 ‖ attributes 16 ‖ miscselect mask 4 ‖ miscselect 4 ‖ isvprodid 2.
    function _enclave(uint256 pos) private pure returns (bytes memory packed, uint256 stop) {
        uint256 miscSelect;
        uint256 miscSelectMask;
        uint256 attributes;
        uint256 attributesMask;
        uint256 signerHigh;
        uint256 signerLow;
        uint256 productId;
        (miscSelect, pos) = Json.hexadecimal(Json.literal(pos, 15, ',"miscselect":"'), 8);
        (miscSelectMask, pos) = Json.hexadecimal(Json.literal(pos, 20, '","miscselectMask":"'), 8);
        (attributes, pos) = Json.hexadecimal(Json.literal(pos, 16, '","attributes":"'), 32);
        (attributesMask, pos) = Json.hexadecimal(Json.literal(pos, 20, '","attributesMask":"'), 32);
        (signerHigh, pos) = Json.hexadecimal(Json.literal(pos, 14, '","mrsigner":"'), 32);
        (signerLow, pos) = Json.hexadecimal(pos, 32);
        (productId, stop) = Json.number(Json.literal(pos, 14, '","isvprodid":'), type(uint16).max);
        packed = abi.encodePacked(
            (signerHigh << 128) | signerLow,
            uint128(attributesMask),
            uint128(attributes),
            uint32(miscSelectMask),
            uint32(miscSelect),
            uint16(productId)
        );
    }

    function _put(bytes memory levels, uint256 offset, uint256 level) private pure {
        assembly ("memory-safe") {
            mstore(add(add(levels, 32), offset), shl(232, level))
        }
    }
}
