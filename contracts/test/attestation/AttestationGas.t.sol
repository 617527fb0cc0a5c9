// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Evidence} from "../../src/interfaces/IQuoteVerifier.sol";
import {CollateralStore} from "../../src/attestation/CollateralStore.sol";
import {Platform} from "./support/Platform.sol";

/// @notice Gas of whole transactions, calldata included (every outer call is a transaction of its own).
/// forge-config: default.isolate = true
contract AttestationGasTest is Platform {
    function test_quote() public {
        Evidence memory evidence = _evidenceOf("host0");
        // As a transaction: a view call would not be one.
        (bool success,) = address(quotes).call(abi.encodeCall(quotes.verify, (evidence, 20, 20)));
        vm.assertTrue(success);
        _snapshot("quote v4");
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

    function _snapshot(string memory name) private {
        vm.snapshotGasLastCall("attestation", name);
    }
}
