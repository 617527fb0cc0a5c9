// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ParsedCollateral} from "../interfaces/ICollateralParser.sol";
import {Json} from "./Json.sol";
import {TcbStatus} from "./TcbStatus.sol";
import {TcbText} from "./TcbText.sol";

/// @title TcbInfoText
/// @notice Template of Intel's TCB info for TDX, version 3. Knows only modules that Intel signs itself (signer and
/// attributes zero) and PCE id zero: the quote verifier accepts no others.
library TcbInfoText {
    /// @dev Hard maxima; Intel's sets had at most 2 modules, 5 module levels and 4 platform levels so far.
    uint256 private constant MAX_MODULES = 8;
    uint256 private constant MAX_MODULE_LEVELS = 16;
    uint256 private constant MAX_LEVELS = 32;
    /// @dev Bytes of the longest packed set, and one word that the last write may touch.
    uint256 private constant BUFFER = 3 + MAX_MODULES * (2 + 2 * MAX_MODULE_LEVELS) + 35 * MAX_LEVELS + 64;

    /// @dev Output as TcbSet.sol reads it: number of levels 1 ‖ offset of the levels 2 ‖ modules ‖ levels, with
    /// module = number in TDX_NN 1 ‖ number of its levels 1 ‖ (isvsvn 1 ‖ status 1) each, and
    /// level = SGX component SVNs 16 ‖ TDX component SVNs 16 ‖ pcesvn 2 ‖ status 1. Order is Intel's.
    function parse(bytes calldata json) internal pure returns (ParsedCollateral memory parsed) {
        uint256 pos;
        uint256 limit;
        assembly ("memory-safe") {
            pos := json.offset
            limit := add(pos, json.length)
        }
        pos = _head(pos, parsed);
        bytes memory data = new bytes(BUFFER);
        parsed.data = data;
        uint256 out;
        assembly ("memory-safe") {
            out := add(data, 35)
        }
        uint256 levels;
        (pos, levels) = _modules(pos, limit, out);
        uint256 count;
        uint256 end;
        (pos, end, count) = _levels(pos, limit, levels);
        pos = Json.literal(pos, 1, "}");
        if (pos != limit) revert Json.MalformedJson(pos);
        assembly ("memory-safe") {
            mstore8(add(data, 32), count)
            let offset := sub(levels, add(data, 32))
            mstore8(add(data, 33), shr(8, offset))
            mstore8(add(data, 34), offset)
            mstore(data, sub(end, add(data, 32)))
        }
    }

    function _head(uint256 pos, ParsedCollateral memory parsed) private pure returns (uint256) {
        uint256 value;
        pos = Json.literal(pos, 23, '{"id":"TDX","version":3');
        (parsed.issuedAt, parsed.expiresAt, pos) = TcbText.dates(pos);
        (value, pos) = Json.hexadecimal(Json.literal(pos, 10, ',"fmspc":"'), 12);
        parsed.fmspc = bytes6(uint48(value));
        pos = Json.literal(pos, 32, '","pceId":"0000","tcbType":0,"tc');
        pos = Json.literal(pos, 23, 'bEvaluationDataNumber":');
        (value, pos) = Json.number(pos, type(uint16).max);
        parsed.evaluation = uint16(value);
        pos = _intelModule(Json.literal(pos, 14, ',"tdxModule":{'));
        return Json.literal(pos, 25, '},"tdxModuleIdentities":[');
    }

    /// @dev `"mrsigner":"0…0","attributes":"0…0","attributesMask":"F…F"`.
    function _intelModule(uint256 pos) private pure returns (uint256) {
        pos = Json.literal(pos, 12, '"mrsigner":"');
        pos = Json.literal(pos, 32, "00000000000000000000000000000000");
        pos = Json.literal(pos, 32, "00000000000000000000000000000000");
        pos = Json.literal(pos, 32, "00000000000000000000000000000000");
        pos = Json.literal(pos, 32, '","attributes":"0000000000000000');
        pos = Json.literal(pos, 20, '","attributesMask":"');
        return Json.literal(pos, 17, 'FFFFFFFFFFFFFFFF"');
    }

    function _modules(uint256 pos, uint256 limit, uint256 out) private pure returns (uint256 stop, uint256 outEnd) {
        uint256 seen;
        uint256 count;
        for (bool more = true; more; count++) {
            if (count == MAX_MODULES) revert Json.MalformedJson(pos);
            uint256 id;
            (id, pos) = Json.upperHexadecimal(Json.literal(pos, 11, '{"id":"TDX_'), 2);
            if ((seen >> id) & 1 == 1) revert Json.MalformedJson(pos);
            seen |= 1 << id;
            pos = _intelModule(Json.literal(pos, 2, '",'));
            pos = Json.literal(pos, 14, ',"tcbLevels":[');
            uint256 head = out;
            out += 2;
            uint256 levels = 0;
            for (bool moreLevels = true; moreLevels; levels++) {
                if (levels == MAX_MODULE_LEVELS) revert Json.MalformedJson(pos);
                uint256 isvSvn;
                (isvSvn, pos) = Json.number(Json.literal(pos, 17, '{"tcb":{"isvsvn":'), type(uint8).max);
                TcbStatus status;
                (status, pos) = TcbText.verdict(Json.literal(pos, 1, "}"), limit);
                assembly ("memory-safe") {
                    mstore8(out, isvSvn)
                    mstore8(add(out, 1), status)
                    out := add(out, 2)
                }
                (moreLevels, pos) = TcbText.next(pos);
            }
            assembly ("memory-safe") {
                mstore8(head, id)
                mstore8(add(head, 1), levels)
            }
            (more, pos) = TcbText.next(Json.literal(pos, 1, "}"));
        }
        return (pos, out);
    }

    function _levels(uint256 pos, uint256 limit, uint256 out)
        private
        pure
        returns (uint256 stop, uint256 outEnd, uint256 count)
    {
        pos = Json.literal(pos, 14, ',"tcbLevels":[');
        for (bool more = true; more; count++) {
            if (count == MAX_LEVELS) revert Json.MalformedJson(pos);
            uint256 sgx;
            uint256 tdx;
            uint256 pceSvn;
            TcbStatus status;
            (sgx, pos) = _components(Json.literal(pos, 28, '{"tcb":{"sgxtcbcomponents":['), limit);
            (pceSvn, pos) = Json.number(Json.literal(pos, 10, ',"pcesvn":'), type(uint16).max);
            (tdx, pos) = _components(Json.literal(pos, 21, ',"tdxtcbcomponents":['), limit);
            (status, pos) = TcbText.verdict(Json.literal(pos, 1, "}"), limit);
            assembly ("memory-safe") {
                mstore(out, or(shl(128, sgx), tdx))
                mstore(add(out, 32), or(shl(240, pceSvn), shl(232, status)))
                out := add(out, 35)
            }
            (more, pos) = TcbText.next(pos);
        }
        return (pos, out, count);
    }

    /// @dev Sixteen of `{"svn":N}` or `{"svn":N,"category":"…"}` or `{"svn":N,"category":"…","type":"…"}` and the bracket.
    function _components(uint256 pos, uint256 limit) private pure returns (uint256 svns, uint256 stop) {
        unchecked {
            for (uint256 index = 0; index < 16; index++) {
                uint256 svn;
                (svn, pos) = Json.number(Json.literal(pos, 7, '{"svn":'), type(uint8).max);
                if (Json.peek(pos) == 0x7d) pos += 1;
                else pos = Json.skipPast(Json.literal(pos, 13, ',"category":"'), limit, 0x7d);
                svns = (svns << 8) | svn;
                if (index != 15) pos = Json.literal(pos, 1, ",");
            }
            stop = Json.literal(pos, 1, "]");
        }
    }
}
