// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionGateway} from "../src/interfaces/IDecryptionGateway.sol";
import {IDecryptionVerifier} from "../src/interfaces/IDecryptionVerifier.sol";
import {
    AcceptancePolicy,
    AcceptanceRule,
    Certificate,
    DecryptionRequest,
    DecryptionResult,
    EndorsedCertificate,
    FreshQuote,
    PolicyEvidence,
    RequestStatus
} from "../src/types/Decryption.sol";
import {GatewayTest} from "./support/GatewayTest.sol";

/// @notice What a requester demands before its result counts: never satisfied by less, whichever door is used.
contract DecryptionGatewayPolicyTest is GatewayTest {
    function test_policyStandsWithTheRequest() public {
        AcceptancePolicy memory policy = AcceptancePolicy(2, 3, true);
        bytes32 requestId = _askFor(policy);
        DecryptionRequest memory stored = gateway.requestOf(requestId);
        vm.assertEq(stored.endorsements, 2);
        vm.assertEq(stored.freshQuotes, 3);
        vm.assertTrue(stored.groupOnly);
        vm.assertEq(stored.requester, address(requester));
        vm.assertEq(stored.fee, FEE);
        vm.assertEq(stored.handlesHash, keccak256(abi.encodePacked(_handles(1))));
    }

    function test_policyIsTold() public {
        AcceptancePolicy memory policy = AcceptancePolicy(2, 0, false);
        vm.recordLogs();
        bytes32 requestId = _askFor(policy);
        bytes32 topic = vm.getRecordedLogs()[1].topics[1];
        vm.assertEq(topic, requestId);
    }

    function test_requestWithoutPolicyIsOfStanding() public {
        DecryptionRequest memory stored = gateway.requestOf(_ask(1, 0));
        vm.assertEq(stored.endorsements, 0);
        vm.assertEq(stored.freshQuotes, 0);
        vm.assertFalse(stored.groupOnly);
    }

    function test_impossiblePoliciesAreRefused() public {
        AcceptancePolicy[2] memory bad = [AcceptancePolicy(16, 0, false), AcceptancePolicy(0, 16, false)];
        for (uint256 i; i < 2; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IDecryptionGateway.PolicyOutOfRange.selector, bad[i].endorsements, bad[i].freshQuotes, uint8(15)
                )
            );
            gateway.requestWithPolicy{value: FEE}(_handles(1), 0, 0, uint40(block.timestamp) + LIFETIME, bad[i]);
        }
    }

    // Rule E as the way for everybody who did not exclude it.

    function test_endorsedResultIsDelivered() public {
        bytes32 requestId = _askAndWait(3, CALLBACK_GAS);
        DecryptionResult[] memory results = _alone(_result(requestId, 3));
        EndorsedCertificate memory certificate = _endorse(keyId, results, 0, SIGNERS);
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.DecryptionFulfilled(
            requestId, keyId, RequestStatus.Fulfilled, AcceptanceRule.Endorsed, results[0].openings
        );
        gateway.fulfilEndorsed(results[0], certificate);
        vm.assertEq(requester.lastPlaintexts(), _plaintexts(3));
        vm.expectRevert(_wrongStatus(requestId, RequestStatus.Fulfilled));
        gateway.fulfilEndorsed(results[0], certificate);
    }

    function test_endorsedResultHasTheSameObstacles() public {
        bytes32 requestId = _ask(1, CALLBACK_GAS);
        DecryptionResult[] memory results = _alone(_result(requestId, 1));
        EndorsedCertificate memory certificate = _endorse(keyId, results, 0, SIGNERS);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDecryptionGateway.StillCancellable.selector, requestId, block.timestamp + CANCEL_WINDOW
            )
        );
        gateway.fulfilEndorsed(results[0], certificate);
        vm.warp(block.timestamp + CANCEL_WINDOW);
        nodes.clear(keyId, EPOCH, 2);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.SignerNotLive.selector, 2, 0));
        gateway.fulfilEndorsed(results[0], certificate);
        results[0] = _result(requestId, 2);
        certificate = _endorse(keyId, results, 0, SIGNERS);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDecryptionGateway.HandlesMismatch.selector,
                keccak256(abi.encodePacked(_handles(2))),
                keccak256(abi.encodePacked(_handles(1)))
            )
        );
        gateway.fulfilEndorsed(results[0], certificate);
    }

    // Which door serves which policy.

    function test_groupOnlyTakesTheGroupAlone() public {
        bytes32 requestId = _askedFor(AcceptancePolicy(0, 0, true));
        DecryptionResult[] memory results = _alone(_result(requestId, 1));
        EndorsedCertificate memory endorsed = _endorse(keyId, results, 0, 15);
        _expectNotMet(requestId);
        gateway.fulfilEndorsed(results[0], endorsed);
        _fulfil(requestId, 1);
        _assertStatus(requestId, RequestStatus.Fulfilled);
    }

    /// @notice ⚔ Whatever is demanded beyond standing, neither the group alone nor any number of seats is enough.
    function test_fuzz_lessIsNeverEnough(uint8 endorsements, uint8 freshQuotes, bool groupOnly) public {
        AcceptancePolicy memory policy =
            AcceptancePolicy(uint8(bound(endorsements, 0, 15)), uint8(bound(freshQuotes, 0, 15)), groupOnly);
        vm.assume(policy.endorsements != 0 || policy.freshQuotes != 0);
        bytes32 requestId = _askedFor(policy);
        DecryptionResult[] memory results = _alone(_result(requestId, 1));
        Certificate memory certificate = _certify(keyId, results[0], 15);
        EndorsedCertificate memory endorsed = _endorse(keyId, results, 0, 15);
        _expectNotMet(requestId);
        gateway.fulfil(results[0], certificate);
        _expectNotMet(requestId);
        gateway.fulfilEndorsed(results[0], endorsed);
        // Nor the right door with too little: four seats endorse, nobody quotes.
        PolicyEvidence memory evidence = PolicyEvidence(15, endorsed.signatures, new FreshQuote[](0));
        bool enough = policy.endorsements <= 4 && policy.freshQuotes == 0;
        if (!enough) vm.expectRevert();
        gateway.fulfilWith(results[0], certificate, evidence);
        _assertStatus(requestId, enough ? RequestStatus.Fulfilled : RequestStatus.Pending);
    }

    function test_endorsedGroupResultIsDelivered() public {
        bytes32 requestId = _askedFor(AcceptancePolicy(2, 0, true));
        DecryptionResult[] memory results = _alone(_result(requestId, 1));
        Certificate memory certificate = _certify(keyId, results[0], SIGNERS);
        PolicyEvidence memory evidence = _evidence(results, 8);
        vm.expectRevert(
            abi.encodeWithSelector(IDecryptionVerifier.TooFewEndorsements.selector, uint8(1), uint8(2))
        );
        gateway.fulfilWith(results[0], certificate, evidence);
        evidence = _evidence(results, 12);
        vm.expectEmit(address(gateway));
        emit IDecryptionGateway.DecryptionFulfilled(
            requestId, keyId, RequestStatus.Fulfilled, AcceptanceRule.Policy, results[0].openings
        );
        gateway.fulfilWith(results[0], certificate, evidence);
        vm.assertEq(requester.calls(), 1);
    }

    /// @notice More than was asked for does no harm, as long as it holds.
    function test_evidenceForARequestWithoutPolicy() public {
        bytes32 requestId = _askAndWait(1, CALLBACK_GAS);
        DecryptionResult[] memory results = _alone(_result(requestId, 1));
        PolicyEvidence memory evidence = _evidence(results, 3);
        Certificate memory certificate = _certify(keyId, results[0], SIGNERS);
        (evidence.signatures[0], evidence.signatures[1]) = (evidence.signatures[1], evidence.signatures[0]);
        vm.expectRevert();
        gateway.fulfilWith(results[0], certificate, evidence);
        gateway.fulfilWith(results[0], certificate, _evidence(results, 3));
        _assertStatus(requestId, RequestStatus.Fulfilled);
    }

    function test_policyHoldsAfterTheDeadlineToo() public {
        bytes32 requestId = _askedFor(AcceptancePolicy(1, 0, false));
        vm.warp(block.timestamp + LIFETIME);
        bytes memory refusal = abi.encodeWithSelector(IDecryptionGateway.PolicyNotMet.selector, requestId);
        _fulfilRefused(requestId, 1, refusal);
        gateway.refund(requestId);
        _fulfilRefused(requestId, 1, refusal);
        DecryptionResult[] memory results = _alone(_result(requestId, 1));
        gateway.fulfilWith(results[0], _certify(keyId, results[0], SIGNERS), _evidence(results, 1));
        _assertStatus(requestId, RequestStatus.FulfilledLate);
    }

    function _evidence(DecryptionResult[] memory results, uint256 endorsers)
        private
        view
        returns (PolicyEvidence memory)
    {
        return PolicyEvidence(endorsers, _endorse(keyId, results, 0, endorsers).signatures, new FreshQuote[](0));
    }

    function _askFor(AcceptancePolicy memory policy) private returns (bytes32) {
        uint40 deadline = uint40(block.timestamp) + LIFETIME;
        return requester.askWithPolicy{value: FEE}(_handles(1), CALLBACK_GAS, deadline, policy);
    }

    function _askedFor(AcceptancePolicy memory policy) private returns (bytes32 requestId) {
        requestId = _askFor(policy);
        vm.warp(block.timestamp + CANCEL_WINDOW);
    }

    function _expectNotMet(bytes32 requestId) private {
        vm.expectRevert(abi.encodeWithSelector(IDecryptionGateway.PolicyNotMet.selector, requestId));
    }
}
