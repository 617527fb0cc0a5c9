// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TcbStatus} from "../attestation/TcbStatus.sol";
import {AllowListEntry, EntryStatus, NodeRecord, Registration, Role, Seat} from "../types/Node.sol";
import {Evidence, IQuoteVerifier, PlatformFacts} from "./IQuoteVerifier.sol";

/// @title Attested nodes and their standing (protocol §2, docs/attestation.md §6)
/// @notice A signer has standing while a quote that binds it was verified here, is at most seven days old, rests on
/// collateral that has not expired, and its operator, platform, allow-list entry and TCB set are still accepted.
/// Whatever ends the standing of a seated signer sets its expiry in the DecryptionVerifier in the same transaction.
///
/// It observes the collateral store: a certificate revocation ends the standing of the seats that rest on it as it
/// becomes active, and of everybody else at the call of `invalidate`.
///
/// Powers: governance admits operators, adds entries and lowers floors behind a timelock; guardian and governance
/// remove, deny, revoke, veto and raise floors at once. Nobody can give standing without a quote.
interface INodeRegistry {
    event OperatorAdmitted(address indexed operator);
    event OperatorRemoved(address indexed operator);
    event EntryProposed(uint32 indexed entryId, AllowListEntry entry, uint256 activeAt);
    event EntryWithdrawn(uint32 indexed entryId);
    event EntryActivated(uint32 indexed entryId);
    event EntryRemoved(uint32 indexed entryId);
    event FloorsProposed(uint16 tcb, uint16 qe, uint256 activeAt);
    event FloorsWithdrawn();
    event FloorsSet(uint16 tcb, uint16 qe);
    event NodeRegistered(
        address indexed signer,
        address indexed operator,
        Role role,
        bytes32 peerIdHash,
        bytes32 configHash,
        bytes16 ppid,
        bytes16 piid
    );
    event NodeAttested(
        address indexed signer,
        uint32 indexed entryId,
        uint64 challengeBlock,
        uint32 expiresAt,
        uint16 tcbEvaluation,
        uint16 qeEvaluation
    );
    /// @notice The quote was accepted on collateral past its date, in the collateral store's grace.
    event NodeInGrace(address indexed signer, uint32 expiresAt);
    event NodeRefreshed(address indexed signer, uint32 expiresAt, uint16 tcbEvaluation, uint16 qeEvaluation);
    event NodeInvalidated(address indexed signer);
    event NodeExiting(address indexed signer, uint32 expiresAt);
    event NodeRevoked(address indexed signer);
    event PlatformDenied(bytes16 indexed ppidOrPiid);
    event PlatformAllowed(bytes16 indexed ppidOrPiid);
    event SeatAssigned(address indexed signer, bytes32 indexed keyId, uint32 indexed epoch, uint8 index);
    event SeatReleased(address indexed signer, bytes32 indexed keyId, uint32 indexed epoch, uint8 index);

