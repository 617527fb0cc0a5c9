// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Appraisal, Evidence, IQuoteVerifier} from "../../src/interfaces/IQuoteVerifier.sol";
import {Platform} from "./support/Platform.sol";

/// @notice No byte of the evidence is free: each one is covered by a signature or by a binding.
contract QuoteFuzzTest is Platform {
    Evidence private _genuine;

    function setUp() public override {
        super.setUp();
        _genuine = _evidenceOf("host0");
        quotes.verify(_genuine, 20, 20);
    }

    function testFuzz_flippedByteOfTheQuote_isRefused(uint256 position, uint8 flip) public view {
        Evidence memory evidence = _genuine;
        _flip(evidence.quote, position, flip);
        _refuse(evidence);
    }

    /// @dev Both bodies: type, length and the fields that only TD 1.5 has among them.
    function testFuzz_flippedByteOfAVersion5Quote_isRefused(uint256 position, uint8 flip, bool td15) public view {
        Machine memory host = _machine("host0");
        bytes memory quote = _asVersion5(_quote(host, keccak256("head"), keccak256("tail")), td15);
        Evidence memory evidence = _evidence(host, quote, _qeReport(host));
        _flip(evidence.quote, position, flip);
        _refuse(evidence);
    }

    /// @dev ⚔ whoever holds a machine signs what it likes: the policy on these fields has to refuse by itself, for each
    /// value but the allowed ones.
    function testFuzz_flippedPolicyField_signedAgain_isRefused(uint256 position, uint8 flip, uint8 field) public view {
        vm.assume(flip != 0);
        uint16[5] memory starts =
            [uint16(MR_SIGNER_SEAM), uint16(SEAM_ATTRIBUTES), uint16(TD_ATTRIBUTES), uint16(XFAM), uint16(MR_OWNER)];
        uint8[5] memory lengths = [48, 8, 8, 8, 96];
        field %= 5;
        position = starts[field] + bound(position, 0, lengths[field] - 1);
        Machine memory host = _machine("host0");
        bytes memory quote = _quote(host, keccak256("head"), keccak256("tail"));
        quote[position] = bytes1(uint8(quote[position]) ^ flip);
        Evidence memory evidence = _evidence(host, quote, _qeReport(host));
        if (field == 3 && _isAllowedXfam(quote)) {
            quotes.verify(evidence, 20, 20);
            return;
        }
        try quotes.verify(evidence, 20, 20) returns (Appraisal memory) {
            revert("accepted");
        } catch (bytes memory reason) {
            bytes4[5] memory refusals = [
                IQuoteVerifier.SeamModuleNotIntel.selector,
                IQuoteVerifier.SeamModuleNotIntel.selector,
                IQuoteVerifier.TdAttributesNotAllowed.selector,
                IQuoteVerifier.XfamNotAllowed.selector,
                IQuoteVerifier.OwnerNotZero.selector
            ];
            vm.assertEq(bytes4(reason), refusals[field]);
        }
    }

    /// @dev Documents of nobody: refused by a typed error within their own price, whatever is in them.
    function testFuzz_anyDocument_isRefused(bytes memory document, uint256 position, uint8 flip) public {
        bytes memory crl = _bytes(".crls.platformRevokingHost0");
        bytes memory ca = _bytes(".processorCa.certificate");
        _flip(crl, position, flip);
        _flip(ca, position, flip);
        vm.warp(now0 + 2 minutes);
        bytes32 caId = _platformCaId();
        bytes[9] memory calls = [
            abi.encodeCall(store.storeCrl, (caId, document)),
            abi.encodeCall(store.storeCrl, (caId, crl)),
            abi.encodeCall(store.proposeCrl, (caId, crl)),
            abi.encodeCall(store.continueCrl, (crl, 1)),
            abi.encodeCall(store.storeIntermediateCa, (document)),
            abi.encodeCall(store.storeIntermediateCa, (ca)),
            abi.encodeCall(store.storeTcbSigner, (document)),
            abi.encodeCall(store.storeTcbInfo, (document, position, 1)),
            abi.encodeCall(store.storeQeIdentity, (document, position, 1))
        ];
        for (uint256 i = 0; i < calls.length; i++) {
            (bool success, bytes memory reason) = address(store).call{gas: 2_000_000}(calls[i]);
            vm.assertFalse(success);
            vm.assertGt(reason.length, 3);
            vm.assertTrue(bytes4(reason) != bytes4(keccak256("Panic(uint256)")));
        }
    }

    function testFuzz_flippedByteOfTheAuthenticationData_isRefused(uint256 position, uint8 flip) public view {
        Evidence memory evidence = _genuine;
        _flip(evidence.auth, position, flip);
        _refuse(evidence);
    }

    function testFuzz_flippedByteOfTheCertificate_isRefused(uint256 position, uint8 flip) public view {
        Evidence memory evidence = _genuine;
        _flip(evidence.pckLeaf, position, flip);
        _refuse(evidence);
    }

    function testFuzz_otherCaId_isRefused(bytes32 caId) public view {
        Evidence memory evidence = _genuine;
        vm.assume(caId != evidence.caId);
        evidence.caId = caId;
        _refuse(evidence);
    }

    /// @dev Hostile bytes end in a revert, never in acceptance or in a loop.
    function testFuzz_anything_isRefused(bytes memory quote, bytes memory auth, bytes memory leaf, bytes32 caId) public view {
        try quotes.verify{gas: 2_000_000}(Evidence(quote, auth, leaf, caId, ""), 0, 0) {
            revert("accepted");
        } catch (bytes memory reason) {
            vm.assertGt(reason.length, 3);
        }
        try quotes.verify{gas: 2_000_000}(Evidence(_genuine.quote, _genuine.auth, leaf, _genuine.caId, ""), 0, 0) {
            revert("accepted");
        } catch (bytes memory reason) {
            vm.assertGt(reason.length, 3);
        }
    }

    function _isAllowedXfam(bytes memory quote) private pure returns (bool) {
        uint64 xfam;
        for (uint256 i = 0; i < 8; i++) xfam |= uint64(uint8(quote[XFAM + i])) << uint64(8 * i);
        // FP and SSE are always there; AVX-512, AMX, PKRU, CET and the rest of what a guest may have.
        return xfam & 3 == 3 && xfam & ~uint64(0x065ae7) == 0;
    }

    function _flip(bytes memory data, uint256 position, uint8 flip) private pure {
        vm.assume(flip != 0);
        position = bound(position, 0, data.length - 1);
        data[position] = bytes1(uint8(data[position]) ^ flip);
    }

    function _refuse(Evidence memory evidence) private view {
        try quotes.verify{gas: 2_000_000}(evidence, 0, 0) returns (Appraisal memory) {
            revert("accepted");
        } catch (bytes memory reason) {
            // A typed refusal: never a panic, never out of gas.
            vm.assertGt(reason.length, 3);
            vm.assertTrue(bytes4(reason) != bytes4(keccak256("Panic(uint256)")));
        }
    }
}
