// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TcbStatus} from "../../src/attestation/TcbStatus.sol";
import {Appraisal, Evidence, IQuoteVerifier} from "../../src/interfaces/IQuoteVerifier.sol";
import {Bytes} from "./support/Bytes.sol";
import {Platform} from "./support/Platform.sol";

/// @notice Quotes of version 5 with both bodies, and what is peculiar to them. Every refused quote here is signed
/// correctly, unless its signature is the point.
contract QuoteVersion5Test is Platform {
    using Bytes for bytes;

    uint256 private constant BODY = 54;
    uint256 private constant MR_SERVICE_TD = BODY + 600;

    Machine private _host;
    bytes private _report;
    bytes private _four;
    bytes private _td10;
    bytes private _td15;

    function setUp() public override {
        super.setUp();
        _host = _machine("host0");
        _report = _qeReport(_host);
        _four = _quote(_host, keccak256("head"), keccak256("tail"));
        _td10 = _asVersion5(_four, false);
        _td15 = _asVersion5(_four, true);
    }

    function test_bothBodies_sayWhatVersion4Says() public view {
        bytes memory expected = abi.encode(_verify(_four));
        vm.assertEq(abi.encode(_verify(_td10)), expected);
        vm.assertEq(abi.encode(_verify(_td15)), expected);
        vm.assertEq(_td10.length, 638);
        vm.assertEq(_td15.length, 702);
    }

    function test_bothCas_vouchForBothVersions() public {
        store.storeIntermediateCa(_bytes(".processorCa.certificate"));
        store.storeCrl(_word(".processorCa.id"), _bytes(".crls.processor"));
        Machine memory host = _machine("processor");
        bytes memory quote = _quote(host, 0, 0);
        bytes[3] memory forms = [quote, _asVersion5(quote, false), _asVersion5(quote, true)];
        for (uint256 i = 0; i < 3; i++) {
            Evidence memory evidence = _evidence(host, forms[i], _qeReport(host));
            evidence.caId = _word(".processorCa.id");
            Appraisal memory appraisal = quotes.verify(evidence, 20, 20);
            vm.assertEq(uint256(appraisal.status), uint256(TcbStatus.UpToDate));
            vm.assertEq(appraisal.platform.ca, 1);
        }
    }

    /// @dev ⚔ a service domain may migrate the domain, and with it every secret, to another machine.
    function test_serviceTd_isRefused() public {
        for (uint256 i = 0; i < 48; i++) {
            bytes memory quote = _td15;
            quote[MR_SERVICE_TD + i] = 0x01;
            _refuse(
                quote,
                abi.encodeWithSelector(
                    IQuoteVerifier.ServiceTdBound.selector, bytes32(quote.slice(MR_SERVICE_TD, MR_SERVICE_TD + 32))
                )
            );
        }
    }

    function test_bodies_ofOtherTypesOrLengths() public {
        _refuseForm(hex"010080010000", 1, 384); // an SGX enclave
        _refuseForm(hex"040048020000", 4, 584);
        _refuseForm(hex"020148020000", 0x102, 584);
        _refuseForm(hex"020088020000", 2, 648);
        _refuseForm(hex"030048020000", 3, 584);
        _refuseForm(hex"020048020001", 2, 584 + (1 << 24));
        _refuseForm(hex"000000000000", 0, 0);
    }

    function test_lengths() public {
        bytes memory quote = _td10;
        _refuse(quote.slice(0, 637), abi.encodeWithSelector(IQuoteVerifier.WrongQuoteLength.selector, 637));
        _refuse(_with(quote, hex"00"), abi.encodeWithSelector(IQuoteVerifier.WrongQuoteLength.selector, 639));
        // The type of the one with the length of the other.
        _refuse(_with(quote, new bytes(64)), abi.encodeWithSelector(IQuoteVerifier.WrongQuoteLength.selector, 702));
        _refuse(_td15.slice(0, 638), abi.encodeWithSelector(IQuoteVerifier.WrongQuoteLength.selector, 638));
        _refuse(quote.slice(0, 53), abi.encodeWithSelector(IQuoteVerifier.UnsupportedBody.selector, 0, 0));
        _refuse(quote.slice(0, 54), abi.encodeWithSelector(IQuoteVerifier.WrongQuoteLength.selector, 54));
        // Version 4 knows one body only.
        quote = _td15;
        quote[0] = 0x04;
        _refuse(quote, abi.encodeWithSelector(IQuoteVerifier.WrongQuoteLength.selector, 702));
    }

    /// @dev Header and body alone are not what was signed.
    function test_signature_coversTypeAndLength() public {
        bytes memory five = _four;
        five[0] = 0x05;
        (bytes32 r, bytes32 s) = avm.signP256(_host.attestationKey, sha256(five));
        Evidence memory evidence = _evidence(_host, _td10, _report);
        evidence.auth.put(0, abi.encodePacked(r, s));
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.InvalidQuoteSignature.selector));
        quotes.verify(evidence, 20, 20);
    }

    function test_policy_readsTheSameFields() public {
        _refuseField(120, hex"01", IQuoteVerifier.TdAttributesNotAllowed.selector);
        _refuseField(129, hex"03", IQuoteVerifier.XfamNotAllowed.selector);
        _refuseField(64, hex"01", IQuoteVerifier.SeamModuleNotIntel.selector);
        _refuseField(112, hex"01", IQuoteVerifier.SeamModuleNotIntel.selector);
        _refuseField(232, hex"01", IQuoteVerifier.OwnerNotZero.selector);
        _refuseField(327, hex"01", IQuoteVerifier.OwnerNotZero.selector);
        _refuseField(184, hex"02", IQuoteVerifier.ComposeHashMissing.selector);
        _refuseField(1, hex"02", IQuoteVerifier.UnknownTdxModule.selector);
        _refuseField(2, hex"01", IQuoteVerifier.PlatformBelowEveryLevel.selector);
    }

    function _verify(bytes memory quote) private view returns (Appraisal memory) {
        return quotes.verify(_evidence(_host, quote, _report), 20, 20);
    }

    function _with(bytes memory quote, bytes memory tail) private pure returns (bytes memory) {
        return bytes.concat(quote, tail);
    }

    function _refuseForm(bytes memory form, uint256 bodyType, uint256 length) private {
        bytes memory quote = _td15;
        quote.put(48, form);
        _refuse(quote, abi.encodeWithSelector(IQuoteVerifier.UnsupportedBody.selector, bodyType, length));
    }

    function _refuseField(uint256 offset, bytes memory value, bytes4 selector) private {
        for (uint256 i = 0; i < 2; i++) {
            bytes memory quote = i == 0 ? _td10 : _td15;
            quote.put(BODY + offset, value);
            Evidence memory evidence = _evidence(_host, quote, _report);
            avm.expectPartialRevert(selector);
            quotes.verify(evidence, 20, 20);
        }
    }

    function _refuse(bytes memory quote, bytes memory refusal) private {
        Evidence memory evidence = _evidence(_host, quote, _report);
        vm.expectRevert(refusal);
        quotes.verify(evidence, 20, 20);
    }
}
