// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CollateralParser} from "../../src/attestation/CollateralParser.sol";
import {Json} from "../../src/attestation/Json.sol";
import {ParsedCollateral} from "../../src/interfaces/ICollateralParser.sol";
import {Artifact} from "./support/Artifact.sol";
import {Bytes} from "./support/Bytes.sol";
import {Platform} from "./support/Platform.sol";

/// @notice The template: what it reads, and that anything else is refused.
contract CollateralParserTest is Platform {
    using Bytes for bytes;

    CollateralParser private _parser;
    bytes private _tcb;
    bytes private _qe;

    function setUp() public override {
        super.setUp();
        _parser = CollateralParser(Artifact.create("CollateralParser", ""));
        _tcb = _text(".tcbInfos.current");
        _qe = _text(".qeIdentities.current");
    }

    function test_tcbInfo() public view {
        ParsedCollateral memory parsed = _parser.parseTcbInfo(_tcb);
        vm.assertEq(bytes32(parsed.fmspc), bytes32(bytes6(0xb0c06f000000)));
        vm.assertEq(parsed.evaluation, 20);
        vm.assertEq(parsed.issuedAt, now0);
        vm.assertEq(parsed.expiresAt, now0 + 30 days);
        vm.assertEq(
            parsed.data,
            abi.encodePacked(
                hex"03", uint16(3 + 6 + 8), hex"0302_0500_0304", hex"0103_0b00_0604_0204",
                hex"04040202040100050000000000000000_05000400000000000000000000000000_000b_00",
                hex"03030202040100050000000000000000_05000300000000000000000000000000_000b_04",
                hex"02020202030100030000000000000000_03000200000000000000000000000000_0005_04"
            )
        );
    }

    function test_qeIdentity() public view {
        ParsedCollateral memory parsed = _parser.parseQeIdentity(_text(".qeIdentities.strict"));
        vm.assertEq(parsed.evaluation, 21);
        vm.assertEq(parsed.issuedAt, now0);
        vm.assertEq(parsed.expiresAt, now0 + 30 days);
        vm.assertEq(parsed.data, hex"00_000500_000404");
    }

    /// @dev Whatever Intel changes about the enclave is kept with its levels.
    function test_qeIdentity_ofAnotherEnclave() public view {
        bytes memory usual = '"attributesMask":"FBFFFFFFFFFFFFFF0000000000000000"';
        bytes memory changed = '"attributesMask":"FBFFFFFFFFFFFFFF00000000000000FF"';
        vm.assertEq(
            _parser.parseQeIdentity(_text(".qeIdentities.strict").replace(usual, changed)).data,
            abi.encodePacked(
                hex"01",
                hex"dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5",
                hex"fbffffffffffffff00000000000000ff_11000000000000000000000000000000",
                hex"ffffffff_00000000_0002",
                hex"000500_000404"
            )
        );
    }

    function test_fmspcOfEitherCase_isTheSame() public view {
        bytes memory lower = _tcb.replace("B0C06F000000", "b0c06f000000");
        vm.assertEq(bytes32(_parser.parseTcbInfo(lower).fmspc), bytes32(bytes6(0xb0c06f000000)));
    }

    function test_everyStatus_isRead() public view {
        string[7] memory names = [
            "UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "OutOfDate",
            "OutOfDateConfigurationNeeded", "Revoked"
        ];
        for (uint256 i = 0; i < names.length; i++) {
            bytes memory status = bytes(string.concat('"tcbStatus":"', names[i], '"'));
            bytes memory data = _parser.parseQeIdentity(_qe.replace('"tcbStatus":"UpToDate"', status)).data;
            vm.assertEq(uint8(data[data.length - 1]), i);
        }
    }

    function test_deviationsOfTcbInfo_areRefused() public {
        string[2][37] memory changes = [
            ['{"id":"TDX"', '{"id":"SGX"'],
            ['"version":3', '"version":4'],
            ['{"id"', '{ "id"'],
            ['"issueDate"', '"issuedate"'],
            ["2026-10-01T", "2026-10-01 "],
            ['"pceId":"0000"', '"pceId":"0001"'],
            ['"tcbType":0', '"tcbType":1'],
            ['"tcbEvaluationDataNumber":20', '"tcbEvaluationDataNumber":020'],
            ['"tcbEvaluationDataNumber":20', '"tcbEvaluationDataNumber":70000'],
            ['"tcbEvaluationDataNumber":20', '"tcbEvaluationDataNumber":"20"'],
            ['"tdxModule":{"mrsigner":"0', '"tdxModule":{"mrsigner":"1'],
            ['"attributes":"0000000000000000"', '"attributes":"0000000000000001"'],
            ['"attributesMask":"FFFFFFFFFFFFFFFF"', '"attributesMask":"FFFFFFFFFFFFFFFE"'],
            ['{"id":"TDX_03","mrsigner":"0', '{"id":"TDX_03","mrsigner":"1'],
            ['{"id":"TDX_03"', '{"id":"TDX_0G"'],
            ['{"id":"TDX_03"', '{"id":"TDX_003"'],
            ['{"id":"TDX_03"', '{"id":"TDX_0b"'],
            ['{"id":"TDX_03"', '{"id":"TDX_01"'],
            ["2026-10-31T", "2026-09-31T"],
            ['"isvsvn":5', '"isvsvn":256'],
            ['"isvsvn":5', '"isvsvn":-5'],
            ['"tcbStatus":"UpToDate"', '"tcbStatus":"Uptodate"'],
            ['"tcbStatus":"UpToDate"', '"tcbStatus":""'],
            ['"tcbStatus":"UpToDate"', '"tcbStatus":"UpToDate","x":1'],
            ['{"svn":4', '{"svn":04'],
            ['{"svn":4', '{"svn":256'],
            ['{"svn":4', '{"svn":4.0'],
            ['{"svn":4', '{"SVN":4'],
            [',"category":"BIOS"', ',"kategory":"BIOS"'],
            ['{"svn":0},', ""],
            ['{"svn":0},', '{"svn":0},{"svn":0},'],
            ['"pcesvn":11', '"pcesvn":65536'],
            ['"tdxtcbcomponents"', '"tdxTcbComponents"'],
            ['"sgxtcbcomponents":[', '"sgxtcbcomponents":[ '],
            ['"tcbDate":"2025', '"tcbDate":"25'],
            [',"tcbLevels":[{"tcb":{"sgx', ',"extra":0,"tcbLevels":[{"tcb":{"sgx'],
            ["]}]}", "]}]}}"]
        ];
        for (uint256 i = 0; i < changes.length; i++) {
            bytes memory json = _tcb.replace(bytes(changes[i][0]), bytes(changes[i][1]));
            avm.expectPartialRevert(Json.MalformedJson.selector);
            _parser.parseTcbInfo(json);
        }
    }

    function test_deviationsOfQeIdentity_areRefused() public {
        string[2][12] memory changes = [
            ['"id":"TD_QE"', '"id":"QE"'],
            ['"version":2', '"version":3'],
            ['"miscselect":"00000000"', '"miscselect":"0000000"'],
            ['"miscselectMask":"FFFFFFFF"', '"miscselectMask":"FFFFFFFG"'],
            ['"attributes":"11', '"attributes":"x1'],
            ['"attributesMask":"FB', '"attributesmask":"FB'],
            ['"mrsigner":"DC', '"mrsigner":"D'],
            ['"isvprodid":2', '"isvprodid":65536'],
            ['"isvprodid":2', '"isvprodid":'],
            ['"isvsvn":4', '"isvsvn":65536'],
            ['"tcbStatus":"UpToDate"', '"tcbStatus":"Fine"'],
            ["}]}", "}]} "]
        ];
        for (uint256 i = 0; i < changes.length; i++) {
            bytes memory json = _qe.replace(bytes(changes[i][0]), bytes(changes[i][1]));
            avm.expectPartialRevert(Json.MalformedJson.selector);
            _parser.parseQeIdentity(json);
        }
    }

    function testFuzz_truncatedText_isRefused(uint256 length, bool tcb) public {
        bytes memory json = tcb ? _tcb : _qe;
        json = json.slice(0, bound(length, 0, json.length - 1));
        avm.expectPartialRevert(Json.MalformedJson.selector);
        if (tcb) _parser.parseTcbInfo(json);
        else _parser.parseQeIdentity(json);
    }

    /// @dev Any changed character is refused, or changes what was read, or stands in a text that nobody judges.
    function testFuzz_changedCharacter_isNeverOverlooked(uint256 position, bytes1 character) public view {
        bytes memory json = _tcb.copy();
        position = bound(position, 0, json.length - 1);
        vm.assume(json[position] != character);
        json[position] = character;
        try _parser.parseTcbInfo{gas: 1_000_000}(json) returns (ParsedCollateral memory parsed) {
            ParsedCollateral memory genuine = _parser.parseTcbInfo(_tcb);
            bool same = keccak256(abi.encode(parsed)) == keccak256(abi.encode(genuine));
            vm.assertTrue(!same || _isRemark(position));
        } catch (bytes memory reason) {
            vm.assertEq(reason.length, 36);
        }
    }

    /// @dev Whether the character stands in a category, a type, a level's date or a list of advisories, or is a letter
    /// of the family whose other case means the same.
    function _isRemark(uint256 position) private view returns (bool) {
        string[5] memory openings = ['"category":"', '"type":"', '"tcbDate":"', '"advisoryIDs":[', '"fmspc":"'];
        for (uint256 i = 0; i < openings.length; i++) {
            bytes memory opening = bytes(openings[i]);
            uint256 from = position > 120 ? position - 120 : 0;
            for (uint256 start = from; start <= position; start++) {
                if (start + opening.length > _tcb.length) break;
                if (keccak256(_tcb.slice(start, start + opening.length)) == keccak256(opening)) return true;
            }
        }
        return false;
    }
}
