// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CiphertextCommitments} from "../src/CiphertextCommitments.sol";
import {Coprocessor} from "../src/Coprocessor.sol";
import {DecryptionGateway} from "../src/DecryptionGateway.sol";
import {ICiphertextCommitments} from "../src/interfaces/ICiphertextCommitments.sol";
import {IDecryptionVerifier} from "../src/interfaces/IDecryptionVerifier.sol";
import {IKeyRegistry} from "../src/interfaces/IKeyRegistry.sol";
import {Commitment} from "../src/types/Commitment.sol";
import {Certificate, DecryptionResult, RequestStatus} from "../src/types/Decryption.sol";
import {KeyStatus, Proposal} from "../src/types/Key.sol";
import {Role} from "../src/types/Node.sol";
import {Requester} from "./support/Requester.sol";
import {SchnorrSigner} from "./support/SchnorrSigner.sol";
import {System} from "./support/System.sol";

/// @notice Several keys in one network: each with host, committee, parameters and group key of its own, under the same
/// operators, machines and executors.
contract KeyRegistryManyTest is System {
    uint256 private constant SIGNERS = 7;

    bytes32 private _first;
    bytes32 private _second;
    address[] private _firstParties;
    DecryptionGateway private _firstGateway;
    CiphertextCommitments private _firstCommitments;
    Coprocessor private _firstCoprocessor;
    SchnorrSigner.Key private _firstGroup;

    function setUp() public override {
        super.setUp();
        _first = _activeKey();
        _firstParties = parties;
        (_firstGateway, _firstCommitments, _firstCoprocessor, _firstGroup) =
            (gateway, commitments, coprocessor, group);
        _enterSecondHost();
        Proposal memory proposal = _proposal();
        proposal.parametersHash = keccak256("next parameters");
        vm.prank(governance);
        _second = keys.propose(proposal);
        _activate(_second);
        vm.deal(address(this), 1 ether);
    }

    function test_bothKeysAreActive() public view {
        vm.assertNotEq(_first, _second);
        vm.assertEq(keys.keyOfHost(address(_firstCoprocessor)), _first);
        vm.assertEq(keys.keyOfHost(address(coprocessor)), _second);
        _assertBothActive();
        vm.assertEq(keys.keyOf(_first).parametersHash, keccak256("parameters"));
        vm.assertEq(keys.keyOf(_second).parametersHash, keccak256("next parameters"));
        vm.assertEq(keccak256(abi.encode(keys.committeeOf(_first, EPOCH).parties)), _hashOf(_firstParties));
        vm.assertEq(keccak256(abi.encode(keys.committeeOf(_second, EPOCH).parties)), _hashOf(parties));
        vm.assertEq(verifier.headerOf(_first, EPOCH).groupX, _firstGroup.x);
        vm.assertEq(verifier.headerOf(_second, EPOCH).groupX, group.x);
    }

    function test_eachKeyAnswersItsOwnHost() public {
        bytes32 requested = _askAt(_firstGateway);
        bytes32 requestedOfSecond = _askAt(gateway);
        DecryptionResult memory result = _result(requestedOfSecond, 1);
        gateway.fulfil(result, _certify(_second, result, SIGNERS));
        vm.assertTrue(gateway.requestOf(requestedOfSecond).status == RequestStatus.Fulfilled);
        vm.assertTrue(_firstGateway.requestOf(requested).status == RequestStatus.Pending);
        _enterFirstHost();
        result = _result(requested, 1);
        gateway.fulfil(result, _certify(_first, result, SIGNERS));
        vm.assertTrue(gateway.requestOf(requested).status == RequestStatus.Fulfilled);
    }

    /// @dev ⚔ a committee has no say about another key's host, whatever it signs.
    function test_otherKeysCertificateIsRefused() public {
        DecryptionResult memory result = _result(_askAt(gateway), 1);
        group = _firstGroup;
        bytes memory refusal =
            abi.encodeWithSelector(IDecryptionVerifier.UnknownEpoch.selector, _first, EPOCH, address(gateway));
        Certificate memory certificate = _certify(_first, result, SIGNERS);
        vm.expectRevert(refusal);
        gateway.fulfil(result, certificate);
        certificate = _certify(_second, result, SIGNERS);
        vm.expectPartialRevert(IDecryptionVerifier.BadGroupSignature.selector);
        gateway.fulfil(result, certificate);
    }

    function test_executorsCommitUnderTheHostsKey() public {
        Commitment[] memory none = new Commitment[](0);
        vm.prank(executors[0]);
        vm.expectRevert(abi.encodeWithSelector(ICiphertextCommitments.KeyNotBound.selector, _first, _second));
        commitments.commit(_first, none);
        vm.prank(executors[0]);
        commitments.commit(_second, none);
        vm.prank(executors[0]);
        _firstCommitments.commit(_first, none);
    }

    /// @dev One signer for each seat: an enclave holds the share of one key.
    function test_seatedSignerGetsNoSeatInAnotherKey() public {
        _enterHost();
        _enterCommittee("third");
        Proposal memory proposal = _proposal();
        proposal.parties[2] = _firstParties[2];
        vm.prank(governance);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.MemberSeated.selector, _firstParties[2]));
        keys.propose(proposal);
    }

    function test_discardedProposalLeavesOtherKeysAlone() public {
        _enterHost();
        _enterCommittee("third");
        bytes32 third = _propose();
        vm.prank(guardian);
        keys.guardianDiscard(third);
        _assertBothActive();
        vm.assertTrue(keys.keyOf(third).status == KeyStatus.Discarded);
        // A retry is another key, for the same host.
        bytes32 again = _activeKey();
        vm.assertNotEq(again, third);
        vm.assertEq(keys.keyOfHost(address(coprocessor)), again);
    }

    function _assertBothActive() private view {
        vm.assertTrue(keys.keyOf(_first).status == KeyStatus.Active);
        vm.assertTrue(keys.keyOf(_second).status == KeyStatus.Active);
    }

    function _askAt(DecryptionGateway at) private returns (bytes32 requestId) {
        Requester requester = new Requester(at);
        requestId = requester.ask{value: FEE}(_handles(1), 300_000, uint40(block.timestamp) + 1 hours);
        vm.warp(block.timestamp + CANCEL_WINDOW);
    }

    /// @dev Contracts of a further host, as `deployHost` makes them.
    function _enterHost() private {
        address coprocessorAt = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2);
        bytes memory arguments = abi.encode(verifier, treasury, FEE, CANCEL_WINDOW, MIN_LIFETIME);
        gateway = DecryptionGateway(_create("DecryptionGateway", arguments));
        commitments = CiphertextCommitments(_create("CiphertextCommitments", abi.encode(keys, nodes, coprocessorAt)));
        arguments = abi.encode(keys, nodes, verifier, commitments);
        coprocessor = Coprocessor(_create("Coprocessor", arguments));
        vm.assertEq(address(coprocessor), coprocessorAt);
    }

    function _enterSecondHost() private {
        _enterHost();
        _enterCommittee("second");
        group = SchnorrSigner.keyFrom(2);
    }

    /// @dev The same operators and machines by other signers.
    function _enterCommittee(string memory key) private {
        delete parties;
        delete partyKeys;
        for (uint256 i = 1; i <= 4; ++i) {
            string memory first = string.concat("party", vm.toString(i));
            string memory name = string.concat(first, " of the ", key);
            parties.push(addressOfName(name));
            partyKeys.push(keyOfName(name));
            nodes.put(
                addressOfName(name),
                addressOfName(string.concat(first, " operator")),
                Role.Keyholder,
                uint32(block.timestamp) + STANDING,
                bytes16(keccak256(bytes(first)))
            );
        }
    }

    function _enterFirstHost() private {
        (gateway, commitments, coprocessor, group) =
            (_firstGateway, _firstCommitments, _firstCoprocessor, _firstGroup);
    }

    function _hashOf(address[] memory signers) private pure returns (bytes32) {
        return keccak256(abi.encode(signers));
    }
}
