// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title DataContract
/// @notice Immutable bytes kept as the code of a contract that can only be read: one cold access reads them all. At
/// most 12 bytes are kept in the place of the address instead, which costs nothing.
/// @dev The code is a STOP byte and the data, so a call to it does nothing. Short data: 7 zero bytes ‖ length + 1 ‖
/// data, right-aligned in 12 bytes. No contract is taken whose address looks like that.
library DataContract {
    uint256 internal constant MAX_LENGTH = 24_575;
    uint256 internal constant SHORT_LENGTH = 12;

    error DataTooLong(uint256 length);
    error DataNotWritten();

    /// @notice Keeps `data`, or finds that `held` holds the same already.
    function write(bytes memory data, address held) internal returns (address pos) {
        uint256 length = data.length;
        if (length > MAX_LENGTH) revert DataTooLong(length);
        if (length <= SHORT_LENGTH) {
            assembly ("memory-safe") {
                let content := shr(sub(256, shl(3, length)), mload(add(data, 32)))
                pos := or(shl(96, add(length, 1)), content)
            }
            return pos;
        }
        assembly ("memory-safe") {
            // The length word, zero for a moment, ends in the STOP byte.
            mstore(data, 0)
            let hash := keccak256(add(data, 31), add(length, 1))
            pos := held
            if xor(extcodehash(held), hash) {
                let code := mload(0x40)
                // PUSH2 length+1, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN
                mstore(code, or(or(shl(248, 0x61), shl(232, add(length, 1))), shl(176, 0x80600a3d393df3)))
                mcopy(add(code, 10), add(data, 31), add(length, 1))
                pos := create(0, code, add(length, 11))
            }
            mstore(data, length)
        }
        if (_isShort(pos)) revert DataNotWritten();
    }

    /// @notice All bytes kept at `pos`, which must come from `write`.
    function read(address pos) internal view returns (bytes memory data) {
        bool short = _isShort(pos);
        assembly ("memory-safe") {
            data := mload(0x40)
            switch short
            case 0 {
                let size := extcodesize(pos)
                let length := sub(size, gt(size, 0))
                mstore(0x40, and(add(add(data, length), 63), not(31)))
                mstore(data, length)
                extcodecopy(pos, add(data, 32), 1, length)
            }
            default {
                let length := sub(shr(96, pos), 1)
                mstore(0x40, add(data, 64))
                mstore(data, length)
                mstore(add(data, 32), shl(sub(256, shl(3, length)), pos))
            }
        }
    }

    function _isShort(address pos) private pure returns (bool) {
        return uint160(pos) >> 104 == 0;
    }
}
