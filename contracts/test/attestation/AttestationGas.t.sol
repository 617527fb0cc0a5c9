// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Evidence} from "../../src/interfaces/IQuoteVerifier.sol";
import {CollateralStore} from "../../src/attestation/CollateralStore.sol";
import {Registration, Role} from "../../src/types/Node.sol";
import {Bytes} from "./support/Bytes.sol";
import {Registry} from "./support/Registry.sol";

/// @notice Gas of whole transactions, calldata included (every outer call is a transaction of its own).
/// forge-config: default.isolate = true
contract AttestationGasTest is Registry {
    using Bytes for bytes;

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

    /// @dev Thirty times what Intel's list has today, in one transaction below the cap of EIP-7825.
    function test_crlOf2000Serials() public {
        bytes memory crl = _longCrl(2_000);
        vm.warp(now0 + 2 days);
        store.storeCrl(_platformCaId(), crl);
        vm.assertLe(_snapshot("CRL of 2000 serials"), 16_777_216);
        Evidence memory evidence = _evidenceOf("host0");
        (bool success,) = address(quotes).call(abi.encodeCall(quotes.verify, (evidence, 20, 20)));
        vm.assertTrue(success);
        vm.assertLe(_snapshot("quote v4, CRL of 2000 serials"), 190_000);
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

    /// @dev The CRL without serials, with a list of random ones put in and signed again.
    function _longCrl(uint256 count) private view returns (bytes memory) {
        bytes memory template = _bytes(".crls.platformEmpty");
        template = template.slice(template.find(hex"020101300a"), template.length);
        uint256 list = template.find(hex"170d323631") + 30;
        uint256 end = template.find(hex"300a06082a8648ce3d04030203");
        bytes memory entries = new bytes(53 * count);
        for (uint256 i = 0; i < count; i++) {
            bytes memory serial = abi.encodePacked(uint160(uint256(keccak256(abi.encode(i)))) >> 1 | (1 << 156));
            bytes memory entry =
                bytes.concat(hex"30330214", serial, hex"170d3236313030333030303030305a300c300a0603551d1504030a0101");
            for (uint256 j = 0; j < 53; j++) entries[53 * i + j] = entry[j];
        }
        bytes memory content =
            bytes.concat(template.slice(0, list), _long(entries), template.slice(list, end));
        bytes memory signed = _long(content);
        (bytes32 r, bytes32 s) = avm.signP256(uint256(_word(".platformCa.key")), sha256(signed));
        bytes memory integers = bytes.concat(_integer(r), _integer(s));
        bytes memory rest = bytes.concat(hex"00", hex"30", bytes1(uint8(integers.length)), integers);
        return _long(bytes.concat(signed, hex"300a06082a8648ce3d04030203", bytes1(uint8(rest.length)), rest));
    }

    function _long(bytes memory content) private pure returns (bytes memory) {
        return bytes.concat(hex"3083", bytes3(uint24(content.length)), content);
    }

    function _snapshot(string memory name) private returns (uint256) {
        return vm.snapshotGasLastCall("attestation", name);
    }
}
