// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {P256} from "../../src/attestation/P256.sol";
import {IQuoteVerifier} from "../../src/interfaces/IQuoteVerifier.sol";
import {Evidence} from "../../src/interfaces/IQuoteVerifier.sol";
import {ICollateralStore} from "../../src/interfaces/ICollateralStore.sol";
import {Artifact} from "./support/Artifact.sol";
import {Bytes} from "./support/Bytes.sol";
import {Platform} from "./support/Platform.sol";

/// @notice The P256VERIFY precompile at its edges, pretended answers of it, and chains without it.
contract P256Test is Platform {
    using Bytes for bytes;

    uint256 private constant ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;
    uint256 private constant KEY = 12345;
    bytes32 private constant DIGEST = keccak256("message");

    function test_signature_andItsTwin() public view {
        (uint256 r, uint256 s, uint256 x, uint256 y) = _signature();
        vm.assertTrue(P256.verify(DIGEST, r, s, x, y));
        vm.assertTrue(P256.verify(DIGEST, r, ORDER - s, x, y));
    }

    function test_everythingElse_isInvalid() public view {
        (uint256 r, uint256 s, uint256 x, uint256 y) = _signature();
        vm.assertFalse(P256.verify(~DIGEST, r, s, x, y));
        vm.assertFalse(P256.verify(DIGEST, r ^ 1, s, x, y));
        vm.assertFalse(P256.verify(DIGEST, r, s ^ 1, x, y));
        vm.assertFalse(P256.verify(DIGEST, 0, s, x, y));
        vm.assertFalse(P256.verify(DIGEST, r, 0, x, y));
        vm.assertFalse(P256.verify(DIGEST, r, ORDER, x, y));
        vm.assertFalse(P256.verify(DIGEST, ORDER, s, x, y));
        vm.assertFalse(P256.verify(DIGEST, r, s, x, y ^ 1)); // not on the curve
        vm.assertFalse(P256.verify(DIGEST, r, s, 0, 0));
        vm.assertFalse(P256.verify(0, 0, 0, 0, 0));
    }

    /// @dev EIP-7951 answers 32 bytes that hold 1, or nothing; whatever else comes is no answer of its.
    function test_otherAnswers_areInvalid() public {
        _assertInvalidFor("");
        _assertInvalidFor(abi.encode(0));
        _assertInvalidFor(abi.encode(2));
        _assertInvalidFor(abi.encode(1 << 255));
        _assertInvalidFor(hex"01");
        _assertInvalidFor(abi.encode(1, 0));
        _assertInvalidFor(new bytes(31));
        avm.mockCallRevert(address(0x100), "", abi.encode(1));
        vm.assertFalse(_verify());
    }

    /// @dev On such a chain nothing is deployed, whether the address is empty or says yes to everything.
    function test_deployment_needsThePrecompile() public {
        bytes[3] memory answers = [bytes(""), abi.encode(1), abi.encode(0)];
        bytes memory refusal = abi.encodeWithSelector(P256.MissingP256Precompile.selector);
        for (uint256 i = 0; i < 3; i++) {
            vm.mockCall(address(0x100), "", answers[i]);
            vm.expectRevert(refusal);
            _newStore();
            vm.expectRevert(refusal);
            Artifact.create("QuoteVerifier", abi.encode(store));
        }
    }

    /// @dev The same on a real chain of the time before the precompile.
    /// forge-config: default.evm_version = "prague"
    function test_prague_refusesDeployment() public {
        vm.assertFalse(_verify());
        vm.expectRevert(abi.encodeWithSelector(P256.MissingP256Precompile.selector));
        _newStore();
        vm.expectRevert(abi.encodeWithSelector(P256.MissingP256Precompile.selector));
        Artifact.create("QuoteVerifier", abi.encode(store));
    }

    /// @dev Contracts that exist already, on a fork of their chain that went back: nothing is accepted.
    /// forge-config: default.evm_version = "prague"
    function test_prague_refusesQuotesAndCollateral() public {
        Evidence memory evidence = _evidenceOf("host0");
        bytes memory crl = _bytes(".crls.platformRevokingHost0");
        bytes memory json = _text(".tcbInfos.early");
        bytes memory ca = _bytes(".processorCa.certificate");
        bytes32 caId = _platformCaId();
        (bytes32 r, bytes32 s) = _signAsTcb(json);
        vm.warp(now0 + 2 minutes);
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.InvalidLeafSignature.selector));
        quotes.verify(evidence, 20, 20);
        bytes memory refusal = abi.encodeWithSelector(ICollateralStore.InvalidSignature.selector);
        vm.expectRevert(refusal);
        store.storeCrl(caId, crl);
        vm.expectRevert(refusal);
        store.storeTcbInfo(json, uint256(r), uint256(s));
        vm.expectRevert(refusal);
        store.storeIntermediateCa(ca);
    }

    /// @dev Why nothing identifies a document or a quote by its signature: each of them has a twin.
    function test_twins_areAcceptedOfEverySignature() public {
        Evidence memory evidence = _evidenceOf("host0");
        for (uint256 at_ = 32; at_ <= 544; at_ += 512) {
            uint256 s = uint256(bytes32(evidence.auth.slice(at_, at_ + 32)));
            evidence.auth.put(at_, abi.encodePacked(ORDER - s));
        }
        quotes.verify(evidence, 20, 20);
        bytes memory json = _text(".tcbInfos.early");
        (bytes32 r, bytes32 high) = _signAsTcb(json);
        store.storeTcbInfo(json, uint256(r), ORDER - uint256(high));
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.NotNewer.selector, now0, now0));
        store.storeTcbInfo(json, uint256(r), uint256(high));
    }

    function _assertInvalidFor(bytes memory answer) private {
        vm.mockCall(address(0x100), "", answer);
        vm.assertFalse(_verify());
    }

    function _verify() private view returns (bool) {
        (uint256 r, uint256 s, uint256 x, uint256 y) = _signature();
        return P256.verify(DIGEST, r, s, x, y);
    }

    function _signature() private pure returns (uint256 r, uint256 s, uint256 x, uint256 y) {
        (bytes32 r_, bytes32 s_) = avm.signP256(KEY, DIGEST);
        (x, y) = avm.publicKeyP256(KEY);
        return (uint256(r_), uint256(s_), x, y);
    }
}
