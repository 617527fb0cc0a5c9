// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Json} from "../../src/attestation/Json.sol";
import {Evidence, IQuoteVerifier} from "../../src/interfaces/IQuoteVerifier.sol";
import {Bytes} from "./support/Bytes.sol";
import {Platform} from "./support/Platform.sol";

/// @notice mrConfigId of version 3: the hash of a document that travels beside the quote.
contract ConfigDocumentTest is Platform {
    using Bytes for bytes;

    bytes private constant DOCUMENT =
        '{"app_id":"00112233445566778899aabbccddeeff00112233","compose_hash":"c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00","instance_id":"ffeeddccbbaa99887766554433221100ffeeddcc","key_provider":"local-sgx","key_provider_id":"0123456789abcdef","version":3}';
    bytes32 private constant HASH = 0xc0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00;

    function test_composeHash_isTheDocuments() public view {
        Evidence memory evidence = _with(DOCUMENT);
        vm.assertEq(quotes.verify(evidence, 20, 20).composeHash, HASH);
    }

    function test_identifiers_mayBeEmptyOrLong() public view {
        bytes memory document = DOCUMENT;
        document = document.replace('"ffeeddccbbaa99887766554433221100ffeeddcc"', '""');
        document = document.replace('"00112233445566778899aabbccddeeff00112233"', '""');
        bytes memory id = '"3059301306072a8648ce3d020106082a8648ce3d030107034200040123456789abcdef0123456789abcdef00"';
        document = document.replace('"0123456789abcdef"', id).replace("local-sgx", "kms");
        vm.assertEq(quotes.verify(_with(document), 20, 20).composeHash, HASH);
    }

    function test_document_mustBeTheOneInTheRegister() public {
        Evidence memory evidence = _with(DOCUMENT);
        bytes[3] memory others = [bytes(""), bytes.concat(DOCUMENT, " "), bytes(DOCUMENT).replace("local-sgx", "kms")];
        for (uint256 i = 0; i < 3; i++) {
            evidence.configDocument = others[i];
            vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.WrongConfigDocument.selector, _hashOf(others[i])));
            quotes.verify(evidence, 20, 20);
        }
    }

    /// @dev Nothing rides along that no signature covers.
    function test_version1_hasNoDocument() public {
        Evidence memory evidence = _evidenceOf("host0");
        evidence.configDocument = DOCUMENT;
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.WrongConfigDocument.selector, _hashOf(DOCUMENT)));
        quotes.verify(evidence, 20, 20);
    }

    function test_register_endsWithZeros() public {
        for (uint256 i = 33; i < 48; i++) {
            Machine memory host = _machine("host0");
            bytes memory quote = _quote(host, 0, 0);
            quote.put(MR_CONFIG_ID, abi.encodePacked(uint8(3), _hashOf(DOCUMENT)));
            quote[MR_CONFIG_ID + i] = 0x01;
            Evidence memory evidence = _evidence(host, quote, _qeReport(host));
            evidence.configDocument = DOCUMENT;
            avm.expectPartialRevert(IQuoteVerifier.ComposeHashMissing.selector);
            quotes.verify(evidence, 20, 20);
        }
    }

    function test_zeroComposeHash_isNone() public {
        bytes memory digits = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";
        bytes memory zeros = "0000000000000000000000000000000000000000000000000000000000000000";
        Evidence memory evidence = _with(bytes(DOCUMENT).replace(digits, zeros));
        avm.expectPartialRevert(IQuoteVerifier.ComposeHashMissing.selector);
        quotes.verify(evidence, 20, 20);
    }

    /// @dev Hashed correctly, but not of the one known form: members that change what runs would hide there.
    function test_deviations_areRefused() public {
        _refuse("{", "{ ");
        _refuse('"version":3}', '"version":3} ');
        _refuse('"version":3', '"version":4');
        _refuse('"version":3', '"version":3,"x":0');
        _refuse('"instance_id"', '"init_script_hashes":[],"instance_id"');
        _refuse('"instance_id"', '"gpu_policy_hash":"00","instance_id"');
        _refuse("c0ffee", "C0ffee");
        _refuse("c0ffee", "c0ffe");
        _refuse("c0ffee", "c0ffeg");
        _refuse('"00112233', '"0112233');
        _refuse("aabbcc", "aaBbcc");
        _refuse("aabbcc", "aa\\bcc");
        _refuse('"local-sgx"', '""');
        _refuse("local-sgx", "Local-sgx");
        _refuse("local-sgx", "local_sgx");
        _refuse("local-sgx", 'x","key_provider":"y');
        _refuse("0123456789abcdef", "0123456789abcde");
        _refuse("0123456789abcdef", "0123456789abcdeF");
        _refuse('"key_provider_id":"0123456789abcdef",', "");
        _refuse(',"version":3', "");
    }

    function test_truncatedDocument_isRefused() public {
        for (uint256 length = 1; length < DOCUMENT.length; length += 29) {
            Evidence memory evidence = _with(bytes(DOCUMENT).slice(0, length));
            avm.expectPartialRevert(Json.MalformedJson.selector);
            quotes.verify(evidence, 20, 20);
        }
    }

    function test_longDocument_isRefused() public {
        bytes memory id = new bytes(16_384 - DOCUMENT.length + 16);
        for (uint256 i = 0; i < id.length; i++) id[i] = "a";
        bytes memory document = bytes(DOCUMENT).replace("0123456789abcdef", id);
        vm.assertEq(document.length, 16_384);
        if (id.length % 2 == 1) document = document.replace("local-sgx", "localsgx").replace("aaaa", "aaaaa");
        quotes.verify(_with(document), 20, 20);
        Evidence memory evidence = _with(document.replace("aaaa", "aaaaaa"));
        avm.expectPartialRevert(Json.MalformedJson.selector);
        quotes.verify(evidence, 20, 20);
    }

    function _refuse(bytes memory needle, bytes memory value) private {
        Evidence memory evidence = _with(bytes(DOCUMENT).replace(needle, value));
        avm.expectPartialRevert(Json.MalformedJson.selector);
        quotes.verify(evidence, 20, 20);
    }

    function _with(bytes memory document) private view returns (Evidence memory evidence) {
        Machine memory host = _machine("host0");
        bytes memory quote = _quote(host, 0, 0);
        quote.put(MR_CONFIG_ID, abi.encodePacked(uint8(3), _hashOf(document)));
        evidence = _evidence(host, quote, _qeReport(host));
        evidence.configDocument = document;
    }

    function _hashOf(bytes memory document) private pure returns (bytes32) {
        return sha256(bytes.concat("dstack-mr-config-v3:", hex"00", document));
    }
}
