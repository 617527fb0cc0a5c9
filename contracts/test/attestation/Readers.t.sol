// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Calendar} from "../../src/attestation/Calendar.sol";
import {DataContract} from "../../src/attestation/DataContract.sol";
import {Der} from "../../src/attestation/Der.sol";
import {Json} from "../../src/attestation/Json.sol";
import {Test} from "../support/Test.sol";
import {AttestationVm} from "./support/AttestationVm.sol";
import {Bytes} from "./support/Bytes.sol";

/// @notice The readers below certificates and JSON, against slow models and hostile input.
contract ReadersTest is Test {
    using Bytes for bytes;

    AttestationVm private constant avm = AttestationVm(address(vm));

    function test_dates() public pure {
        _assertIso("2000-01-01T00:00:00Z", 946_684_800);
        _assertIso("2100-02-28T00:00:00Z", 4_107_456_000);
        _assertIso("2000-02-29T23:59:59Z", 951_868_799);
        _assertIso("2026-10-01T00:00:00Z", 1_790_812_800);
        _assertIso("2024-03-01T00:00:00Z", 1_709_251_200);
        _assertIso("2024-02-29T00:00:00Z", 1_709_164_800);
        (uint256 time, bool valid) = Calendar.fromUtcTime(uint104(bytes13("491231235959Z")));
        vm.assertTrue(valid);
        vm.assertEq(time, 2_524_607_999);
    }

    function test_malformedDates_areRefused() public pure {
        string[21] memory texts = [
            "1999-12-31T23:59:59Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
            "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
            "2026-01-01 00:00:00Z", "2026-01-01T00:00:00z", "2026-01-01T00:00:0:Z", "20/6-01-01T00:00:00Z",
            "2025-02-29T00:00:00Z", "2024-02-30T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
            "2026-06-31T00:00:00Z", "2026-09-31T00:00:00Z", "2026-11-31T00:00:00Z", "2026-07-32T00:00:00Z",
            "2026-12-32T00:00:00Z"
        ];
        for (uint256 i = 0; i < texts.length; i++) {
            (, bool valid) = Calendar.fromIso8601(uint160(bytes20(bytes(texts[i]))));
            vm.assertFalse(valid, texts[i]);
        }
        (, bool past) = Calendar.fromUtcTime(uint104(bytes13("500101000000Z")));
        vm.assertFalse(past);
        (, bool zone) = Calendar.fromUtcTime(uint104(bytes13("2601010000000")));
        vm.assertFalse(zone);
    }

    function test_everyMonth_hasItsLength() public pure {
        bytes memory text = "2023-00-00T00:00:00Z";
        uint8[12] memory lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        for (uint8 month = 1; month <= 12; month++) {
            (text[5], text[6]) = (bytes1(0x30 + month / 10), bytes1(0x30 + month % 10));
            for (uint8 day = 28; day <= 32; day++) {
                (text[8], text[9]) = (bytes1(0x30 + day / 10), bytes1(0x30 + day % 10));
                (, bool valid) = Calendar.fromIso8601(uint160(bytes20(text)));
                vm.assertTrue(valid == (day <= lengths[month - 1]));
            }
        }
    }

    function testFuzz_date_changesWithEveryCharacter(uint8 position, bytes1 character) public pure {
        bytes memory text = "2026-10-17T12:34:56Z";
        position %= 20;
        vm.assume(text[position] != character);
        (uint256 time,) = Calendar.fromIso8601(uint160(bytes20(text)));
        text[position] = character;
        (uint256 other, bool valid) = Calendar.fromIso8601(uint160(bytes20(text)));
        vm.assertTrue(!valid || other != time);
    }

    function testFuzz_hexadecimal_agreesWithAModel(bytes32 text, uint8 digits) public view {
        digits = uint8(bound(digits, 1, 16)) * 2;
        bytes memory characters = bytes.concat(text).slice(0, digits);
        (bool valid, uint256 expected) = _decodeHex(characters);
        try this.hexadecimal(characters, digits) returns (uint256 value) {
            vm.assertTrue(valid);
            vm.assertEq(value, expected);
        } catch {
            vm.assertFalse(valid);
        }
    }

    function testFuzz_hexadecimal_readsWhatWasWritten(uint128 value, uint256 upper) public view {
        bytes memory characters = new bytes(32);
        for (uint256 i = 0; i < 32; i++) {
            uint256 nibble = (value >> (124 - 4 * i)) & 15;
            bool capital = (upper >> i) & 1 == 1;
            characters[i] = bytes1(uint8(nibble < 10 ? 48 + nibble : (capital ? 55 : 87) + nibble));
        }
        vm.assertEq(this.hexadecimal(characters, 32), value);
    }

    function test_everyCharacter_isAHexDigitOrRefused() public view {
        for (uint256 c = 0; c < 256; c++) {
            bytes memory text = bytes.concat("0", bytes1(uint8(c)));
            (bool valid, uint256 expected) = _decodeHex(text);
            try this.hexadecimal(text, 2) returns (uint256 value) {
                vm.assertTrue(valid);
                vm.assertEq(value, expected);
            } catch {
                vm.assertFalse(valid);
            }
        }
    }

    function test_numbers() public {
        vm.assertEq(this.number("0,", 9), 0);
        vm.assertEq(this.number("65535}", 65_535), 65_535);
        string[6] memory refused = ["", "x", "00", "07", "10", "123456789012345"];
        for (uint256 i = 0; i < refused.length; i++) {
            avm.expectPartialRevert(Json.MalformedJson.selector);
            this.number(bytes(refused[i]), 9);
        }
        avm.expectPartialRevert(Json.MalformedJson.selector);
        this.number("-1", 9);
    }

    function testFuzz_skipPast_findsTheFirst(bytes memory text, bytes1 character) public view {
        uint256 expected = 0;
        while (expected < text.length && text[expected] != character) expected++;
        try this.skipPast(text, uint8(character)) returns (uint256 skipped) {
            vm.assertEq(skipped, expected + 1);
        } catch {
            vm.assertEq(expected, text.length);
        }
    }

    function testFuzz_integer_agreesWithAModel(bytes memory content) public view {
        if (content.length > 120) content = content.slice(0, 120);
        bool valid = content.length != 0 && uint8(content[0]) < 0x80
            && (content.length == 1 || content[0] != 0 || uint8(content[1]) > 0x7f);
        uint256 digits = content.length;
        if (valid && digits > 1 && content[0] == 0) digits--;
        valid = valid && digits <= 32;
        bytes memory der = bytes.concat(hex"02", bytes1(uint8(content.length)), content);
        try this.integer(der) returns (uint256 value) {
            vm.assertTrue(valid);
            uint256 expected = 0;
            for (uint256 i = content.length - digits; i < content.length; i++) {
                expected = (expected << 8) | uint8(content[i]);
            }
            vm.assertEq(value, expected);
        } catch {
            vm.assertFalse(valid);
        }
    }

    function test_lengths_areMinimalAndInsideTheirParent() public {
        vm.assertEq(this.open(bytes.concat(hex"307f", new bytes(0x7f))), 0x7f);
        vm.assertEq(this.open(bytes.concat(hex"308180", new bytes(0x80))), 0x80);
        vm.assertEq(this.open(bytes.concat(hex"30820100", new bytes(0x100))), 0x100);
        vm.assertEq(this.open(bytes.concat(hex"3083010000", new bytes(0x10000))), 0x10000);
        bytes[9] memory refused = [
            bytes.concat(hex"3101", hex"00"),
            bytes.concat(hex"3002", hex"00"),
            bytes.concat(hex"3080", hex"0000"),
            bytes.concat(hex"30817f", new bytes(0x7f)),
            bytes.concat(hex"308200ff", new bytes(0xff)),
            bytes.concat(hex"3083000100", new bytes(0x100)),
            bytes.concat(hex"308400000100", new bytes(0x100)),
            bytes.concat(hex"30ff", new bytes(0xff)),
            bytes(hex"30")
        ];
        for (uint256 i = 0; i < refused.length; i++) {
            avm.expectPartialRevert(Der.MalformedDer.selector);
            this.open(refused[i]);
        }
    }

    function testFuzz_dataContract_returnsWhatWasWritten(bytes memory data) public {
        address kept = DataContract.write(data, address(0));
        vm.assertEq(DataContract.read(kept), data);
        vm.assertEq(DataContract.write(data, kept), kept);
        bytes memory longer = bytes.concat(data, hex"00");
        vm.assertNotEq(DataContract.write(longer, kept), kept);
        (bool success, bytes memory answer) = kept.call(data);
        vm.assertTrue(success && answer.length == 0);
    }

    function test_shortData_needNoContract() public {
        uint64 nonce = vm.getNonce(address(this));
        for (uint256 length = 0; length <= 12; length++) {
            bytes memory data = new bytes(length);
            for (uint256 i = 0; i < length; i++) data[i] = bytes1(uint8(255 - i));
            address kept = DataContract.write(data, address(0));
            vm.assertNotEq(kept, address(0));
            vm.assertEq(DataContract.read(kept), data);
        }
        vm.assertEq(vm.getNonce(address(this)), nonce);
        DataContract.write(new bytes(13), address(0));
        vm.assertEq(vm.getNonce(address(this)), nonce + 1);
    }

    function test_dataContract_thatCannotBePaid_isNoticed() public {
        vm.expectRevert(abi.encodeWithSelector(DataContract.DataNotWritten.selector));
        this.write{gas: 500_000}(new bytes(20_000));
    }

    function test_dataContract_hasTheSizeOfACode() public {
        DataContract.write(new bytes(24_575), address(0));
        vm.expectRevert(abi.encodeWithSelector(DataContract.DataTooLong.selector, 24_576));
        this.write(new bytes(24_576));
    }

    function write(bytes memory data) external {
        DataContract.write(data, address(0));
    }

    function hexadecimal(bytes calldata text, uint256 digits) external pure returns (uint256 value) {
        (value,) = Json.hexadecimal(_start(text), digits);
    }

    function number(bytes calldata text, uint256 max) external pure returns (uint256 value) {
        (value,) = Json.number(_start(text), max);
    }

    function skipPast(bytes calldata text, uint256 character) external pure returns (uint256) {
        return Json.skipPast(_start(text), _start(text) + text.length, character) - _start(text);
    }

    function integer(bytes calldata der) external pure returns (uint256 value) {
        uint256 end;
        (value, end) = Der.integer(_start(der), _start(der) + der.length);
        vm.assertEq(end, _start(der) + der.length);
    }

    function open(bytes calldata der) external pure returns (uint256 length) {
        (uint256 start, uint256 end) = Der.open(_start(der), _start(der) + der.length, Der.SEQUENCE);
        return end - start;
    }

    function _assertIso(string memory text, uint256 expected) private pure {
        (uint256 time, bool valid) = Calendar.fromIso8601(uint160(bytes20(bytes(text))));
        vm.assertTrue(valid);
        vm.assertEq(time, expected);
    }

    function _decodeHex(bytes memory text) private pure returns (bool valid, uint256 value) {
        for (uint256 i = 0; i < text.length; i++) {
            uint256 c = uint8(text[i]);
            if (c >= 48 && c <= 57) value = (value << 4) | (c - 48);
            else if (c >= 65 && c <= 70) value = (value << 4) | (c - 55);
            else if (c >= 97 && c <= 102) value = (value << 4) | (c - 87);
            else return (false, 0);
        }
        return (true, value);
    }

    function _start(bytes calldata data) private pure returns (uint256 start) {
        (start,) = Der.bounds(data);
    }
}
