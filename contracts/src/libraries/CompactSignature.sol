// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ECDSA signatures in the compact form of EIP-2098: r, and s with the parity of R's y in its top bit
library CompactSignature {
    /// @dev Half of the group's order: a larger s is another form of the same signature.
    uint256 private constant MAX_S = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @notice Who signed `digest`; zero for what is no canonical signature.
    function recover(bytes32 digest, bytes32 r, bytes32 vs) internal pure returns (address signer) {
        uint256 s = (uint256(vs) << 1) >> 1;
        if (s > MAX_S) return address(0);
        return ecrecover(digest, uint8(27 + (uint256(vs) >> 255)), r, bytes32(s));
    }
}
