// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlindVote} from "../src/examples/BlindVote.sol";
import {ICoprocessor} from "../src/interfaces/ICoprocessor.sol";
import {FHE} from "../src/libraries/FHE.sol";
import {Certificate, DecryptionResult, Opening} from "../src/types/Decryption.sol";
import {EncryptedInput, FheType, Operator} from "../src/types/Encrypted.sol";
import {InputTest} from "./support/InputTest.sol";
import {Vm} from "./support/Vm.sol";

/// @notice The example from ballots to tally.
contract BlindVoteTest is InputTest {
    BlindVote private _vote;
    address private _organiser;

    function setUp() public override {
        super.setUp();
        _organiser = addressOfName("organiser");
        vm.deal(_organiser, 1 ether);
        vm.startPrank(_organiser);
        _vote = BlindVote(_create("BlindVote", abi.encode(coprocessor, gateway, 3)));
        vm.stopPrank();
    }

    function test_ballotsAreCountedByEqSelectAndAdd() public {
        vm.recordLogs();
        _cast("alice");
        vm.assertEq(_operations(vm.getRecordedLogs()), "eq sel eq sel eq sel ");
        _cast("bob");
        vm.assertEq(_operations(vm.getRecordedLogs()), "eq sel add eq sel add eq sel add ");
        vm.assertEq(_vote.voters(), 2);
    }

    function test_voterMayReadTheOwnWeightOnly() public {
        EncryptedInput memory ballot = _cast("alice");
        address alice = addressOfName("alice");
        vm.assertTrue(coprocessor.isAllowed(ballot.handles[1], alice));
        vm.assertTrue(coprocessor.isAllowed(ballot.handles[1], address(_vote)));
        vm.assertFalse(coprocessor.isAllowed(ballot.handles[0], alice));
        vm.assertFalse(coprocessor.isAllowed(ballot.handles[1], addressOfName("bob")));
        vm.assertFalse(coprocessor.isAllowedForDecryption(ballot.handles[1]));
    }

    function test_tallyArrivesThroughTheGateway() public {
        _cast("alice");
        _cast("bob");
        bytes32[3] memory sums = _vote.encryptedTally();
        vm.assertFalse(coprocessor.isAllowedForDecryption(sums[0]));
        bytes32 requestId = _close();
        for (uint256 i; i < 3; ++i) vm.assertTrue(coprocessor.isAllowedForDecryption(sums[i]));
        vm.warp(block.timestamp + CANCEL_WINDOW);
        vm.expectEmit(address(_vote));
        emit BlindVote.TallyPublished(requestId, [uint16(11), 22, 33]);
        _fulfil(requestId);
        uint16[3] memory tally = _vote.tally();
        vm.assertTrue(tally[0] == 11 && tally[1] == 22 && tally[2] == 33);
    }

    function test_lateTallyIsCollected() public {
        _cast("alice");
        bytes32 requestId = _close();
        vm.warp(gateway.requestOf(requestId).deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(BlindVote.NoLateResult.selector, requestId));
        _vote.collect();
        _fulfil(requestId);
        vm.assertFalse(_vote.published());
        _vote.collect();
        vm.assertEq(_vote.tally()[2], 33);
        vm.expectRevert(abi.encodeWithSelector(BlindVote.NoLateResult.selector, requestId));
        _vote.collect();
        uint256 before = _organiser.balance;
        _vote.reclaimFee();
        vm.assertEq(_organiser.balance, before + FEE);
    }

    function test_onlyTheGatewayPublishes() public {
        _cast("alice");
        bytes32 requestId = _close();
        vm.expectRevert(abi.encodeWithSelector(BlindVote.NotGateway.selector, address(this)));
        _vote.onTally(requestId, new bytes(96));
        vm.prank(address(gateway));
        vm.expectRevert(abi.encodeWithSelector(BlindVote.WrongRequest.selector, keccak256("other"), requestId));
        _vote.onTally(keccak256("other"), new bytes(96));
    }

    function test_oneBallotPerAddress() public {
        _cast("alice");
        _castRefused("alice", abi.encodeWithSelector(BlindVote.AlreadyVoted.selector, addressOfName("alice")));
        _cast("bob");
        _cast("carol");
        _castRefused("dave", abi.encodeWithSelector(BlindVote.VoteFull.selector, 3));
    }

    function test_closedVoteTakesNoBallots() public {
        vm.prank(_organiser);
        vm.expectRevert(abi.encodeWithSelector(BlindVote.NoBallots.selector));
        _vote.close{value: FEE}();
        _cast("alice");
        vm.expectRevert(abi.encodeWithSelector(BlindVote.NotOrganiser.selector, address(this)));
        _vote.close();
        _close();
        _castRefused("bob", abi.encodeWithSelector(BlindVote.VoteOver.selector));
        vm.prank(_organiser);
        vm.expectRevert(abi.encodeWithSelector(BlindVote.VoteOver.selector));
        _vote.close{value: FEE}();
    }

    function test_copiedBallotIsRefused() public {
        address alice = addressOfName("alice");
        EncryptedInput memory ballot = _input(address(_vote), alice, FheType.Uint8, FheType.Uint16);
        vm.prank(addressOfName("bob"));
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.BadInputHandle.selector, 0, ballot.handles[0]));
        _vote.castVote(ballot);
    }

    function test_ballotHasItsTypes() public {
        address alice = addressOfName("alice");
        EncryptedInput memory ballot = _input(address(_vote), alice, FheType.Uint16, FheType.Uint16);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(FHE.WrongType.selector, ballot.handles[0], FheType.Uint8));
        _vote.castVote(ballot);
        ballot.handles = _handles(3);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(BlindVote.WrongBallot.selector, 3));
        _vote.castVote(ballot);
    }

    function _cast(string memory voter) private returns (EncryptedInput memory ballot) {
        ballot = _input(address(_vote), addressOfName(voter), FheType.Uint8, FheType.Uint16);
        vm.prank(addressOfName(voter));
        _vote.castVote(ballot);
    }

    function _castRefused(string memory voter, bytes memory refusal) private {
        EncryptedInput memory ballot = _input(address(_vote), addressOfName(voter), FheType.Uint8, FheType.Uint16);
        vm.prank(addressOfName(voter));
        vm.expectRevert(refusal);
        _vote.castVote(ballot);
    }

    function _close() private returns (bytes32 requestId) {
        vm.prank(_organiser);
        _vote.close{value: FEE}();
        return _vote.requestId();
    }

    function _fulfil(bytes32 requestId) private {
        bytes32[3] memory sums = _vote.encryptedTally();
        DecryptionResult memory result = DecryptionResult(address(gateway), requestId, new Opening[](3));
        for (uint256 i; i < 3; ++i) result.openings[i] = Opening(sums[i], keccak256(abi.encode(i)), 11 * (i + 1));
        Certificate memory certificate = _certify(keyId, result, 7);
        gateway.fulfil(result, certificate);
    }

    function _operations(Vm.Log[] memory logs) private pure returns (string memory names) {
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != ICoprocessor.Operation.selector) continue;
            Operator operator = Operator(uint256(logs[i].topics[1]));
            string memory name = operator == Operator.Eq ? "eq " : operator == Operator.Select ? "sel " : "add ";
            names = string.concat(names, name);
        }
    }
}
