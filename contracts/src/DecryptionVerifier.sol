// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IDecryptionVerifier} from "./interfaces/IDecryptionVerifier.sol";
import {CommitteeSize} from "./libraries/CommitteeSize.sol";
import {EpochWords} from "./libraries/EpochWords.sol";
import {ResultHash} from "./libraries/ResultHash.sol";
import {ResultTree} from "./libraries/ResultTree.sol";
import {Schnorr} from "./libraries/Schnorr.sol";
import {TwinlockDomain} from "./libraries/TwinlockDomain.sol";
import {Certificate, DecryptionResult, EpochHeader} from "./types/Decryption.sol";

/// @title Both locks of a decryption (protocol §7, rule B′ of the signing design)
/// @notice The group signature covers the set of signers; each of them must be live in this block. The set is testimony
/// of the honest signers: they sign only beside peers whose standing they checked. Standing is one expiry per party,
/// keyed by (key, epoch) and never by party alone, so that a new epoch cannot vouch for an old party.
contract DecryptionVerifier is IDecryptionVerifier {
    using EpochWords for uint256[2];

    struct Epoch {
        uint256 groupX;
        uint256[2] words;
    }

    address public immutable keyRegistry;
    address public immutable nodeRegistry;
    uint256 private immutable _cachedChainId;
    bytes32 private immutable _cachedSeparator;

    /// @dev Fixed by the key id. Part of every epoch's place: a key serves one gateway for ever, and another key's
    /// committee has no say about this gateway's requests.
    mapping(bytes32 keyId => address gateway) private _gateways;
    /// @dev By keccak256(key id, epoch, gateway). A verification reads two slots, or three with a party above 7.
    mapping(bytes32 place => Epoch) private _epochs;

    constructor(address keyRegistry_, address nodeRegistry_) {
        keyRegistry = keyRegistry_;
        nodeRegistry = nodeRegistry_;
        _cachedChainId = block.chainid;
        _cachedSeparator = TwinlockDomain.separator(address(this));
    }

    /// @inheritdoc IDecryptionVerifier
    function verify(DecryptionResult calldata result, Certificate calldata certificate) external view {
        Epoch storage epoch = _epochs[_place(certificate.keyId, certificate.epoch, result.gateway)];
        uint256 signers = certificate.signers;
        uint256 word = epoch.words[0];
        (uint8 groupV, uint8 n, uint8 quorum) = EpochWords.header(word);
        if (n == 0) revert UnknownEpoch(certificate.keyId, certificate.epoch, result.gateway);
        if (signers >> n != 0) revert SignersOutOfRange(signers, n);
        uint256 live = epoch.words.requireLive(word, signers);
        if (live < quorum) revert TooFewSigners(uint8(live), quorum);
        bytes32 digest = batchDigest(result, certificate);
        if (!Schnorr.verify(epoch.groupX, groupV, digest, certificate.r, certificate.s)) {
            revert BadGroupSignature(digest);
        }
    }

    /// @inheritdoc IDecryptionVerifier
    function installEpoch(bytes32 keyId, uint32 epoch, EpochHeader calldata header, uint32[] calldata expiries)
        external
    {
        if (msg.sender != keyRegistry) revert NotKeyRegistry(msg.sender);
        Epoch storage installed = _epochs[_place(keyId, epoch, header.gateway)];
        if (installed.groupX != 0) revert EpochAlreadyInstalled(keyId, epoch);
        if (!Schnorr.isKey(header.groupX, header.groupV)) revert BadGroupKey(header.groupX, header.groupV);
        if (
            header.n == 0 || header.n > CommitteeSize.MAX_PARTIES || header.n != expiries.length || header.quorum == 0
                || header.quorum > header.n
        ) revert BadCommitteeSize(expiries.length, header.quorum);
        _gateways[keyId] = header.gateway;
        installed.groupX = header.groupX;
        installed.words = EpochWords.pack(header.groupV, header.n, header.quorum, expiries);
        emit EpochInstalled(
            keyId, epoch, header.gateway, header.groupX, header.groupV, header.n, header.quorum, expiries
        );
    }

    /// @inheritdoc IDecryptionVerifier
    function setExpiry(bytes32 keyId, uint32 epoch, uint8 index, uint32 expiry) external {
        if (msg.sender != nodeRegistry) revert NotNodeRegistry(msg.sender);
        (Epoch storage installed, uint8 n) = _installed(keyId, epoch);
        if (index == 0 || index > n) revert PartyOutOfRange(index, n);
        installed.words.setExpiry(index, expiry);
        emit ExpirySet(keyId, epoch, index, expiry);
    }

    /// @inheritdoc IDecryptionVerifier
    function clearExpiries(bytes32 keyId, uint32 epoch, uint256 parties) external {
        if (msg.sender != nodeRegistry) revert NotNodeRegistry(msg.sender);
        (Epoch storage installed, uint8 n) = _installed(keyId, epoch);
        if (parties >> n != 0) revert SignersOutOfRange(parties, n);
        installed.words.clear(parties);
        emit ExpiriesCleared(keyId, epoch, parties);
    }

    /// @inheritdoc IDecryptionVerifier
    function headerOf(bytes32 keyId, uint32 epoch) external view returns (EpochHeader memory) {
        address gateway = _gateways[keyId];
        Epoch storage found = _epochs[_place(keyId, epoch, gateway)];
        (uint8 groupV, uint8 n, uint8 quorum) = EpochWords.header(found.words[0]);
        return EpochHeader(found.groupX, groupV, n, quorum, n == 0 ? address(0) : gateway);
    }

    /// @inheritdoc IDecryptionVerifier
    function expiryOf(bytes32 keyId, uint32 epoch, uint8 index) external view returns (uint32) {
        Epoch storage found = _epochs[_place(keyId, epoch, _gateways[keyId])];
        (, uint8 n,) = EpochWords.header(found.words[0]);
        return index == 0 || index > n ? 0 : found.words.expiryOf(index);
    }

    /// @inheritdoc IDecryptionVerifier
    function domainSeparator() public view returns (bytes32) {
        return block.chainid == _cachedChainId ? _cachedSeparator : TwinlockDomain.separator(address(this));
    }

    /// @inheritdoc IDecryptionVerifier
    function hashResult(DecryptionResult calldata result) external view returns (bytes32) {
        return ResultHash.ofResult(result);
    }

    /// @inheritdoc IDecryptionVerifier
    function batchDigest(DecryptionResult calldata result, Certificate calldata certificate)
        public
        view
        returns (bytes32)
    {
        bytes32[] calldata path = certificate.path;
        (uint256 index, uint256 leaves) = (certificate.index, certificate.leaves);
        if (!ResultTree.isPlace(index, leaves, path.length)) revert BadPath(index, leaves, path.length);
        bytes32 root = ResultTree.rootOf(ResultTree.leafOf(ResultHash.ofResult(result)), index, path);
        return MessageHashUtils.toTypedDataHash(domainSeparator(), ResultHash.ofBatch(certificate, root));
    }

    function _installed(bytes32 keyId, uint32 epoch) private view returns (Epoch storage installed, uint8 n) {
        address gateway = _gateways[keyId];
        installed = _epochs[_place(keyId, epoch, gateway)];
        (, n,) = EpochWords.header(installed.words[0]);
        if (n == 0) revert UnknownEpoch(keyId, epoch, gateway);
    }

    /// @dev keccak256(abi.encode(keyId, epoch, gateway))
    function _place(bytes32 keyId, uint32 epoch, address gateway) private pure returns (bytes32 place) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, keyId)
            mstore(add(free, 0x20), epoch)
            mstore(add(free, 0x40), gateway)
            place := keccak256(free, 0x60)
        }
    }
}
