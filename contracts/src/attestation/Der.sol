// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Calendar} from "./Calendar.sol";

/// @title Der
/// @notice Strict reader of DER in calldata (X.690): definite, minimal lengths; positive, minimal integers.
/// @dev Positions are absolute calldata offsets. Every element must end at or before `limit`, the end of the element
/// around it, so a walk that starts with the bounds of a `bytes calldata` never leaves it.
library Der {
    uint256 internal constant INTEGER = 0x02;
    uint256 internal constant BIT_STRING = 0x03;
    uint256 internal constant OCTET_STRING = 0x04;
    uint256 internal constant OBJECT_IDENTIFIER = 0x06;
    uint256 internal constant SEQUENCE = 0x30;

    /// @notice The DER at this calldata offset is not what stands at this place of an Intel certificate or CRL.
    error MalformedDer(uint256 offset);

    /// @return pos offset of the first byte
    /// @return limit offset after the last byte
    function bounds(bytes calldata data) internal pure returns (uint256 pos, uint256 limit) {
        assembly ("memory-safe") {
            pos := data.offset
            limit := add(data.offset, data.length)
        }
    }

    /// @notice Opens the element at `pos`, which must have this tag.
    /// @return start offset of its content
    /// @return end offset after its content
    function open(uint256 pos, uint256 limit, uint256 tag) internal pure returns (uint256 start, uint256 end) {
        bool malformed;
        assembly ("memory-safe") {
            let head := calldataload(pos)
            let length := byte(1, head)
            start := add(pos, 2)
            if gt(length, 0x7f) {
                let width := sub(length, 0x80)
                start := add(start, width)
                length := shr(sub(256, shl(3, width)), shl(16, head))
                // At most three length bytes, the first not zero, and the short form wherever it fits.
                malformed := or(or(iszero(width), gt(width, 3)), or(iszero(byte(2, head)), lt(length, 0x80)))
            }
            end := add(start, length)
            malformed := or(malformed, or(xor(byte(0, head), tag), gt(end, limit)))
        }
        if (malformed) revert MalformedDer(pos);
    }

    /// @notice Reads a positive INTEGER of at most 256 bits.
    /// @return value the integer
    /// @return end offset after the element
    function integer(uint256 pos, uint256 limit) internal pure returns (uint256 value, uint256 end) {
        uint256 start;
        (start, end) = open(pos, limit, INTEGER);
        bool malformed;
        assembly ("memory-safe") {
            let length := sub(end, start)
            let head := calldataload(start)
            switch byte(0, head)
            case 0 {
                // A leading zero byte is there only to keep the sign, or for the number zero itself.
                malformed := and(gt(length, 1), lt(byte(1, head), 0x80))
                if gt(length, 1) {
                    start := add(start, 1)
                    length := sub(length, 1)
                }
            }
            default { malformed := gt(byte(0, head), 0x7f) }
            malformed := or(malformed, or(iszero(length), gt(length, 32)))
            value := shr(sub(256, shl(3, length)), calldataload(start))
        }
        if (malformed) revert MalformedDer(pos);
    }

    /// @notice Reads a UTCTime (YYMMDDHHMMSSZ, years 2000 to 2049: Intel's certificates use no other form).
    /// @return time seconds since 1970
    /// @return end offset after the element
    function utcTime(uint256 pos, uint256 limit) internal pure returns (uint256 time, uint256 end) {
        uint256 word = load(pos);
        bool valid;
        (time, valid) = Calendar.fromUtcTime(uint104(word >> 136));
        unchecked {
            end = pos + 15;
        }
        if (!valid || word >> 240 != 0x170d || end > limit) revert MalformedDer(pos);
    }

    /// @notice The 32 bytes at a calldata offset.
    function load(uint256 pos) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(pos)
        }
    }

    /// @notice Whether the `length` (≤ 32) bytes at `pos` equal the low bytes of `expected`, and end by `limit`.
    function matches(uint256 pos, uint256 limit, uint256 length, uint256 expected) internal pure returns (bool same) {
        assembly ("memory-safe") {
            same := and(
                eq(shr(sub(256, shl(3, length)), calldataload(pos)), expected), iszero(gt(add(pos, length), limit))
            )
        }
    }

    /// @notice keccak256 of a calldata range.
    function hash(uint256 pos, uint256 end) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let copy := mload(0x40)
            calldatacopy(copy, pos, sub(end, pos))
            digest := keccak256(copy, sub(end, pos))
        }
    }

    /// @notice SHA-256 of a calldata range.
    function sha(uint256 pos, uint256 end) internal view returns (bytes32 digest) {
        assembly ("memory-safe") {
            let copy := mload(0x40)
            let length := sub(end, pos)
            calldatacopy(copy, pos, length)
            if iszero(staticcall(gas(), 2, copy, length, 0, 0x20)) { revert(0, 0) }
            digest := mload(0)
        }
    }
}
