// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IDecryptionVerifier} from "./interfaces/IDecryptionVerifier.sol";
import {CommitteeSize} from "./libraries/CommitteeSize.sol";
import {PackedExpiries} from "./libraries/PackedExpiries.sol";
import {ResultTree} from "./libraries/ResultTree.sol";
import {Schnorr} from "./libraries/Schnorr.sol";
import {TwinlockDomain} from "./libraries/TwinlockDomain.sol";
import {Certificate, DecryptionResult, EpochHeader} from "./types/Decryption.sol";

/// @title Both locks of a decryption (protocol §7, rule B′ of the signing design)
/// @notice The group signature covers the set of signers; each of them must be live in this block. The set is testimony
/// of the honest signers: they sign only beside peers whose standing they checked. Standing is one expiry per party,
/// keyed by (key, epoch) and never by party alone, so that a new epoch cannot vouch for an old party.
contract DecryptionVerifier is IDecryptionVerifier {
    using PackedExpiries for uint256[2];

    /// @dev Two slots that every verification reads, then one slot for each eight parties.
    struct Epoch {
        uint256 groupX;
        address gateway;
        uint8 groupV;
        uint8 n;
        uint8 quorum;
        uint256[2] expiries;
    }

    bytes32 private constant RESULT_TYPE = keccak256(
        "DecryptionResult(uint256 chainId,address gateway,bytes32 requestId,bytes32[] handles,bytes32[] sessions,bytes plaintexts)"
    );
    bytes32 private constant BATCH_TYPE =
        keccak256("ResultBatch(bytes32 keyId,uint32 epoch,uint256 signers,bytes32 root,uint32 leaves)");

    address public immutable keyRegistry;
    address public immutable nodeRegistry;
    uint256 private immutable _cachedChainId;
    bytes32 private immutable _cachedSeparator;

    mapping(bytes32 keyId => mapping(uint32 epoch => Epoch)) private _epochs;

    constructor(address keyRegistry_, address nodeRegistry_) {
        keyRegistry = keyRegistry_;
        nodeRegistry = nodeRegistry_;
        _cachedChainId = block.chainid;
        _cachedSeparator = TwinlockDomain.separator(address(this));
    }

    /// @inheritdoc IDecryptionVerifier
    function verify(DecryptionResult calldata result, Certificate calldata certificate) external view {
        Epoch storage epoch = _epochs[certificate.keyId][certificate.epoch];
        uint256 groupX = epoch.groupX;
        (address gateway, uint8 groupV, uint8 n, uint8 quorum) =
            (epoch.gateway, epoch.groupV, epoch.n, epoch.quorum);
        if (n == 0) revert UnknownEpoch(certificate.keyId, certificate.epoch);
        // A key serves one gateway for ever; another key's committee has no say about this gateway's requests.
        if (result.gateway != gateway) revert GatewayNotBound(result.gateway, gateway);
        _requireShape(result);
        if (certificate.signers >> n != 0) revert SignersOutOfRange(certificate.signers, n);
        (uint8 live, uint8 notLive, uint32 expiry) = epoch.expiries.countLive(certificate.signers);
        if (notLive != 0) revert SignerNotLive(notLive, expiry);
        if (live < quorum) revert TooFewSigners(live, quorum);
        if (!ResultTree.isPlace(certificate.index, certificate.leaves, certificate.path.length)) {
            revert BadPath(certificate.index, certificate.leaves, certificate.path.length);
        }
        bytes32 digest = batchDigest(result, certificate);
        if (!Schnorr.verify(groupX, groupV, digest, certificate.r, certificate.s)) revert BadGroupSignature(digest);
    }

    /// @inheritdoc IDecryptionVerifier
    function installEpoch(bytes32 keyId, uint32 epoch, EpochHeader calldata header, uint32[] calldata expiries)
        external
    {
        if (msg.sender != keyRegistry) revert NotKeyRegistry(msg.sender);
        Epoch storage installed = _epochs[keyId][epoch];
        if (installed.n != 0) revert EpochAlreadyInstalled(keyId, epoch);
        if (!Schnorr.isKey(header.groupX, header.groupV)) revert BadGroupKey(header.groupX, header.groupV);
        if (
            header.n == 0 || header.n > CommitteeSize.MAX_PARTIES || header.n != expiries.length || header.quorum == 0
                || header.quorum > header.n
        ) revert BadCommitteeSize(expiries.length, header.quorum);
        installed.groupX = header.groupX;
        installed.gateway = header.gateway;
        installed.groupV = header.groupV;
        installed.n = header.n;
        installed.quorum = header.quorum;
        installed.expiries = PackedExpiries.pack(expiries);
        emit EpochInstalled(
            keyId, epoch, header.gateway, header.groupX, header.groupV, header.n, header.quorum, expiries
        );
    }

    /// @inheritdoc IDecryptionVerifier
    function setExpiry(bytes32 keyId, uint32 epoch, uint8 index, uint32 expiry) external {
        if (msg.sender != nodeRegistry) revert NotNodeRegistry(msg.sender);
        Epoch storage installed = _installed(keyId, epoch);
        if (index == 0 || index > installed.n) revert PartyOutOfRange(index, installed.n);
        installed.expiries.set(index, expiry);
        emit ExpirySet(keyId, epoch, index, expiry);
    }

    /// @inheritdoc IDecryptionVerifier
    function clearExpiries(bytes32 keyId, uint32 epoch, uint256 parties) external {
        if (msg.sender != nodeRegistry) revert NotNodeRegistry(msg.sender);
        Epoch storage installed = _installed(keyId, epoch);
        if (parties >> installed.n != 0) revert SignersOutOfRange(parties, installed.n);
        installed.expiries.clear(parties);
        emit ExpiriesCleared(keyId, epoch, parties);
    }

    /// @inheritdoc IDecryptionVerifier
    function headerOf(bytes32 keyId, uint32 epoch) external view returns (EpochHeader memory) {
        Epoch storage found = _epochs[keyId][epoch];
        return EpochHeader(found.groupX, found.groupV, found.n, found.quorum, found.gateway);
    }

    /// @inheritdoc IDecryptionVerifier
    function expiryOf(bytes32 keyId, uint32 epoch, uint8 index) external view returns (uint32) {
        Epoch storage found = _epochs[keyId][epoch];
        return index == 0 || index > found.n ? 0 : found.expiries.get(index);
    }

    /// @inheritdoc IDecryptionVerifier
    function domainSeparator() public view returns (bytes32) {
        return block.chainid == _cachedChainId ? _cachedSeparator : TwinlockDomain.separator(address(this));
    }

    /// @inheritdoc IDecryptionVerifier
    function hashResult(DecryptionResult calldata result) public view returns (bytes32) {
        return keccak256(
            abi.encode(
                RESULT_TYPE,
                block.chainid,
                result.gateway,
                result.requestId,
                keccak256(abi.encodePacked(result.handles)),
                keccak256(abi.encodePacked(result.sessions)),
                keccak256(result.plaintexts)
            )
        );
    }

    /// @inheritdoc IDecryptionVerifier
    function batchDigest(DecryptionResult calldata result, Certificate calldata certificate)
        public
        view
        returns (bytes32)
    {
        bytes32 leaf = ResultTree.leafOf(hashResult(result));
        bytes32 root = ResultTree.rootOf(leaf, certificate.index, certificate.path);
        bytes32 structHash = keccak256(
            abi.encode(
                BATCH_TYPE, certificate.keyId, certificate.epoch, certificate.signers, root, certificate.leaves
            )
        );
        return MessageHashUtils.toTypedDataHash(domainSeparator(), structHash);
    }

    function _requireShape(DecryptionResult calldata result) private pure {
        uint256 count = result.handles.length;
        if (count == 0 || result.sessions.length != count || result.plaintexts.length != 32 * count) {
            revert ResultShapeMismatch(count, result.sessions.length, result.plaintexts.length);
        }
    }

    function _installed(bytes32 keyId, uint32 epoch) private view returns (Epoch storage installed) {
        installed = _epochs[keyId][epoch];
        if (installed.n == 0) revert UnknownEpoch(keyId, epoch);
    }
}
