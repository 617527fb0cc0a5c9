// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CollateralStore} from "../../src/attestation/CollateralStore.sol";
import {QuoteVerifier} from "../../src/attestation/QuoteVerifier.sol";
import {TcbStatus} from "../../src/attestation/TcbStatus.sol";
import {ICollateralStore} from "../../src/interfaces/ICollateralStore.sol";
import {Appraisal, Evidence, IQuoteVerifier} from "../../src/interfaces/IQuoteVerifier.sol";
import {Test} from "../support/Test.sol";
import {Artifact} from "./support/Artifact.sol";
import {AttestationVm} from "./support/AttestationVm.sol";
import {Bytes} from "./support/Bytes.sol";
import {Pem} from "./support/Pem.sol";

/// @notice Real quotes with real collateral under Intel's root, at the time at which each was valid, on a chain id
/// other than the local one. The data belongs to others and is not part of the repository.
contract RealSamplesTest is Test {
    using Bytes for bytes;

    AttestationVm private constant avm = AttestationVm(address(vm));
    string private constant SAMPLES = "../../shared/attestation-samples/";
    /// @dev Length of the authentication data before the PCK chain.
    uint256 private constant AUTH_LENGTH = 128 + 6 + 384 + 64 + 2 + 32 + 6;
    /// @dev mrServiceTd in a version 5 quote.
    uint256 private constant SERVICE_TD = 54 + 600;

    CollateralStore private _store;
    QuoteVerifier private _quotes;

    modifier needsSamples() {
        if (!avm.exists(string.concat(SAMPLES, "index.json"))) {
            avm.skip(true, "no real samples at ../../shared/attestation-samples");
            return;
        }
        _;
    }

    function test_nearMpc_isUpToDate() public needsSamples {
        Appraisal memory appraisal = _verify("near-mpc-dstack-v4-b0c0", 1_786_622_400);
        vm.assertEq(uint256(appraisal.status), uint256(TcbStatus.UpToDate));
        vm.assertEq(appraisal.tcbEvaluation, 20);
        vm.assertEq(appraisal.qeEvaluation, 19);
        vm.assertEq(
            appraisal.composeHash, bytes32(0x2911e1f733466216dedb862d6d669e11256ee7a34ce4dbc66c4b807ba7a9c895)
        );
        vm.assertEq(bytes32(appraisal.platform.fmspc), bytes32(bytes6(0xb0c06f000000)));
    }

    /// @dev A whole transaction, calldata included.
    /// forge-config: default.isolate = true
    function test_gas_ofARealQuote() public needsSamples {
        _load(string.concat(SAMPLES, "near-mpc-dstack-v4-b0c0/collateral.json"), 1_786_622_400);
        Evidence memory evidence =
            _evidence(avm.readFileBinary(string.concat(SAMPLES, "near-mpc-dstack-v4-b0c0/quote.bin")));
        (bool success,) = address(_quotes).call(abi.encodeCall(_quotes.verify, (evidence, 0, 0)));
        vm.assertTrue(success);
        vm.assertLe(vm.lastCallGas().gasTotalUsed, 150_000);
    }

    function test_dstackSimulatorFixture_isUpToDate() public needsSamples {
        Appraisal memory appraisal = _verify("dstack-simulator-fixture-v4-b0c0", 1_786_622_400);
        vm.assertEq(uint256(appraisal.status), uint256(TcbStatus.UpToDate));
    }

    /// @dev Genuine in every respect, but booted without a compose hash: the last check refuses.
    function test_quotesWithoutComposeHash_areRefusedForThatAlone() public needsSamples {
        bytes memory refusal = abi.encodeWithSelector(IQuoteVerifier.ComposeHashMissing.selector, bytes32(0));
        _expectRefusal("dstack-verifier-v4-90c0", 1_772_323_200, refusal);
        _expectRefusal("dcap-qvl-v4-b0c0", 1_750_377_600, refusal);
        _expectRefusal("flashtestations-v4-b0c0", 1_750_377_600, refusal);
    }

    function test_debuggableTrustDomain_isRefused() public needsSamples {
        _expectRefusal(
            "NEG-trustee-v4-5080-debug",
            1_760_918_400,
            abi.encodeWithSelector(IQuoteVerifier.TdAttributesNotAllowed.selector, bytes8(0x0100001000000000))
        );
    }

    /// @dev Version 5 of TD 1.5; genuine in every other respect.
    function test_serviceTd_isRefusedForThatAlone() public needsSamples {
        string memory sample = "NEG-alibaba-v5-90c0-servicetd";
        bytes memory quote = avm.readFileBinary(string.concat(SAMPLES, sample, "/quote.bin"));
        bytes32 service = bytes32(quote.slice(SERVICE_TD, SERVICE_TD + 32));
        vm.assertNotEq(service, 0);
        _expectRefusal(
            sample, 1_750_377_600, abi.encodeWithSelector(IQuoteVerifier.ServiceTdBound.selector, service)
        );
    }

    /// @dev Version 5; its signatures hold, its policy too, but Intel has no level as low.
    function test_platformBelowEveryLevel_isRefusedForThatAlone() public needsSamples {
        string memory sample = "NEG-dcap-qvl-v5-90c0-below-tcb";
        _load(string.concat(SAMPLES, sample, "/collateral.json"), 1_772_323_200);
        Evidence memory evidence = _evidence(avm.readFileBinary(string.concat(SAMPLES, sample, "/quote.bin")));
        avm.expectPartialRevert(IQuoteVerifier.PlatformBelowEveryLevel.selector);
        _quotes.verify(evidence, 0, 0);
    }

    function test_sgxQuote_isRefused() public needsSamples {
        _load(string.concat(SAMPLES, "near-mpc-dstack-v4-b0c0/collateral.json"), 1_786_622_400);
        Evidence memory evidence = _evidence(avm.readFileBinary(string.concat(SAMPLES, "NEG-sgx-v3-00a0/quote.bin")));
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.UnsupportedQuoteVersion.selector, 3));
        _quotes.verify(evidence, 0, 0);
    }

    function test_expiredCrl_isRefused() public needsSamples {
        string memory collateral = vm.readFile(string.concat(SAMPLES, "dstack-tdx-lite-v4-90c0/collateral.json"));
        vm.warp(1_792_454_400);
        _deploy(collateral);
        _store.storeRootCrl(_hex(collateral, ".root_ca_crl"));
        bytes memory chain = bytes(avm.parseJsonString(collateral, ".pck_crl_issuer_chain"));
        bytes32 caId = _store.storeIntermediateCa(Pem.certificate(chain, 0));
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.Expired.selector, 1_789_171_031, 1_792_454_400));
        _store.storeCrl(caId, _hex(collateral, ".pck_crl"));
    }

    function test_everyMutation_isRefused() public needsSamples {
        string memory index = vm.readFile(string.concat(SAMPLES, "NEG-mutations/index.json"));
        uint256 count = 0;
        for (; vm.keyExists(index, string.concat("$[", vm.toString(count), "]")); count++) {
            string memory item = string.concat("$[", vm.toString(count), "]");
            string memory name = avm.parseJsonString(index, string.concat(item, ".name"));
            try this.verifyMutation(
                string.concat(SAMPLES, "NEG-mutations/", avm.parseJsonString(index, string.concat(item, ".quote"))),
                string.concat(
                    SAMPLES, "NEG-mutations/", avm.parseJsonString(index, string.concat(item, ".collateral"))
                ),
                vm.parseJsonUint(index, string.concat(item, ".atUnix"))
            ) {
                revert(string.concat("accepted: ", name));
            } catch {}
        }
        vm.assertEq(count, 20);
    }

    function verifyMutation(string calldata quote, string calldata collateral, uint256 time) external {
        _load(collateral, time);
        _quotes.verify(_evidence(avm.readFileBinary(quote)), 0, 0);
    }

    function _verify(string memory sample, uint256 time) private returns (Appraisal memory) {
        _load(string.concat(SAMPLES, sample, "/collateral.json"), time);
        return _quotes.verify(_evidence(avm.readFileBinary(string.concat(SAMPLES, sample, "/quote.bin"))), 0, 0);
    }

    function _expectRefusal(string memory sample, uint256 time, bytes memory refusal) private {
        _load(string.concat(SAMPLES, sample, "/collateral.json"), time);
        Evidence memory evidence = _evidence(avm.readFileBinary(string.concat(SAMPLES, sample, "/quote.bin")));
        vm.expectRevert(refusal);
        _quotes.verify(evidence, 0, 0);
    }

    /// @dev A store under Intel's root with all collateral of one file.
    function _load(string memory path, uint256 time) private {
        string memory json = vm.readFile(path);
        vm.chainId(1);
        vm.warp(time);
        _deploy(json);
        _store.storeRootCrl(_hex(json, ".root_ca_crl"));
        bytes32 caId =
            _store.storeIntermediateCa(Pem.certificate(bytes(avm.parseJsonString(json, ".pck_crl_issuer_chain")), 0));
        _store.storeCrl(caId, _hex(json, ".pck_crl"));
        _store.storeTcbSigner(Pem.certificate(bytes(avm.parseJsonString(json, ".tcb_info_issuer_chain")), 0));
        (uint256 r, uint256 s) = _signature(json, ".tcb_info_signature");
        _store.storeTcbInfo(bytes(avm.parseJsonString(json, ".tcb_info")), r, s);
        (r, s) = _signature(json, ".qe_identity_signature");
        _store.storeQeIdentity(bytes(avm.parseJsonString(json, ".qe_identity")), r, s);
    }

    function _deploy(string memory collateral) private {
        bytes memory root = Pem.certificate(bytes(avm.parseJsonString(collateral, ".pck_crl_issuer_chain")), 1);
        uint256 key = root.find(hex"03420004") + 4;
        (uint256 x, uint256 y) = abi.decode(root.slice(key, key + 64), (uint256, uint256));
        bytes memory parties = abi.encode(address(1), address(2), Artifact.create("CollateralParser", ""), address(0));
        bytes memory arguments = bytes.concat(abi.encode(x, y), parties, abi.encode(0));
        _store = CollateralStore(Artifact.create("CollateralStore", arguments));
        _quotes = QuoteVerifier(Artifact.create("QuoteVerifier", abi.encode(_store)));
    }

    function _hex(string memory json, string memory path) private pure returns (bytes memory) {
        return vm.parseJsonBytes(
            string.concat('{"value":"0x', avm.parseJsonString(json, path), '"}'), ".value"
        );
    }

    function _signature(string memory json, string memory path) private pure returns (uint256 r, uint256 s) {
        return abi.decode(_hex(json, path), (uint256, uint256));
    }

    /// @dev Split of a quote whose QE authentication data has 32 bytes, as all of Intel's have. Version 5: TD 1.5.
    function _evidence(bytes memory quote) private pure returns (Evidence memory evidence) {
        uint256 end = uint8(quote[0]) == 5 ? 702 : 632;
        evidence.quote = quote.slice(0, end);
        bytes memory auth = quote.slice(end + 4, quote.length);
        evidence.auth = bytes.concat(auth.slice(0, 128), auth.slice(134, 582), auth.slice(584, 616));
        bytes memory chain = auth.slice(AUTH_LENGTH, auth.length);
        evidence.pckLeaf = Pem.certificate(chain, 0);
        bytes memory ca = Pem.certificate(chain, 1);
        uint256 key = ca.find(hex"03420004") + 4;
        evidence.caId = keccak256(ca.slice(key, key + 64));
    }
}
