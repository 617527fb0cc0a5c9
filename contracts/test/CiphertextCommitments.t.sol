// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICiphertextCommitments} from "../src/interfaces/ICiphertextCommitments.sol";
import {HandleLayout} from "../src/libraries/HandleLayout.sol";
import {Commitment} from "../src/types/Commitment.sol";
import {FheType} from "../src/types/Encrypted.sol";
import {Role} from "../src/types/Node.sol";
import {Proposal} from "../src/types/Key.sol";
import {System} from "./support/System.sol";

/// @notice First k-quorum final, a second one freezes, and only executors with standing in this block count.
contract CiphertextCommitmentsTest is System {
    bytes32 private _keyId;

    /// @dev Five executors, of which three must agree.
    function setUp() public override {
        super.setUp();
        for (uint256 i = 3; i <= 5; ++i) _addNode(Role.Executor, string.concat("executor", vm.toString(i)));
        Proposal memory proposal = _proposal();
        proposal.k = 3;
        vm.prank(governance);
        _keyId = keys.propose(proposal);
        _activate(_keyId);
    }

    function test_leafBindsEverything() public view {
        Commitment memory commitment = _commitment("one");
        bytes32 leaf = keccak256(
            abi.encode(
                keccak256("twinlock/commitment/v1"),
                block.chainid,
                address(coprocessor),
                commitment.handle,
                commitment.operationDigest,
                commitment.inputsDigest,
                commitment.ciphertextDigest,
                commitment.squashedDigest,
                uint256(3),
                uint256(4)
            )
        );
        vm.assertEq(commitments.leafOf(commitment), leaf);
    }

    function test_firstQuorumIsFinal() public {
        Commitment memory commitment = _commitment("one");
        bytes32 leaf = commitments.leafOf(commitment);
        vm.expectEmit(address(commitments));
        emit ICiphertextCommitments.CommitmentVoted(commitment.handle, leaf, executors[0], commitment);
        _vote(0, commitment);
        _vote(3, commitment);
        _assertFinal(commitment.handle, 0, false);
        vm.expectEmit(address(commitments));
        emit ICiphertextCommitments.CommitmentFinal(commitment.handle, leaf, 25);
        _vote(4, commitment);
        _assertFinal(commitment.handle, leaf, false);
        vm.assertEq(commitments.votersOf(commitment.handle, leaf), 25);
    }

    /// @notice One executor alone never makes a ciphertext decryptable, however often it votes.
    function test_repeatedVotesCountOnce() public {
        Commitment memory commitment = _commitment("one");
        for (uint256 i; i < 5; ++i) _vote(0, commitment);
        _vote(1, commitment);
        _assertFinal(commitment.handle, 0, false);
    }

    function test_votesForDifferentLeavesDoNotAddUp() public {
        _vote(0, _commitment("one"));
        _vote(1, _commitment("two"));
        _vote(2, _commitment("three"));
        _assertFinal(_commitment("one").handle, 0, false);
    }

    function test_secondQuorumFreezes() public {
        Commitment memory one = _commitment("one");
        Commitment memory two = _commitment("two");
        for (uint256 i; i < 3; ++i) _vote(i, one);
        bytes32 leaf = commitments.leafOf(one);
        _vote(2, two);
        _vote(3, two);
        _assertFinal(one.handle, leaf, false);
        vm.expectEmit(address(commitments));
        emit ICiphertextCommitments.CommitmentFrozen(one.handle, commitments.leafOf(two), 28);
        _vote(4, two);
        _assertFinal(one.handle, leaf, true);
    }

    /// @notice More votes for the final leaf change nothing; neither does a third leaf after the freeze.
    function test_finalityAndFreezeAreForEver() public {
        Commitment memory one = _commitment("one");
        for (uint256 i; i < 5; ++i) _vote(i, one);
        bytes32 leaf = commitments.leafOf(one);
        _assertFinal(one.handle, leaf, false);
        for (uint256 i; i < 3; ++i) _vote(i, _commitment("two"));
        for (uint256 i; i < 5; ++i) _vote(i, _commitment("three"));
        for (uint256 i; i < 5; ++i) _vote(i, one);
        _assertFinal(one.handle, leaf, true);
    }

    /// @notice Votes of executors that lost their standing before the quorum was reached are void.
    function test_votersAreLiveWhenItBecomesFinal() public {
        Commitment memory commitment = _commitment("one");
        _vote(0, commitment);
        _vote(1, commitment);
        nodes.setExpiry(executors[0], 0);
        _vote(2, commitment);
        _assertFinal(commitment.handle, 0, false);
        nodes.setExpiry(executors[0], uint32(block.timestamp) + STANDING);
        _vote(2, commitment);
        _assertFinal(commitment.handle, commitments.leafOf(commitment), false);
    }

    function test_executorNeedsStandingToVote() public {
        Commitment memory commitment = _commitment("one");
        nodes.setExpiry(executors[1], uint32(block.timestamp));
        _voteRefused(
            executors[1],
            commitment,
            abi.encodeWithSelector(
                ICiphertextCommitments.ExecutorNotLive.selector, executors[1], uint32(block.timestamp)
            )
        );
    }

    function test_onlyExecutorsOfTheKeyVote() public {
        address stranger = _addNode(Role.Executor, "executor of another key");
        address[2] memory others = [stranger, parties[0]];
        for (uint256 i; i < 2; ++i) {
            _voteRefused(
                others[i],
                _commitment("one"),
                abi.encodeWithSelector(ICiphertextCommitments.NotAnExecutor.selector, others[i])
            );
        }
    }

    function test_onlyTheKeyOfTheCoprocessorIsServed() public {
        Commitment[] memory none = new Commitment[](0);
        vm.expectRevert(abi.encodeWithSelector(ICiphertextCommitments.KeyNotBound.selector, keccak256("k"), _keyId));
        commitments.commit(keccak256("k"), none);
        vm.mockCall(address(keys), abi.encodeCall(keys.keyOfHost, (address(coprocessor))), abi.encode(bytes32(0)));
        vm.expectRevert(
            abi.encodeWithSelector(ICiphertextCommitments.KeyNotBound.selector, bytes32(0), bytes32(0))
        );
        commitments.commit(0, none);
    }

    function test_handleTypeAndBlocksBelongTogether() public {
        Commitment memory commitment = _commitment("one");
        commitment.fheType = FheType.Uint8;
        _voteRefused(
            executors[0],
            commitment,
            abi.encodeWithSelector(ICiphertextCommitments.TypeMismatch.selector, commitment.handle, FheType.Uint8)
        );
        commitment = _commitment("one");
        commitment.blockCount = 5;
        _voteRefused(
            executors[0],
            commitment,
            abi.encodeWithSelector(ICiphertextCommitments.BlockCountMismatch.selector, uint32(5), uint32(4))
        );
    }

    function test_operationMakesTheHandle() public {
        Commitment memory commitment = _commitment("one");
        commitment.operationDigest = keccak256("another operation");
        _voteRefused(
            executors[0],
            commitment,
            abi.encodeWithSelector(
                ICiphertextCommitments.OperationMismatch.selector, commitment.handle, commitment.operationDigest
            )
        );
    }

    function test_foreignHandlesAreRefused() public {
        Commitment memory commitment = _commitment("one");
        commitment.handle ^= bytes32(uint256(1));
        _voteRefused(
            executors[0],
            commitment,
            abi.encodeWithSelector(ICiphertextCommitments.BadHandle.selector, commitment.handle)
        );
    }

    function test_onlyWhatCanBeDecryptedIsCommitted() public {
        bytes memory refusal =
            abi.encodeWithSelector(ICiphertextCommitments.DigestMissing.selector, _commitment("one").handle);
        Commitment memory commitment = _commitment("one");
        commitment.squashedDigest = 0;
        _voteRefused(executors[0], commitment, refusal);
        commitment = _commitment("one");
        commitment.ciphertextDigest = 0;
        _voteRefused(executors[0], commitment, refusal);
    }

    function test_manyInOneTransaction() public {
        Commitment[] memory batch = new Commitment[](2);
        batch[0] = _commitment("one");
        batch[1] = _commitment("one");
        batch[1].operationDigest = keccak256("second operation");
        batch[1].handle = HandleLayout.format(batch[1].operationDigest, 255, FheType.Uint16);
        for (uint256 i; i < 3; ++i) {
            vm.prank(executors[i]);
            commitments.commit(_keyId, batch);
        }
        _assertFinal(batch[0].handle, commitments.leafOf(batch[0]), false);
        _assertFinal(batch[1].handle, commitments.leafOf(batch[1]), false);
    }

    /// @notice The same handle every time; `content` changes what it stands for.
    function _commitment(string memory content) private view returns (Commitment memory) {
        bytes32 operation = keccak256("operation");
        return Commitment({
            handle: HandleLayout.format(operation, 255, FheType.Uint16),
            operationDigest: operation,
            inputsDigest: keccak256("inputs"),
            ciphertextDigest: keccak256(bytes(content)),
            squashedDigest: keccak256(abi.encode(content)),
            fheType: FheType.Uint16,
            blockCount: 4
        });
    }

    function _vote(uint256 executor, Commitment memory commitment) private {
        Commitment[] memory batch = new Commitment[](1);
        batch[0] = commitment;
        vm.prank(executors[executor]);
        commitments.commit(_keyId, batch);
    }

    function _voteRefused(address executor, Commitment memory commitment, bytes memory refusal) private {
        Commitment[] memory batch = new Commitment[](1);
        batch[0] = commitment;
        vm.prank(executor);
        vm.expectRevert(refusal);
        commitments.commit(_keyId, batch);
    }

    function _assertFinal(bytes32 handle, bytes32 leaf, bool frozen) private view {
        (bytes32 actual, bool isFrozen) = commitments.finalOf(handle);
        vm.assertEq(actual, leaf);
        vm.assertTrue(isFrozen == frozen);
    }
}
