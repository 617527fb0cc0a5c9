// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {P256} from "../../src/attestation/P256.sol";
import {TcbStatus} from "../../src/attestation/TcbStatus.sol";
import {ICollateralStore} from "../../src/interfaces/ICollateralStore.sol";
import {Appraisal, Evidence, IQuoteVerifier} from "../../src/interfaces/IQuoteVerifier.sol";
import {Artifact} from "./support/Artifact.sol";
import {Bytes} from "./support/Bytes.sol";
import {Platform} from "./support/Platform.sol";

/// @notice Form and signatures of a quote, and the fixed policy on its body. Every refused quote here is signed
/// correctly, unless its signature is the point.
contract QuoteVerifierTest is Platform {
    using Bytes for bytes;

    Machine private _host;
    bytes private _body;
    bytes private _report;

    function setUp() public override {
        super.setUp();
        _host = _machine("host0");
        _body = _quote(_host, keccak256("head"), keccak256("tail"));
        _report = _qeReport(_host);
    }

    function test_genuineQuote_isDescribed() public view {
        Appraisal memory appraisal = quotes.verify(_evidenceOf("host0"), 20, 20);
        vm.assertEq(uint256(appraisal.status), uint256(TcbStatus.UpToDate));
        vm.assertEq(appraisal.tcbEvaluation, 20);
        vm.assertEq(appraisal.qeEvaluation, 20);
        vm.assertEq(appraisal.expiresAt, now0 + 30 days);
        vm.assertEq(bytes32(appraisal.ppid), bytes32(_host.ppid));
        vm.assertEq(bytes32(appraisal.piid), bytes32(_host.piid));
        vm.assertEq(appraisal.imageId, _imageId());
        vm.assertEq(appraisal.composeHash, COMPOSE_HASH);
        vm.assertEq(appraisal.reportDataHead, keccak256("head"));
        vm.assertEq(appraisal.reportDataTail, keccak256("tail"));
        vm.assertEq(appraisal.platform.components, (uint256(uint128(_host.cpuSvn)) << 128) | uint128(_host.teeTcbSvn));
        vm.assertEq(appraisal.platform.serial, _host.serial);
        vm.assertEq(appraisal.platform.pceSvn, 11);
        vm.assertEq(appraisal.platform.qeIsvSvn, 4);
        vm.assertEq(bytes32(appraisal.platform.fmspc), bytes32(bytes6(0xb0c06f000000)));
    }

    function test_componentSvnsAbove127_areRead() public view {
        Machine memory wide = _machine("wide");
        Appraisal memory appraisal = quotes.verify(_evidenceOf("wide"), 20, 20);
        vm.assertEq(appraisal.platform.components >> 128, uint128(wide.cpuSvn));
    }

    function test_processorCa_isAccepted() public {
        store.storeIntermediateCa(_bytes(".processorCa.certificate"));
        store.storeCrl(_word(".processorCa.id"), _bytes(".crls.processor"));
        Evidence memory evidence = _evidenceOf("processor");
        evidence.caId = _word(".processorCa.id");
        vm.assertEq(uint256(quotes.verify(evidence, 20, 20).status), uint256(TcbStatus.UpToDate));
    }

    function test_quoteUnderTheOtherCa_isRefused() public {
        store.storeIntermediateCa(_bytes(".processorCa.certificate"));
        store.storeCrl(_word(".processorCa.id"), _bytes(".crls.processor"));
        Evidence memory evidence = _evidenceOf("host0");
        evidence.caId = _word(".processorCa.id");
        _expect(IQuoteVerifier.UnexpectedIssuer.selector);
        quotes.verify(evidence, 20, 20);
    }

    function test_unknownCa_isRefused() public {
        Evidence memory evidence = _evidenceOf("host0");
        evidence.caId = keccak256("another CA");
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.UnknownCa.selector, evidence.caId));
        quotes.verify(evidence, 20, 20);
    }

    /// @dev Why nothing here identifies a quote by its signature.
    function test_signatureWithTheOtherS_isAcceptedAlike() public view {
        Evidence memory evidence = _evidenceOf("host0");
        uint256 order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;
        uint256 s = uint256(bytes32(evidence.auth.slice(32, 64)));
        evidence.auth.put(32, abi.encodePacked(order - s));
        quotes.verify(evidence, 20, 20);
    }

    function test_missingPrecompile_refusesDeployment() public {
        vm.mockCall(address(0x100), "", "");
        vm.expectRevert(abi.encodeWithSelector(P256.MissingP256Precompile.selector));
        Artifact.create("QuoteVerifier", abi.encode(store));
    }

    function test_missingPrecompile_refusesEveryQuote() public {
        Evidence memory evidence = _evidenceOf("host0");
        vm.mockCall(address(0x100), "", "");
        _expect(IQuoteVerifier.InvalidLeafSignature.selector);
        quotes.verify(evidence, 20, 20);
    }

    function test_header() public {
        _refuseBody(0, hex"03", abi.encodeWithSelector(IQuoteVerifier.UnsupportedQuoteVersion.selector, 3));
        _refuseBody(0, hex"06", abi.encodeWithSelector(IQuoteVerifier.UnsupportedQuoteVersion.selector, 6));
        _refuseBody(0, hex"0401", abi.encodeWithSelector(IQuoteVerifier.UnsupportedQuoteVersion.selector, 0x104));
        _refuseBody(2, hex"03", abi.encodeWithSelector(IQuoteVerifier.UnsupportedAttestationKey.selector, 3));
        _refuseBody(4, hex"00", abi.encodeWithSelector(IQuoteVerifier.NotTdx.selector, 0));
        _refuseBody(7, hex"01", abi.encodeWithSelector(IQuoteVerifier.NotTdx.selector, 0x81000001));
        _refuseBody(
            12,
            hex"00",
            abi.encodeWithSelector(
                IQuoteVerifier.UnknownQeVendor.selector, bytes16(0x009a7233f79c4ca9940a0db3957f0607)
            )
        );
    }

    function test_lengths() public {
        bytes memory body = _body;
        _refuse(body.slice(0, 631), _report, abi.encodeWithSelector(IQuoteVerifier.WrongQuoteLength.selector, 631));
        _refuse(bytes.concat(body, hex"00"), _report, abi.encodeWithSelector(IQuoteVerifier.WrongQuoteLength.selector, 633));
        _refuse("", _report, abi.encodeWithSelector(IQuoteVerifier.UnsupportedQuoteVersion.selector, 0));
        Evidence memory evidence = _evidenceOf("host0");
        evidence.auth = evidence.auth.slice(0, 575);
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.WrongAuthLength.selector, 575));
        quotes.verify(evidence, 20, 20);
    }

    function test_tdAttributes_mustBeExactlySeptVeDisable() public {
        _refuseAttributes(0x0100001000000000); // DEBUG
        _refuseAttributes(0x0200001000000000); // reserved
        _refuseAttributes(0x0000000000000000); // without SEPT_VE_DISABLE
        _refuseAttributes(0x0000003000000000); // migratable
        _refuseAttributes(0x0000005000000000); // PKS
        _refuseAttributes(0x0000009000000000); // key locker
        _refuseAttributes(0x0000001000000080); // PERFMON
    }

    function test_xfam_mustStayInsideTheMask() public {
        bytes8[5] memory allowed = [
            bytes8(0xe702060000000000), 0x0702000000000000, 0xe718060000000000, 0xe742060000000000, 0xe700060000000000
        ];
        for (uint256 i = 0; i < allowed.length; i++) {
            bytes memory body = _body;
            body.put(XFAM, abi.encodePacked(allowed[i]));
            quotes.verify(_evidence(_host, body, _report), 20, 20);
        }
        _refuseXfam(0xe802060000000000); // without SSE and x87, with MPX
        _refuseXfam(0xe502060000000000); // without SSE
        _refuseXfam(0xe703060000000000); // processor trace
        _refuseXfam(0xe782060000000000); // last branch records
        _refuseXfam(0xe702060000000080);
    }

    function test_seamModule_mustBeIntels() public {
        bytes memory refusal = abi.encodeWithSelector(IQuoteVerifier.SeamModuleNotIntel.selector, bytes8(0));
        _refuseBody(MR_SIGNER_SEAM, hex"01", refusal);
        _refuseBody(MR_SIGNER_SEAM + 31, hex"01", refusal);
        _refuseBody(MR_SIGNER_SEAM + 47, hex"01", refusal);
        _refuseBody(
            SEAM_ATTRIBUTES + 7,
            hex"80",
            abi.encodeWithSelector(IQuoteVerifier.SeamModuleNotIntel.selector, bytes8(0x0000000000000080))
        );
    }

    function test_ownerFields_mustBeZero() public {
        bytes memory refusal = abi.encodeWithSelector(IQuoteVerifier.OwnerNotZero.selector);
        for (uint256 i = 0; i < 96; i += 19) _refuseBody(MR_OWNER + i, hex"01", refusal);
        _refuseBody(MR_OWNER + 95, hex"01", refusal);
    }

    function test_composeHash_mustBeThere() public {
        _refuseConfigId(new bytes(48));
        _refuseConfigId(abi.encodePacked(uint8(0), COMPOSE_HASH, bytes15(0)));
        _refuseConfigId(abi.encodePacked(uint8(1), bytes32(0), bytes15(0)));
        _refuseConfigId(abi.encodePacked(uint8(2), COMPOSE_HASH, bytes15(0)));
        _refuseConfigId(abi.encodePacked(uint8(3), COMPOSE_HASH, bytes15(uint120(1))));
        _refuseConfigId(abi.encodePacked(uint8(1), COMPOSE_HASH, bytes15(uint120(1))));
        _refuseConfigId(abi.encodePacked(uint8(1), COMPOSE_HASH, bytes15(uint120(1 << 119))));
    }

    function test_quoteSignature() public {
        Evidence memory evidence = _evidenceOf("host0");
        evidence.auth.put(0, abi.encodePacked(bytes32(uint256(1))));
        _expect(IQuoteVerifier.InvalidQuoteSignature.selector);
        quotes.verify(evidence, 20, 20);
    }

    /// @dev A body signed by an attestation key that the quoting enclave never vouched for.
    function test_attestationKeyOfAnother_isRefused() public {
        Machine memory mixed = _host;
        mixed.attestationKey = _machine("host1").attestationKey;
        Evidence memory evidence = _evidence(mixed, _body, _report);
        _expect(IQuoteVerifier.AttestationKeyNotBound.selector);
        quotes.verify(evidence, 20, 20);
    }

    function test_qeReport_mustBindTheKeyAndNothingElse() public {
        bytes memory refusal = abi.encodeWithSelector(IQuoteVerifier.AttestationKeyNotBound.selector);
        _refuseReport(320, hex"00", refusal);
        _refuseReport(352, hex"01", refusal);
        _refuseReport(383, hex"01", refusal);
        Evidence memory evidence = _evidenceOf("host0");
        evidence.auth = bytes.concat(evidence.auth, hex"00");
        vm.expectRevert(refusal);
        quotes.verify(evidence, 20, 20);
        evidence.auth = evidence.auth.slice(0, 576);
        vm.expectRevert(refusal);
        quotes.verify(evidence, 20, 20);
    }

    function test_qeReport_mustBeSignedByThePckKey() public {
        Machine memory mixed = _host;
        mixed.pckKey = _machine("host1").pckKey;
        Evidence memory evidence = _evidence(mixed, _body, _report);
        _expect(IQuoteVerifier.InvalidQeReportSignature.selector);
        quotes.verify(evidence, 20, 20);
    }

    function test_qeReport_mustMatchTheIdentity() public {
        bytes memory refusal = abi.encodeWithSelector(IQuoteVerifier.NotTheQuotingEnclave.selector);
        _refuseReport(128, hex"00", refusal); // mrSigner
        _refuseReport(159, hex"00", refusal);
        _refuseReport(48, hex"17", refusal); // attributes: DEBUG
        _refuseReport(49, hex"01", refusal);
        _refuseReport(16, hex"01", refusal); // miscSelect
        _refuseReport(256, hex"03", refusal); // isvProdId
        _refuseReport(257, hex"01", refusal);
    }

    function test_qeReport_attributesOutsideTheMask_areFree() public view {
        bytes memory report = _report;
        report.put(48, hex"11");
        report.put(56, hex"0700000000000000");
        quotes.verify(_evidence(_host, _body, report), 20, 20);
    }

    /// @dev Whatever Intel changes about its enclave counts from the identity on that says so.
    function test_identityOfAnotherEnclave_isReadInFull() public {
        bytes memory usual = '"attributes":"11000000000000000000000000000000","attributesMask":"FBFFFFFFFFFFFFFF00';
        bytes memory other = '"attributes":"1100000000000000E700000000000000","attributesMask":"FBFFFFFFFFFFFFFFFF';
        _storeQeIdentity(store, _text(".qeIdentities.strict").replace(usual, other));
        vm.assertEq(quotes.verify(_evidenceOf("host0"), 20, 21).qeEvaluation, 21);
        bytes memory report = _report;
        report.put(56, hex"07");
        Evidence memory evidence = _evidence(_host, _body, report);
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.NotTheQuotingEnclave.selector));
        quotes.verify(evidence, 20, 21);
        // The older identity, in which those bits are free, is still good above its floor.
        vm.assertEq(quotes.verify(evidence, 20, 20).qeEvaluation, 20);
    }

    function test_qeReport_mustReachALevel() public {
        _refuseReport(
            258, hex"03", abi.encodeWithSelector(IQuoteVerifier.QuotingEnclaveBelowEveryLevel.selector, uint16(3))
        );
    }

    function _refuseAttributes(bytes8 attributes) private {
        _refuseBody(
            TD_ATTRIBUTES,
            abi.encodePacked(attributes),
            abi.encodeWithSelector(IQuoteVerifier.TdAttributesNotAllowed.selector, attributes)
        );
    }

    function _refuseXfam(bytes8 xfam) private {
        _refuseBody(
            XFAM, abi.encodePacked(xfam), abi.encodeWithSelector(IQuoteVerifier.XfamNotAllowed.selector, xfam)
        );
    }

    function _refuseConfigId(bytes memory configId) private {
        _refuseBody(
            MR_CONFIG_ID,
            configId,
            abi.encodeWithSelector(IQuoteVerifier.ComposeHashMissing.selector, bytes32(configId.slice(0, 32)))
        );
    }

    function _refuseBody(uint256 offset, bytes memory value, bytes memory refusal) private {
        bytes memory body = _body;
        body.put(offset, value);
        _refuse(body, _report, refusal);
    }

    function _refuseReport(uint256 offset, bytes memory value, bytes memory refusal) private {
        bytes memory report = _report;
        report.put(offset, value);
        _refuse(_body, report, refusal);
    }

    function _refuse(bytes memory body, bytes memory report, bytes memory refusal) private {
        Evidence memory evidence = _evidence(_host, body, report);
        vm.expectRevert(refusal);
        quotes.verify(evidence, 20, 20);
    }

    /// @dev For errors whose arguments the test does not care about.
    function _expect(bytes4 selector) private {
        avm.expectPartialRevert(selector);
    }
}
