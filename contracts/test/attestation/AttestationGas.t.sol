// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Evidence} from "../../src/interfaces/IQuoteVerifier.sol";
import {ResultTree} from "../../src/libraries/ResultTree.sol";
import {
    AcceptancePolicy,
    Certificate,
    DecryptionResult,
    EpochHeader,
    FreshQuote,
    Opening,
    PolicyEvidence
} from "../../src/types/Decryption.sol";
import {Registration, Role} from "../../src/types/Node.sol";
import {SchnorrSigner} from "../support/SchnorrSigner.sol";
import {Registry} from "./support/Registry.sol";

/// @notice Gas of the registry's transactions, calldata included (every outer call is a transaction of its own).
/// forge-config: default.isolate = true
contract AttestationGasTest is Registry {
    using SchnorrSigner for SchnorrSigner.Key;

    SchnorrSigner.Key private _group = SchnorrSigner.Key(1, 1, 27);

    function test_registration() public {
        Registration memory registration = _registration("alice", Role.Keyholder);
        Evidence memory evidence = _evidenceFor("host0", registration);
        vm.prank(registration.operator);
        registry.register(registration, evidence, "");
        vm.assertLe(_snapshot("register"), 380_000);
        registration = _registration("bob", Role.Executor);
        evidence = _evidenceFor("host1", registration);
        bytes memory consent = signDigest(keyOfName("operator of bob"), registry.consentDigest(registration));
        registry.register(registration, evidence, consent);
        vm.assertLe(_snapshot("register with consent"), 380_000);
    }

    function test_renewal() public {
        address[] memory parties = _seatFour();
        _register("executor", Role.Executor, "host0");
        _nextBlocks(10);
        Registration memory registration = _registration("party1", Role.Keyholder);
        Evidence memory evidence = _evidenceFor("host0", registration);
        registry.renew(parties[0], registration.challengeBlock, evidence);
        vm.assertLe(_snapshot("renew, seated"), 240_000);
        registration = _registration("executor", Role.Executor);
        evidence = _evidenceFor("host0", registration);
        registry.renew(registration.signer, registration.challengeBlock, evidence);
        vm.assertLe(_snapshot("renew, without a seat"), 240_000);
        vm.prank(guardian);
        registry.revoke(parties[1]);
        _snapshot("revoke a seated signer");
        vm.prank(guardian);
        registry.removeEntry(keyholderEntry);
        _snapshot("remove entry, 4 seats");
    }

    /// @notice A group signature of three of four seats, and two quotes that these seats made for its result.
    function test_freshQuotes() public {
        _group = SchnorrSigner.keyFrom(5);
        _seatFour();
        DecryptionResult memory result;
        (result.gateway, result.openings) = (address(1), new Opening[](1));
        Certificate memory certificate;
        (certificate.keyId, certificate.epoch, certificate.signers, certificate.leaves) = (KEY, EPOCH, 7, 1);
        (certificate.r, certificate.s) = _group.sign(verifier.batchDigest(result, certificate));
        bytes32 root = ResultTree.leafOf(verifier.hashResult(result));
        PolicyEvidence memory evidence;
        for (uint8 count = 1; count <= 2; ++count) {
            evidence.quotes = new FreshQuote[](count);
            for (uint8 i; i < count; ++i) {
                Machine memory host = _machine(string.concat("host", vm.toString(i)));
                bytes memory quote = _quote(host, verifier.freshQuoteBinding(KEY, EPOCH, i + 1, root, 1), 0);
                evidence.quotes[i] = FreshQuote(i + 1, _evidence(host, quote, _qeReport(host)));
            }
            AcceptancePolicy memory policy = AcceptancePolicy(0, count, false);
            // A call instead of a static call: only calls are isolated, so that their gas is a transaction's.
            (bool accepted,) = address(verifier)
                .call(abi.encodeCall(verifier.verifyWith, (result, certificate, evidence, policy)));
            vm.assertTrue(accepted);
            _snapshot(count == 1 ? "accept with a fresh quote, 3 of 4" : "accept with 2 fresh quotes, 3 of 4");
        }
    }

    function _header(uint8 n) internal view override returns (EpochHeader memory) {
        return EpochHeader({groupX: _group.x, groupV: _group.v, n: n, quorum: 3, gateway: address(1)});
    }

    function _snapshot(string memory name) private returns (uint256) {
        return vm.snapshotGasLastCall("attestation", name);
    }
}
