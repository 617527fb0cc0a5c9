// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICollateralObserver} from "../interfaces/ICollateralObserver.sol";
import {ICollateralParser, ParsedCollateral} from "../interfaces/ICollateralParser.sol";
import {CollateralSet, ICollateralStore, IntermediateCa, TrustAnchors} from "../interfaces/ICollateralStore.sol";
import {CollateralGovernance} from "./CollateralGovernance.sol";
import {DataContract} from "./DataContract.sol";
import {P256} from "./P256.sol";
import {RevocationStore} from "./RevocationStore.sol";
import {X509, X509Certificate} from "./X509.sol";

/// @title CollateralStore
/// @notice See ICollateralStore. Anyone may store a document; only signatures under the pinned root decide.
/// @dev Content goes into data contracts and is shared when a refresh changes only dates, so that a verification
/// reads each set with one cold access and a refresh writes one slot.
contract CollateralStore is RevocationStore, CollateralGovernance {
    /// @dev Intel has kept at most a handful of evaluation numbers valid at the same time.
    uint256 private constant MAX_SETS = 8;
    uint256 private constant MAX_TCB_SIGNERS = 8;
    uint256 private constant MAX_GRACE = 30 days;

    struct TcbSigner {
        uint256 x;
        uint256 y;
        uint160 serial;
        uint32 notAfter;
    }

    /// @inheritdoc ICollateralStore
    uint256 public immutable collateralGrace;
    TcbSigner[] private _tcbSigners;
    /// @dev By falling evaluation number; the first empty set ends the list.
    mapping(bytes6 fmspc => CollateralSet[MAX_SETS]) private _tcbInfos;
    CollateralSet[MAX_SETS] private _qeIdentities;

    /// @param rootX rootY the root CA's public key: Intel's, or on the local test network the simulator's
    /// @param observer_ told of revocations, or zero
    /// @param collateralGrace_ seconds, at most 30 days
    constructor(
        uint256 rootX,
        uint256 rootY,
        address governance_,
        address guardian_,
        ICollateralParser parser_,
        ICollateralObserver observer_,
        uint256 collateralGrace_
    ) RevocationStore(rootX, rootY, observer_) CollateralGovernance(governance_, guardian_, parser_) {
        if (collateralGrace_ > MAX_GRACE) revert GraceTooLong(collateralGrace_);
        collateralGrace = collateralGrace_;
        P256.requirePrecompile();
    }

    /// @inheritdoc ICollateralStore
    function storeTcbSigner(bytes calldata der) external {
        X509Certificate memory certificate = X509.parseLeaf(der);
        if (certificate.subject != X509.TCB_SIGNING) revert UnexpectedSubject(certificate.subject);
        _requireUnderRoot(certificate);
        uint256 index = _signerOfKey(certificate.x, certificate.y);
        if (index == _tcbSigners.length) {
            if (index == MAX_TCB_SIGNERS) revert TooManyTcbSigners();
            _tcbSigners.push(TcbSigner(certificate.x, certificate.y, 0, 0));
        }
        TcbSigner storage signer = _tcbSigners[index];
        // Intel renews a certificate under the same key, and has done so under the same serial.
        if (certificate.notAfter <= signer.notAfter) revert NotNewer(signer.notAfter, certificate.notAfter);
        (signer.serial, signer.notAfter) = (uint160(certificate.serial), uint32(certificate.notAfter));
        emit TcbSignerStored(index, certificate.notAfter);
    }

    /// @inheritdoc ICollateralStore
    function storeTcbInfo(bytes calldata json, uint256 r, uint256 s) external {
        (uint256 signer, uint256 notAfter) = _requireTcbSignature(json, r, s);
        ParsedCollateral memory parsed = parser.parseTcbInfo(json);
        CollateralSet memory set = _file(_tcbInfos[parsed.fmspc], parsed, signer, notAfter);
        emit TcbInfoStored(parsed.fmspc, set.evaluation, set.issuedAt, set.expiresAt);
    }

    /// @inheritdoc ICollateralStore
    function storeQeIdentity(bytes calldata json, uint256 r, uint256 s) external {
        (uint256 signer, uint256 notAfter) = _requireTcbSignature(json, r, s);
        ParsedCollateral memory parsed = parser.parseQeIdentity(json);
        CollateralSet memory set = _file(_qeIdentities, parsed, signer, notAfter);
        emit QeIdentityStored(set.evaluation, set.issuedAt, set.expiresAt);
    }

    /// @inheritdoc ICollateralStore
    function vetoGrace(bytes6 fmspc, uint16 evaluation) external onlyGovernanceOrGuardian {
        CollateralSet[MAX_SETS] storage sets = fmspc == 0 ? _qeIdentities : _tcbInfos[fmspc];
        for (uint256 rank = 0; rank < MAX_SETS; rank++) {
            CollateralSet storage set = sets[rank];
            if (set.data == address(0)) break;
            if (set.evaluation != evaluation) continue;
            set.graceVetoed = true;
            emit GraceVetoed(fmspc, evaluation, set.issuedAt);
            _tellObserver();
            return;
        }
        revert UnknownSet(fmspc, evaluation);
    }

    /// @inheritdoc ICollateralStore
    function trustAnchors(bytes32 caId, uint256 serial, bytes6 fmspc)
        external
        view
        returns (TrustAnchors memory anchors)
    {
        _requireRoot();
        RootCrl memory root = _currentRootCrl();
        IntermediateCa storage ca = _intermediateCas[caId];
        anchors.x = ca.x;
        anchors.y = ca.y;
        if (anchors.x == 0) revert UnknownCa(caId);
        (address revoked, uint32 expiresAt) = (ca.revoked, ca.expiresAt);
        if (expiresAt == 0) revert NoCrl(caId);
        if (block.timestamp > expiresAt) revert Expired(expiresAt, block.timestamp);
        _requireNotRevoked(revoked, serial);
        anchors.issuer = _nameOf(ca.processor);
        anchors.ca = ca.number;
        anchors.expiresAt = uint32(_min(expiresAt, root.nextUpdate));
        anchors.tcb = _tcbInfos[fmspc][0];
        anchors.qe = _qeIdentities[0];
        if (root.revoked != address(0)) {
            _requireNotRevoked(root.revoked, serial);
            _requireNotRevoked(root.revoked, ca.serial);
            _markVoid(anchors.tcb, root.revoked);
            _markVoid(anchors.qe, root.revoked);
        }
    }

    /// @inheritdoc ICollateralStore
    function tcbInfo(bytes6 fmspc, uint256 rank) external view returns (CollateralSet memory set) {
        return _at(_tcbInfos[fmspc], rank);
    }

    /// @inheritdoc ICollateralStore
    function qeIdentity(uint256 rank) external view returns (CollateralSet memory set) {
        return _at(_qeIdentities, rank);
    }

    /// @inheritdoc ICollateralStore
    function tcbInfoGrace(bytes6 fmspc, uint256 rank) external view returns (uint256 until) {
        return _graceOf(_tcbInfos[fmspc], rank);
    }

    /// @inheritdoc ICollateralStore
    function qeIdentityGrace(uint256 rank) external view returns (uint256 until) {
        return _graceOf(_qeIdentities, rank);
    }

    function _at(CollateralSet[MAX_SETS] storage sets, uint256 rank) private view returns (CollateralSet memory set) {
        if (rank >= MAX_SETS) return set;
        set = sets[rank];
        _markVoid(set, _rootCrl.revoked);
    }

    /// @dev What a revoked signer vouched for never counts again; sets of other signers stand.
    function _markVoid(CollateralSet memory set, address revoked) private view {
        if (revoked == address(0) || set.data == address(0)) return;
        if (_isListed(revoked, _tcbSigners[set.signer].serial)) set.expiresAt = 0;
    }

    /// @dev A newer set of its number took its place. ⚔ One of another number says nothing: else whoever stores Intel's
    /// early set would end the grace of the standard one.
    function _graceOf(CollateralSet[MAX_SETS] storage sets, uint256 rank) private view returns (uint256) {
        CollateralSet memory set = _at(sets, rank);
        if (set.data == address(0) || set.expiresAt == 0 || set.graceVetoed) return 0;
        return _min(set.expiresAt + collateralGrace, _tcbSigners[set.signer].notAfter);
    }

    /// @return index of the signer with this key, or the number of signers
    function _signerOfKey(uint256 x, uint256 y) private view returns (uint256 index) {
        for (; index < _tcbSigners.length; index++) {
            if (_tcbSigners[index].x == x && _tcbSigners[index].y == y) break;
        }
    }

    /// @dev The newest signer first: there is one, except while Intel rotates it.
    function _requireTcbSignature(bytes calldata json, uint256 r, uint256 s)
        private
        view
        returns (uint256 index, uint256 notAfter)
    {
        _requireRoot();
        bytes32 digest = sha256(json);
        for (index = _tcbSigners.length; index > 0;) {
            index--;
            TcbSigner storage signer = _tcbSigners[index];
            if (!P256.verify(digest, r, s, signer.x, signer.y)) continue;
            notAfter = signer.notAfter;
            if (block.timestamp > notAfter) revert Expired(notAfter, block.timestamp);
            _requireNotRevoked(_currentRootCrl().revoked, signer.serial);
            return (index, notAfter);
        }
        revert InvalidSignature();
    }

    /// @dev Replaces the set of the same evaluation number if it is newer, else inserts by falling number. A set that
    /// is pushed down and has expired is dropped, as is the lowest one of a full list.
    function _file(CollateralSet[MAX_SETS] storage sets, ParsedCollateral memory parsed, uint256 signer, uint256 until)
        private
        returns (CollateralSet memory set)
    {
        _requireCurrent(parsed.issuedAt, parsed.expiresAt);
        if (_rootCrl.revoked != address(0)) _dropVoid(sets);
        set = CollateralSet({
            data: address(0),
            issuedAt: uint32(parsed.issuedAt),
            expiresAt: uint32(_min(parsed.expiresAt, until)),
            evaluation: parsed.evaluation,
            signer: uint8(signer),
            graceVetoed: false
        });
        uint256 rank = 0;
        CollateralSet memory held = sets[0];
        while (held.data != address(0) && held.evaluation > set.evaluation) {
            if (++rank == MAX_SETS) revert TooManySets(set.evaluation);
            held = sets[rank];
        }
        bool replaces = held.data != address(0) && held.evaluation == set.evaluation;
        if (replaces && parsed.issuedAt <= held.issuedAt) revert NotNewer(held.issuedAt, parsed.issuedAt);
        // The guardian's word is about the number: Intel's next document of it does not take it back.
        set.graceVetoed = replaces && held.graceVetoed;
        set.data = DataContract.write(parsed.data, held.data);
        sets[rank] = set;
        while (!replaces && held.data != address(0) && held.expiresAt >= block.timestamp && ++rank < MAX_SETS) {
            CollateralSet memory next = sets[rank];
            sets[rank] = held;
            held = next;
        }
    }

    /// @dev So that sets of a stolen and revoked key neither fill the list nor outdate Intel's.
    function _dropVoid(CollateralSet[MAX_SETS] storage sets) private {
        uint256 kept = 0;
        for (uint256 rank = 0; rank < MAX_SETS; rank++) {
            CollateralSet memory set = _at(sets, rank);
            if (set.data == address(0)) break;
            if (set.expiresAt == 0 || kept != rank) delete sets[rank];
            if (set.expiresAt == 0) continue;
            if (kept != rank) sets[kept] = set;
            kept++;
        }
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
