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

    address public immutable keyRegistry;
    address public immutable nodeRegistry;
    uint256 private immutable _cachedChainId;
    bytes32 private immutable _cachedSeparator;

    /// @dev Fixed by the key id. Part of every epoch's place: a key serves one gateway for ever, and another key's
    /// committee has no say about this gateway's requests.
    mapping(bytes32 keyId => address gateway) private _gateways;
    /// @dev By keccak256(key id, epoch, gateway). A verification reads two slots, or three with a party above 7.
    mapping(bytes32 place => uint256 groupX) private _groups;
    /// @dev By the last 64 bits of the place, so that NodeRegistry keeps four of them in a word and a removal finds
    /// sixteen committees with four reads. Two places never share words: the second one is not installed. Whoever
    /// makes up a place that ends like an installed one finds no group key there.
    mapping(uint64 committeeId => uint256[2]) private _words;

    constructor(address keyRegistry_, address nodeRegistry_) {
        keyRegistry = keyRegistry_;
        nodeRegistry = nodeRegistry_;
        _cachedChainId = block.chainid;
        _cachedSeparator = TwinlockDomain.separator(address(this));
    }

    /// @inheritdoc IDecryptionVerifier
    function verify(DecryptionResult calldata result, Certificate calldata certificate) external view {
        bytes32 place = _place(certificate.keyId, certificate.epoch, result.gateway);
        uint256 groupX = _groups[place];
        if (groupX == 0) revert UnknownEpoch(certificate.keyId, certificate.epoch, result.gateway);
        uint256[2] storage words = _words[_committeeId(place)];
        uint256 signers = certificate.signers;
        uint256 word = words[0];
        (uint8 groupV, uint8 n, uint8 quorum) = EpochWords.header(word);
        if (signers >> n != 0) revert SignersOutOfRange(signers, n);
        uint256 live = words.requireLive(word, signers);
        if (live < quorum) revert TooFewSigners(uint8(live), quorum);
        bytes32 digest = batchDigest(result, certificate);
        if (!Schnorr.verify(groupX, groupV, digest, certificate.r, certificate.s)) {
            revert BadGroupSignature(digest);
        }
    }

    /// @inheritdoc IDecryptionVerifier
    function installEpoch(bytes32 keyId, uint32 epoch, EpochHeader calldata header, uint32[] calldata expiries)
        external
    {
        if (msg.sender != keyRegistry) revert NotKeyRegistry(msg.sender);
        bytes32 place = _place(keyId, epoch, header.gateway);
        if (_words[_committeeId(place)][0] != 0) revert EpochAlreadyInstalled(keyId, epoch);
        if (!Schnorr.isKey(header.groupX, header.groupV)) revert BadGroupKey(header.groupX, header.groupV);
        if (
            header.n == 0 || header.n > CommitteeSize.MAX_PARTIES || header.n != expiries.length || header.quorum == 0
                || header.quorum > header.n
        ) revert BadCommitteeSize(expiries.length, header.quorum);
        _gateways[keyId] = header.gateway;
        _groups[place] = header.groupX;
        _words[_committeeId(place)] = EpochWords.pack(header.groupV, header.n, header.quorum, expiries);
        emit EpochInstalled(
            keyId, epoch, header.gateway, header.groupX, header.groupV, header.n, header.quorum, expiries
        );
    }

    /// @inheritdoc IDecryptionVerifier
    function setExpiry(bytes32 keyId, uint32 epoch, uint8 index, uint32 expiry) external {
        if (msg.sender != nodeRegistry) revert NotNodeRegistry(msg.sender);
        uint256[2] storage words = _words[committeeIdOf(keyId, epoch)];
        (, uint8 n,) = EpochWords.header(words[0]);
        if (index == 0 || index > n) revert PartyOutOfRange(index, n);
        words.setExpiry(index, expiry);
        emit ExpirySet(keyId, epoch, index, expiry);
    }

    /// @inheritdoc IDecryptionVerifier
    function clearExpiries(uint256[4] calldata committeeIds, uint256 seats) external {
        if (msg.sender != nodeRegistry) revert NotNodeRegistry(msg.sender);
        emit ExpiriesCleared(committeeIds, seats);
        for (uint256 word; seats != 0; ++word) {
            uint256 ids = committeeIds[word];
            for (uint256 next = uint64(seats); next != 0; next >>= 16) {
                if (uint16(next) != 0) _clear(uint64(ids), uint16(next));
                ids >>= 64;
            }
            seats >>= 64;
        }
    }

    /// @inheritdoc IDecryptionVerifier
    function committeeIdOf(bytes32 keyId, uint32 epoch) public view returns (uint64 committeeId) {
        address gateway = _gateways[keyId];
        committeeId = _committeeId(_place(keyId, epoch, gateway));
        if (_words[committeeId][0] == 0) revert UnknownEpoch(keyId, epoch, gateway);
    }

    /// @inheritdoc IDecryptionVerifier
    function headerOf(bytes32 keyId, uint32 epoch) external view returns (EpochHeader memory) {
        address gateway = _gateways[keyId];
        bytes32 place = _place(keyId, epoch, gateway);
        uint256 groupX = _groups[place];
        if (groupX == 0) return EpochHeader(0, 0, 0, 0, address(0));
        (uint8 groupV, uint8 n, uint8 quorum) = EpochWords.header(_words[_committeeId(place)][0]);
        return EpochHeader(groupX, groupV, n, quorum, gateway);
    }

    /// @inheritdoc IDecryptionVerifier
    function expiryOf(bytes32 keyId, uint32 epoch, uint8 index) external view returns (uint32) {
        bytes32 place = _place(keyId, epoch, _gateways[keyId]);
        if (_groups[place] == 0) return 0;
        uint256[2] storage words = _words[_committeeId(place)];
        (, uint8 n,) = EpochWords.header(words[0]);
        return index == 0 || index > n ? 0 : words.expiryOf(index);
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

    function _clear(uint64 committeeId, uint256 parties) private {
        uint256[2] storage words = _words[committeeId];
        uint256 word = words[0];
        (, uint8 n,) = EpochWords.header(word);
        if (n == 0) revert UnknownCommittee(committeeId);
        if (parties >> n != 0) revert SignersOutOfRange(parties, n);
        words.clear(word, parties);
    }

    function _committeeId(bytes32 place) private pure returns (uint64) {
        return uint64(uint256(place));
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
