// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Evidence} from "../../src/interfaces/IQuoteVerifier.sol";
import {CollateralStore} from "../../src/attestation/CollateralStore.sol";
import {Registration, Role} from "../../src/types/Node.sol";
import {Registry} from "./support/Registry.sol";

/// @notice Gas of whole transactions, calldata included (every outer call is a transaction of its own).
/// forge-config: default.isolate = true
contract AttestationGasTest is Registry {
    function test_quote() public {
        Evidence memory evidence = _evidenceOf("host0");
        // As a transaction: a view call would not be one.
        (bool success,) = address(quotes).call(abi.encodeCall(quotes.verify, (evidence, 20, 20)));
        vm.assertTrue(success);
        vm.assertLe(_snapshot("quote v4"), 190_000);
    }

    function test_collateral() public {
        CollateralStore fresh = _newStore();
        fresh.storeRootCrl(_bytes(".crls.root"));
        _snapshot("root CRL");
        fresh.storeIntermediateCa(_bytes(".platformCa.certificate"));
        _snapshot("intermediate CA");
        bytes memory crl = _bytes(".crls.platform");
        fresh.storeCrl(_platformCaId(), crl);
        _snapshot("CRL of 57 serials");
        fresh.storeTcbSigner(_bytes(".tcbSigner.certificate"));
        _snapshot("TCB signer");
        bytes memory json = _text(".tcbInfos.current");
        _storeTcbInfo(fresh, json);
        _snapshot(string.concat("TCB info of ", vm.toString(json.length), " bytes"));
        _storeQeIdentity(fresh, _text(".qeIdentities.current"));
        _snapshot("QE identity");
        vm.warp(now0 + 1 days + 1 hours);
        fresh.storeCrl(_platformCaId(), _bytes(".crls.platformRefreshed"));
        _snapshot("CRL without new serials");
        _storeTcbInfo(fresh, _text(".tcbInfos.refreshed"));
        _snapshot("TCB info with new dates only");
    }

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
