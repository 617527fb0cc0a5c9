// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title P256
/// @notice ECDSA over secp256r1 through the P256VERIFY precompile (EIP-7951).
/// @dev The precompile answers a wrong signature with empty return data, and so does a chain that lacks it: only
/// 32 bytes that hold 1 count as valid. A high s is accepted, so a signature never serves as an identifier.
library P256 {
    uint256 private constant PRECOMPILE = 0x100;

    /// @notice The chain has no P256VERIFY precompile, so nothing signed by the platform vendor can be checked.
    error MissingP256Precompile();

    /// @return valid whether (r, s) is a signature of `digest` under the public key (x, y)
    function verify(bytes32 digest, uint256 r, uint256 s, uint256 x, uint256 y) internal view returns (bool valid) {
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, digest)
            mstore(add(input, 0x20), r)
            mstore(add(input, 0x40), s)
            mstore(add(input, 0x60), x)
            mstore(add(input, 0x80), y)
            mstore(0, 0)
            let success := staticcall(gas(), PRECOMPILE, input, 0xa0, 0, 0x20)
            valid := and(and(success, eq(returndatasize(), 0x20)), eq(mload(0), 1))
        }
    }

    /// @notice Checks the precompile against a known signature and against the same one with its digest changed.
    function requirePrecompile() internal view {
        bytes32 digest = 0xbb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023;
        uint256 r = 0x2ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e18;
        uint256 s = 0x4cd60b855d442f5b3c7b11eb6c4e0ae7525fe710fab9aa7c77a67f79e6fadd76;
        uint256 x = 0x2927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838;
        uint256 y = 0xc7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513e;
        if (!verify(digest, r, s, x, y) || verify(~digest, r, s, x, y)) revert MissingP256Precompile();
    }
}
