// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Json} from "../../src/attestation/Json.sol";
import {X509} from "../../src/attestation/X509.sol";
import {ICollateralParser} from "../../src/interfaces/ICollateralParser.sol";
import {ICollateralStore} from "../../src/interfaces/ICollateralStore.sol";
import {Evidence, IQuoteVerifier} from "../../src/interfaces/IQuoteVerifier.sol";
import {Bytes} from "./support/Bytes.sol";
import {Platform} from "./support/Platform.sol";

/// @notice The most laborious documents that nobody signed: what refusing one costs grows with its length and no faster,
/// so a sender pays for his own bytes.
contract BoundsTest is Platform {
    using Bytes for bytes;

    /// @dev Highest price of a byte of any walk, and of everything else in the call.
    uint256 private constant PER_BYTE = 400;
    uint256 private constant FIXED = 250_000;
    bytes4 private constant INVALID = ICollateralStore.InvalidSignature.selector;
    bytes4 private constant UNKNOWN = ICollateralStore.UnknownCrl.selector;

    function test_crl_ofTheShortestEntries() public {
        bytes memory template = _bytes(".crls.platform");
        // Version, algorithm, issuer and dates; then the list.
        bytes memory head = template.slice(template.find(hex"020101300a"), template.find(hex"170d3236") + 30);
        bytes memory tail = hex"a00d300b30090603551d1404020500";
        bytes32 caId = _platformCaId();
        vm.warp(now0 + 1 minutes);
        for (uint256 entries = 1_000; entries <= 16_000; entries *= 4) {
            bytes memory crl = _signedShape(bytes.concat(head, _sequence(_repeated(hex"3000", entries)), tail));
            _refuseWithin(address(store), abi.encodeCall(store.storeCrl, (caId, crl)), crl.length, INVALID);
            _refuseWithin(address(store), abi.encodeCall(store.proposeCrl, (caId, crl)), crl.length, INVALID);
            _refuseWithin(address(store), abi.encodeCall(store.continueCrl, (crl, entries)), crl.length, UNKNOWN);
        }
    }

    function test_certificate_ofTheShortestExtensions() public {
        bytes memory leaf = _machine("host0").pckLeaf;
        bytes memory head = leaf.slice(leaf.find(hex"a003020102"), leaf.find(hex"03420004") + 68);
        for (uint256 count = 500; count <= 8_000; count *= 4) {
            bytes memory extensions = _sequence(_repeated(hex"300406000400", count));
            bytes memory wrapped = _sequence(extensions);
            wrapped[0] = 0xa3;
            bytes memory certificate = _signedShape(bytes.concat(head, wrapped));
            uint256 length = certificate.length;
            bytes4 expected = X509.WrongCertificateExtensions.selector;
            _refuseWithin(address(store), abi.encodeCall(store.storeIntermediateCa, (certificate)), length, expected);
            _refuseWithin(address(store), abi.encodeCall(store.storeTcbSigner, (certificate)), length, expected);
            Evidence memory evidence = _evidenceOf("host0");
            evidence.pckLeaf = certificate;
            bytes memory call = abi.encodeCall(quotes.verify, (evidence, 0, 0));
            _refuseWithin(address(quotes), call, length, expected);
        }
    }

    function test_quote_withLongAuthenticationData() public {
        for (uint256 length = 1_000; length <= 64_000; length *= 4) {
            Evidence memory evidence = _evidenceOf("host0");
            evidence.auth = bytes.concat(evidence.auth, new bytes(length));
            bytes memory call = abi.encodeCall(quotes.verify, (evidence, 0, 0));
            _refuseWithin(address(quotes), call, length, IQuoteVerifier.AttestationKeyNotBound.selector);
        }
    }

    /// @dev The parser is behind a signature, but it is open to everybody by itself.
    function test_json_thatNeverEnds() public {
        bytes memory json = _text(".tcbInfos.current");
        bytes memory start = json.slice(0, json.find('"advisoryIDs":[') + 15);
        for (uint256 length = 1_000; length <= 64_000; length *= 4) {
            bytes memory text = bytes.concat(start, _repeated('"', length));
            _refuseText(text);
            text = bytes.concat(start, _repeated('],"', length / 3));
            _refuseText(text);
        }
    }

    function _refuseText(bytes memory text) private {
        bytes memory call = abi.encodeCall(ICollateralParser.parseTcbInfo, (text));
        _refuseWithin(parser, call, text.length, Json.MalformedJson.selector);
    }

    function _refuseWithin(address target, bytes memory call, uint256 length, bytes4 expected) private {
        uint256 before = gasleft();
        (bool success, bytes memory reason) = target.call(call);
        uint256 used = before - gasleft();
        vm.assertFalse(success);
        vm.assertEq(bytes32(bytes4(reason)), bytes32(expected));
        vm.assertLe(used, FIXED + PER_BYTE * length);
    }

    /// @dev SEQUENCE { the content, ecdsa-with-SHA256, a signature of nobody }.
    function _signedShape(bytes memory content) private pure returns (bytes memory) {
        return _sequence(
            bytes.concat(_sequence(content), hex"300a06082a8648ce3d040302", hex"0309003006020101020101")
        );
    }

    function _sequence(bytes memory content) private pure returns (bytes memory) {
        uint256 length = content.length;
        if (length < 0x10000) return bytes.concat(hex"3082", bytes2(uint16(length)), content);
        return bytes.concat(hex"3083", bytes3(uint24(length)), content);
    }

    function _repeated(bytes memory unit, uint256 count) private pure returns (bytes memory text) {
        text = new bytes(unit.length * count);
        for (uint256 i = 0; i < text.length; i++) text[i] = unit[i % unit.length];
    }
}
