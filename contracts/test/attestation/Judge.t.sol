// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CollateralStore} from "../../src/attestation/CollateralStore.sol";
import {TcbStatus} from "../../src/attestation/TcbStatus.sol";
import {ICollateralStore} from "../../src/interfaces/ICollateralStore.sol";
import {Appraisal, IQuoteVerifier, PlatformFacts} from "../../src/interfaces/IQuoteVerifier.sol";
import {Bytes} from "./support/Bytes.sol";
import {CollateralObserver} from "./support/CollateralObserver.sol";
import {Platform} from "./support/Platform.sol";

/// @notice Machines judged again from what the registry keeps about them, and who is told of revocations.
contract JudgeTest is Platform {
    using Bytes for bytes;

    bytes6 private constant FMSPC = 0xb0c06f000000;
    Appraisal private _fresh;

    function setUp() public override {
        super.setUp();
        _fresh = quotes.verify(_evidenceOf("host0"), 20, 20);
    }

    function test_judgement_isThatOfTheQuote() public view {
        (TcbStatus status, uint16 tcb, uint16 qe, uint32 expiresAt) = quotes.judge(_fresh.platform, 20, 20, false);
        vm.assertEq(uint256(status), uint256(_fresh.status));
        vm.assertEq(tcb, _fresh.tcbEvaluation);
        vm.assertEq(qe, _fresh.qeEvaluation);
        vm.assertEq(expiresAt, _fresh.expiresAt);
    }

    function test_judgement_followsTheCollateral() public {
        vm.warp(now0 + 1 days);
        _storeTcbInfo(store, _text(".tcbInfos.early"));
        _storeTcbInfo(store, _text(".tcbInfos.refreshed"));
        _assertJudgement(20, 20, TcbStatus.UpToDate, now0 + 30 days);
        _assertJudgement(21, 20, TcbStatus.OutOfDate, now0 + 30 days);
        _storeQeIdentity(store, _text(".qeIdentities.strict"));
        _assertJudgement(20, 21, TcbStatus.OutOfDate, now0 + 30 days);
    }

    function test_weakerMachines_areRefused() public {
        PlatformFacts memory facts = _fresh.platform;
        facts.pceSvn = 4;
        _refuse(
            facts,
            abi.encodeWithSelector(IQuoteVerifier.PlatformBelowEveryLevel.selector, facts.components, uint16(4))
        );
        facts = _fresh.platform;
        facts.components = (facts.components & ~(uint256(0xff) << 112)) | (uint256(2) << 112);
        _refuse(facts, abi.encodeWithSelector(IQuoteVerifier.UnknownTdxModule.selector, 2, 11));
        facts = _fresh.platform;
        facts.qeIsvSvn = 3;
        _refuse(facts, abi.encodeWithSelector(IQuoteVerifier.QuotingEnclaveBelowEveryLevel.selector, uint16(3)));
        facts = _fresh.platform;
        facts.fmspc = 0xa0c06f000000;
        _refuse(
            facts,
            abi.encodeWithSelector(IQuoteVerifier.NoCurrentTcbInfo.selector, bytes6(0xa0c06f000000), uint16(20))
        );
        facts.ca = 1;
        vm.expectRevert();
        quotes.judge(facts, 20, 20, false);
    }

    function test_revokedCertificate_isRefused() public {
        uint160 serial = _fresh.platform.serial;
        vm.assertFalse(store.isRevoked(0, serial));
        vm.warp(now0 + 2 minutes);
        store.storeCrl(_platformCaId(), _bytes(".crls.platformRevokingHost0"));
        vm.assertTrue(store.isRevoked(0, serial));
        _refuse(_fresh.platform, abi.encodeWithSelector(ICollateralStore.CertificateRevoked.selector, serial));
        // What is revoked stays so when the list is too old to serve a quote.
        vm.warp(now0 + 100 days);
        vm.assertTrue(store.isRevoked(0, serial));
        _refuse(
            _fresh.platform,
            abi.encodeWithSelector(ICollateralStore.Expired.selector, now0 + 60 + 30 days, now0 + 100 days)
        );
    }

    function test_revokedCa_isRefused() public {
        vm.warp(now0 + 2 minutes);
        store.storeRootCrl(_bytes(".crls.rootRevokingPlatformCa"));
        vm.assertTrue(store.isRevoked(0, _fresh.platform.serial));
        PlatformFacts memory facts = _fresh.platform;
        avm.expectPartialRevert(ICollateralStore.CertificateRevoked.selector);
        quotes.judge(facts, 20, 20, false);
    }

    /// @dev The root's list is not its issuer's, but what Intel revokes there is nothing to rely on either.
    function test_certificateOnTheRootsList_isRefused() public {
        bytes memory crl = _bytes(".crls.rootRevokingOthers");
        uint256 at_ = crl.find(hex"30330214");
        bytes memory serial = crl.slice(at_ + 4, at_ + 24);
        vm.warp(now0 + 2 minutes);
        store.storeRootCrl(
            _resign(crl, serial, abi.encodePacked(_fresh.platform.serial), uint256(_word(".root.key")))
        );
        vm.assertTrue(store.isRevoked(0, _fresh.platform.serial));
        _refuse(
            _fresh.platform,
            abi.encodeWithSelector(ICollateralStore.CertificateRevoked.selector, _fresh.platform.serial)
        );
    }

    /// @dev A refresh that revokes nothing new costs its sender no walk over the seats.
    function test_observer_isToldOfEachChange() public {
        CollateralObserver observer = new CollateralObserver(_fresh.platform.serial);
        CollateralStore told = _newStore(observer, 0);
        _fill(told);
        vm.assertEq(address(told.observer()), address(observer));
        vm.assertEq(observer.calls(), 1);
        vm.assertFalse(observer.revoked());
        vm.warp(now0 + 1 days);
        told.storeCrl(_platformCaId(), _bytes(".crls.platformRefreshed"));
        vm.assertEq(observer.calls(), 1);
        vm.warp(now0 + 2 days);
        told.storeCrl(_platformCaId(), _revokingHost0At("261003000000Z"));
        vm.assertEq(observer.calls(), 2);
        vm.assertTrue(observer.revoked());
        told.storeRootCrl(_bytes(".crls.rootRevokingPlatformCa"));
        vm.assertEq(observer.calls(), 3);
        vm.assertTrue(observer.revoked());
    }

    /// @dev ⚔ a list that is active while nobody was told would leave a revoked machine seated.
    function test_observerThatFails_keepsTheListOut() public {
        CollateralObserver observer = new CollateralObserver(_fresh.platform.serial);
        CollateralStore told = _newStore(observer, 0);
        _fill(told);
        observer.fail();
        bytes memory crl = _bytes(".crls.platformRevokingHost0");
        bytes32 caId = _platformCaId();
        vm.warp(now0 + 2 minutes);
        vm.expectRevert(abi.encodeWithSelector(CollateralObserver.NotNow.selector));
        told.storeCrl(caId, crl);
        vm.assertFalse(told.isRevoked(0, _fresh.platform.serial));
    }

    function test_foreignRoot_isRefusedOnAnotherChain() public {
        PlatformFacts memory facts = _fresh.platform;
        bytes memory refusal = abi.encodeWithSelector(ICollateralStore.ForeignRoot.selector, store.rootKeyHash(), 1);
        vm.chainId(1);
        vm.expectRevert(refusal);
        quotes.judge(facts, 20, 20, false);
    }

    /// @dev The list that revokes host0, as if issued on another day.
    function _revokingHost0At(bytes memory date) private view returns (bytes memory) {
        return _resign(
            _bytes(".crls.platformRevokingHost0"),
            "261001000100Z",
            date,
            uint256(_word(".platformCa.key"))
        );
    }

    function _assertJudgement(uint16 tcbFloor, uint16 qeFloor, TcbStatus expected, uint256 until) private view {
        (TcbStatus status,,, uint32 expiresAt) = quotes.judge(_fresh.platform, tcbFloor, qeFloor, false);
        vm.assertEq(uint256(status), uint256(expected));
        vm.assertEq(expiresAt, until);
    }

    function _refuse(PlatformFacts memory facts, bytes memory refusal) private {
        vm.expectRevert(refusal);
        quotes.judge(facts, 20, 20, false);
    }
}
