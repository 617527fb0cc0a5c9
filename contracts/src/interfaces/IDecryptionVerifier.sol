// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AcceptancePolicy,
    BatchCertificate,
    Certificate,
    DecryptionResult,
    EndorsedCertificate,
    EpochHeader,
    PolicyEvidence
} from "../types/Decryption.sol";

/// @title Acceptance of decryption results: group signature and live standing of every signer (protocol §7)
/// @notice Holds, per (key, epoch), the group key, the seats' signers and one expiry per party. Its address is the verifyingContract of
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
    error BatchSizeOutOfRange(uint256 count, uint256 maximum);
    error SignatureCountMismatch(uint256 signatures, uint256 expected);
    /// @param recovered zero where the signature is not canonical
    error BadEndorsement(uint8 index, address recovered, address expected);
    error TooFewEndorsements(uint8 endorsements, uint8 required);
    error TooFewQuotes(uint256 quotes, uint8 required);
    /// @notice Not above the party of the quote before, or no party at all.
    error QuotesUnsorted(uint8 index);

    /// @notice Returns if `result` is accepted now, reverts with the broken rule otherwise.
    /// @dev Checks the binding of the key to the gateway, range and count of the signers, the live standing of each of
    /// them, the place in the tree and the group signature. The request's own state is the gateway's matter.
    function verify(DecryptionResult calldata result, Certificate calldata certificate) external view;

    /// @notice As `verify`, for all results of a tree at once: `results` are its leaves in order, 1..MAX_BATCH.
    function verifyBatch(DecryptionResult[] calldata results, BatchCertificate calldata certificate) external view;

    /// @notice Rule E: returns if a quorum of live seats signed the tree in which `result` stands, each with the key of
    /// its seat.
    function verifyEndorsed(DecryptionResult calldata result, EndorsedCertificate calldata certificate) external view;

    /// @notice As `verify`, and besides: at least `policy.endorsements` live seats signed the same tree (rule A), and the
    /// enclaves of at least `policy.freshQuotes` live seats quoted for it. All evidence that is given must hold.
    /// `policy.groupOnly` is met by the call itself.
    function verifyWith(
        DecryptionResult calldata result,
        Certificate calldata certificate,
        PolicyEvidence calldata evidence,
        AcceptancePolicy calldata policy
    ) external view;

    /// @notice Installs the group key of a fresh epoch. Only KeyRegistry.
    /// @param expiries by party index - 1
    /// @param signers of the seats, by party index - 1; they stay for the epoch
    function installEpoch(
        bytes32 keyId,
        uint32 epoch,
        EpochHeader calldata header,
        uint32[] calldata expiries,
        address[] calldata signers
    ) external;

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

    /// @notice Most results of one `verifyBatch`.
    function MAX_BATCH() external view returns (uint256);

    /// @notice Signers of an epoch's seats, by party index - 1; empty where unknown.
    function seatsOf(bytes32 keyId, uint32 epoch) external view returns (address[] memory);

    /// @notice EIP-712 domain separator ("Twinlock", "1", chain id, this contract).
    function domainSeparator() external view returns (bytes32);

    /// @notice EIP-712 struct hash of a result: the content of its leaf.
    function hashResult(DecryptionResult calldata result) external view returns (bytes32);

    /// @notice The digest that the group signs for the tree in which `result` stands as the certificate says.
    function batchDigest(DecryptionResult calldata result, Certificate calldata certificate)
        external
        view
        returns (bytes32);

    /// @notice The digest that a seat's signer signs for a tree (rules E and A).
    function endorsedDigest(bytes32 keyId, uint32 epoch, bytes32 root, uint32 leaves) external view returns (bytes32);

    /// @notice First half of the report data of party `index`'s fresh quote for a tree; the second half is zero.
    function freshQuoteBinding(bytes32 keyId, uint32 epoch, uint8 index, bytes32 root, uint32 leaves)
        external
        view
        returns (bytes32);
}
