// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Certificate, DecryptionResult, EpochHeader} from "../types/Decryption.sol";

/// @title Acceptance of decryption results: group signature and live standing of every signer (protocol §7)
/// @notice Holds, per (key, epoch), the group key and one expiry per party. Its address is the verifyingContract of
/// every EIP-712 message of Twinlock.
interface IDecryptionVerifier {
    event EpochInstalled(
        bytes32 indexed keyId,
        uint32 indexed epoch,
        address gateway,
        uint256 groupX,
        uint8 groupV,
        uint8 n,
        uint8 quorum,
        uint32[] expiries
    );
    /// @param expiry end of the party's standing in seconds, exclusive; 0 = removed
    event ExpirySet(bytes32 indexed keyId, uint32 indexed epoch, uint8 indexed index, uint32 expiry);
    /// @param committeeIds seats as in `clearExpiries`
    event ExpiriesCleared(uint256[4] committeeIds, uint256 seats);

    error NotKeyRegistry(address caller);
    error NotNodeRegistry(address caller);
    error EpochAlreadyInstalled(bytes32 keyId, uint32 epoch);
    error UnknownEpoch(bytes32 keyId, uint32 epoch, address gateway);
    error UnknownCommittee(uint64 committeeId);
    error BadGroupKey(uint256 groupX, uint8 groupV);
    error BadCommitteeSize(uint256 n, uint8 quorum);
    error PartyOutOfRange(uint8 index, uint8 n);
    error SignersOutOfRange(uint256 signers, uint8 n);
    error TooFewSigners(uint8 signers, uint8 quorum);
    error SignerNotLive(uint8 index, uint32 expiry);
    error BadPath(uint256 index, uint256 leaves, uint256 pathLength);
    error BadGroupSignature(bytes32 digest);

    /// @notice Returns if `result` is accepted now, reverts with the broken rule otherwise.
    /// @dev Checks the binding of the key to the gateway, range and count of the signers, the live standing of each of
    /// them, the place in the tree and the group signature. The request's own state is the gateway's matter.
    function verify(DecryptionResult calldata result, Certificate calldata certificate) external view;

    /// @notice Installs the group key of a fresh epoch. Only KeyRegistry.
    /// @param expiries by party index - 1
    function installEpoch(bytes32 keyId, uint32 epoch, EpochHeader calldata header, uint32[] calldata expiries) external;

    /// @notice Sets the end of one party's standing. Only NodeRegistry.
    function setExpiry(bytes32 keyId, uint32 epoch, uint8 index, uint32 expiry) external;

    /// @notice Ends the standing of many parties of up to sixteen committees at once. Only NodeRegistry.
    /// @param committeeIds of committee 0 in the lowest 64 bits of the first word, four to a word
    /// @param seats 16 bits per committee, the lowest for committee 0: bit (i - 1) of them = party i
    function clearExpiries(uint256[4] calldata committeeIds, uint256 seats) external;

    /// @notice Short name of an installed epoch, for `clearExpiries`.
    function committeeIdOf(bytes32 keyId, uint32 epoch) external view returns (uint64);

    /// @notice Group key, committee size, quorum and gateway of an epoch; all zero where unknown.
    function headerOf(bytes32 keyId, uint32 epoch) external view returns (EpochHeader memory);

    /// @notice End of a party's standing in seconds, exclusive; 0 where it has none.
    function expiryOf(bytes32 keyId, uint32 epoch, uint8 index) external view returns (uint32);

    /// @notice EIP-712 domain separator ("Twinlock", "1", chain id, this contract).
    function domainSeparator() external view returns (bytes32);

    /// @notice EIP-712 struct hash of a result: the content of its leaf.
    function hashResult(DecryptionResult calldata result) external view returns (bytes32);

    /// @notice The digest that the group signs for the tree in which `result` stands as the certificate says.
    function batchDigest(DecryptionResult calldata result, Certificate calldata certificate)
        external
        view
        returns (bytes32);
}
