// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICollateralObserver} from "../interfaces/ICollateralObserver.sol";
import {ICollateralStore, IntermediateCa} from "../interfaces/ICollateralStore.sol";
import {LOCAL_CHAIN_ID} from "../libraries/Timelock.sol";
import {Crl, RevocationList} from "./Crl.sol";
import {DataContract} from "./DataContract.sol";
import {RevocationTable} from "./RevocationTable.sol";
import {X509, X509Certificate} from "./X509.sol";

/// @title RevocationStore
/// @notice The part of the collateral store about certificates: root key, intermediate CAs, and what is revoked.
/// @dev A list of serials is a data contract, shared when a refresh changes only dates.
abstract contract RevocationStore is ICollateralStore {
    using X509 for X509Certificate;
    using Crl for RevocationList;

    /// @notice keccak256(x ‖ y) of the Intel SGX Root CA.
    bytes32 public constant INTEL_ROOT_KEY_HASH = 0x89f72d7c488e5b53a77c23ebcb36970ef7eb5bcf6658e9b8292cfbe4703a8473;

    struct RootCrl {
        address revoked;
        uint32 thisUpdate;
        uint32 nextUpdate;
    }

    /// @dev A CRL of which some serials are still to be read.
    /// @param table data contract with the serials so far; zero before the first
    /// @param read bytes of entries so far
    /// @param missing entries from there on
    struct CrlProposal {
        bytes32 caId;
        address table;
        uint32 read;
        uint16 missing;
    }

    uint256 private immutable _rootX;
    uint256 private immutable _rootY;
    /// @inheritdoc ICollateralStore
    bytes32 public immutable rootKeyHash;
    /// @inheritdoc ICollateralStore
    ICollateralObserver public immutable observer;

    /// @inheritdoc ICollateralStore
    bytes32[] public intermediateCaAt;
    RootCrl internal _rootCrl;
    mapping(bytes32 caId => IntermediateCa) internal _intermediateCas;
    mapping(bytes32 crlId => CrlProposal) private _proposals;

    /// @param rootX rootY the root CA's public key: Intel's, or on the local test network the simulator's
    constructor(uint256 rootX, uint256 rootY, ICollateralObserver observer_) {
        _rootX = rootX;
        _rootY = rootY;
        rootKeyHash = keccak256(abi.encode(rootX, rootY));
        observer = observer_;
        _requireRoot();
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
        address revoked = _keep(_tableOf(list), held.revoked);
        _rootCrl = RootCrl(revoked, uint32(list.thisUpdate), uint32(list.nextUpdate));
        emit RootCrlStored(list.thisUpdate, list.nextUpdate, list.serials);
        if (revoked != held.revoked) _tellObserver();
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
        RevocationList memory list = _openCrl(caId, der);
        _activateCrl(caId, list, _tableOf(list));
    }

    /// @inheritdoc ICollateralStore
    function proposeCrl(bytes32 caId, bytes calldata der) external returns (bytes32 crlId) {
        RevocationList memory list = _openCrl(caId, der);
        crlId = keccak256(der);
        // ⚔ Whoever proposes it again must not undo what was read.
        if (_proposals[crlId].caId != 0) return crlId;
        _proposals[crlId] = CrlProposal(caId, address(0), 0, uint16(RevocationTable.requireCount(list.serials)));
        emit CrlProposed(caId, crlId, list.thisUpdate, list.serials);
    }

    /// @inheritdoc ICollateralStore
    function continueCrl(bytes calldata der, uint256 count) external {
        bytes32 crlId = keccak256(der);
        CrlProposal memory proposal = _proposals[crlId];
        if (proposal.caId == 0) revert UnknownCrl(crlId);
        RevocationList memory list = _openCrl(proposal.caId, der);
        bytes memory table =
            proposal.table == address(0) ? RevocationTable.create(list.serials) : DataContract.read(proposal.table);
        uint256 stop = Crl.collect(table, list.entries + proposal.read, list.entriesEnd, count);
        if (stop == list.entriesEnd) {
            delete _proposals[crlId];
            return _activateCrl(proposal.caId, list, table);
        }
        proposal.table = DataContract.write(table, proposal.table);
        proposal.read = uint32(stop - list.entries);
        proposal.missing -= uint16(count);
        _proposals[crlId] = proposal;
        emit CrlContinued(crlId, proposal.missing);
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
    function isRevoked(uint256 ca, uint256 serial) external view returns (bool) {
        IntermediateCa storage authority = _intermediateCas[intermediateCaAt[ca]];
        (address ofCa, address ofRoot) = (authority.revoked, _rootCrl.revoked);
        return _isListed(ofCa, serial) || _isListed(ofRoot, serial) || _isListed(ofRoot, authority.serial);
    }

    /// @dev Checked at each use as well: a fork of the local network under another chain id must not keep its root.
    function _requireRoot() internal view {
        if (rootKeyHash != INTEL_ROOT_KEY_HASH && block.chainid != LOCAL_CHAIN_ID) {
            revert ForeignRoot(rootKeyHash, block.chainid);
        }
    }

    function _requireUnderRoot(X509Certificate memory certificate) internal view {
        _requireRoot();
        if (certificate.issuer != X509.ROOT_CA) revert UnexpectedIssuer(certificate.issuer);
        if (!certificate.isSignedBy(_rootX, _rootY)) revert InvalidSignature();
        _requireCurrent(certificate.notBefore, certificate.notAfter);
        _requireNotRevoked(_currentRootCrl().revoked, certificate.serial);
    }

    function _currentRootCrl() internal view returns (RootCrl memory list) {
        list = _rootCrl;
        if (list.nextUpdate == 0) revert NoRootCrl();
        if (block.timestamp > list.nextUpdate) revert Expired(list.nextUpdate, block.timestamp);
    }

    function _requireCurrent(uint256 from, uint256 until) internal view {
        if (block.timestamp < from) revert NotYetValid(from, block.timestamp);
        if (block.timestamp > until) revert Expired(until, block.timestamp);
    }

    function _requireNotRevoked(address revoked, uint256 serial) internal view {
        if (_isListed(revoked, serial)) revert CertificateRevoked(serial);
    }

    function _isListed(address revoked, uint256 serial) internal view returns (bool) {
        return revoked != address(0) && RevocationTable.contains(revoked, serial);
    }

    function _nameOf(bool processor) internal pure returns (bytes32) {
        return processor ? X509.PROCESSOR_CA : X509.PLATFORM_CA;
    }

    /// @dev Everything about the CRL of an intermediate CA but the content of its entries.
    function _openCrl(bytes32 caId, bytes calldata der) private view returns (RevocationList memory list) {
        _requireRoot();
        IntermediateCa storage ca = _intermediateCas[caId];
        if (ca.x == 0) revert UnknownCa(caId);
        list = Crl.parse(der);
        if (list.issuer != _nameOf(ca.processor)) revert UnexpectedIssuer(list.issuer);
        if (!list.isSignedBy(ca.x, ca.y)) revert InvalidSignature();
        _requireCurrent(list.thisUpdate, list.nextUpdate);
        if (list.thisUpdate <= ca.crlIssuedAt) revert NotNewer(ca.crlIssuedAt, list.thisUpdate);
    }

    function _activateCrl(bytes32 caId, RevocationList memory list, bytes memory table) private {
        IntermediateCa storage ca = _intermediateCas[caId];
        (address held, uint256 notAfter) = (ca.revoked, ca.notAfter);
        address revoked = _keep(table, held);
        ca.revoked = revoked;
        ca.crlIssuedAt = uint32(list.thisUpdate);
        ca.expiresAt = uint32(list.nextUpdate < notAfter ? list.nextUpdate : notAfter);
        emit CrlStored(caId, list.thisUpdate, list.nextUpdate, list.serials);
        if (revoked != held) _tellObserver();
    }

    function _tableOf(RevocationList memory list) private pure returns (bytes memory table) {
        table = RevocationTable.create(list.serials);
        Crl.collect(table, list.entries, list.entriesEnd, list.serials);
    }

    /// @dev The table as a data contract; none where nothing is revoked.
    function _keep(bytes memory table, address held) private returns (address) {
        return table.length == 0 ? address(0) : DataContract.write(table, held);
    }

    /// @dev A failure undoes everything: a list that reached nobody would leave revoked machines seated.
    function _tellObserver() internal {
        if (address(observer) != address(0)) observer.revocationsChanged();
    }
}
