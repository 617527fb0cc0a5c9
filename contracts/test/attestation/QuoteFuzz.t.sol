// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Appraisal, Evidence} from "../../src/interfaces/IQuoteVerifier.sol";
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
