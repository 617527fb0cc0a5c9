// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Evidence} from "../../src/interfaces/IQuoteVerifier.sol";
import {CollateralStore} from "../../src/attestation/CollateralStore.sol";
import {Bytes} from "./support/Bytes.sol";
import {LongCrl} from "./support/LongCrl.sol";

/// @notice Gas of verifying a quote and of storing collateral: whole transactions, calldata included (every outer call
/// is a transaction of its own).
/// forge-config: default.isolate = true
contract CollateralGasTest is LongCrl {
    using Bytes for bytes;

    function test_quote() public {
        Evidence memory evidence = _evidenceOf("host0");
        // As a transaction: a view call would not be one.
        (bool success,) = address(quotes).call(abi.encodeCall(quotes.verify, (evidence, 20, 20)));
        vm.assertTrue(success);
        vm.assertLe(_snapshot("quote v4"), 185_000);
        evidence = _evidenceOfVersion5("host0");
        (success,) = address(quotes).call(abi.encodeCall(quotes.verify, (evidence, 20, 20)));
        vm.assertTrue(success);
        vm.assertLe(_snapshot("quote v5"), 185_000);
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
        vm.assertLe(_snapshot("QE identity"), 120_000);
        vm.warp(now0 + 1 days + 1 hours);
        fresh.storeCrl(_platformCaId(), _bytes(".crls.platformRefreshed"));
        vm.assertLe(_snapshot("CRL without new serials"), 245_000);
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

    /// @dev As long as what Intel has issued with two and with three levels.
    function test_tcbInfos() public {
        bytes memory json = _text(".tcbInfos.current");
        bytes memory level = ',{"tcb":{"sgxtcbcomponents":';
        uint256 second = json.find(level) + 1;
        uint256 third = second + json.slice(second, json.length).find(level);
        CollateralStore fresh = _newStore();
        fresh.storeRootCrl(_bytes(".crls.root"));
        fresh.storeTcbSigner(_bytes(".tcbSigner.certificate"));
        _storeTcbInfo(fresh, _padded(bytes.concat(json.slice(0, third), "]}"), 2_934));
        vm.assertLe(_snapshot("TCB info of 2.9 KB"), 380_000);
        fresh = _newStore();
        fresh.storeRootCrl(_bytes(".crls.root"));
        fresh.storeTcbSigner(_bytes(".tcbSigner.certificate"));
        _storeTcbInfo(fresh, _padded(json, 4_113));
        vm.assertLe(_snapshot("TCB info of 4.1 KB"), 515_000);
    }

    /// @dev The same list in steps: each transaction far below the cap.
    function test_crlOf2000Serials_inSteps() public {
        bytes memory crl = _longCrl(2_000);
        vm.warp(now0 + 2 days);
        store.proposeCrl(_platformCaId(), crl);
        vm.assertLe(_snapshot("CRL of 2000 serials, proposal"), 8_000_000);
        store.continueCrl(crl, 1_000);
        vm.assertLe(_snapshot("CRL of 2000 serials, first half"), 12_000_000);
        store.continueCrl(crl, 1_000);
        vm.assertLe(_snapshot("CRL of 2000 serials, second half"), 12_000_000);
        vm.assertTrue(store.isRevoked(0, uint256(_serial(1_999))));
    }

    /// @dev With more advisories, to at least this length.
    function _padded(bytes memory json, uint256 length) private pure returns (bytes memory) {
        while (json.length < length) {
            json = json.replace('"advisoryIDs":[', '"advisoryIDs":["INTEL-SA-00000",');
        }
        return json;
    }

    function _evidenceOfVersion5(string memory name) private view returns (Evidence memory) {
        Machine memory machine = _machine(name);
        bytes memory quote = _asVersion5(_quote(machine, keccak256("head"), keccak256("tail")), true);
        return _evidence(machine, quote, _qeReport(machine));
    }

    function _snapshot(string memory name) private returns (uint256) {
        return vm.snapshotGasLastCall("attestation", name);
    }
}
