// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TcbStatus} from "../../src/attestation/TcbStatus.sol";
import {Appraisal, Evidence} from "../../src/interfaces/IQuoteVerifier.sol";
import {Bytes} from "../attestation/support/Bytes.sol";
import {Mutants} from "./Mutants.sol";

/// @notice Quotes with one field changed and both signatures made again: past the signatures stand the checks of the
/// fields, and each verdict is compared with what this contract reads from the same bytes.
contract SignedQuoteFuzzTest is Mutants {
    using Bytes for bytes;

    Machine private _host;
    bytes private _signed;

    function setUp() public override {
        super.setUp();
        _host = _machine("host0");
        _signed = _quote(_host, keccak256("head"), keccak256("tail"));
    }

    /// @dev What nobody interprets is accepted whatever it says, and what the quote was made for comes out unchanged.
    function testFuzz_fieldsOfNoMeaning_changeNothing(uint256 which, bytes32 value, bool version5) public view {
        // SVNs of quoting enclave and PCE, user data, mrSeam, rtMr3, report data.
        uint24[6] memory fields = [uint24(0x000804), 0x001c14, 0x004030, 0x020830, 0x023820, 0x025820];
        bytes memory quote = _withField(fields[which % 6], value);
        Appraisal memory appraisal = quotes.verify{gas: GAS}(_evidenceOf(quote, version5), 20, 20);
        vm.assertTrue(appraisal.status == TcbStatus.UpToDate);
        vm.assertEq(appraisal.reportDataHead, bytes32(quote.slice(568, 600)));
        vm.assertEq(appraisal.reportDataTail, bytes32(quote.slice(600, 632)));
        vm.assertEq(appraisal.imageId, _imageId());
        vm.assertEq(bytes32(appraisal.ppid), bytes32(_host.ppid));
    }

    /// @dev Fields with one permitted value.
    function testFuzz_fixedFields_haveOneValue(uint256 which, bytes32 value, bool version5) public view {
        // Key type, TEE type, vendor, mrSignerSeam, SEAM attributes, TD attributes, mrOwner, mrOwnerConfig.
        uint24[8] memory fields =
            [uint24(0x000202), 0x000404, 0x000c10, 0x007030, 0x00a008, 0x00a808, 0x011830, 0x014830];
        bytes memory quote = _withField(fields[which % 8], value);
        vm.assume(keccak256(quote) != keccak256(_signed));
        _refused(_evidenceOf(quote, version5));
    }

    /// @dev The three registers and the firmware name the image.
    function testFuzz_measuredRegisters_nameTheImage(uint256 which, bytes32 value, bool version5) public view {
        uint24[4] memory fields = [uint24(0x00b830), 0x017830, 0x01a830, 0x01d830];
        bytes memory quote = _withField(fields[which % 4], value);
        Appraisal memory appraisal = quotes.verify{gas: GAS}(_evidenceOf(quote, version5), 20, 20);
        vm.assertEq(appraisal.imageId, keccak256(bytes.concat(quote.slice(MR_TD_AT, 232), quote.slice(376, 520))));
    }

    function testFuzz_extendedFeatures_stayWithinTheMask(bytes8 value) public view {
        bytes memory quote = _signed.copy();
        quote.put(XFAM, abi.encodePacked(value));
        bool allowed = value & 0x0300000000000000 == 0x0300000000000000 && value & ~bytes8(0xe75a060000000000) == 0;
        _judged(_evidenceOf(quote, false), allowed);
    }

    function testFuzz_configurationId_bindsAComposeFile(bytes32 composeHash, uint8 version, uint120 rest) public view {
        version = uint8(bound(version, 0, 4));
        if (rest % 2 == 0) rest = 0;
        bytes memory quote = _signed.copy();
        quote.put(MR_CONFIG_ID, abi.encodePacked(version, composeHash, rest));
        bool allowed = version == 1 && composeHash != 0 && rest == 0;
        _judged(_evidenceOf(quote, false), allowed);
        if (!allowed) return;
        vm.assertEq(quotes.verify(_evidenceOf(quote, false), 20, 20).composeHash, composeHash);
    }

    /// @dev A document of version 3 counts for the register that holds its hash, in its one spelling.
    function testFuzz_configurationDocument_countsInItsOneSpelling(uint256 seed, bool resized) public view {
        bytes memory genuine =
            '{"app_id":"a1","compose_hash":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","instance_id":"b2","key_provider":"kms","key_provider_id":"3059","version":3}';
        bytes memory document = resized ? _resize(genuine, seed) : _mutate(genuine, seed);
        bytes memory quote = _signed.copy();
        bytes32 bound_ = sha256(bytes.concat("dstack-mr-config-v3:", hex"00", document));
        quote.put(MR_CONFIG_ID, abi.encodePacked(uint8(3), bound_, uint120(0)));
        Evidence memory evidence = _evidenceOf(quote, false);
        evidence.configDocument = document;
        try quotes.verify{gas: GAS}(evidence, 20, 20) returns (Appraisal memory appraisal) {
            uint256 at_ = document.find('"compose_hash":"') + 16;
            vm.assertEq(appraisal.composeHash, _unhex(document.slice(at_, at_ + 64)));
            vm.assertEq(uint8(document[0]), 0x7b);
            vm.assertEq(document.slice(document.length - 13, document.length), ',"version":3}');
        } catch (bytes memory reason) {
            _assertTyped(reason);
        }
        // The genuine document under the register of another one.
        vm.assume(keccak256(document) != keccak256(genuine));
        evidence.configDocument = genuine;
        _refused(evidence);
    }

    /// @dev SVNs of the TDX module and its TCB, against the fixture's levels.
    function testFuzz_moduleSvns_selectTheLevel(uint8 isvSvn, uint8 module, uint8 microcode, bool version5) public view {
        (isvSvn, module) = (uint8(bound(isvSvn, 0, 14)), uint8(bound(module, 0, 4)));
        microcode = uint8(bound(microcode, 0, 6));
        bytes memory quote = _signed.copy();
        quote.put(48, abi.encodePacked(isvSvn, module, microcode));
        bool reached = microcode >= 2;
        if (module == 0) reached = reached && isvSvn >= 3;
        if (module == 1) reached = reached && isvSvn >= 2;
        if (module == 3) reached = reached && isvSvn >= 3;
        if (module == 2 || module == 4) reached = false;
        bool current = microcode >= 4;
        if (module == 0) current = current && isvSvn >= 5;
        if (module == 1) current = current && isvSvn >= 11;
        if (module == 3) current = current && isvSvn >= 5;
        Evidence memory evidence = _evidenceOf(quote, version5);
        if (!reached) return _refused(evidence);
        TcbStatus status = quotes.verify{gas: GAS}(evidence, 20, 20).status;
        vm.assertTrue(status == (current ? TcbStatus.UpToDate : TcbStatus.OutOfDate));
    }

    /// @dev The quoting enclave's report, signed again by the PCK key.
    function testFuzz_enclaveReport_isJudgedByTheIdentity(uint256 which, bytes32 value) public view {
        uint24[9] memory fields =
            [uint24(0x000010), 0x001004, 0x00141c, 0x003010, 0x004020, 0x008020, 0x00a020, 0x010002, 0x010202];
        uint256 field = fields[which % 9];
        bytes memory report = _qeReport(_host);
        report.put(field >> 8, abi.encodePacked(value).slice(0, field & 0xff));
        bool allowed = uint128(bytes16(report.slice(16, 20))) == 0
            && bytes16(report.slice(48, 64)) & 0xfbffffffffffffff0000000000000000 == 0x11000000000000000000000000000000
            && bytes32(report.slice(128, 160)) == 0xdc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5
            && bytes2(report.slice(256, 258)) == 0x0200 && uint8(report[258]) + uint256(uint8(report[259])) * 256 >= 4;
        _judged(_evidence(_host, _signed, report), allowed);
    }

    /// @dev Type, length and body of version 5 that do not belong together.
    function testFuzz_announcedBody_mustBeTheOneThatFollows(uint16 kind, uint32 length, uint256 size, bool td15) public view {
        bytes memory genuine = _asVersion5(_signed, td15);
        bytes memory quote = genuine.copy();
        if (size % 3 == 0) quote.put(48, abi.encodePacked(kind));
        else if (size % 3 == 1) quote.put(50, abi.encodePacked(length));
        else quote = _resize(quote, size);
        vm.assume(keccak256(quote) != keccak256(genuine));
        bool otherBody = quote.length > 686;
        vm.assume(!otherBody || size % 3 != 2);
        (bytes32 r, bytes32 s) = avm.signP256(_host.attestationKey, sha256(quote));
        Evidence memory evidence = _evidence(_host, genuine, _qeReport(_host));
        evidence.quote = quote;
        evidence.auth.put(0, abi.encodePacked(r, s));
        if (quote.length == genuine.length) return _refused(evidence);
        try quotes.verify{gas: GAS}(evidence, 20, 20) {
            revert("a body of another length was accepted");
        } catch (bytes memory reason) {
            _assertTyped(reason);
        }
    }

    /// @param field offset ‖ size, a byte
    function _withField(uint256 field, bytes32 value) private view returns (bytes memory quote) {
        quote = _signed.copy();
        bytes memory filler = abi.encodePacked(value, keccak256(abi.encode(value)));
        quote.put(field >> 8, filler.slice(0, field & 0xff));
    }

    function _evidenceOf(bytes memory quote, bool version5) private view returns (Evidence memory) {
        bytes memory form = version5 ? _asVersion5(quote, quote[8] & 0x01 == 0) : quote;
        return _evidence(_host, form, _qeReport(_host));
    }

    function _judged(Evidence memory evidence, bool allowed) private view {
        if (allowed) quotes.verify{gas: GAS}(evidence, 20, 20);
        else _refused(evidence);
    }

    function _refused(Evidence memory evidence) private view {
        try quotes.verify{gas: GAS}(evidence, 20, 20) {
            revert("accepted");
        } catch (bytes memory reason) {
            _assertTyped(reason);
        }
    }

    function _unhex(bytes memory digits) private pure returns (bytes32 value) {
        for (uint256 i = 0; i < 64; i++) {
            uint8 digit = uint8(digits[i]);
            vm.assertTrue((digit >= 0x30 && digit <= 0x39) || (digit >= 0x61 && digit <= 0x66));
            value = bytes32(uint256(value) << 4 | (digit < 0x3a ? digit - 0x30 : digit - 0x57));
        }
    }
}
