// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionVerifier} from "../interfaces/IDecryptionVerifier.sol";

/// @title Header and expiries of one epoch in two storage words
/// @notice Sixteen positions of 32 bits, lowest first: position 0 is the header (v, n, quorum; 8 bits each), position i
/// the expiry of party i. Up to seven parties are read with one slot. An expiry is exclusive: a party is live while
/// block.timestamp is below it, so 0 is never live.
library EpochWords {
    uint256 private constant PER_WORD = 8;
    uint256 private constant BITS = 32;
    /// @dev Bits 31 · k. A product with at most eight bits has a copy of them at each, so that bit k of copy k stands at
    /// 32 · k.
    uint256 private constant COPIES = 0x0000000002000000040000000800000010000000200000004000000080000001;
    /// @dev Bits 32 · k: the lowest of every position.
    uint256 private constant LOWEST = 0x0000000100000001000000010000000100000001000000010000000100000001;
    /// @dev Every other position, its lowest bit, and the bit above it.
    uint256 private constant EVEN = 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
    uint256 private constant EVEN_LOWEST = 0x0000000000000001000000000000000100000000000000010000000000000001;
    uint256 private constant EVEN_CARRY = 0x0000000100000000000000010000000000000001000000000000000100000000;

    /// @notice Both words for expiries given by index - 1.
    function pack(uint8 groupV, uint8 n, uint8 quorum, uint32[] calldata expiries)
        internal
        pure
        returns (uint256[2] memory words)
    {
        words[0] = uint256(groupV) | (uint256(n) << 8) | (uint256(quorum) << 16);
        for (uint256 index = 1; index <= expiries.length; ++index) {
            words[index / PER_WORD] |= uint256(expiries[index - 1]) << _shift(index);
        }
    }

    /// @param word the first word
    function header(uint256 word) internal pure returns (uint8 groupV, uint8 n, uint8 quorum) {
        return (uint8(word), uint8(word >> 8), uint8(word >> 16));
    }

    /// @notice Reverts at the first of `parties` (bit index - 1) whose standing is over.
    /// @param first the first word, already read
    /// @param parties below 2^15
    /// @return count number of parties
    function requireLive(uint256[2] storage words, uint256 first, uint256 parties)
        internal
        view
        returns (uint256 count)
    {
        bool allLive;
        unchecked {
            // Position 0 is the header.
            uint256 named = _lowest((parties & 0x7f) << 1);
            allLive = named & ~_livePositions(first) == 0;
            count = _sum(named);
            uint256 high = parties >> 7;
            if (high != 0) {
                named = _lowest(high);
                allLive = allLive && named & ~_livePositions(words[1]) == 0;
                count += _sum(named);
            }
        }
        if (!allLive) _refuse(words, parties);
    }

    /// @param index 1..15
    function expiryOf(uint256[2] storage words, uint8 index) internal view returns (uint32) {
        return uint32(words[index / PER_WORD] >> _shift(index));
    }

    /// @param index 1..15
    function setExpiry(uint256[2] storage words, uint8 index, uint32 expiry) internal {
        uint256 word = words[index / PER_WORD] & ~_mask(index);
        words[index / PER_WORD] = word | (uint256(expiry) << _shift(index));
    }

    /// @notice Sets the expiry of all `parties` (bit index - 1) to 0.
    /// @param first the first word, already read
    /// @param parties below 2^15
    function clear(uint256[2] storage words, uint256 first, uint256 parties) internal {
        unchecked {
            uint256 low = parties & 0x7f;
            if (low != 0) words[0] = first & ~(_positions(low) << BITS);
            uint256 high = parties >> 7;
            if (high != 0) words[1] &= ~_positions(high);
        }
    }

    /// @dev Names the first of `parties` that is not live.
    function _refuse(uint256[2] storage words, uint256 parties) private view {
        for (uint8 index = 1; parties != 0; ++index) {
            uint32 expiry = expiryOf(words, index);
            if (parties & 1 == 1 && expiry <= block.timestamp) {
                revert IDecryptionVerifier.SignerNotLive(index, expiry);
            }
            parties >>= 1;
        }
        // Nobody may pass for live because the two looks at the words differ.
        revert IDecryptionVerifier.SignerNotLive(0, 0);
    }

    /// @dev The lowest bit of every position that is an expiry in the future: eight comparisons in two subtractions. The
    /// carry above a position stays where the expiry is at least the next second.
    function _livePositions(uint256 word) private view returns (uint256) {
        if (block.timestamp >= type(uint32).max) return 0;
        unchecked {
            uint256 next = (block.timestamp + 1) * EVEN_LOWEST;
            uint256 even = ((word & EVEN) | EVEN_CARRY) - next;
            uint256 odd = (((word >> BITS) & EVEN) | EVEN_CARRY) - next;
            return ((even & EVEN_CARRY) >> BITS) | (odd & EVEN_CARRY);
        }
    }

    /// @dev Number of positions whose lowest bit is set.
    function _sum(uint256 named) private pure returns (uint256) {
        unchecked {
            return (named * LOWEST) >> (BITS * (PER_WORD - 1));
        }
    }

    /// @dev The lowest bit of position k for every bit k of eight.
    function _lowest(uint256 bits) private pure returns (uint256) {
        unchecked {
            return (bits * COPIES) & LOWEST;
        }
    }

    /// @dev All bits of position k for every bit k of eight.
    function _positions(uint256 bits) private pure returns (uint256) {
        unchecked {
            return _lowest(bits) * type(uint32).max;
        }
    }

    function _mask(uint256 index) private pure returns (uint256) {
        return uint256(type(uint32).max) << _shift(index);
    }

    function _shift(uint256 index) private pure returns (uint256) {
        return (index % PER_WORD) * BITS;
    }
}
