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
import {Floors} from "./registry/Floors.sol";
import {Governed} from "./registry/Governed.sol";
import {Reappraisal} from "./registry/Reappraisal.sol";
import {SeatBook, Seats} from "./registry/SeatBook.sol";
import {Node, Operator, OperatorSeats, Platform, Standing} from "./registry/Standing.sol";
import {Registration, Role, Seat} from "./types/Node.sol";

/// @title NodeRegistry
/// @notice See INodeRegistry. What gives standing is here, what takes it away without a quote in the contracts below.
contract NodeRegistry is Reappraisal {
    using SeatBook for Seats;

    bytes32 private constant REGISTRATION_TAG = keccak256("twinlock/registration/v1");
    bytes32 private constant REGISTRATION_TYPE = keccak256(
        "Registration(address operator,uint8 role,address signer,bytes32 peerIdHash,bytes32 configHash,uint64 challengeBlock)"
    );
    uint256 public constant EXIT_DELAY = 1 days;

    address public immutable keyRegistry;
    /// @notice Largest age of a challenge in blocks.
    uint64 public immutable maxChallengeAge;

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
    ) Governed(governance_, guardian_) Floors(tcbFloor, qeFloor) Standing(verifier_) Reappraisal(quoteVerifier_) {
        if (maxChallengeAge_ == 0 || maxChallengeAge_ > BlockHistory.WINDOW) {
            revert ChallengeAgeOutOfRange(maxChallengeAge_);
        }
        keyRegistry = keyRegistry_;
        maxChallengeAge = maxChallengeAge_;
    }

    /// @inheritdoc INodeRegistry
    function register(Registration memory registration, Evidence calldata evidence, bytes calldata consent) external {
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
        (node.ppid, node.piid) = (appraisal.ppid, appraisal.piid);
        node.registeredBlock = uint40(registration.challengeBlock);
        node.peerIdHash = registration.peerIdHash;
        node.configHash = registration.configHash;
        emit NodeRegistered(
            registration.signer,
            registration.operator,
            registration.role,
            registration.peerIdHash,
            registration.configHash,
            appraisal.ppid,
            appraisal.piid
        );
        _record(registration, appraisal);
    }

    /// @inheritdoc INodeRegistry
    function renew(address signer, uint64 challengeBlock, Evidence calldata evidence) external {
        Node storage node = _requireRegistered(signer);
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
            appraisal.ppid != node.ppid || appraisal.piid != node.piid
                || appraisal.platform.components != node.platform.components
                || appraisal.platform.pceSvn != node.platform.pceSvn
        ) revert PlatformChanged(signer);
        _requireNotRevoked(signer, node, appraisal.platform);
        uint64 deniedAt = _lastOf(_platforms[appraisal.ppid].deniedAt, _instance(appraisal.piid).deniedAt);
        if (node.registeredBlock <= deniedAt) revert SignerOlderThanDenial(signer, deniedAt);
        _record(registration, appraisal);
    }

    /// @inheritdoc INodeRegistry
    function exit(address signer) external {
        Node storage node = _requireRegistered(signer);
        if (msg.sender != node.operator) revert NotOperator(msg.sender, node.operator);
        if (node.exiting) revert SignerExiting(signer);
        uint256 until = node.seat == 0 ? 0 : block.timestamp + EXIT_DELAY;
        if (until < node.expiresAt) node.expiresAt = uint32(until);
        node.exiting = true;
        if (node.seat != 0) _writeThrough(signer, node);
        emit NodeExiting(signer, node.expiresAt);
    }

    /// @inheritdoc INodeRegistry
    function revoke(address signer) external onlyGovernanceOrGuardian {
        Node storage node = _nodes[signer];
        if (node.revoked) revert SignerRevoked(signer);
        _endForGood(node);
        if (node.seat != 0) _writeThrough(signer, node);
        emit NodeRevoked(signer);
    }

    /// @inheritdoc INodeRegistry
    function denyPlatform(bytes16 ppidOrPiid) external onlyGovernanceOrGuardian {
        if (ppidOrPiid == 0) revert PlatformMissing();
        _platforms[ppidOrPiid] = Platform(true, uint40(block.number), uint40(block.number));
        emit PlatformDenied(ppidOrPiid);
        _clearFallenSeats();
    }

    /// @inheritdoc INodeRegistry
    function allowPlatform(bytes16 ppidOrPiid) external onlyGovernance {
        _platforms[ppidOrPiid].denied = false;
        emit PlatformAllowed(ppidOrPiid);
    }

    /// @inheritdoc INodeRegistry
    function admitOperator(address operator) external onlyGovernance {
        _operators[operator].admitted = true;
        emit OperatorAdmitted(operator);
    }

    /// @inheritdoc INodeRegistry
    function removeOperator(address operator) external onlyGovernanceOrGuardian {
        Operator storage removed = _operators[operator];
        (removed.admitted, removed.removedAt, removed.revokedAt) =
            (false, uint40(block.number), uint40(block.number));
        emit OperatorRemoved(operator);
        _seats.clear(removed.seats, verifier);
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
        uint256 number = _seats.assign(verifier, signer, node.entryId, keyId, epoch, index);
        node.seat = uint16(number + 1);
        if (node.inGrace) _seats.mark(number, true);
        _seatOperator(node.operator, number, keyId, epoch);
        emit SeatAssigned(signer, keyId, epoch, index);
    }

    /// @inheritdoc INodeRegistry
    function releaseSeat(address signer) external {
        if (msg.sender != keyRegistry) revert NotKeyRegistry(msg.sender);
        _release(signer, _nodes[signer]);
    }

    /// @inheritdoc INodeRegistry
    function vacateSeat(address signer) external {
        Node storage node = _nodes[signer];
        bool isOver = node.revoked || (node.exiting && node.expiresAt <= block.timestamp);
        if (!isOver && node.seat != 0) revert SeatInUse(signer);
        _release(signer, node);
    }

    /// @inheritdoc INodeRegistry
    function reportDataOf(Registration memory registration) public view returns (bytes32) {
        return keccak256(abi.encode(REGISTRATION_TAG, block.chainid, address(this), registration));
    }

    /// @inheritdoc INodeRegistry
    function consentDigest(Registration memory registration) public view returns (bytes32) {
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
        Platform memory platform = _platforms[appraisal.ppid];
        if (platform.denied) revert PlatformIsDenied(appraisal.ppid);
        Platform memory instance = _instance(appraisal.piid);
        if (instance.denied) revert PlatformIsDenied(appraisal.piid);
        // ⚔ A quote from before a revocation must not undo it, nor one from before a lowering of the floors count.
        uint40 after_ = _lastOf(
            _lastOf(operator.revokedAt, _loweredAt()), _lastOf(platform.revokedAt, instance.revokedAt)
        );
        if (registration.challengeBlock <= after_) revert ChallengeNotFresh(registration.challengeBlock, after_);
    }

    /// @dev ⚔ a machine whose certificate was revoked must not bring its old signer back under a new certificate.
    function _requireNotRevoked(address signer, Node storage node, PlatformFacts memory renewed) private view {
        (uint16 ca, uint160 serial) = (node.platform.ca, node.platform.serial);
        if (ca == renewed.ca && serial == renewed.serial) return;
        if (collateral.isRevoked(ca, serial)) revert EvidenceRevoked(signer);
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
        node.attestedAt = uint32(block.timestamp);
        node.leafExpiresAt = appraisal.pckExpiresAt;
        node.inGrace = appraisal.inGrace;
        node.tcbEvaluation = appraisal.tcbEvaluation;
        node.qeEvaluation = appraisal.qeEvaluation;
        node.platform = appraisal.platform;
        if (node.seat != 0) {
            _seats.mark(node.seat - 1, appraisal.inGrace);
            _writeThrough(signer, node);
        }
        if (appraisal.inGrace) emit NodeInGrace(signer, expiresAt);
        emit NodeAttested(
            signer,
            entryId,
            registration.challengeBlock,
            expiresAt,
            appraisal.tcbEvaluation,
            appraisal.qeEvaluation
        );
    }

    /// @dev An operator has one seat in a key, and beside it only one in a later epoch of that key.
    function _seatOperator(address account, uint256 number, bytes32 keyId, uint32 epoch) private {
        Operator storage operator = _operators[account];
        OperatorSeats storage held = operator.inKey[keyId];
        operator.seats |= 1 << number;
        if (held.seat == 0) {
            held.seat = uint16(number + 1);
            return;
        }
        (, uint32 heldEpoch,) = _seats.locate(held.seat - 1);
        if (held.successor != 0 || heldEpoch >= epoch) revert OperatorSeated(account, keyId, heldEpoch);
        held.successor = uint16(number + 1);
    }

    /// @dev Whoever loses a seat here keeps no expiry: nothing writes to it or ends it any more.
    function _release(address signer, Node storage node) private {
        uint256 seat = node.seat;
        if (seat == 0) revert SignerNotSeated(signer);
        (bytes32 keyId, uint32 epoch, uint8 index) = _seats.locate(seat - 1);
        verifier.setExpiry(keyId, epoch, index, 0);
        _seats.release(seat - 1, node.entryId);
        node.seat = 0;
        Operator storage operator = _operators[node.operator];
        OperatorSeats storage held = operator.inKey[keyId];
        operator.seats &= ~(1 << (seat - 1));
        if (held.seat == seat) held.seat = held.successor;
        held.successor = 0;
        emit SeatReleased(signer, keyId, epoch, index);
    }

    /// @dev Nothing is known about a machine without PIID under that name: the Processor CA gives none.
    function _instance(bytes16 piid) private view returns (Platform memory instance) {
        if (piid != 0) instance = _platforms[piid];
    }

    function _lastOf(uint40 a, uint40 b) private pure returns (uint40) {
        return a < b ? b : a;
    }
}
