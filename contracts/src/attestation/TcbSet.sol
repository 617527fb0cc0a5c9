// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TcbStatus} from "./TcbStatus.sol";

/// @title TcbSet
/// @notice Reads a packed TCB set, as TcbInfoText writes it.
library TcbSet {
    uint256 private constant HIGH_BITS = 0x8080808080808080808080808080808080808080808080808080808080808080;

    /// @notice First level, in Intel's order, all of whose SVNs the machine reaches.
    /// @param components SGX component SVNs 16 ‖ TDX component SVNs 16
    /// @return found false where the machine is below every level
    function platformStatus(bytes memory set, uint256 components, uint256 pceSvn)
        internal
        pure
        returns (bool found, TcbStatus status)
    {
        assembly ("memory-safe") {
            let head := mload(add(set, 32))
            let level := add(add(set, 32), and(shr(232, head), 0xffff))
            for { let count := byte(0, head) } count { count := sub(count, 1) } {
                let needed := mload(level)
                let rest := mload(add(level, 32))
                // All bytes of `components` at least those of `needed`: the high bit of a byte of `gap` says so for
                // the low seven bits, and the high bits themselves decide where they differ.
                let gap := sub(or(components, HIGH_BITS), and(needed, not(HIGH_BITS)))
                let reached := or(and(components, not(needed)), and(not(xor(components, needed)), gap))
                if and(eq(and(reached, HIGH_BITS), HIGH_BITS), iszero(lt(pceSvn, shr(240, rest)))) {
                    found := 1
                    status := byte(2, rest)
                    break
                }
                level := add(level, 35)
            }
        }
    }

    /// @notice First level of the TDX module that the machine runs.
    /// @param module major version of the module: teeTcbSvn[1]
    /// @param isvSvn teeTcbSvn[0]
    /// @return found false where the set does not know the module, or the module is below every level
    function moduleStatus(bytes memory set, uint256 module, uint256 isvSvn)
        internal
        pure
        returns (bool found, TcbStatus status)
    {
        assembly ("memory-safe") {
            let pos := add(set, 35)
            let end := add(add(set, 32), and(shr(232, mload(add(set, 32))), 0xffff))
            for {} lt(pos, end) {} {
                let head := mload(pos)
                let next := add(add(pos, 2), shl(1, byte(1, head)))
                if eq(byte(0, head), module) {
                    for { pos := add(pos, 2) } lt(pos, next) { pos := add(pos, 2) } {
                        let level := mload(pos)
                        if iszero(lt(isvSvn, byte(0, level))) {
                            found := 1
                            status := byte(1, level)
                            break
                        }
                    }
                    break
                }
                pos := next
            }
        }
    }
}
