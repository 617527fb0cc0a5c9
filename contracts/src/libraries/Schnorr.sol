// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Schnorr signatures over secp256k1 for the price of one ecrecover
/// @notice Key P = (px, v) with v = 27 + parity of its y. Signature (r, s) with r = address(R):
/// e = keccak256(px ‖ v ‖ message ‖ r) mod n, accepted where r = address(s·G − e·P). Made by FROST(secp256k1) with this
/// challenge; no even-y convention is needed.
/// @dev A signature can be re-made by the holders of the key, so it must never serve as an identifier.
library Schnorr {
    /// @dev Order of the group.
    uint256 internal constant N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    /// @notice True where ecrecover can carry the key. Says nothing about the curve: a key that is not on it never
    /// verifies, so a registered key must have signed once.
    function isKey(uint256 px, uint8 v) internal pure returns (bool) {
        return px != 0 && px < N && (v == 27 || v == 28);
    }

    /// @notice True for a signature by (px, v) over `message`; false for everything else, never reverts.
    function verify(uint256 px, uint8 v, bytes32 message, address r, uint256 s) internal pure returns (bool) {
        // r = 0 is what ecrecover returns on failure: without its refusal broken keys "sign" everything.
        if (!isKey(px, v) || r == address(0) || s == 0 || s >= N) return false;
        uint256 e = _challenge(px, v, message, r);
        if (e == 0) return false;
        // ecrecover(h, v, px, t) = address(px⁻¹·(t·P − h·G)). With h = −s·px and t = −e·px that is s·G − e·P.
        // px, s, e lie in 1..N−1 and N is prime: both products are non-zero, both differences lie in 1..N−1.
        unchecked {
            return ecrecover(bytes32(N - mulmod(s, px, N)), v, bytes32(px), bytes32(N - mulmod(e, px, N))) == r;
        }
    }

    /// @dev keccak256(abi.encodePacked(px, v, message, r)) mod n, without allocating memory.
    function _challenge(uint256 px, uint8 v, bytes32 message, address r) private pure returns (uint256 e) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, px)
            mstore8(add(free, 0x20), v)
            mstore(add(free, 0x21), message)
            mstore(add(free, 0x41), shl(96, r))
            e := mod(keccak256(free, 0x55), N)
        }
    }
}
