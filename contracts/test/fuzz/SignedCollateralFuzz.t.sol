// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CollateralStore} from "../../src/attestation/CollateralStore.sol";
import {ICollateralParser, ParsedCollateral} from "../../src/interfaces/ICollateralParser.sol";
import {ICollateralStore} from "../../src/interfaces/ICollateralStore.sol";
import {Bytes} from "../attestation/support/Bytes.sol";
import {Mutants} from "./Mutants.sol";

/// @notice CRLs and JSON collateral with changed bytes under genuine signatures, and swollen ones: bounded work, typed
/// refusals, and lists whose every serial counts.
contract SignedCollateralFuzzTest is Mutants {
    using Bytes for bytes;

    /// @dev Gas of a parser per byte of its input, and for its call.
    uint256 private constant GAS_PER_BYTE = 400;
    uint256 private constant GAS_OF_CALL = 200_000;
    uint256 private constant ENTRY = 53;
    uint256 private constant SERIALS = 57;

    function testFuzz_signedCrl_revokesEverySerialInIt(uint256 seed, bool resized) public {
        bytes memory genuine = _toBeSigned(_bytes(".crls.platformRefreshed"));
        bytes memory mutant = resized ? _resize(genuine, seed) : _mutate(genuine, seed);
        vm.warp(now0 + 1 days + 1 hours);
        bytes memory der = _signDer(mutant, uint256(_word(".platformCa.key")));
        (bool success, bytes memory reason) =
            address(store).call{gas: GAS}(abi.encodeCall(store.storeCrl, (_platformCaId(), der)));
        if (!success) return _assertTyped(reason);
        if (mutant.length != genuine.length) return;
        // Header of the list of entries, then entries of equal size.
        uint256 first = genuine.find(hex"30330214");
        for (uint256 i = 0; i < SERIALS; i++) {
            uint256 at_ = first + ENTRY * i + 4;
            bytes memory serial = mutant.slice(at_, at_ + 20);
            if (uint8(mutant[at_ - 2]) == 2 && uint8(mutant[at_ - 1]) == 20) {
                vm.assertTrue(store.isRevoked(0, uint160(bytes20(serial))));
            }
        }
    }

    function testFuzz_signedTcbInfo_isRefusedOrRead(uint256 seed, bool resized) public {
        bytes memory genuine = _text(".tcbInfos.refreshed");
        bytes memory mutant = resized ? _resize(genuine, seed) : _mutate(genuine, seed);
        vm.warp(now0 + 1 days + 1 hours);
        (bytes32 r, bytes32 s) = _signAsTcb(mutant);
        (bool success, bytes memory reason) =
            address(store).call{gas: GAS}(abi.encodeCall(store.storeTcbInfo, (mutant, uint256(r), uint256(s))));
        if (!success) return _assertTyped(reason);
        // The template is fixed: what is accepted begins and ends as the genuine text.
        vm.assertEq(mutant.slice(0, 38), genuine.slice(0, 38));
        vm.assertEq(mutant.slice(mutant.length - 2, mutant.length), "]}");
        _assertOneSpelling(mutant);
    }

    function testFuzz_signedQeIdentity_isRefusedOrRead(uint256 seed, bool resized) public {
        bytes memory genuine = _text(".qeIdentities.beyond");
        bytes memory mutant = resized ? _resize(genuine, seed) : _mutate(genuine, seed);
        vm.warp(now0 + 2 minutes);
        (bytes32 r, bytes32 s) = _signAsTcb(mutant);
        (bool success, bytes memory reason) =
            address(store).call{gas: GAS}(abi.encodeCall(store.storeQeIdentity, (mutant, uint256(r), uint256(s))));
        if (!success) return _assertTyped(reason);
        vm.assertEq(mutant.slice(0, 26), genuine.slice(0, 26));
        _assertOneSpelling(mutant);
    }

    /// @dev A signature by anyone else, or over other bytes, is none.
    function testFuzz_otherSignatures_areRefused(uint256 key, uint256 seed) public {
        key = bound(key, 1, type(uint128).max);
        bytes memory json = _text(".tcbInfos.refreshed");
        vm.warp(now0 + 1 days + 1 hours);
        (bytes32 r, bytes32 s) = avm.signP256(key, sha256(json));
        vm.expectRevert(ICollateralStore.InvalidSignature.selector);
        store.storeTcbInfo(json, uint256(r), uint256(s));
        (r, s) = _signAsTcb(json);
        bytes memory mutant = _mutate(json, seed);
        vm.assume(keccak256(mutant) != keccak256(json));
        vm.expectRevert(ICollateralStore.InvalidSignature.selector);
        store.storeTcbInfo(mutant, uint256(r), uint256(s));
    }

    /// @dev Long inputs of one pattern, the head of a genuine document in front of it.
    function testFuzz_swollenDocuments_costByTheirSize(uint256 seed, uint256 size) public {
        size = bound(size, 1, 6_000);
        bytes[8] memory patterns =
            [bytes("["), bytes("{\"a\":"), bytes("\""), bytes("0"), bytes("{\"svn\":1},"), hex"30", hex"308200", hex"0201ff"];
        bytes memory unit = patterns[seed % 8];
        bytes memory filler = new bytes(size);
        for (uint256 i = 0; i < size; i++) filler[i] = unit[i % unit.length];
        bytes memory json = _text(".tcbInfos.current");
        bytes memory crl = _bytes(".crls.platform");
        _bounded(parser, abi.encodeCall(ICollateralParser.parseTcbInfo, (_swollen(json, filler, seed >> 8))));
        _bounded(parser, abi.encodeCall(ICollateralParser.parseQeIdentity, (_swollen(json, filler, seed >> 8))));
        _bounded(address(store), abi.encodeCall(store.storeCrl, (_platformCaId(), _swollen(crl, filler, seed >> 8))));
        bytes memory signed = bytes.concat(hex"3082", bytes2(uint16(size)), filler);
        bytes memory der = _signDer(signed, uint256(_word(".platformCa.key")));
        _bounded(address(store), abi.encodeCall(store.storeCrl, (_platformCaId(), der)));
        _bounded(address(store), abi.encodeCall(store.proposeCrl, (_platformCaId(), der)));
        _bounded(address(store), abi.encodeCall(store.storeTcbSigner, (der)));
    }

    /// @dev The parser alone accepts what is in its one spelling and nothing else.
    function testFuzz_parser_isTotal(bytes memory json) public {
        _bounded(parser, abi.encodeCall(ICollateralParser.parseTcbInfo, (json)));
        _bounded(parser, abi.encodeCall(ICollateralParser.parseQeIdentity, (json)));
    }

    function _swollen(bytes memory head, bytes memory filler, uint256 seed) private pure returns (bytes memory) {
        return bytes.concat(head.slice(0, seed % head.length), filler);
    }

    /// @dev Refused, within the gas that the size of the call explains.
    function _bounded(address target, bytes memory data) private {
        uint256 limit = GAS_OF_CALL + GAS_PER_BYTE * data.length;
        (bool success, bytes memory reason) = target.call{gas: limit}(data);
        vm.assertFalse(success);
        _assertTyped(reason);
    }

    /// @dev No white space, escape or control character but in text of no meaning, which the template skips: the
    /// advisories of a level up to their bracket, the labels of a component up to its brace.
    function _assertOneSpelling(bytes memory json) private pure {
        bytes1 skipUntil = 0;
        for (uint256 i = 0; i < json.length; i++) {
            bytes1 character = json[i];
            if (skipUntil == 0) vm.assertTrue(character > 0x1f && character < 0x7f && character != "\\");
            else if (character == skipUntil) skipUntil = 0;
            else continue;
            if (character == "[" && json[i - 3] == "s" && json[i - 4] == "D") skipUntil = "]";
            if (character == ":" && json[i - 2] == "y" && json[i - 3] == "r") skipUntil = "}";
        }
    }
}
