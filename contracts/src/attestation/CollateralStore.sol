// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICollateralParser, ParsedCollateral} from "../interfaces/ICollateralParser.sol";
import {CollateralSet, ICollateralStore, IntermediateCa, TrustAnchors} from "../interfaces/ICollateralStore.sol";
import {LOCAL_CHAIN_ID, timelockDelay} from "../libraries/Timelock.sol";
import {Crl, RevocationList} from "./Crl.sol";
import {DataContract} from "./DataContract.sol";
import {P256} from "./P256.sol";
import {RevocationTable} from "./RevocationTable.sol";
import {X509, X509Certificate} from "./X509.sol";

/// @title CollateralStore
/// @notice See ICollateralStore. Anyone may store a document; only signatures under the pinned root decide.
/// @dev Content goes into data contracts and is shared when a refresh changes only dates, so that a verification
/// reads each set with one cold access and a refresh writes one slot.
contract CollateralStore is ICollateralStore {
    using X509 for X509Certificate;
    using Crl for RevocationList;

    /// @notice keccak256(x ‖ y) of the Intel SGX Root CA.
    bytes32 public constant INTEL_ROOT_KEY_HASH = 0x89f72d7c488e5b53a77c23ebcb36970ef7eb5bcf6658e9b8292cfbe4703a8473;
    /// @dev Intel has kept at most a handful of evaluation numbers valid at the same time.
    uint256 private constant MAX_SETS = 8;
    uint256 private constant MAX_TCB_SIGNERS = 8;

    struct TcbSigner {
        uint256 x;
        uint256 y;
        uint160 serial;
        uint32 notBefore;
        uint32 notAfter;
    }

    struct RootCrl {
        address revoked;
        uint32 thisUpdate;
        uint32 nextUpdate;
    }

    uint256 private immutable _rootX;
    uint256 private immutable _rootY;
    bytes32 public immutable rootKeyHash;
    address public immutable governance;
    address public immutable guardian;

    ICollateralParser public parser;
    ICollateralParser public proposedParser;
    uint256 public proposedParserActiveAt;

    /// @inheritdoc ICollateralStore
    bytes32[] public intermediateCaAt;
    RootCrl private _rootCrl;
    TcbSigner[] private _tcbSigners;
    mapping(bytes32 caId => IntermediateCa) private _intermediateCas;
    /// @dev By falling evaluation number; the first empty set ends the list.
    mapping(bytes6 fmspc => CollateralSet[MAX_SETS]) private _tcbInfos;
    CollateralSet[MAX_SETS] private _qeIdentities;

    /// @param rootX rootY the root CA's public key: Intel's, or on the local test network the simulator's
    constructor(uint256 rootX, uint256 rootY, address governance_, address guardian_, ICollateralParser parser_) {
        _rootX = rootX;
        _rootY = rootY;
        rootKeyHash = keccak256(abi.encode(rootX, rootY));
        governance = governance_;
        guardian = guardian_;
        parser = parser_;
        _requireRoot();
        P256.requirePrecompile();
    }

    /// @inheritdoc ICollateralStore
    function storeRootCrl(bytes calldata der) external {
        _requireRoot();
        RevocationList memory list = Crl.parse(der);
        if (list.issuer != X509.ROOT_CA) revert UnexpectedIssuer(list.issuer);
        if (!list.isSignedBy(_rootX, _rootY)) revert InvalidSignature();
        RootCrl memory held = _rootCrl;
        _requireCurrent(list.thisUpdate, list.nextUpdate);
        if (list.thisUpdate <= held.thisUpdate) revert NotNewer(held.thisUpdate, list.thisUpdate);
        _rootCrl = RootCrl(_keep(list, held.revoked), uint32(list.thisUpdate), uint32(list.nextUpdate));
        emit RootCrlStored(list.thisUpdate, list.nextUpdate, list.serials);
    }

    /// @inheritdoc ICollateralStore
    function storeIntermediateCa(bytes calldata der) external returns (bytes32 caId) {
        X509Certificate memory certificate = X509.parseCa(der);
        bool processor = certificate.subject == X509.PROCESSOR_CA;
        if (!processor && certificate.subject != X509.PLATFORM_CA) revert UnexpectedSubject(certificate.subject);
        _requireUnderRoot(certificate);
        caId = keccak256(abi.encode(certificate.x, certificate.y));
        IntermediateCa storage held = _intermediateCas[caId];
        if (held.x != 0 && certificate.notBefore <= held.notBefore) {
            revert NotNewer(held.notBefore, certificate.notBefore);
        }
        if (held.x == 0) {
            (held.x, held.y) = (certificate.x, certificate.y);
            (held.processor, held.number) = (processor, uint16(intermediateCaAt.length));
            intermediateCaAt.push(caId);
        }
        (held.serial, held.notBefore, held.notAfter) =
            (uint160(certificate.serial), uint32(certificate.notBefore), uint32(certificate.notAfter));
        emit IntermediateCaStored(caId, processor, certificate.notAfter);
    }

    /// @inheritdoc ICollateralStore
    function storeCrl(bytes32 caId, bytes calldata der) external {
        _requireRoot();
        IntermediateCa storage ca = _intermediateCas[caId];
        if (ca.x == 0) revert UnknownCa(caId);
        RevocationList memory list = Crl.parse(der);
        if (list.issuer != _nameOf(ca.processor)) revert UnexpectedIssuer(list.issuer);
        if (!list.isSignedBy(ca.x, ca.y)) revert InvalidSignature();
        _requireCurrent(list.thisUpdate, list.nextUpdate);
        if (list.thisUpdate <= ca.crlIssuedAt) revert NotNewer(ca.crlIssuedAt, list.thisUpdate);
        ca.revoked = _keep(list, ca.revoked);
        ca.crlIssuedAt = uint32(list.thisUpdate);
        ca.expiresAt = uint32(_min(list.nextUpdate, ca.notAfter));
        emit CrlStored(caId, list.thisUpdate, list.nextUpdate, list.serials);
    }

    /// @inheritdoc ICollateralStore
    function storeTcbSigner(bytes calldata der) external {
        X509Certificate memory certificate = X509.parseLeaf(der);
        if (certificate.subject != X509.TCB_SIGNING) revert UnexpectedSubject(certificate.subject);
        _requireUnderRoot(certificate);
        uint256 index = _tcbSigners.length;
        for (uint256 i = 0; i < index; i++) {
            uint160 serial = _tcbSigners[i].serial;
            if (serial == certificate.serial) revert NotNewer(serial, certificate.serial);
        }
        if (index == MAX_TCB_SIGNERS) revert TooManyTcbSigners();
        _tcbSigners.push(
            TcbSigner(
                certificate.x,
                certificate.y,
                uint160(certificate.serial),
                uint32(certificate.notBefore),
                uint32(certificate.notAfter)
            )
        );
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
            _requireNotRevoked(root.revoked, ca.serial);
            _requireSignerNotRevoked(root.revoked, anchors.tcb);
            _requireSignerNotRevoked(root.revoked, anchors.qe);
        }
    }

    /// @inheritdoc ICollateralStore
    function tcbInfo(bytes6 fmspc, uint256 rank) external view returns (CollateralSet memory set) {
        if (rank < MAX_SETS) set = _tcbInfos[fmspc][rank];
        _requireSignerNotRevoked(_rootCrl.revoked, set);
    }

    /// @inheritdoc ICollateralStore
    function qeIdentity(uint256 rank) external view returns (CollateralSet memory set) {
        if (rank < MAX_SETS) set = _qeIdentities[rank];
        _requireSignerNotRevoked(_rootCrl.revoked, set);
    }

    /// @inheritdoc ICollateralStore
    function intermediateCa(bytes32 caId) external view returns (IntermediateCa memory) {
        return _intermediateCas[caId];
    }

    /// @inheritdoc ICollateralStore
    function rootCrl() external view returns (uint256 thisUpdate, uint256 nextUpdate) {
        return (_rootCrl.thisUpdate, _rootCrl.nextUpdate);
    }

    /// @inheritdoc ICollateralStore
    function proposeParser(ICollateralParser proposed) external {
        if (msg.sender != governance) revert NotGovernance(msg.sender);
        proposedParser = proposed;
        proposedParserActiveAt = block.timestamp + timelockDelay();
        emit ParserProposed(proposed, proposedParserActiveAt);
    }

    /// @inheritdoc ICollateralStore
    function withdrawParser() external {
        if (msg.sender != governance && msg.sender != guardian) revert NotGovernanceOrGuardian(msg.sender);
        emit ParserWithdrawn(proposedParser);
        proposedParser = ICollateralParser(address(0));
    }

    /// @inheritdoc ICollateralStore
    function activateParser() external {
        if (msg.sender != governance) revert NotGovernance(msg.sender);
        if (address(proposedParser) == address(0)) revert NoParserProposed();
        if (block.timestamp < proposedParserActiveAt) revert TimelockRunning(proposedParserActiveAt, block.timestamp);
        parser = proposedParser;
        proposedParser = ICollateralParser(address(0));
        emit ParserReplaced(parser);
    }

    /// @dev Checked at each use as well: a fork of the local network under another chain id must not keep its root.
    function _requireRoot() private view {
        if (rootKeyHash != INTEL_ROOT_KEY_HASH && block.chainid != LOCAL_CHAIN_ID) {
            revert ForeignRoot(rootKeyHash, block.chainid);
        }
    }

    function _requireUnderRoot(X509Certificate memory certificate) private view {
        _requireRoot();
        if (certificate.issuer != X509.ROOT_CA) revert UnexpectedIssuer(certificate.issuer);
        if (!certificate.isSignedBy(_rootX, _rootY)) revert InvalidSignature();
        _requireCurrent(certificate.notBefore, certificate.notAfter);
        _requireNotRevoked(_currentRootCrl().revoked, certificate.serial);
    }

    function _currentRootCrl() private view returns (RootCrl memory list) {
        list = _rootCrl;
        if (list.nextUpdate == 0) revert NoRootCrl();
        if (block.timestamp > list.nextUpdate) revert Expired(list.nextUpdate, block.timestamp);
    }

    function _requireCurrent(uint256 from, uint256 until) private view {
        if (block.timestamp < from) revert NotYetValid(from, block.timestamp);
        if (block.timestamp > until) revert Expired(until, block.timestamp);
    }

    function _requireNotRevoked(address revoked, uint256 serial) private view {
        if (revoked != address(0) && RevocationTable.contains(revoked, serial)) revert CertificateRevoked(serial);
    }

    function _requireSignerNotRevoked(address revoked, CollateralSet memory set) private view {
        if (revoked != address(0) && set.data != address(0)) {
            _requireNotRevoked(revoked, _tcbSigners[set.signer].serial);
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
        set = CollateralSet({
            data: address(0),
            issuedAt: uint32(parsed.issuedAt),
            expiresAt: uint32(_min(parsed.expiresAt, until)),
            evaluation: parsed.evaluation,
            signer: uint16(signer)
        });
        uint256 rank = 0;
        CollateralSet memory held = sets[0];
        while (held.data != address(0) && held.evaluation > set.evaluation) {
            if (++rank == MAX_SETS) revert TooManySets(set.evaluation);
            held = sets[rank];
        }
        bool replaces = held.data != address(0) && held.evaluation == set.evaluation;
        if (replaces && parsed.issuedAt <= held.issuedAt) revert NotNewer(held.issuedAt, parsed.issuedAt);
        set.data = DataContract.write(parsed.data, held.data);
        sets[rank] = set;
        while (!replaces && held.data != address(0) && held.expiresAt >= block.timestamp && ++rank < MAX_SETS) {
            CollateralSet memory next = sets[rank];
            sets[rank] = held;
            held = next;
        }
    }

    /// @dev The table as a data contract; none where nothing is revoked.
    function _keep(RevocationList memory list, address held) private returns (address) {
        return list.serials == 0 ? address(0) : DataContract.write(list.table, held);
    }

    function _nameOf(bool processor) private pure returns (bytes32) {
        return processor ? X509.PROCESSOR_CA : X509.PLATFORM_CA;
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