    error NotGovernance(address caller);
    error NotGovernanceOrGuardian(address caller);
    error NotKeyRegistry(address caller);
    error NotOperator(address caller, address operator);
    error ChallengeAgeOutOfRange(uint64 maxChallengeAge);
    error TimelockRunning(uint256 activeAt, uint256 time);
    /// @notice The proposal was not activated in time.
    error ProposalLapsed(uint256 until, uint256 time);
    error EntryIncomplete();
    error WrongEntryStatus(uint32 entryId, EntryStatus status);
    error MeasurementTaken(uint32 entryId);
    /// @notice Its software was removed since it was proposed: a new proposal is needed.
    error EntryOlderThanRemoval(uint32 entryId);
    error NoFloorsProposed();
    error FloorsNotHigher(uint16 tcb, uint16 qe);
    error WrongRole(Role role);
    error OperatorNotAdmitted(address operator);
    error OperatorConsentMissing(address operator, bytes32 digest);
    error SignerMissing();
    error AlreadyRegistered(address signer);
    error UnknownSigner(address signer);
    error SignerRevoked(address signer);
    error SignerExiting(address signer);
    error PlatformMissing();
    error PlatformIsDenied(bytes16 ppidOrPiid);
    /// @notice The platform was denied after this signer registered: only a fresh signer may come back.
    error SignerOlderThanDenial(address signer, uint64 deniedAt);
    /// @notice The machine differs from the one that registered: a fresh signer is needed.
    error PlatformChanged(address signer);
    /// @notice The software differs from that of the last quote: a fresh signer is needed.
    error MeasurementChanged(address signer, uint32 entryId);
    error TcbStatusNotAccepted(TcbStatus status);
    /// @notice A quote that must be fresh rests on collateral past its date.
    error QuoteInGrace(address signer);
    error NotAllowListed(Role role, bytes32 imageId, bytes32 composeHash);
    error ReportDataMismatch(bytes32 quoted, bytes32 expected);
    error ChallengeHashMismatch(bytes32 quoted, bytes32 expected);
    error ChallengeTooOld(uint64 challengeBlock, uint256 currentBlock);
    /// @notice The challenge is not a past block, or not newer than `after_`: the last challenge, a revocation, or a change of
    /// the floors downwards.
    error ChallengeNotFresh(uint64 challengeBlock, uint256 after_);
    error NotLive(address signer);
    /// @notice The collateral of now supports the stored evidence.
    error NodeStillGood(address signer);
    /// @notice Judged now, the stored evidence gives nothing better than the signer has.
    error NothingToRefresh(address signer, uint32 expiresAt);
    /// @notice No verdict on the stored evidence: too little gas.
    error JudgementFailed(address signer);
    /// @notice The certificate behind the signer's last quote is revoked: a fresh signer is needed.
    error EvidenceRevoked(address signer);
    error SignerSeated(address signer, bytes32 keyId, uint32 epoch, uint8 index);
    /// @notice The operator has a seat in this key that the new one does not succeed.
    error OperatorSeated(address operator, bytes32 keyId, uint32 epoch);
    error SignerNotSeated(address signer);
    /// @notice The signer is neither revoked nor out after its exit.
    error SeatInUse(address signer);
    error SeatTaken(bytes32 keyId, uint32 epoch, uint8 index);
    error SeatOutOfRange(uint8 index);
    error TooManySeats();

    /// @notice Registers a fresh signer. Sent by the operator, or by anyone with its consent.
    /// @param consent EIP-712 signature of the operator (ECDSA or ERC-1271) over `registration`; unused where the
    /// operator sends
    function register(Registration calldata registration, Evidence calldata evidence, bytes calldata consent) external;

    /// @notice Renews the standing of a registered signer with a newer quote. Anyone may send it: the quote binds
    /// everything.
    function renew(address signer, uint64 challengeBlock, Evidence calldata evidence) external;

    /// @notice Judges the stored evidence of a signer under the collateral of now and prolongs its standing by what that
    /// gives, never beyond seven days after its quote. Anyone.
    function refresh(address signer) external;

    /// @notice Ends the standing of a signer whose stored evidence the collateral of now does not support, until it
    /// renews; for good where its certificate is revoked. Anyone. Reverts with NodeStillGood where nothing is wrong.
    function invalidate(address signer) external;

    /// @notice The operator takes its signer out: at once, or after `EXIT_DELAY` where it has a seat. Final.
    function exit(address signer) external;

    /// @notice Ends a signer for good, also one that has not registered yet. Registrations and renewals of its
    /// operator and platform that rest on an older challenge are void.
    function revoke(address signer) external;

    /// @notice Ends the standing of every signer on a machine, named by its PPID or its PIID. Stays until lifted: no
    /// quote of that machine is taken meanwhile, and signers of before never return.
    function denyPlatform(bytes16 ppidOrPiid) external;
    /// @notice Lets fresh signers of a denied machine register again.
    function allowPlatform(bytes16 ppidOrPiid) external;

