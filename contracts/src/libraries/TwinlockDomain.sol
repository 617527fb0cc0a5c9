// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The EIP-712 domain of every typed message: ("Twinlock", "1", chain id, DecryptionVerifier) (protocol §1)
library TwinlockDomain {
    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME = keccak256("Twinlock");
    bytes32 private constant VERSION = keccak256("1");

    /// @param verifier address of the DecryptionVerifier
    function separator(address verifier) internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPE, NAME, VERSION, block.chainid, verifier));
    }
}
