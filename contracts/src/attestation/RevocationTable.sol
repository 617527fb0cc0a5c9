// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title RevocationTable
/// @notice Hash table of revoked serials, built in memory and kept as the bytes of a data contract: a look-up reads a
/// few bytes of code however long the list is, and more than 2,000 serials fit.
/// @dev Open addressing with linear probing over 8-byte cells that hold the low 64 bits of the serial (0 is kept as 1;
/// Intel's serials are 160 random bits, and a chance collision would refuse a certificate, never admit one). There are
/// always more cells than serials, so every search ends at an empty one.
library RevocationTable {
    uint256 private constant MAX_CELLS = 3_071;
    uint256 internal constant MAX_SERIALS = 2_400;

    error TooManyRevokedSerials(uint256 count);

    /// @return count the same, where a table can hold as many
    function requireCount(uint256 count) internal pure returns (uint256) {
        if (count > MAX_SERIALS) revert TooManyRevokedSerials(count);
        return count;
    }

    /// @return table zeroed memory for `count` serials
    function create(uint256 count) internal pure returns (bytes memory table) {
        requireCount(count);
        uint256 cells = 2 * count < MAX_CELLS ? 2 * count : MAX_CELLS;
        return new bytes(8 * cells);
    }

    function insert(bytes memory table, uint256 serial) internal pure {
        assembly ("memory-safe") {
            let cells := shr(3, mload(table))
            let fingerprint := and(serial, 0xffffffffffffffff)
            fingerprint := or(fingerprint, iszero(fingerprint))
            let index := mod(fingerprint, cells)
            // The word at `cell` ends with the cell: its low 64 bits are the cell's content.
            let cell := add(add(table, 8), shl(3, index))
            for {} and(mload(cell), 0xffffffffffffffff) {} {
                index := mod(add(index, 1), cells)
                cell := add(add(table, 8), shl(3, index))
            }
            mstore(cell, or(mload(cell), fingerprint))
        }
    }

    /// @param data address of the data contract that keeps the table
    function contains(address data, uint256 serial) internal view returns (bool found) {
        assembly ("memory-safe") {
            let cells := shr(3, sub(extcodesize(data), 1))
            let fingerprint := and(serial, 0xffffffffffffffff)
            fingerprint := or(fingerprint, iszero(fingerprint))
            let index := mod(fingerprint, cells)
            mstore(0, 0)
            for {} 1 { index := mod(add(index, 1), cells) } {
                extcodecopy(data, 24, add(1, shl(3, index)), 8)
                let cell := mload(0)
                if or(iszero(cell), eq(cell, fingerprint)) {
                    found := eq(cell, fingerprint)
                    break
                }
            }
        }
    }
}
