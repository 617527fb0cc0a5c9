// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Calendar} from "./Calendar.sol";

/// @title Json
/// @notice Cursor over JSON in calldata that must be spelled exactly as a template says: no white space, no
/// reordering, no escapes. Whatever differs reverts, so collateral of an unknown shape is refused.
/// @dev Positions are absolute calldata offsets and only grow. The caller checks at the end that the last position
/// is the end of the text, which also proves that every step stayed inside it.
library Json {
    /// @notice The text at this calldata offset is not what the template has at this place.
    error MalformedJson(uint256 offset);

    /// @notice Skips `length` (≤ 32) characters, which must be the first ones of `text`.
    function literal(uint256 pos, uint256 length, bytes32 text) internal pure returns (uint256 end) {
        bool different;
        assembly ("memory-safe") {
            different := shr(sub(256, shl(3, length)), xor(calldataload(pos), text))
            end := add(pos, length)
        }
        if (different) revert MalformedJson(pos);
    }

    /// @notice The character at `pos`.
    function peek(uint256 pos) internal pure returns (uint256 character) {
        assembly ("memory-safe") {
            character := byte(0, calldataload(pos))
        }
    }

    /// @notice Reads a decimal number without leading zeros, at most `max` (below 100,000).
    function number(uint256 pos, uint256 max) internal pure returns (uint256 value, uint256 end) {
        assembly ("memory-safe") {
            end := pos
            for {} lt(sub(end, pos), 6) { end := add(end, 1) } {
                let digit := sub(byte(0, calldataload(end)), 0x30)
                if gt(digit, 9) { break }
                value := add(mul(value, 10), digit)
            }
        }
        unchecked {
            uint256 length = end - pos;
            if (length == 0 || value > max || (length > 1 && peek(pos) == 0x30)) revert MalformedJson(pos);
        }
    }

    /// @notice Reads a moment in quotation marks.
    function date(uint256 pos) internal pure returns (uint256 time, uint256 end) {
        uint256 word;
        assembly ("memory-safe") {
            word := calldataload(pos)
            end := add(pos, 22)
        }
        bool valid;
        (time, valid) = Calendar.fromIso8601(uint160(word >> 88));
        if (!valid || word >> 248 != 0x22 || uint8(word >> 80) != 0x22) revert MalformedJson(pos);
    }

    /// @notice Reads `digits` (even, ≤ 32) hexadecimal digits of either case, without quotation marks.
    /// @dev All digits at once: a letter has bit 6 set and stands for its low nibble plus 9. The value is spelled
    /// again in upper case and compared, which refuses every other character.
    function hexadecimal(uint256 pos, uint256 digits) internal pure returns (uint256 value, uint256 end) {
        bool malformed;
        assembly ("memory-safe") {
            let ones := 0x0101010101010101010101010101010101010101010101010101010101010101
            ones := shr(sub(256, shl(3, digits)), ones)
            let text := shr(sub(256, shl(3, digits)), calldataload(pos))
            let letters := and(shr(6, text), ones)
            value := add(and(text, mul(ones, 0x0f)), mul(letters, 9))
            let above9 := and(shr(4, add(value, mul(ones, 6))), ones)
            let spelled := add(add(value, mul(ones, 0x30)), mul(above9, 7))
            malformed := or(and(value, mul(ones, 0xf0)), xor(spelled, and(text, not(shl(5, letters)))))
            value := and(or(value, shr(4, value)), 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff)
            value := and(or(value, shr(8, value)), 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff)
            value := and(or(value, shr(16, value)), 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff)
            value := and(or(value, shr(32, value)), 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff)
            value := and(or(value, shr(64, value)), 0xffffffffffffffffffffffffffffffff)
            end := add(pos, digits)
        }
        if (malformed) revert MalformedJson(pos);
    }

    /// @notice Reads `digits` (even, ≤ 32) hexadecimal digits, letters in lower case.
    /// @dev Bit 5 is set in every digit and in every lower-case letter.
    function lowerHexadecimal(uint256 pos, uint256 digits) internal pure returns (uint256 value, uint256 end) {
        bool upper;
        assembly ("memory-safe") {
            let bits := shr(sub(256, shl(3, digits)), 0x2020202020202020202020202020202020202020202020202020202020202020)
            upper := xor(and(shr(sub(256, shl(3, digits)), calldataload(pos)), bits), bits)
        }
        if (upper) revert MalformedJson(pos);
        return hexadecimal(pos, digits);
    }

    /// @notice Reads `digits` (even, ≤ 32) hexadecimal digits, letters in upper case.
    /// @dev Bits 6 and 5 are set together in lower-case letters alone.
    function upperHexadecimal(uint256 pos, uint256 digits) internal pure returns (uint256 value, uint256 end) {
        bool lower;
        assembly ("memory-safe") {
            let bits := shr(sub(256, shl(3, digits)), 0x2020202020202020202020202020202020202020202020202020202020202020)
            let text := shr(sub(256, shl(3, digits)), calldataload(pos))
            lower := and(and(text, shr(1, text)), bits)
        }
        if (lower) revert MalformedJson(pos);
        return hexadecimal(pos, digits);
    }

    /// @notice Skips everything up to and including the next `character`.
    function skipPast(uint256 pos, uint256 limit, uint256 character) internal pure returns (uint256 end) {
        assembly ("memory-safe") {
            let lows := 0x7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f
            let pattern := mul(character, 0x0101010101010101010101010101010101010101010101010101010101010101)
            end := not(0)
            for { let from := pos } lt(from, limit) { from := add(from, 32) } {
                // The high bit of each byte that equals the character, exactly; then the first such byte.
                let gap := xor(calldataload(from), pattern)
                let hits := not(or(or(add(and(gap, lows), lows), gap), lows))
                if hits {
                    end := add(add(from, shr(3, clz(hits))), 1)
                    break
                }
            }
        }
        if (end > limit) revert MalformedJson(pos);
    }
}
