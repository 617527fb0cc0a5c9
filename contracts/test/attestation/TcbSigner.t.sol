// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CollateralStore} from "../../src/attestation/CollateralStore.sol";
import {ICollateralStore} from "../../src/interfaces/ICollateralStore.sol";
import {Bytes} from "./support/Bytes.sol";
import {Platform} from "./support/Platform.sol";

/// @notice The certificates behind TCB infos and QE identities: how many, how one follows another, how they end.
contract TcbSignerTest is Platform {
    using Bytes for bytes;

    bytes6 private constant FMSPC = 0xb0c06f000000;

    function test_tcbSigners_areFew() public {
        bytes memory signer = _bytes(".tcbSigner.certificate");
        (uint256 x, uint256 y) = avm.publicKeyP256(uint256(_word(".tcbSigner.key")));
        for (uint8 i = 1; i < 9; i++) {
            (uint256 otherX, uint256 otherY) = avm.publicKeyP256(i);
            bytes memory certificate =
                _resign(signer, abi.encode(x, y), abi.encode(otherX, otherY), uint256(_word(".root.key")));
            if (i == 8) vm.expectRevert(abi.encodeWithSelector(ICollateralStore.TooManyTcbSigners.selector));
            store.storeTcbSigner(certificate);
        }
    }

    /// @dev Intel's certificates of 2018 and of 2025 have key and serial in common.
    function test_renewedTcbSigner_takesItsPlace() public {
        CollateralStore fresh = _newStore();
        fresh.storeRootCrl(_bytes(".crls.root"));
        bytes memory first = _endingEarly(_bytes(".tcbSigner.certificate"));
        fresh.storeTcbSigner(first);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralStore.NotNewer.selector, now0 + 14 days, now0 + 14 days)
        );
        fresh.storeTcbSigner(first);
        vm.warp(now0 + 14 days + 1);
        bytes memory json = _text(".tcbInfos.current");
        (bytes32 r, bytes32 s) = _signAsTcb(json);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralStore.Expired.selector, now0 + 14 days, now0 + 14 days + 1)
        );
        fresh.storeTcbInfo(json, uint256(r), uint256(s));
        bytes memory renewed = _bytes(".tcbSigner.certificate");
        vm.expectEmit(address(fresh));
        emit ICollateralStore.TcbSignerStored(0, 2_524_607_999);
        fresh.storeTcbSigner(renewed);
        fresh.storeTcbInfo(json, uint256(r), uint256(s));
        vm.assertEq(fresh.tcbInfo(FMSPC, 0).expiresAt, now0 + 30 days);
    }

    /// @dev What counts as revoked is the newest certificate of the key.
    function test_renewedTcbSigner_mayHaveAnotherSerial() public {
        CollateralStore fresh = _newStore();
        fresh.storeRootCrl(_bytes(".crls.root"));
        bytes memory renewed = _bytes(".tcbSigner.certificate");
        fresh.storeTcbSigner(_endingEarly(renewed));
        uint256 at_ = renewed.find(hex"a0030201020214") + 7;
        bytes memory serial = renewed.slice(at_, at_ + 20);
        bytes memory other = serial.copy();
        other[19] ^= 0x01;
        renewed = _resign(renewed, serial, other, uint256(_word(".root.key")));
        vm.expectEmit(address(fresh));
        emit ICollateralStore.TcbSignerStored(0, 2_524_607_999);
        fresh.storeTcbSigner(renewed);
        fresh.storeRootCrl(_bytes(".crls.rootRevokingSigner"));
        _storeTcbInfo(fresh, _text(".tcbInfos.current"));
        vm.assertEq(fresh.tcbInfo(FMSPC, 0).signer, 0);
        vm.assertEq(fresh.tcbInfo(FMSPC, 0).expiresAt, now0 + 30 days);
    }

    function test_bothTcbSigners_areGoodWhileIntelRotates() public {
        bytes memory json = _text(".tcbInfos.early");
        (bytes32 r, bytes32 s) = avm.signP256(uint256(_word(".secondSigner.key")), sha256(json));
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.InvalidSignature.selector));
        store.storeTcbInfo(json, uint256(r), uint256(s));
        store.storeTcbSigner(_bytes(".secondSigner.certificate"));
        store.storeTcbInfo(json, uint256(r), uint256(s));
        vm.assertEq(store.tcbInfo(FMSPC, 0).signer, 1);
        _storeTcbInfo(store, _text(".tcbInfos.older"));
        vm.assertEq(store.tcbInfo(FMSPC, 2).signer, 0);
    }

    function test_revokedSigner_storesNothingMore() public {
        vm.warp(now0 + 2 minutes);
        store.storeRootCrl(_bytes(".crls.rootRevokingSigner"));
        bytes memory json = _text(".tcbInfos.early");
        (bytes32 r, bytes32 s) = _signAsTcb(json);
        avm.expectPartialRevert(ICollateralStore.CertificateRevoked.selector);
        store.storeTcbInfo(json, uint256(r), uint256(s));
    }

    function test_signerCertificate_endsItsSets() public {
        store.storeTcbSigner(_endingEarly(_bytes(".secondSigner.certificate")));
        bytes memory json = _text(".tcbInfos.early");
        (bytes32 r, bytes32 s) = avm.signP256(uint256(_word(".secondSigner.key")), sha256(json));
        store.storeTcbInfo(json, uint256(r), uint256(s));
        vm.assertEq(store.tcbInfo(FMSPC, 0).expiresAt, now0 + 14 days);
        vm.warp(now0 + 14 days + 1);
        json = json.replace("2026-10-01T", "2026-10-14T");
        (r, s) = avm.signP256(uint256(_word(".secondSigner.key")), sha256(json));
        avm.expectPartialRevert(ICollateralStore.Expired.selector);
        store.storeTcbInfo(json, uint256(r), uint256(s));
    }

    /// @dev The certificate with an end fourteen days after now0.
    function _endingEarly(bytes memory certificate) private view returns (bytes memory) {
        return _resign(
            certificate,
            hex"170d3439313233313233353935395a",
            hex"170d3236313031353030303030305a",
            uint256(_word(".root.key"))
        );
    }
}
