// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DataContract} from "../attestation/DataContract.sol";
import {IDecryptionVerifier} from "../interfaces/IDecryptionVerifier.sol";
import {CompactSignature} from "./CompactSignature.sol";

/// @title The signers of an epoch's seats, and their signatures
/// @notice Fixed when the epoch is installed, so they are kept as the code of a contract: one cold access reads all of
/// them, where a slot each would cost 2,100 gas per signature.
library SeatSigners {
    uint256 private constant BYTES = 20;

    /// @param signers by party index - 1
    function write(address[] calldata signers) internal returns (address pos) {
        bytes memory packed = new bytes(BYTES * signers.length);
        for (uint256 i; i < signers.length; ++i) {
            address signer = signers[i];
            assembly ("memory-safe") {
                // The last word reaches at most 12 zero bytes past the array, where nothing is kept yet.
                mstore(add(add(packed, 0x20), mul(i, BYTES)), shl(96, signer))
            }
        }
        return DataContract.write(packed, address(0));
    }

    /// @param pos what {write} returned; zero for none
    function read(address pos) internal view returns (address[] memory signers) {
        if (pos == address(0)) return signers;
        bytes memory packed = DataContract.read(pos);
        signers = new address[](packed.length / BYTES);
        for (uint256 i; i < signers.length; ++i) signers[i] = _at(packed, i + 1);
    }

    /// @notice Reverts unless there is exactly one signature by each of `parties`, ascending by party.
    /// @param pos what {write} returned
    /// @param parties bit (index - 1); within the committee
    /// @param count of parties
    function requireSignatures(
        address pos,
        uint256 parties,
        uint256 count,
        bytes32 digest,
        bytes32[2][] calldata signatures
    ) internal view {
        if (signatures.length != count) revert IDecryptionVerifier.SignatureCountMismatch(signatures.length, count);
        if (count == 0) return;
        bytes memory packed = DataContract.read(pos);
        uint256 next;
        unchecked {
            for (uint256 index = 1; parties != 0; ++index) {
                if (parties & 1 == 1) {
                    bytes32[2] calldata signature = signatures[next++];
                    address signer = CompactSignature.recover(digest, signature[0], signature[1]);
                    address expected = _at(packed, index);
                    // Nobody is seated at zero, which is what a broken signature recovers to.
                    if (signer != expected || signer == address(0)) {
                        revert IDecryptionVerifier.BadEndorsement(uint8(index), signer, expected);
                    }
                }
                parties >>= 1;
            }
        }
    }

    function _at(bytes memory packed, uint256 index) private pure returns (address signer) {
        assembly ("memory-safe") {
            signer := shr(96, mload(add(add(packed, 0x20), mul(sub(index, 1), BYTES))))
        }
    }
}
