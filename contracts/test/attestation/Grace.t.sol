// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CollateralStore} from "../../src/attestation/CollateralStore.sol";
import {QuoteVerifier} from "../../src/attestation/QuoteVerifier.sol";
import {TcbStatus} from "../../src/attestation/TcbStatus.sol";
import {ICollateralObserver} from "../../src/interfaces/ICollateralObserver.sol";
import {ICollateralStore} from "../../src/interfaces/ICollateralStore.sol";
import {Appraisal, Evidence, IQuoteVerifier, PlatformFacts} from "../../src/interfaces/IQuoteVerifier.sol";
import {Artifact} from "./support/Artifact.sol";
import {Bytes} from "./support/Bytes.sol";
import {Platform} from "./support/Platform.sol";

/// @notice Collateral past its date: who may still use it, how long, and who can end it.
contract GraceTest is Platform {
    using Bytes for bytes;

    bytes6 private constant FMSPC = 0xb0c06f000000;
    uint256 private constant GRACE = 10 days;
    uint256 private _expiry;
    Evidence private _evidence0;

    function setUp() public override {
        super.setUp();
        _expiry = now0 + 30 days;
        store = _newStore(ICollateralObserver(address(0)), GRACE);
        quotes = QuoteVerifier(Artifact.create("QuoteVerifier", abi.encode(store)));
        _fill(store);
        _evidence0 = _evidenceOf("host0");
    }

    function test_freshQuote_isServedAndMarked() public {
        vm.assertFalse(_verify().inGrace);
        _expireSets(1 hours);
        Appraisal memory appraisal = _verify();
        vm.assertTrue(appraisal.inGrace);
        vm.assertEq(uint256(appraisal.status), uint256(TcbStatus.UpToDate));
        vm.assertEq(appraisal.tcbEvaluation, 20);
        // The CRL ends first: it was renewed at the end of October for thirty days.
        vm.assertEq(appraisal.expiresAt, _expiry + GRACE);
    }

    function test_oneKindInGrace_marksTheVerdict() public {
        _expireSets(1 hours);
        _storeQeIdentity(store, _redated(_text(".qeIdentities.current"), "2026-10-31", "2026-11-30"));
        vm.assertTrue(_verify().inGrace);
        _storeTcbInfo(store, _redated(_text(".tcbInfos.current"), "2026-10-31", "2026-11-30"));
        vm.assertFalse(_verify().inGrace);
    }

    function test_grace_ends() public {
        _expireSets(GRACE);
        vm.assertTrue(_verify().inGrace);
        vm.warp(_expiry + GRACE + 1);
        _refuseFor(abi.encodeWithSelector(IQuoteVerifier.NoCurrentQeIdentity.selector, uint16(20)));
    }

    /// @dev Stored evidence gets no benefit: its standing ends by itself.
    function test_storedEvidence_isNotServed() public {
        PlatformFacts memory facts = _verify().platform;
        _expireSets(1 hours);
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.NoCurrentQeIdentity.selector, uint16(20)));
        quotes.judge(facts, 20, 20, false);
        _storeQeIdentity(store, _redated(_text(".qeIdentities.current"), "2026-10-31", "2026-11-30"));
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.NoCurrentTcbInfo.selector, FMSPC, uint16(20)));
        quotes.judge(facts, 20, 20, false);
    }

    /// @dev Whoever holds a standing that was given in grace asks whether grace still supports it.
    function test_storedEvidenceOfAQuoteInGrace_keepsIt() public {
        PlatformFacts memory facts = _verify().platform;
        _expireSets(1 hours);
        (TcbStatus status,,, uint32 expiresAt) = quotes.judge(facts, 20, 20, true);
        vm.assertEq(uint256(status), uint256(TcbStatus.UpToDate));
        vm.assertEq(expiresAt, _expiry + GRACE);
        vm.prank(guardian);
        store.vetoGrace(bytes6(0), 20);
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.NoCurrentQeIdentity.selector, uint16(20)));
        quotes.judge(facts, 20, 20, true);
    }

    function test_floor_holdsInGraceToo() public {
        _expireSets(1 hours);
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.NoCurrentTcbInfo.selector, FMSPC, uint16(21)));
        quotes.verify(_evidence0, 21, 20);
    }

    function test_veto_endsIt() public {
        _expireSets(1 hours);
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.NotGovernanceOrGuardian.selector, address(this)));
        store.vetoGrace(FMSPC, 20);
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.UnknownSet.selector, FMSPC, uint16(19)));
        vm.prank(guardian);
        store.vetoGrace(FMSPC, 19);
        vm.expectEmit(address(store));
        emit ICollateralStore.GraceVetoed(FMSPC, 20, now0);
        vm.prank(guardian);
        store.vetoGrace(FMSPC, 20);
        vm.assertTrue(store.tcbInfo(FMSPC, 0).graceVetoed);
        _refuseFor(abi.encodeWithSelector(IQuoteVerifier.NoCurrentTcbInfo.selector, FMSPC, uint16(20)));
        vm.prank(governance);
        store.vetoGrace(bytes6(0), 20);
        _refuseFor(abi.encodeWithSelector(IQuoteVerifier.NoCurrentQeIdentity.selector, uint16(20)));
    }

    /// @dev A veto is of a number: the next document of it does not lift it.
    function test_veto_outlastsTheDocument() public {
        vm.prank(guardian);
        store.vetoGrace(FMSPC, 20);
        vm.assertFalse(_verify().inGrace);
        vm.warp(now0 + 1 days);
        _storeTcbInfo(store, _text(".tcbInfos.refreshed"));
        vm.assertTrue(store.tcbInfo(FMSPC, 0).graceVetoed);
        vm.assertEq(store.tcbInfoGrace(FMSPC, 0), 0);
        _storeTcbInfo(store, _text(".tcbInfos.early"));
        vm.assertFalse(store.tcbInfo(FMSPC, 0).graceVetoed);
        vm.assertTrue(store.tcbInfo(FMSPC, 1).graceVetoed);
    }

    function test_laterSetOfTheSameNumber_takesItsPlace() public {
        vm.warp(now0 + 1 days);
        _storeTcbInfo(store, _text(".tcbInfos.refreshed"));
        vm.assertEq(store.tcbInfoGrace(FMSPC, 0), now0 + 31 days + GRACE);
        vm.assertEq(store.tcbInfoGrace(FMSPC, 1), 0);
    }

    /// @dev ⚔ whoever stores a later set of another number must not end the grace of this one.
    function test_laterSetOfAnotherNumber_doesNotEndIt() public {
        vm.warp(now0 + 1 days);
        _storeTcbInfo(store, _redated(_text(".tcbInfos.older"), "2026-10-02", "2026-11-01"));
        vm.assertEq(store.tcbInfoGrace(FMSPC, 0), _expiry + GRACE);
        vm.assertEq(store.tcbInfoGrace(FMSPC, 1), now0 + 31 days + GRACE);
        _expireSets(1 days + 1 hours);
        Appraisal memory appraisal = _verify();
        vm.assertEq(appraisal.tcbEvaluation, 20);
        vm.assertTrue(appraisal.inGrace);
    }

    /// @dev ⚔ the early set, under which this machine is not patched yet, is current and the standard one has expired.
    function test_earlySet_doesNotEndTheGraceOfTheStandardOne() public {
        _storeTcbInfo(store, _early());
        _expireSets(1 hours);
        _storeQeIdentity(store, _redated(_text(".qeIdentities.current"), "2026-10-31", "2026-11-30"));
        Appraisal memory appraisal = _verify();
        vm.assertEq(uint256(appraisal.status), uint256(TcbStatus.UpToDate));
        vm.assertEq(appraisal.tcbEvaluation, 20);
        vm.assertTrue(appraisal.inGrace);
        vm.assertEq(appraisal.expiresAt, _expiry + GRACE);
        vm.prank(guardian);
        store.vetoGrace(FMSPC, 20);
        appraisal = _verify();
        vm.assertEq(uint256(appraisal.status), uint256(TcbStatus.OutOfDate));
        vm.assertEq(appraisal.tcbEvaluation, 21);
        vm.assertFalse(appraisal.inGrace);
    }

    /// @dev The same for stored evidence: only what was given in grace has it, and a floor ends it.
    function test_earlySet_andStoredEvidence() public {
        PlatformFacts memory facts = _verify().platform;
        _storeTcbInfo(store, _early());
        _expireSets(1 hours);
        _storeQeIdentity(store, _redated(_text(".qeIdentities.current"), "2026-10-31", "2026-11-30"));
        (TcbStatus status,,,) = quotes.judge(facts, 20, 20, true);
        vm.assertEq(uint256(status), uint256(TcbStatus.UpToDate));
        (status,,,) = quotes.judge(facts, 20, 20, false);
        vm.assertEq(uint256(status), uint256(TcbStatus.OutOfDate));
        (status,,,) = quotes.judge(facts, 21, 20, true);
        vm.assertEq(uint256(status), uint256(TcbStatus.OutOfDate));
    }

    function test_currentSet_goesBeforeOneInGrace() public {
        vm.warp(now0 + 1 hours);
        _storeTcbInfo(store, _redated(_text(".tcbInfos.older"), "2026-10-01", "2026-11-15"));
        _expireSets(1 hours);
        _storeQeIdentity(store, _redated(_text(".qeIdentities.current"), "2026-10-31", "2026-11-30"));
        vm.assertEq(store.tcbInfoGrace(FMSPC, 0), _expiry + GRACE);
        Appraisal memory appraisal = quotes.verify(_evidence0, 19, 20);
        vm.assertEq(appraisal.tcbEvaluation, 19);
        vm.assertFalse(appraisal.inGrace);
    }

    function test_signerCertificate_endsIt() public {
        bytes memory signer = _resign(
            _bytes(".secondSigner.certificate"),
            hex"170d3439313233313233353935395a",
            hex"170d3236313130343030303030305a",
            uint256(_word(".root.key"))
        );
        store.storeTcbSigner(signer);
        bytes memory json = _text(".tcbInfos.early");
        (bytes32 r, bytes32 s) = avm.signP256(uint256(_word(".secondSigner.key")), sha256(json));
        store.storeTcbInfo(json, uint256(r), uint256(s));
        vm.assertEq(store.tcbInfoGrace(FMSPC, 0), now0 + 34 days);
        vm.assertEq(store.tcbInfoGrace(FMSPC, 1), _expiry + GRACE);
    }

    function test_revokedSigner_hasNone() public {
        _expireSets(1 hours);
        bytes memory dates = hex"170d3236313030313030303130305a170d3237313030313030303130305a";
        bytes memory later = hex"170d3236313033303030303130305a170d3237313030313030303130305a";
        store.storeRootCrl(
            _resign(_bytes(".crls.rootRevokingSigner"), dates, later, uint256(_word(".root.key")))
        );
        vm.assertEq(store.tcbInfoGrace(FMSPC, 0), 0);
        vm.assertEq(store.qeIdentityGrace(0), 0);
        _refuseFor(abi.encodeWithSelector(IQuoteVerifier.NoCurrentQeIdentity.selector, uint16(20)));
    }

    function test_absentSets_haveNone() public view {
        vm.assertEq(store.tcbInfoGrace(FMSPC, 1), 0);
        vm.assertEq(store.tcbInfoGrace(FMSPC, 8), 0);
        vm.assertEq(store.tcbInfoGrace(0xa0c06f000000, 0), 0);
        vm.assertEq(store.qeIdentityGrace(1), 0);
        vm.assertEq(store.qeIdentityGrace(type(uint256).max), 0);
    }

    /// @dev Revocation is never a matter of grace.
    function test_crls_haveNone() public {
        vm.warp(_expiry + 1);
        _refuseFor(abi.encodeWithSelector(ICollateralStore.Expired.selector, _expiry, _expiry + 1));
    }

    function test_grace_isBounded() public {
        vm.assertEq(_newStore(ICollateralObserver(address(0)), 30 days).collateralGrace(), 30 days);
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.GraceTooLong.selector, 30 days + 1));
        _newStore(ICollateralObserver(address(0)), 30 days + 1);
    }

    /// @dev Time goes on past the sets; the CRL of the CA is renewed.
    function _expireSets(uint256 by) private {
        vm.warp(_expiry + by);
        bytes memory dates = hex"170d3236313030313030303030305a170d3236313033313030303030305a";
        bytes memory later = hex"170d3236313033303030303030305a170d3236313132393030303030305a";
        store.storeCrl(
            _platformCaId(), _resign(_bytes(".crls.platform"), dates, later, uint256(_word(".platformCa.key")))
        );
    }

    /// @dev A set of the next number, which ends later and finds the module of all machines out of date.
    function _early() private view returns (bytes memory json) {
        json = _text(".tcbInfos.moduleOutOfDate").replace("2026-10-31", "2026-11-30");
        return json.replace('Number":20', 'Number":21');
    }

    function _redated(bytes memory json, bytes memory from, bytes memory until) private pure returns (bytes memory) {
        // By way of a placeholder: the new first date may be the old last one.
        json = json.replace("2026-10-31T", "....-..-..T").replace("2026-10-01T", bytes.concat(from, "T"));
        return json.replace("....-..-..T", bytes.concat(until, "T"));
    }

    function _verify() private view returns (Appraisal memory) {
        return quotes.verify(_evidence0, 20, 20);
    }

    function _refuseFor(bytes memory refusal) private {
        vm.expectRevert(refusal);
        quotes.verify(_evidence0, 20, 20);
    }
}