    function admitOperator(address operator) external;
    function removeOperator(address operator) external;

    /// @notice Starts the timelock of an entry. @return entryId never used before
    function proposeEntry(AllowListEntry calldata entry) external returns (uint32 entryId);
    /// @notice Vetoes a proposed entry.
    function withdrawEntry(uint32 entryId) external;
    /// @notice Anyone, in the thirty days after the timelock, unless its software was removed since it was proposed.
    function activateEntry(uint32 entryId) external;
    /// @notice Removes an active entry and zeroes the expiries of its seats. A new entry of the same content brings
    /// nobody back before a renewal.
    function removeEntry(uint32 entryId) external;

    /// @notice Starts the timelock of new floors, higher or lower, which can then be activated for thirty days. After a
    /// change downwards, quotes from before give no standing and no seat; a signer that was above the floors stays, one
    /// that had fallen below them needs a newer quote.
    function proposeFloors(uint16 tcb, uint16 qe) external;
    function withdrawFloors() external;
    function activateFloors() external;
    /// @notice Raises the floors at once, zeroes the expiries of seats below and takes a pending proposal back. What newer sets support comes back by
    /// `refresh`, and stays if it was refreshed before.
    function raiseFloors(uint16 tcb, uint16 qe) external;

    /// @notice Gives a signer its seat: from now on renewals and removals write through to the verifier. Only
    /// KeyRegistry, in the transaction that installs the epoch with the signer's current expiry. In each key an operator
    /// has one seat, and beside it at most one in a later epoch: its successor's. A signer has one seat in all.
    function assignSeat(address signer, bytes32 keyId, uint32 epoch, uint8 index) external;

    /// @notice Ends the seat and its expiry. Only KeyRegistry: for epochs and keys that end, of which its present version
    /// knows none.
    function releaseSeat(address signer) external;

    /// @notice Ends the seat of a signer that is revoked, or out after its exit, so that its operator can be seated again
    /// and the place counts no more. Anyone. Its expiry is zero for good: such a signer never renews.
    function vacateSeat(address signer) external;

    /// @return the record of a signer; all zero where it never registered
    function nodeOf(address signer) external view returns (NodeRecord memory);

    /// @return end of the signer's standing in seconds, exclusive (live while block.timestamp is below it); 0 where it
    /// is unknown, revoked, exited, or its allow-list entry or TCB set is no longer accepted
    function liveUntil(address signer) external view returns (uint32);

    function seatOf(address signer) external view returns (Seat memory);

    /// @return seat of the operator's signer in this key, and that of its successor in a later epoch; `index` 0 where
    /// there is none
    function seatsOfOperator(address operator, bytes32 keyId)
        external
        view
        returns (Seat memory seat, Seat memory successor);

    /// @return parties of a committee (bit index - 1) whose newest quote rests on collateral past its date. Whoever
    /// does not accept that refuses certificates that name one of them.
    function graceOf(bytes32 keyId, uint32 epoch) external view returns (uint256 parties);

    /// @notice The machine of a signer's newest quote.
    function platformOf(address signer) external view returns (PlatformFacts memory);

    /// @notice Who verifies quotes here.
    function quoteVerifier() external view returns (IQuoteVerifier);

    /// @notice Lowest accepted evaluation numbers.
    function floors() external view returns (uint16 tcb, uint16 qe);
    function entryOf(uint32 entryId) external view returns (AllowListEntry memory entry, EntryStatus status);
    /// @return entryId the active entry for this software in this role; 0 where there is none
    function entryFor(Role role, bytes32 imageId, bytes32 composeHash) external view returns (uint32 entryId);
    function isAdmitted(address operator) external view returns (bool);

    /// @notice First half of the report data of a quote for this registration; the second half is the challenge
    /// block's hash.
    function reportDataOf(Registration calldata registration) external view returns (bytes32);
    /// @notice EIP-712 digest of the operator's consent.
    function consentDigest(Registration calldata registration) external view returns (bytes32);
}
