// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Der} from "../../src/attestation/Der.sol";
import {X509} from "../../src/attestation/X509.sol";
import {ICollateralStore} from "../../src/interfaces/ICollateralStore.sol";
import {Evidence, IQuoteVerifier} from "../../src/interfaces/IQuoteVerifier.sol";
import {Bytes} from "./support/Bytes.sol";
import {Platform} from "./support/Platform.sol";

/// @notice Certificates that the CA really signed but that no PCK certificate may look like, and genuine ones at the
/// wrong time or revoked.
contract PckCertificateTest is Platform {
    using Bytes for bytes;

    bytes private constant KEY_USAGE = hex"0603551d0f0101ff0404030206c0";
    bytes private constant BASIC_CONSTRAINTS = hex"0603551d130101ff04023000";
    Evidence private _genuine;

    function setUp() public override {
        super.setUp();
        _genuine = _evidenceOf("host0");
    }

    function test_resignedCertificate_isAccepted() public view {
        // The method of this file: nothing changed, signed again.
        _verify(_resigned(KEY_USAGE, KEY_USAGE));
    }

    function test_signatureOfAnother_isRefused() public {
        bytes memory leaf = _resign(_genuine.pckLeaf, KEY_USAGE, KEY_USAGE, uint256(_word(".processorCa.key")));
        _refuse(leaf, abi.encodeWithSelector(IQuoteVerifier.InvalidLeafSignature.selector));
    }

    /// @dev ⚔ a PCK key is not a CA: it must not be able to make certificates for further machines.
    function test_certificateUnderAPckCertificate_isRefused() public {
        Machine memory host = _machine("host1");
        bytes memory leaf = _resign(_genuine.pckLeaf, KEY_USAGE, KEY_USAGE, host.pckKey);
        _refuse(leaf, abi.encodeWithSelector(IQuoteVerifier.InvalidLeafSignature.selector));
        vm.expectRevert(abi.encodeWithSelector(X509.WrongCertificateExtensions.selector));
        store.storeIntermediateCa(host.pckLeaf);
    }

    function test_keyUsage_mustBeExact() public {
        _refuseExtensions(KEY_USAGE, hex"0603551d0f0101ff0404030206c4"); // also signs certificates
        _refuseExtensions(KEY_USAGE, hex"0603551d0f0101ff040403020640"); // does not sign data
    }

    function test_keyUsage_mustBeThere() public {
        _refuseMalformed(KEY_USAGE, hex"0603551d0e0101ff0404030206c0"); // unknown and critical instead
        _refuseExtensions(hex"0603551d0e0416", hex"0603551d0f0416"); // a second one, not critical
    }

    function test_basicConstraints_mustSayNotACa() public {
        _refuseMalformed(BASIC_CONSTRAINTS, hex"0603551d120101ff04023000");
        _refuseExtensions(BASIC_CONSTRAINTS, hex"0603551d130101ff04023001");
        // Key usage spelled as a second pair of basic constraints, so that the first one is missing.
        _refuseExtensions(hex"0603551d0f0101ff", hex"0603551d130101ff");
    }

    function test_subject_mustBePck() public {
        bytes memory leaf = _resigned("Intel SGX PCK Certificate", "Intel SGX PCX Certificate");
        avm.expectPartialRevert(IQuoteVerifier.UnexpectedSubject.selector);
        _verify(leaf);
    }

    function test_issuer_mustBeTheCa() public {
        bytes memory leaf = _resigned("Intel SGX PCK Platform CA", "Intel SGX PCK Platform CB");
        avm.expectPartialRevert(IQuoteVerifier.UnexpectedIssuer.selector);
        _verify(leaf);
    }

    function test_version_mustBe3() public {
        _refuseMalformed(hex"a003020102", hex"a003020101");
    }

    function test_algorithms_mustBeEcdsaWithSha256() public {
        _refuseMalformed(hex"06082a8648ce3d040302", hex"06082a8648ce3d040303");
        _refuseMalformed(hex"06082a8648ce3d030107", hex"06082a8648ce3d030106");
        // Only the outer, unsigned identifier.
        bytes memory leaf = _genuine.pckLeaf;
        uint256 signed = 8 + (uint256(uint8(leaf[6])) << 8) + uint8(leaf[7]);
        leaf.put(signed + 11, hex"03");
        avm.expectPartialRevert(Der.MalformedDer.selector);
        _verify(leaf);
    }

    function test_serialsAndLengths_mustBeMinimal() public {
        // Serial 5a de 70 f3 91… as 00 de 70…: a zero byte in front of a set top bit is right, so change that one too.
        bytes memory serial = abi.encodePacked(_machine("host0").serial);
        bytes memory padded = serial.copy();
        padded.put(0, hex"0012");
        _refuseMalformed(bytes.concat(hex"0214", serial), bytes.concat(hex"0214", padded));
        padded.put(0, hex"ff");
        _refuseMalformed(bytes.concat(hex"0214", serial), bytes.concat(hex"0214", padded));
    }

    /// @dev In the place of the authority key identifier, each exactly as it stands further on.
    function test_extensionsOfTheRole_mustNotRepeat() public {
        bytes memory leaf = _genuine.pckLeaf;
        uint256 start = leaf.find(hex"301f0603551d2304183016");
        bytes memory identifier = leaf.slice(start, start + 33);
        bytes memory filler = bytes.concat(hex"300f0603551d400408", bytes8(0));
        _refuseExtensions(identifier, bytes.concat(hex"300e", KEY_USAGE, filler));
        filler = bytes.concat(hex"30110603551d40040a", bytes10(0));
        _refuseExtensions(identifier, bytes.concat(hex"300c", BASIC_CONSTRAINTS, filler));
        _refuseExtensions(identifier, bytes.concat(hex"301f06092a864886f84d010d010412", bytes18(0)));
        // Nor those that have no role here.
        _refuseExtensions(identifier, bytes.concat(hex"301f0603551d0e0418", bytes24(0)));
        // Without a repetition the same surgery is harmless.
        _verify(_resigned(identifier, bytes.concat(hex"301f06092a864886f84d010d020412", bytes18(0))));
    }

    function test_trailingBytes_areRefused() public {
        avm.expectPartialRevert(Der.MalformedDer.selector);
        _verify(bytes.concat(_genuine.pckLeaf, hex"00"));
        avm.expectPartialRevert(Der.MalformedDer.selector);
        _verify("");
    }

    function test_sgxExtension_mustBeThereOnce() public {
        bytes memory leaf = _resigned(hex"06092a864886f84d010d0104", hex"06092a864886f84d010d0204");
        _refuse(leaf, abi.encodeWithSelector(IQuoteVerifier.MissingSgxExtension.selector));
        _refuse(
            _bytes(".tcbSigner.certificate"),
            abi.encodeWithSelector(IQuoteVerifier.UnexpectedSubject.selector, X509.TCB_SIGNING)
        );
    }

    /// @dev Signed by the root itself, named like a PCK certificate, but of no machine.
    function test_pckNameWithoutMachine_isRefused() public {
        _refuse(_bytes(".impostor.certificate"), abi.encodeWithSelector(IQuoteVerifier.MissingSgxExtension.selector));
    }

    function test_sgxExtension_membersInIntelsOrder() public {
        bytes memory oid = hex"060a2a864886f84d010d01";
        _refuseMalformed(bytes.concat(oid, hex"010410"), bytes.concat(oid, hex"060410"));
        _refuseMalformed(bytes.concat(oid, hex"03"), bytes.concat(oid, hex"04"));
        _refuseMalformed(bytes.concat(oid, hex"04"), bytes.concat(oid, hex"03"));
        _refuseMalformed(bytes.concat(oid, hex"010410"), bytes.concat(oid, hex"01040f"));
        oid = hex"060b2a864886f84d010d0102";
        _refuseMalformed(bytes.concat(oid, hex"02"), bytes.concat(oid, hex"01"));
        _refuseMalformed(bytes.concat(oid, hex"0102"), bytes.concat(oid, hex"0104"));
        _refuseMalformed(bytes.concat(oid, hex"11"), bytes.concat(oid, hex"10"));
        _refuseMalformed(bytes.concat(oid, hex"12"), bytes.concat(oid, hex"11"));
        // A component above 127 in one byte would be a negative number.
        _refuseMalformed(bytes.concat(oid, hex"01020104"), bytes.concat(oid, hex"010201ff"));
    }

    function test_sgxExtension_endsWithTypeInstanceAndConfiguration() public {
        bytes memory oid = hex"060a2a864886f84d010d01";
        _refuseMalformed(bytes.concat(oid, hex"05"), bytes.concat(oid, hex"06"));
        _refuseMalformed(bytes.concat(oid, hex"050a01"), bytes.concat(oid, hex"050201"));
        _refuseMalformed(bytes.concat(oid, hex"060410"), bytes.concat(oid, hex"070410"));
        _refuseMalformed(bytes.concat(oid, hex"0730"), bytes.concat(oid, hex"0830"));
        _refuseMalformed(bytes.concat(oid, hex"0730"), bytes.concat(oid, hex"0731"));
    }

    function test_serial_hasAtMost20Bytes() public {
        bytes memory number = abi.encodePacked(_machine("host0").serial);
        bytes memory serial = uint8(number[0]) > 127
            ? bytes.concat(hex"021500", number)
            : bytes.concat(hex"0214", number);
        uint256 key = uint256(_word(".platformCa.key"));
        _verify(_resignMember(_genuine.pckLeaf, serial, bytes.concat(hex"02147f", bytes19(0)), key));
        bytes memory leaf = _resignMember(_genuine.pckLeaf, serial, bytes.concat(hex"021501", bytes20(0)), key);
        avm.expectPartialRevert(Der.MalformedDer.selector);
        _verify(leaf);
    }

    function test_pceId_mustBeZero() public {
        bytes memory member = hex"060a2a864886f84d010d01030402";
        _refuse(
            _resigned(bytes.concat(member, hex"0000"), bytes.concat(member, hex"0001")),
            abi.encodeWithSelector(IQuoteVerifier.UnknownPce.selector, bytes2(0x0001))
        );
    }

    function test_validity() public {
        bytes memory leaf = _resigned(hex"170d3235303130313030303030305a", hex"170d3236313030313031303030315a");
        _refuse(
            leaf, abi.encodeWithSelector(IQuoteVerifier.LeafNotYetValid.selector, now0 + 1 hours + 1, now0 + 1 hours)
        );
        vm.warp(now0 + 1 hours + 1);
        _verify(leaf);
        leaf = _resigned(hex"170d3439313233313233353935395a", hex"170d3236313030313031303030315a");
        _verify(leaf);
        vm.warp(now0 + 1 hours + 2);
        _refuse(
            leaf, abi.encodeWithSelector(IQuoteVerifier.LeafExpired.selector, now0 + 1 hours + 1, now0 + 1 hours + 2)
        );
    }

    function test_expiryOfTheCertificate_boundsTheAppraisal() public view {
        bytes memory leaf = _resigned(hex"170d3439313233313233353935395a", hex"170d3236313030313031303030315a");
        Evidence memory evidence = _genuine;
        evidence.pckLeaf = leaf;
        vm.assertEq(quotes.verify(evidence, 20, 20).expiresAt, now0 + 1 hours + 1);
    }

    function test_revokedSerial_isRefusedFromItsCrlOn() public {
        _verify(_genuine.pckLeaf);
        store.storeCrl(_platformCaId(), _bytes(".crls.platformRevokingHost0"));
        uint160 serial = _machine("host0").serial;
        _refuse(_genuine.pckLeaf, abi.encodeWithSelector(ICollateralStore.CertificateRevoked.selector, serial));
        quotes.verify(_evidenceOf("host1"), 20, 20);
    }

    function _resigned(bytes memory needle, bytes memory value) private view returns (bytes memory) {
        return _resign(_genuine.pckLeaf, needle, value, uint256(_word(".platformCa.key")));
    }

    function _refuseExtensions(bytes memory needle, bytes memory value) private {
        _refuse(_resigned(needle, value), abi.encodeWithSelector(X509.WrongCertificateExtensions.selector));
    }

    function _refuseMalformed(bytes memory needle, bytes memory value) private {
        bytes memory leaf = _resigned(needle, value);
        avm.expectPartialRevert(Der.MalformedDer.selector);
        _verify(leaf);
    }

    function _refuse(bytes memory leaf, bytes memory refusal) private {
        vm.expectRevert(refusal);
        _verify(leaf);
    }

    function _verify(bytes memory leaf) private view {
        Evidence memory evidence = _genuine;
        evidence.pckLeaf = leaf;
        quotes.verify(evidence, 20, 20);
    }
}
