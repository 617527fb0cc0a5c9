// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {TwinlockDomain} from "./TwinlockDomain.sol";

/// @title An executor's word that it verified the proof of an input list and holds its ciphertexts
library InputAttestation {
    bytes32 private constant TYPE = keccak256(
        "InputAttestation(bytes32 keyId,address coprocessor,address contractAddress,address user,bytes32 listDigest,bytes32[] handles)"
    );

    /// @dev The calling contract is the coprocessor of the message.
    function digest(
        address verifier,
        bytes32 keyId,
        address contractAddress,
        address user,
        bytes32 listDigest,
        bytes32[] calldata handles
    ) internal view returns (bytes32) {
        bytes32 structHash = keccak256(
            abi.encode(
                TYPE, keyId, address(this), contractAddress, user, listDigest, keccak256(abi.encodePacked(handles))
            )
        );
        return MessageHashUtils.toTypedDataHash(TwinlockDomain.separator(verifier), structHash);
    }

    /// @return who signed; 0 for a malformed signature
    function signerOf(bytes32 messageDigest, bytes calldata signature) internal pure returns (address) {
        (address signer,,) = ECDSA.tryRecoverCalldata(messageDigest, signature);
        return signer;
    }
}
