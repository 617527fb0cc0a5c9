// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Expiries of up to 16 parties in two storage words, 32 bits each, party 1 lowest
/// @notice An expiry is exclusive: a party is live while block.timestamp is below it, so 0 is never live.
library PackedExpiries {
    uint256 private constant PER_WORD = 8;
    uint256 private constant BITS = 32;

    /// @param index from 1
    function get(uint256[2] storage words, uint8 index) internal view returns (uint32) {
        return uint32(words[(index - 1) / PER_WORD] >> _shift(index));
    }

    /// @param index from 1
    function set(uint256[2] storage words, uint8 index, uint32 expiry) internal {
        uint256 mask = uint256(type(uint32).max) << _shift(index);
        uint256 word = (index - 1) / PER_WORD;
        words[word] = (words[word] & ~mask) | (uint256(expiry) << _shift(index));
    }

    /// @notice Both words for expiries given by index - 1.
    function pack(uint32[] calldata expiries) internal pure returns (uint256[2] memory words) {
        for (uint256 i; i < expiries.length; ++i) {
            words[i / PER_WORD] |= uint256(expiries[i]) << ((i % PER_WORD) * BITS);
        }
    }

    /// @notice Sets the expiry of every member of `parties` (bit index - 1) to 0.
    function clear(uint256[2] storage words, uint256 parties) internal {
        for (uint256 word; word < 2; ++word) {
            uint256 mask;
            for (uint256 i; i < PER_WORD; ++i) {
                if ((parties >> (word * PER_WORD + i)) & 1 == 1) mask |= uint256(type(uint32).max) << (i * BITS);
            }
            if (mask != 0) words[word] &= ~mask;
        }
    }

    /// @notice Counts `parties` (bit index - 1), stopping at the first whose standing is over.
    /// @return count members, where all are live
    /// @return notLive index of the first that is not; 0 where all are
    /// @return expiry of that one
    function countLive(uint256[2] storage words, uint256 parties)
        internal
        view
        returns (uint8 count, uint8 notLive, uint32 expiry)
    {
        unchecked {
            for (uint256 word; parties != 0; ++word) {
                uint256 packed = words[word];
                uint256 index = word * PER_WORD;
                for (uint256 bits = parties & 0xff; bits != 0; bits >>= 1) {
                    ++index;
                    if (bits & 1 == 1) {
                        if (uint32(packed) <= block.timestamp) return (count, uint8(index), uint32(packed));
                        ++count;
                    }
                    packed >>= BITS;
                }
                parties >>= PER_WORD;
            }
        }
    }

    function _shift(uint8 index) private pure returns (uint256) {
        return ((index - 1) % PER_WORD) * BITS;
    }
}
