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
    /// @return count number of parties
    function requireLive(uint256[2] storage words, uint256 first, uint256 parties)
        internal
        view
        returns (uint256 count)
    {
        uint256 packed = first >> BITS;
        unchecked {
            for (uint256 index = 1; parties != 0; ++index) {
                if (index == PER_WORD) packed = words[1];
                if (parties & 1 == 1) {
                    if (uint32(packed) <= block.timestamp) {
                        revert IDecryptionVerifier.SignerNotLive(uint8(index), uint32(packed));
                    }
                    ++count;
                }
                packed >>= BITS;
                parties >>= 1;
            }
        }
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

    /// @dev All bits of position k for every bit k of eight.
    function _positions(uint256 bits) private pure returns (uint256) {
        unchecked {
            return ((bits * COPIES) & LOWEST) * type(uint32).max;
        }
    }

    function _mask(uint256 index) private pure returns (uint256) {
        return uint256(type(uint32).max) << _shift(index);
    }

    function _shift(uint256 index) private pure returns (uint256) {
        return (index % PER_WORD) * BITS;
    }
}
