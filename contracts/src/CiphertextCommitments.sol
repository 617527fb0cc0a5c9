// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICiphertextCommitments} from "./interfaces/ICiphertextCommitments.sol";
import {IKeyRegistry} from "./interfaces/IKeyRegistry.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {Bitmap} from "./libraries/Bitmap.sol";
import {FheTypes} from "./libraries/FheTypes.sol";
import {HandleLayout} from "./libraries/HandleLayout.sol";
import {Commitment} from "./types/Commitment.sol";

/// @title Which ciphertext a handle stands for, by the word of k executors (protocol §8)
/// @notice The first leaf with the votes of k live executors is final. As k is more than half of all executors, a second
/// one proves that somebody voted twice: the handle freezes and no node releases anything for it.
/// @dev One slot per handle, not a root per block range: "first" and "frozen" are properties of a handle, and two ranges
/// could each carry another leaf for the same one. Nodes read the slots by storage proof.
contract CiphertextCommitments is ICiphertextCommitments {
    bytes32 private constant COMMITMENT_TAG = keccak256("twinlock/commitment/v1");

    IKeyRegistry public immutable keyRegistry;
    INodeRegistry public immutable nodeRegistry;
    /// @inheritdoc ICiphertextCommitments
    address public immutable coprocessor;

    mapping(bytes32 handle => bytes32 leaf) private _final;
    mapping(bytes32 handle => bool) private _frozen;
    mapping(bytes32 handle => mapping(bytes32 leaf => uint256 bitmap)) private _voters;

    constructor(IKeyRegistry keyRegistry_, INodeRegistry nodeRegistry_, address coprocessor_) {
        keyRegistry = keyRegistry_;
        nodeRegistry = nodeRegistry_;
        coprocessor = coprocessor_;
    }

    /// @inheritdoc ICiphertextCommitments
    function commit(bytes32 keyId, Commitment[] calldata commitments) external {
        bytes32 bound = keyRegistry.keyOfHost(coprocessor);
        if (keyId != bound || keyId == 0) revert KeyNotBound(keyId, bound);
        (uint256 own, uint256 live, uint8 k) = _executors(keyId);
        for (uint256 i; i < commitments.length; ++i) {
            _vote(commitments[i], own, live, k);
        }
    }

    /// @inheritdoc ICiphertextCommitments
    function finalOf(bytes32 handle) external view returns (bytes32 leaf, bool frozen) {
        return (_final[handle], _frozen[handle]);
    }

    /// @inheritdoc ICiphertextCommitments
    function votersOf(bytes32 handle, bytes32 leaf) external view returns (uint256 bitmap) {
        return _voters[handle][leaf];
    }

    /// @inheritdoc ICiphertextCommitments
    function leafOf(Commitment calldata commitment) public view returns (bytes32) {
        return keccak256(abi.encode(COMMITMENT_TAG, block.chainid, coprocessor, commitment));
    }

    function _vote(Commitment calldata commitment, uint256 own, uint256 live, uint8 k) private {
        _requireWellFormed(commitment);
        bytes32 handle = commitment.handle;
        bytes32 leaf = leafOf(commitment);
        uint256 voters = _voters[handle][leaf] | own;
        _voters[handle][leaf] = voters;
        emit CommitmentVoted(handle, leaf, msg.sender, commitment);
        // Everyone who counts must have standing now: an early vote of a node that was revoked since is void.
        voters &= live;
        if (Bitmap.count(voters) < k) return;
        bytes32 first = _final[handle];
        if (first == 0) {
            _final[handle] = leaf;
            emit CommitmentFinal(handle, leaf, voters);
        } else if (first != leaf && !_frozen[handle]) {
            _frozen[handle] = true;
            emit CommitmentFrozen(handle, leaf, voters);
        }
    }

    /// @return own bit of the caller, a live executor
    /// @return live bits of all executors with standing in this block
    function _executors(bytes32 keyId) private view returns (uint256 own, uint256 live, uint8 k) {
        address[] memory executors;
        (executors, k) = keyRegistry.executorsOf(keyId);
        for (uint256 i; i < executors.length; ++i) {
            uint32 liveUntil = nodeRegistry.liveUntil(executors[i]);
            bool isLive = liveUntil > block.timestamp;
            if (isLive) live |= 1 << i;
            if (executors[i] != msg.sender) continue;
            if (!isLive) revert ExecutorNotLive(msg.sender, liveUntil);
            own = 1 << i;
        }
        if (own == 0) revert NotAnExecutor(msg.sender);
    }

    /// @dev Only what can be decrypted is committed: a leaf without squashed words would block the handle for ever.
    function _requireWellFormed(Commitment calldata commitment) private view {
        bytes32 handle = commitment.handle;
        if (!HandleLayout.isHandle(handle)) revert BadHandle(handle);
        if (!HandleLayout.isOf(handle, commitment.operationDigest)) {
            revert OperationMismatch(handle, commitment.operationDigest);
        }
        if (commitment.fheType != HandleLayout.typeOf(handle)) revert TypeMismatch(handle, commitment.fheType);
        uint32 blocks = FheTypes.blockCountOf(commitment.fheType);
        if (commitment.blockCount != blocks) revert BlockCountMismatch(commitment.blockCount, blocks);
        if (commitment.ciphertextDigest == 0 || commitment.squashedDigest == 0) revert DigestMissing(handle);
    }
}
