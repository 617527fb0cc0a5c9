// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IDecryptionVerifier} from "./interfaces/IDecryptionVerifier.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {CommitteeSize} from "./libraries/CommitteeSize.sol";
import {EpochWords} from "./libraries/EpochWords.sol";
import {ResultHash} from "./libraries/ResultHash.sol";
import {ResultTree} from "./libraries/ResultTree.sol";
import {Schnorr} from "./libraries/Schnorr.sol";
import {SeatQuote} from "./libraries/SeatQuote.sol";
import {SeatSigners} from "./libraries/SeatSigners.sol";
import {TwinlockDomain} from "./libraries/TwinlockDomain.sol";
import {
    AcceptancePolicy,
    BatchCertificate,
    Certificate,
    DecryptionResult,
    EndorsedCertificate,
    EpochHeader,
    FreshQuote,
    PolicyEvidence
} from "./types/Decryption.sol";

/// @title Both locks of a decryption (protocol §7)
/// @notice Rule B′: the group signature covers the set of signers; each of them must be live in this block. The set is
/// testimony of the honest signers: they sign only beside peers whose standing they checked. Rule E: a quorum of live
/// seats signs instead, each with its own key. Standing is one expiry per party, keyed by (key, epoch) and never by party
/// alone, so that a new epoch cannot vouch for an old party.
contract DecryptionVerifier is IDecryptionVerifier {
    using EpochWords for uint256[2];

    /// @param groupX of the group key
    /// @param signers of the seats, see SeatSigners
    struct Keys {
        uint256 groupX;
        address signers;
    }

    /// @inheritdoc IDecryptionVerifier
    uint256 public constant MAX_BATCH = 64;

    address public immutable keyRegistry;
    address public immutable nodeRegistry;
    uint256 private immutable _cachedChainId;
    bytes32 private immutable _cachedSeparator;

    /// @dev Fixed by the key id. Part of every epoch's place: a key serves one gateway for ever, and another key's
    /// committee has no say about this gateway's requests.
    mapping(bytes32 keyId => address gateway) private _gateways;
    /// @dev By keccak256(key id, epoch, gateway). A verification reads two slots, or three with a party above 7.
    mapping(bytes32 place => Keys) private _keys;
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
        _verify(result, certificate);
    }

    /// @inheritdoc IDecryptionVerifier
    function verifyBatch(DecryptionResult[] calldata results, BatchCertificate calldata certificate) external view {
        uint256 count = results.length;
        if (count == 0 || count > MAX_BATCH) revert BatchSizeOutOfRange(count, MAX_BATCH);
        (bytes32 keyId, uint32 epoch, uint256 signers) = (certificate.keyId, certificate.epoch, certificate.signers);
        address gateway = results[0].gateway;
        bytes32 place = _place(keyId, epoch, gateway);
        uint256 groupX = _keys[place].groupX;
        if (groupX == 0) revert UnknownEpoch(keyId, epoch, gateway);
        uint8 groupV = _requireQuorum(place, signers);
        bytes32[] memory leaves = new bytes32[](count);
        for (uint256 i; i < count; ++i) {
            DecryptionResult calldata result = results[i];
            if (result.gateway != gateway) revert UnknownEpoch(keyId, epoch, result.gateway);
            leaves[i] = ResultTree.leafOf(ResultHash.ofResult(result));
        }
        bytes32 batch = ResultHash.ofBatch(keyId, epoch, signers, ResultTree.rootOf(leaves), count);
        _requireGroupSignature(groupX, groupV, _typedDigest(batch), certificate.r, certificate.s);
    }

    /// @inheritdoc IDecryptionVerifier
    function verifyEndorsed(DecryptionResult calldata result, EndorsedCertificate calldata certificate)
        external
        view
    {
        (bytes32 keyId, uint32 epoch, uint32 leaves) = (certificate.keyId, certificate.epoch, certificate.leaves);
        bytes32 place = _place(keyId, epoch, result.gateway);
        address seats = _keys[place].signers;
        if (seats == address(0)) revert UnknownEpoch(keyId, epoch, result.gateway);
        uint256 signers = certificate.signers;
        (uint256 live, uint8 quorum,) = _requireLive(place, signers);
        if (live < quorum) revert TooFewSigners(uint8(live), quorum);
        bytes32 root = _rootOf(result, certificate.index, leaves, certificate.path);
        bytes32 digest = endorsedDigest(keyId, epoch, root, leaves);
        SeatSigners.requireSignatures(seats, signers, live, digest, certificate.signatures);
    }

    /// @inheritdoc IDecryptionVerifier
    function verifyWith(
        DecryptionResult calldata result,
        Certificate calldata certificate,
        PolicyEvidence calldata evidence,
        AcceptancePolicy calldata policy
    ) external view {
        (bytes32 place, bytes32 root) = _verify(result, certificate);
        address seats = _keys[place].signers;
        (bytes32 keyId, uint32 epoch, uint32 leaves) = (certificate.keyId, certificate.epoch, certificate.leaves);
        uint256 endorsers = evidence.endorsers;
        (uint256 count,,) = _requireLive(place, endorsers);
        if (count < policy.endorsements) revert TooFewEndorsements(uint8(count), policy.endorsements);
        bytes32 digest = endorsedDigest(keyId, epoch, root, leaves);
        SeatSigners.requireSignatures(seats, endorsers, count, digest, evidence.signatures);
        _requireQuotes(place, certificate, root, evidence.quotes, policy.freshQuotes);
    }

    /// @inheritdoc IDecryptionVerifier
    function installEpoch(
        bytes32 keyId,
        uint32 epoch,
        EpochHeader calldata header,
        uint32[] calldata expiries,
        address[] calldata signers
    ) external {
        if (msg.sender != keyRegistry) revert NotKeyRegistry(msg.sender);
        bytes32 place = _place(keyId, epoch, header.gateway);
        if (_words[_committeeId(place)][0] != 0) revert EpochAlreadyInstalled(keyId, epoch);
        if (!Schnorr.isKey(header.groupX, header.groupV)) revert BadGroupKey(header.groupX, header.groupV);
        if (
            header.n == 0 || header.n > CommitteeSize.MAX_PARTIES || header.n != expiries.length || header.quorum == 0
                || header.quorum > header.n
        ) revert BadCommitteeSize(expiries.length, header.quorum);
        _gateways[keyId] = header.gateway;
        if (signers.length != header.n) revert BadCommitteeSize(signers.length, header.quorum);
        _keys[place] = Keys(header.groupX, SeatSigners.write(signers));
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
        uint256 groupX = _keys[place].groupX;
        if (groupX == 0) return EpochHeader(0, 0, 0, 0, address(0));
        (uint8 groupV, uint8 n, uint8 quorum) = EpochWords.header(_words[_committeeId(place)][0]);
        return EpochHeader(groupX, groupV, n, quorum, gateway);
    }

    /// @inheritdoc IDecryptionVerifier
    function expiryOf(bytes32 keyId, uint32 epoch, uint8 index) external view returns (uint32) {
        bytes32 place = _place(keyId, epoch, _gateways[keyId]);
        if (_keys[place].groupX == 0) return 0;
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
        external
        view
        returns (bytes32 digest)
    {
        (digest,) = _batchDigest(result, certificate);
    }

    /// @inheritdoc IDecryptionVerifier
    function endorsedDigest(bytes32 keyId, uint32 epoch, bytes32 root, uint32 leaves) public view returns (bytes32) {
        return _typedDigest(ResultHash.ofEndorsed(keyId, epoch, root, leaves));
    }

    /// @inheritdoc IDecryptionVerifier
    function freshQuoteBinding(bytes32 keyId, uint32 epoch, uint8 index, bytes32 root, uint32 leaves)
        public
        view
        returns (bytes32)
    {
        return SeatQuote.bindingOf(address(this), keyId, epoch, index, root, leaves);
    }

    /// @inheritdoc IDecryptionVerifier
    function seatsOf(bytes32 keyId, uint32 epoch) external view returns (address[] memory) {
        return SeatSigners.read(_keys[_place(keyId, epoch, _gateways[keyId])].signers);
    }

    /// @dev Rule B′.
    function _verify(DecryptionResult calldata result, Certificate calldata certificate)
        private
        view
        returns (bytes32 place, bytes32 root)
    {
        place = _place(certificate.keyId, certificate.epoch, result.gateway);
        uint256 groupX = _keys[place].groupX;
        if (groupX == 0) revert UnknownEpoch(certificate.keyId, certificate.epoch, result.gateway);
        uint8 groupV = _requireQuorum(place, certificate.signers);
        bytes32 digest;
        (digest, root) = _batchDigest(result, certificate);
        _requireGroupSignature(groupX, groupV, digest, certificate.r, certificate.s);
    }

    /// @dev Enough quotes, one each of distinct live seats, bound to this tree.
    function _requireQuotes(
        bytes32 place,
        Certificate calldata certificate,
        bytes32 root,
        FreshQuote[] calldata quotes,
        uint8 required
    ) private view {
        if (quotes.length < required) revert TooFewQuotes(quotes.length, required);
        if (quotes.length == 0) return;
        uint256 quoted;
        for (uint256 i; i < quotes.length; ++i) {
            uint8 index = quotes[i].index;
            // Strictly ascending, so that nobody counts twice.
            if (index == 0 || index > CommitteeSize.MAX_PARTIES || quoted >> (index - 1) != 0) {
                revert QuotesUnsorted(index);
            }
            quoted |= 1 << (index - 1);
        }
        _requireLive(place, quoted);
        address[] memory seats = SeatSigners.read(_keys[place].signers);
        for (uint256 i; i < quotes.length; ++i) {
            FreshQuote calldata quote = quotes[i];
            bytes32 binding =
                freshQuoteBinding(certificate.keyId, certificate.epoch, quote.index, root, certificate.leaves);
            SeatQuote.requireGenuine(INodeRegistry(nodeRegistry), seats[quote.index - 1], quote.evidence, binding);
        }
    }

    function _requireQuorum(bytes32 place, uint256 signers) private view returns (uint8 groupV) {
        uint256 live;
        uint8 quorum;
        (live, quorum, groupV) = _requireLive(place, signers);
        if (live < quorum) revert TooFewSigners(uint8(live), quorum);
    }

    /// @dev All parties are in range and live.
    function _requireLive(bytes32 place, uint256 parties)
        private
        view
        returns (uint256 live, uint8 quorum, uint8 groupV)
    {
        uint256[2] storage words = _words[_committeeId(place)];
        uint256 word = words[0];
        uint8 n;
        (groupV, n, quorum) = EpochWords.header(word);
        if (parties >> n != 0) revert SignersOutOfRange(parties, n);
        live = words.requireLive(word, parties);
    }

    function _requireGroupSignature(uint256 groupX, uint8 groupV, bytes32 digest, address r, uint256 s) private pure {
        if (!Schnorr.verify(groupX, groupV, digest, r, s)) revert BadGroupSignature(digest);
    }

    function _batchDigest(DecryptionResult calldata result, Certificate calldata certificate)
        private
        view
        returns (bytes32 digest, bytes32 root)
    {
        root = _rootOf(result, certificate.index, certificate.leaves, certificate.path);
        digest = _typedDigest(
            ResultHash.ofBatch(
                certificate.keyId, certificate.epoch, certificate.signers, root, certificate.leaves
            )
        );
    }

    function _rootOf(DecryptionResult calldata result, uint256 index, uint256 leaves, bytes32[] calldata path)
        private
        view
        returns (bytes32)
    {
        if (!ResultTree.isPlace(index, leaves, path.length)) revert BadPath(index, leaves, path.length);
        return ResultTree.rootOf(ResultTree.leafOf(ResultHash.ofResult(result)), index, path);
    }

    function _typedDigest(bytes32 structHash) private view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(domainSeparator(), structHash);
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
