// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Evidence} from "../../src/interfaces/IQuoteVerifier.sol";
import {Registration, Role} from "../../src/types/Node.sol";
import {Registry} from "./support/Registry.sol";

/// @notice Gas of the registry's transactions, calldata included (every outer call is a transaction of its own).
/// forge-config: default.isolate = true
contract AttestationGasTest is Registry {
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

    function _snapshot(string memory name) private returns (uint256) {
        return vm.snapshotGasLastCall("attestation", name);
    }
}
