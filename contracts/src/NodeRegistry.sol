// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {TcbStatus} from "./attestation/TcbStatus.sol";
import {IDecryptionVerifier} from "./interfaces/IDecryptionVerifier.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {Appraisal, Evidence, IQuoteVerifier, PlatformFacts} from "./interfaces/IQuoteVerifier.sol";
import {BlockHistory} from "./libraries/BlockHistory.sol";
import {TwinlockDomain} from "./libraries/TwinlockDomain.sol";
import {AllowList} from "./registry/AllowList.sol";
import {Floors} from "./registry/Floors.sol";
import {Governed} from "./registry/Governed.sol";
import {SeatBook, Seats} from "./registry/SeatBook.sol";
import {NodeRecord, Registration, Role, Seat} from "./types/Node.sol";

/// @title NodeRegistry
/// @notice See INodeRegistry. The standing of a signer is computed from its record and from what is accepted now, so
/// that removals reach any number of registered signers without touching them; only seated ones, at most 64, have
/// expiries in the DecryptionVerifier that removals write.
contract NodeRegistry is INodeRegistry, AllowList, Floors {
    using SeatBook for Seats;

    /// @param seat number of its seat plus one; 0 without
    /// @param registeredBlock challenge block of its first quote
    struct Node {
        address operator;
        Role role;
        uint32 expiresAt;
        uint32 entryId;
        uint16 seat;
        // second slot
        bytes16 ppid;
        uint40 challengeBlock;
        uint40 registeredBlock;
        uint16 tcbEvaluation;
        uint16 qeEvaluation;
        bool revoked;
        bool exiting;
        bytes32 peerIdHash;
        bytes32 configHash;
        PlatformFacts platform;
    }

    /// @param removedAt block of the last removal: older challenges have no standing
    /// @param revokedAt block of the last removal or revocation of a signer: older challenges are refused
    struct Operator {
        bool admitted;
        uint40 removedAt;
        uint40 revokedAt;
    }

    /// @param deniedAt block of the last denial: signers that registered before it have no standing
    /// @param revokedAt block of the last denial or revocation of a signer: older challenges are refused
    struct Platform {
        bool denied;
        uint40 deniedAt;
        uint40 revokedAt;
    }

    bytes32 private constant REGISTRATION_TAG = keccak256("twinlock/registration/v1");
    bytes32 private constant REGISTRATION_TYPE = keccak256(
        "Registration(address operator,uint8 role,address signer,bytes32 peerIdHash,bytes32 configHash,uint64 challengeBlock)"
    );
    uint256 public constant STANDING = 7 days;
    uint256 public constant EXIT_DELAY = 1 days;

    address public immutable keyRegistry;
    IDecryptionVerifier public immutable verifier;
    IQuoteVerifier public immutable quoteVerifier;
    /// @notice Largest age of a challenge in blocks.
    uint64 public immutable maxChallengeAge;

    mapping(address signer => Node) private _nodes;
    mapping(address operator => Operator) private _operators;
    mapping(bytes16 ppid => Platform) private _platforms;
    Seats private _seats;

    /// @param maxChallengeAge_ in blocks, at most what the chain's block history keeps
    /// @param tcbFloor qeFloor first floors of the evaluation numbers
    constructor(
        address keyRegistry_,
        IDecryptionVerifier verifier_,
        IQuoteVerifier quoteVerifier_,
        address governance_,
        address guardian_,
        uint64 maxChallengeAge_,
        uint16 tcbFloor,
        uint16 qeFloor
    ) Governed(governance_, guardian_) Floors(tcbFloor, qeFloor) {
        if (maxChallengeAge_ == 0 || maxChallengeAge_ > BlockHistory.WINDOW) {
            revert ChallengeAgeOutOfRange(maxChallengeAge_);
        }
        keyRegistry = keyRegistry_;
        verifier = verifier_;
        quoteVerifier = quoteVerifier_;
        maxChallengeAge = maxChallengeAge_;
    }

    /// @inheritdoc INodeRegistry
    function register(Registration calldata registration, Evidence calldata evidence, bytes calldata consent) external {
        if (registration.role == Role.None) revert WrongRole(registration.role);
        if (registration.signer == address(0)) revert SignerMissing();
        Node storage node = _nodes[registration.signer];
        if (node.revoked) revert SignerRevoked(registration.signer);
        if (node.operator != address(0)) revert AlreadyRegistered(registration.signer);
        if (msg.sender != registration.operator) {
            bytes32 digest = consentDigest(registration);
            if (!SignatureChecker.isValidSignatureNowCalldata(registration.operator, digest, consent)) {
                revert OperatorConsentMissing(registration.operator, digest);
            }
        }
        Appraisal memory appraisal = _appraise(registration, evidence);
        node.operator = registration.operator;
        node.role = registration.role;
        node.ppid = appraisal.ppid;
        node.registeredBlock = uint40(registration.challengeBlock);
        node.peerIdHash = registration.peerIdHash;
        node.configHash = registration.configHash;
        emit NodeRegistered(
            registration.signer,
            registration.operator,
            registration.role,
            registration.peerIdHash,
            registration.configHash,
            appraisal.ppid
        );
        _record(registration, appraisal);
    }

    /// @inheritdoc INodeRegistry
    function renew(address signer, uint64 challengeBlock, Evidence calldata evidence) external {
        Node storage node = _nodes[signer];
        if (node.revoked) revert SignerRevoked(signer);
        if (node.operator == address(0)) revert UnknownSigner(signer);
        if (node.exiting) revert SignerExiting(signer);
        if (challengeBlock <= node.challengeBlock) revert ChallengeNotFresh(challengeBlock, node.challengeBlock);
        Registration memory registration = Registration({
            operator: node.operator,
            role: node.role,
            signer: signer,
            peerIdHash: node.peerIdHash,
            configHash: node.configHash,
            challengeBlock: challengeBlock
        });
        Appraisal memory appraisal = _appraise(registration, evidence);
        if (
            appraisal.ppid != node.ppid || appraisal.platform.components != node.platform.components
                || appraisal.platform.pceSvn != node.platform.pceSvn
        ) revert PlatformChanged(signer);
        uint64 deniedAt = _platforms[node.ppid].deniedAt;
        if (node.registeredBlock <= deniedAt) revert SignerOlderThanDenial(signer, deniedAt);
        _record(registration, appraisal);
    }

    /// @inheritdoc INodeRegistry
    function exit(address signer) external {
        Node storage node = _nodes[signer];
        if (node.operator == address(0)) revert UnknownSigner(signer);
        if (msg.sender != node.operator) revert NotOperator(msg.sender, node.operator);
        if (node.exiting) revert SignerExiting(signer);
        uint256 until = node.seat == 0 ? 0 : block.timestamp + EXIT_DELAY;
        if (until < node.expiresAt) node.expiresAt = uint32(until);
        node.exiting = true;
        if (node.seat != 0 && liveUntil(signer) != 0) _writeThrough(node);
        emit NodeExiting(signer, node.expiresAt);
    }

    /// @inheritdoc INodeRegistry
    function revoke(address signer) external onlyGovernanceOrGuardian {
        Node storage node = _nodes[signer];
        if (node.revoked) revert SignerRevoked(signer);
        node.revoked = true;
        node.expiresAt = 0;
        if (node.operator != address(0)) {
            _operators[node.operator].revokedAt = uint40(block.number);
            _platforms[node.ppid].revokedAt = uint40(block.number);
        }
        if (node.seat != 0) _writeThrough(node);
        emit NodeRevoked(signer);
    }

    /// @inheritdoc INodeRegistry
    function denyPlatform(bytes16 ppid) external onlyGovernanceOrGuardian {
        _platforms[ppid] = Platform(true, uint40(block.number), uint40(block.number));
        emit PlatformDenied(ppid);
        _clearFallenSeats();
    }

    /// @inheritdoc INodeRegistry
    function allowPlatform(bytes16 ppid) external onlyGovernance {
        _platforms[ppid].denied = false;
        emit PlatformAllowed(ppid);
    }

    /// @inheritdoc INodeRegistry
    function admitOperator(address operator) external onlyGovernance {
        _operators[operator].admitted = true;
        emit OperatorAdmitted(operator);
    }

    /// @inheritdoc INodeRegistry
    function removeOperator(address operator) external onlyGovernanceOrGuardian {
        _operators[operator] = Operator(false, uint40(block.number), uint40(block.number));
        emit OperatorRemoved(operator);
        _clearFallenSeats();
    }

    /// @inheritdoc INodeRegistry
    function assignSeat(address signer, bytes32 keyId, uint32 epoch, uint8 index) external {
        if (msg.sender != keyRegistry) revert NotKeyRegistry(msg.sender);
        Node storage node = _nodes[signer];
        if (node.seat != 0) {
            Seat memory held = seatOf(signer);
            revert SignerSeated(signer, held.keyId, held.epoch, held.index);
        }
        if (node.role != Role.Keyholder) revert WrongRole(node.role);
        if (node.exiting || liveUntil(signer) <= block.timestamp) revert NotLive(signer);
        node.seat = uint16(_seats.assign(signer, node.entryId, keyId, epoch, index) + 1);
        emit SeatAssigned(signer, keyId, epoch, index);
    }

    /// @inheritdoc INodeRegistry
    function releaseSeat(address signer) external {
        if (msg.sender != keyRegistry) revert NotKeyRegistry(msg.sender);
        Node storage node = _nodes[signer];
        if (node.seat == 0) revert SignerNotSeated(signer);
        (bytes32 keyId, uint32 epoch, uint8 index) = _seats.locate(node.seat - 1);
        _seats.release(node.seat - 1, node.entryId);
        node.seat = 0;
        emit SeatReleased(signer, keyId, epoch, index);
    }

    /// @inheritdoc INodeRegistry
    function nodeOf(address signer) external view returns (NodeRecord memory) {
        Node storage node = _nodes[signer];
        return NodeRecord({
            operator: node.operator,
            role: node.role,
            revoked: node.revoked,
            expiresAt: node.expiresAt,
            challengeBlock: node.challengeBlock,
            ppid: node.ppid,
            peerIdHash: node.peerIdHash,
            configHash: node.configHash,
            entryId: node.entryId
        });
    }

    /// @inheritdoc INodeRegistry
    function liveUntil(address signer) public view returns (uint32) {
        Node storage node = _nodes[signer];
        uint40 challengeBlock = node.challengeBlock;
        Operator storage operator = _operators[node.operator];
        if (!operator.admitted || challengeBlock <= operator.removedAt) return 0;
        Platform storage platform = _platforms[node.ppid];
        if (platform.denied || node.registeredBlock <= platform.deniedAt) return 0;
        if (!_isActive(node.entryId)) return 0;
        if (!_isAboveFloors(node.tcbEvaluation, node.qeEvaluation, challengeBlock)) return 0;
        return node.expiresAt;
    }

    /// @inheritdoc INodeRegistry
    function seatOf(address signer) public view returns (Seat memory seat) {
        uint256 number = _nodes[signer].seat;
        if (number != 0) (seat.keyId, seat.epoch, seat.index) = _seats.locate(number - 1);
    }

    /// @inheritdoc INodeRegistry
    function platformOf(address signer) external view returns (PlatformFacts memory) {
        return _nodes[signer].platform;
    }

    /// @inheritdoc INodeRegistry
    function isAdmitted(address operator) external view returns (bool) {
        return _operators[operator].admitted;
    }

    /// @inheritdoc INodeRegistry
    function reportDataOf(Registration memory registration) public view returns (bytes32) {
        return keccak256(abi.encode(REGISTRATION_TAG, block.chainid, address(this), registration));
    }

    /// @inheritdoc INodeRegistry
    function consentDigest(Registration calldata registration) public view returns (bytes32) {
        bytes32 structHash = keccak256(abi.encode(REGISTRATION_TYPE, registration));
        return MessageHashUtils.toTypedDataHash(TwinlockDomain.separator(address(verifier)), structHash);
    }

    /// @dev Everything that a quote must satisfy, for a first registration and for a renewal alike.
    function _appraise(Registration memory registration, Evidence calldata evidence)
        private
        view
        returns (Appraisal memory appraisal)
    {
        Operator storage operator = _operators[registration.operator];
        if (!operator.admitted) revert OperatorNotAdmitted(registration.operator);
        bytes32 challenge = _requireChallenge(registration.challengeBlock);
        (uint16 tcbFloor, uint16 qeFloor) = floors();
        appraisal = quoteVerifier.verify(evidence, tcbFloor, qeFloor);
        if (appraisal.status != TcbStatus.UpToDate) revert TcbStatusNotAccepted(appraisal.status);
        bytes32 binding = reportDataOf(registration);
        if (appraisal.reportDataHead != binding) revert ReportDataMismatch(appraisal.reportDataHead, binding);
        if (appraisal.reportDataTail != challenge) revert ChallengeHashMismatch(appraisal.reportDataTail, challenge);
        Platform storage platform = _platforms[appraisal.ppid];
        if (platform.denied) revert PlatformIsDenied(appraisal.ppid);
        uint64 revokedAt = operator.revokedAt < platform.revokedAt ? platform.revokedAt : operator.revokedAt;
        if (registration.challengeBlock <= revokedAt) {
            revert ChallengeNotFresh(registration.challengeBlock, revokedAt);
        }
    }

    function _requireChallenge(uint64 challengeBlock) private view returns (bytes32 blockHash) {
        if (challengeBlock >= block.number) revert ChallengeNotFresh(challengeBlock, block.number);
        if (block.number - challengeBlock > maxChallengeAge) revert ChallengeTooOld(challengeBlock, block.number);
        return BlockHistory.hashOf(challengeBlock);
    }

    /// @dev The part of a record that every quote renews.
    function _record(Registration memory registration, Appraisal memory appraisal) private {
        address signer = registration.signer;
        Node storage node = _nodes[signer];
        uint32 entryId = entryFor(registration.role, appraisal.imageId, appraisal.composeHash);
        if (entryId == 0) revert NotAllowListed(registration.role, appraisal.imageId, appraisal.composeHash);
        uint32 heldEntry = node.entryId;
        if (heldEntry != entryId && heldEntry != 0) {
            if (!_isSameMeasurement(heldEntry, entryId)) revert MeasurementChanged(signer, entryId);
            if (node.seat != 0) _seats.move(node.seat - 1, heldEntry, entryId);
        }
        uint256 standing = block.timestamp + STANDING;
        uint32 expiresAt = uint32(standing < appraisal.expiresAt ? standing : appraisal.expiresAt);
        node.expiresAt = expiresAt;
        node.entryId = entryId;
        node.challengeBlock = uint40(registration.challengeBlock);
        node.tcbEvaluation = appraisal.tcbEvaluation;
        node.qeEvaluation = appraisal.qeEvaluation;
        node.platform = appraisal.platform;
        if (node.seat != 0) _writeThrough(node);
        emit NodeAttested(
            signer,
            entryId,
            registration.challengeBlock,
            expiresAt,
            appraisal.tcbEvaluation,
            appraisal.qeEvaluation,
            appraisal.piid
        );
    }

    function _writeThrough(Node storage node) private {
        (bytes32 keyId, uint32 epoch, uint8 index) = _seats.locate(node.seat - 1);
        verifier.setExpiry(keyId, epoch, index, node.expiresAt);
    }

    /// @inheritdoc AllowList
    function _clearSeatsOf(uint32 entryId) internal override {
        _seats.clear(_seats.byEntry[entryId], verifier);
    }

    /// @dev Zeroes the expiry of every seat whose signer has no standing any more; for removals without a bitmap.
    function _clearFallenSeats() internal override {
        uint256 fallen;
        uint256 bits = _seats.all();
        for (uint256 number = 0; bits >> number != 0; number++) {
            if ((bits >> number) & 1 == 1 && liveUntil(_seats.signers[number]) == 0) fallen |= 1 << number;
        }
        _seats.clear(fallen, verifier);
    }
}
