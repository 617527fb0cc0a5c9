// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AcceptancePolicy,
    Certificate,
    DecryptionResult,
    EndorsedCertificate,
    FreshQuote,
    PolicyEvidence
} from "../src/types/Decryption.sol";
import {FheType} from "../src/types/Encrypted.sol";
import {BlindVote} from "../src/examples/BlindVote.sol";
import {InputTest} from "./support/InputTest.sol";

/// @notice Gas of whole transactions, compared with snapshots/: what every decryption and every ballot costs.
/// forge-config: default.isolate = true
contract GasTest is InputTest {
    string private constant GROUP = "Transactions";
    /// @dev Budgets of the verification part: 3 of 4, 9 of 13, and each of 64 results.
    uint256 private constant ACCEPTANCE = 40_000;
    uint256 private constant LARGE_ACCEPTANCE = 43_000;
    uint256 private constant BATCHED = 9_000;

    function test_gas_acceptOneHandle() public {
        DecryptionResult memory result = _result(keccak256("request"), 1);
        _verify(result, _certify(keyId, result, 7));
        vm.assertLe(_snapshot("accept 1 handle, 3 of 4"), ACCEPTANCE);
    }

    /// @notice The size of the vote's tally.
    function test_gas_acceptThreeHandles() public {
        DecryptionResult memory result = _result(keccak256("request"), 3);
        _verify(result, _certify(keyId, result, 7));
        vm.assertLe(_snapshot("accept 3 handles, 3 of 4"), ACCEPTANCE);
    }

    function test_gas_acceptInALargeCommittee() public {
        _installLarge("large");
        DecryptionResult memory result = _result(keccak256("request"), 3);
        _verify(result, _certify("large", result, 0x1ff0));
        vm.assertLe(_snapshot("accept 3 handles, 9 of 13"), LARGE_ACCEPTANCE);
    }

    /// @notice Sixty-four results under one signature.
    function test_gas_acceptABatch() public {
        DecryptionResult[] memory results = new DecryptionResult[](64);
        for (uint256 i; i < 64; ++i) results[i] = _result(keccak256(abi.encode("request", i)), 1);
        _accept(abi.encodeCall(verifier.verifyBatch, (results, _certifyAll(keyId, results, 7))));
        uint256 whole = _snapshot("accept 64 results of 1 handle, 3 of 4");
        vm.assertLe(whole / 64, BATCHED);
        vm.snapshotValue(GROUP, "accept 64 results of 1 handle, 3 of 4: each", whole / 64);
        _installLarge("large");
        _accept(abi.encodeCall(verifier.verifyBatch, (results, _certifyAll("large", results, 0x1ff0))));
        whole = _snapshot("accept 64 results of 1 handle, 9 of 13");
        vm.assertLe(whole / 64, BATCHED);
    }

    /// @notice Rule E instead of the group's signature.
    function test_gas_acceptEndorsed() public {
        DecryptionResult[] memory results = _alone(_result(keccak256("request"), 1));
        _accept(abi.encodeCall(verifier.verifyEndorsed, (results[0], _endorse(keyId, results, 0, 7))));
        _snapshot("accept endorsed, 3 of 4");
        _installLarge("large");
        _accept(abi.encodeCall(verifier.verifyEndorsed, (results[0], _endorse("large", results, 0, 0x1ff0))));
        _snapshot("accept endorsed, 9 of 13");
    }

    /// @notice Rule A: the group and t + 1 seats.
    function test_gas_acceptWithEndorsements() public {
        _installLarge("large");
        _acceptWith(keyId, 7, 3, "accept with 2 endorsements, 3 of 4");
        _acceptWith("large", 0x1ff0, 0x1f, "accept with 5 endorsements, 9 of 13");
    }

    /// @notice What delivery costs for each of 64 requests that store their result.
    function test_gas_fulfilMany() public {
        vm.deal(address(this), 1 ether);
        DecryptionResult[] memory results = new DecryptionResult[](64);
        for (uint256 i; i < 64; ++i) {
            bytes32 requestId = gateway.request{value: FEE}(_handles(1), 0, 0, uint40(block.timestamp + 1 hours));
            results[i] = _result(requestId, 1);
        }
        vm.warp(block.timestamp + CANCEL_WINDOW);
        gateway.fulfilMany(results, _certifyAll(keyId, results, 7));
        _snapshot("fulfil 64 results of 1 handle, stored");
    }

    function test_gas_vote() public {
        vm.deal(address(this), 1 ether);
        BlindVote vote = BlindVote(_create("BlindVote", abi.encode(coprocessor, gateway, 5)));
        for (uint256 i; i < 2; ++i) {
            address voter = addressOfName(vm.toString(i));
            vm.startPrank(voter);
            vote.castVote(_input(address(vote), voter, FheType.Uint8, FheType.Uint16));
            _snapshot(i == 0 ? "first ballot" : "later ballot");
            vm.stopPrank();
        }
        vote.close{value: FEE}();
        _snapshot("close the vote");
        vm.warp(block.timestamp + CANCEL_WINDOW);
        DecryptionResult memory result = _result(vote.requestId(), 3);
        for (uint256 i; i < 3; ++i) result.openings[i].handle = vote.encryptedTally()[i];
        gateway.fulfil(result, _certify(keyId, result, 7));
        _snapshot("fulfil 3 handles with the vote's callback");
    }

    function _acceptWith(bytes32 key, uint256 signers, uint256 endorsers, string memory name) private {
        DecryptionResult[] memory results = _alone(_result(keccak256("request"), 1));
        EndorsedCertificate memory endorsed = _endorse(key, results, 0, endorsers);
        PolicyEvidence memory evidence = PolicyEvidence(endorsers, endorsed.signatures, new FreshQuote[](0));
        AcceptancePolicy memory policy = AcceptancePolicy(uint8(endorsed.signatures.length), 0, true);
        Certificate memory certificate = _certify(key, results[0], signers);
        _accept(abi.encodeCall(verifier.verifyWith, (results[0], certificate, evidence, policy)));
        _snapshot(name);
    }

    function _verify(DecryptionResult memory result, Certificate memory certificate) private {
        _accept(abi.encodeCall(verifier.verify, (result, certificate)));
    }

    /// @dev A call instead of a static call: only calls are isolated, so that their gas is a transaction's.
    function _accept(bytes memory call) private {
        (bool accepted,) = address(verifier).call(call);
        vm.assertTrue(accepted);
    }

    function _snapshot(string memory name) private returns (uint256) {
        return vm.snapshotGasLastCall(GROUP, name);
    }
}
