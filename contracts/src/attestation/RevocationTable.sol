// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title RevocationTable
/// @notice Hash table of revoked serials, built in memory and kept as the bytes of a data contract: a look-up reads
/// one or two words of code however long the list is, and 2,000 serials fit.
/// @dev Open addressing over 8-byte cells that hold the low 64 bits of the serial (0 is kept as 1; Intel's serials
/// are 160 random bits, and a chance collision would refuse a certificate, never admit one). The table ends in
/// spare cells instead of wrapping around.
library RevocationTable {
    uint256 private constant SPARE = 64;
    uint256 private constant MAX_CELLS = 3_071;
    uint256 internal constant MAX_SERIALS = 2_400;

    error TooManyRevokedSerials(uint256 count);
    error RevocationTableFull();

    /// @return table zeroed memory for `count` serials
    function create(uint256 count) internal pure returns (bytes memory table) {
        if (count > MAX_SERIALS) revert TooManyRevokedSerials(count);
        uint256 cells = 2 * count + SPARE;
        return new bytes(8 * (cells < MAX_CELLS ? cells : MAX_CELLS));
    }

    function insert(bytes memory table, uint256 serial) internal pure {
        bool full;
        assembly ("memory-safe") {
            let cells := shr(3, mload(table))
            let fingerprint := and(serial, 0xffffffffffffffff)
            fingerprint := or(fingerprint, iszero(fingerprint))
            // The word at `cell` ends in the cell, so that its low 64 bits are the cell's content.
            let cell := add(add(table, 8), shl(3, mod(fingerprint, sub(cells, SPARE))))
            let last := add(table, shl(3, cells))
            for {} and(mload(cell), 0xffffffffffffffff) { cell := add(cell, 8) } {
                if eq(cell, last) {
                    full := 1
                    break
                }
            }
            if iszero(full) { mstore(cell, or(mload(cell), fingerprint)) }
        }
        if (full) revert RevocationTableFull();
    }

    /// @param data address of the data contract that keeps the table
    function contains(address data, uint256 serial) internal view returns (bool found) {
        assembly ("memory-safe") {
            let cells := shr(3, sub(extcodesize(data), 1))
            let fingerprint := and(serial, 0xffffffffffffffff)
            fingerprint := or(fingerprint, iszero(fingerprint))
            let offset := add(1, shl(3, mod(fingerprint, sub(cells, SPARE))))
            for { let open := 1 } open {} {
                extcodecopy(data, 0, offset, 32)
                let word := mload(0)
                // Four cells at a time; an empty one, also past the end, ends the search.
                for { let shift := 192 } lt(shift, 256) { shift := sub(shift, 64) } {
                    let cell := and(shr(shift, word), 0xffffffffffffffff)
                    if iszero(cell) {
                        open := 0
                        break
                    }
                    if eq(cell, fingerprint) {
                        found := 1
                        open := 0
                        break
                    }
                }
                offset := add(offset, 32)
            }
        }
    }
}
