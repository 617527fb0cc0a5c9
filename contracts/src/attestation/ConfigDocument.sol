// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IQuoteVerifier} from "../interfaces/IQuoteVerifier.sol";
import {Der} from "./Der.sol";
import {Json} from "./Json.sol";

/// @title ConfigDocument
/// @notice The compose hash that the guest checked against mrConfigId when it started. Version 1 holds the hash itself,
/// version 3 the hash of a document of the instance:
/// {"app_id":…,"compose_hash":…,"instance_id":…,"key_provider":…,"key_provider_id":…,"version":3}.
/// @dev Members beyond these (init scripts, policy for other hardware) would change what runs, so they are refused.
library ConfigDocument {
    /// @dev "dstack-mr-config-v3:\0", 21 bytes.
    bytes32 private constant TAG = "dstack-mr-config-v3:";
    uint256 private constant TAG_LENGTH = 21;
    /// @dev A document has about 300 bytes.
    uint256 private constant MAX_LENGTH = 16_384;
    uint256 private constant QUOTATION_MARK = 0x22;

    /// @param head first 32 of the 48 bytes of mrConfigId
    /// @param tail the other 16
    /// @param document empty for version 1
    /// @return hash of the compose file, never zero: zero would mean that the guest checked nothing
    function composeHash(uint256 head, uint128 tail, bytes calldata document) internal view returns (bytes32 hash) {
        unchecked {
            uint256 version = head >> 248;
            hash = bytes32((head << 8) | (tail >> 120));
            if ((version != 1 && version != 3) || uint120(tail) != 0) {
                revert IQuoteVerifier.ComposeHashMissing(bytes32(head));
            }
            if (version == 3) {
                bytes32 documentHash = _hash(document);
                if (documentHash != hash) revert IQuoteVerifier.WrongConfigDocument(documentHash);
                hash = _parse(document);
            } else if (document.length != 0) {
                revert IQuoteVerifier.WrongConfigDocument(_hash(document));
            }
            if (hash == 0) revert IQuoteVerifier.ComposeHashMissing(bytes32(head));
        }
    }

    function _hash(bytes calldata document) private view returns (bytes32 digest) {
        bytes32 tag = TAG;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, tag)
            calldatacopy(add(input, TAG_LENGTH), document.offset, document.length)
            if iszero(staticcall(gas(), 2, input, add(document.length, TAG_LENGTH), 0, 0x20)) { revert(0, 0) }
            digest := mload(0)
        }
    }

    function _parse(bytes calldata document) private pure returns (bytes32 hash) {
        (uint256 pos, uint256 limit) = Der.bounds(document);
        if (document.length > MAX_LENGTH) revert Json.MalformedJson(pos);
        uint256 high;
        uint256 low;
        pos = _hexadecimals(Json.literal(pos, 11, '{"app_id":"'), limit);
        pos = Json.literal(pos, 17, ',"compose_hash":"');
        (high, pos) = Json.lowerHexadecimal(pos, 32);
        (low, pos) = Json.lowerHexadecimal(pos, 32);
        hash = bytes32((high << 128) | low);
        pos = _hexadecimals(Json.literal(pos, 17, '","instance_id":"'), limit);
        pos = _name(Json.literal(pos, 17, ',"key_provider":"'), limit);
        pos = _hexadecimals(Json.literal(pos, 20, ',"key_provider_id":"'), limit);
        pos = Json.literal(pos, 13, ',"version":3}');
        if (pos != limit) revert Json.MalformedJson(pos);
    }

    /// @dev Any whole number of bytes, in lower case, up to and including the quotation mark.
    function _hexadecimals(uint256 pos, uint256 limit) private pure returns (uint256 stop) {
        unchecked {
            stop = Json.skipPast(pos, limit, QUOTATION_MARK);
            uint256 digits = stop - 1 - pos;
            if (digits % 2 != 0) revert Json.MalformedJson(pos);
            for (; digits != 0;) {
                uint256 part = digits < 32 ? digits : 32;
                (, pos) = Json.lowerHexadecimal(pos, part);
                digits -= part;
            }
        }
    }

    /// @dev Lower-case letters and hyphens, at least one, up to and including the quotation mark.
    function _name(uint256 pos, uint256 limit) private pure returns (uint256 stop) {
        unchecked {
            stop = Json.skipPast(pos, limit, QUOTATION_MARK);
            if (stop == pos + 1) revert Json.MalformedJson(pos);
            for (uint256 end = stop - 1; pos < end; pos++) {
                uint256 character = Json.peek(pos);
                if (character != 0x2d && character - 0x61 > 25) revert Json.MalformedJson(pos);
            }
        }
    }
}
