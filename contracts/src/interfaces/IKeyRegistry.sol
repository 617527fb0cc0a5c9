// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Activation, Committee, Host, Key, KeyStatus, Proposal} from "../types/Key.sol";
import {Role} from "../types/Node.sol";

/// @title Keys, their committees and executors (protocol §1, §4)
interface IKeyRegistry {
    event KeyProposed(bytes32 indexed keyId, uint64 indexed ceremonyNonce, Proposal proposal);
    event KeyActivated(
        bytes32 indexed keyId, uint32 indexed epoch, Host host, Activation activation, address[] parties, address[] executors
    );
    /// @param signers bit (i - 1) = party i agreed; 0 = by the guardian
    event KeyDiscarded(bytes32 indexed keyId, uint64 indexed ceremonyNonce, uint256 signers);

    error NotGovernance(address caller);
    error NotGuardian(address caller);
    error PartyCountMismatch(uint256 parties, uint8 n);
    error CommitteeSizeOutOfRange(uint8 n, uint8 t);
    error ExecutorQuorumOutOfRange(uint8 k, uint256 executors);
    error WrongRole(address signer, Role role);
    error MemberNotLive(address signer, uint32 liveUntil);
    error MemberSeated(address signer);
    error OperatorRepeated(address operator);
    /// @notice Two members share a machine, by PPID or by PIID.
    error PlatformRepeated(bytes16 ppidOrPiid);
    error ForeignHost(uint64 chainId);
    error HostMissing(address coprocessor, address gateway);
    error HostTaken(address coprocessor, bytes32 keyId);
    error DeadlineOutOfRange(uint64 deadline);
    error DigestMissing();
    error NotProposed(bytes32 keyId, KeyStatus status);
    error ProposalExpired(bytes32 keyId, uint64 deadline);
    error SignatureCountMismatch(uint256 signatures, uint256 expected);
    error BadMemberSignature(uint8 index, address recovered, address expected);
    error BadGroupSignature(bytes32 digest);
    error SignersOutOfRange(uint256 signers, uint8 n);
    error TooFewSigners(uint8 signers, uint8 agreement);
    error MemberRevoked(address signer);

    /// @notice Names committee, executors, parameters and host of a new key. Only governance.
    function propose(Proposal calldata proposal) external returns (bytes32 keyId);

    /// @notice Activates a proposed key: every party signed the same digest, and so did the group key that it names.
    /// @param signatures EIP-712 KeyActivation signature of every party, in party order
    /// @param r address of the nonce point of the group signature over the same digest
    /// @param s its response
    function activate(bytes32 keyId, Activation calldata activation, bytes[] calldata signatures, address r, uint256 s)
        external;

    /// @notice Ends a proposal for good by an agreement of its members, so that transcripts may be opened for blame.
    /// @param signers bit (i - 1) = party i
    /// @param signatures EIP-712 Discard signatures of those parties, in party order
    function discard(bytes32 keyId, uint256 signers, bytes[] calldata signatures) external;

    /// @notice Ends a proposal for good. Only the guardian.
    function guardianDiscard(bytes32 keyId) external;

    function keyOf(bytes32 keyId) external view returns (Key memory);

    /// @notice Committee of an epoch; for epoch 1 known from the proposal on.
    function committeeOf(bytes32 keyId, uint32 epoch) external view returns (Committee memory);

    /// @return executors signers, executor index = position + 1
    /// @return k executors that must agree
    function executorsOf(bytes32 keyId) external view returns (address[] memory executors, uint8 k);

    /// @return the active key that serves this coprocessor; 0 where there is none
    function keyOfHost(address coprocessor) external view returns (bytes32);

    /// @return SHA-256 of the file of the input proofs' CRS; 0 before activation
    function crsDigest(bytes32 keyId) external view returns (bytes32);

    /// @return number of the next proposal
    function nextCeremonyNonce() external view returns (uint64);

    /// @notice Key id that a proposal with this nonce and host has.
    function keyIdOf(uint64 ceremonyNonce, Host calldata host) external view returns (bytes32);

    /// @notice EIP-712 digest that every party and the group sign to activate.
    function activationDigest(bytes32 keyId, uint32 epoch, Activation calldata activation) external view returns (bytes32);

    /// @notice EIP-712 digest that members sign to discard.
    function discardDigest(bytes32 keyId) external view returns (bytes32);
}
