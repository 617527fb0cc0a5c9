// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {mergeTcbStatus, TcbStatus} from "../../src/attestation/TcbStatus.sol";
import {ICollateralStore} from "../../src/interfaces/ICollateralStore.sol";
import {Appraisal, Evidence, IQuoteVerifier} from "../../src/interfaces/IQuoteVerifier.sol";
import {Bytes} from "./support/Bytes.sol";
import {Platform} from "./support/Platform.sol";

/// @notice Which level, which set, which floor: the judgement of a genuine machine, and collateral that is not there.
contract TcbJudgementTest is Platform {
    using Bytes for bytes;

    bytes6 private constant FMSPC = 0xb0c06f000000;
    Evidence private _current;

    function setUp() public override {
        super.setUp();
        _current = _evidenceOf("host0");
    }

    function test_machineBelowTheFirstLevel_isOutOfDate() public view {
        _assertStatus(quotes.verify(_evidenceOf("outdated"), 20, 20), TcbStatus.OutOfDate);
    }

    function test_machineBelowEveryLevel_isRefused() public {
        Evidence memory evidence = _evidenceOf("tooOld");
        avm.expectPartialRevert(IQuoteVerifier.PlatformBelowEveryLevel.selector);
        quotes.verify(evidence, 20, 20);
    }

    function test_pceSvnBelow_missesTheLevel() public view {
        bytes memory oid = hex"060b2a864886f84d010d010211";
        Machine memory host = _machine("host0");
        host.pckLeaf = _resign(
            host.pckLeaf,
            bytes.concat(oid, hex"02010b"),
            bytes.concat(oid, hex"02010a"),
            uint256(_word(".platformCa.key"))
        );
        _assertStatus(_verify(host), TcbStatus.OutOfDate);
    }

    function test_moduleLevels() public {
        _assertStatus(_verifyWithTeeTcbSvn(0x0b010400000000000000000000000000), TcbStatus.UpToDate);
        _assertStatus(_verifyWithTeeTcbSvn(0x0a010400000000000000000000000000), TcbStatus.OutOfDate);
        _assertStatus(_verifyWithTeeTcbSvn(0x05030400000000000000000000000000), TcbStatus.UpToDate);
        _assertStatus(_verifyWithTeeTcbSvn(0x0b000400000000000000000000000000), TcbStatus.UpToDate);
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.UnknownTdxModule.selector, 2, 11));
        this.verifyWithTeeTcbSvn(0x0b020400000000000000000000000000);
    }

    function test_moduleOutOfDate_makesTheMachineOutOfDate() public {
        vm.warp(now0 + 2 minutes);
        _storeTcbInfo(store, _text(".tcbInfos.moduleOutOfDate"));
        _assertStatus(quotes.verify(_current, 20, 20), TcbStatus.OutOfDate);
    }

    function test_moduleUnknown_isRefused() public {
        _storeTcbInfo(store, _text(".tcbInfos.moduleUnknown"));
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.UnknownTdxModule.selector, 1, 11));
        quotes.verify(_current, 20, 20);
    }

    /// @dev ⚔ "newest wins" would let anyone drop every unpatched node by storing the early set.
    function test_earlySet_dropsNobodyWhileTheFloorIsLower() public {
        _storeTcbInfo(store, _text(".tcbInfos.early"));
        Appraisal memory appraisal = quotes.verify(_current, 20, 20);
        _assertStatus(appraisal, TcbStatus.UpToDate);
        vm.assertEq(appraisal.tcbEvaluation, 20);
        appraisal = quotes.verify(_current, 21, 20);
        _assertStatus(appraisal, TcbStatus.OutOfDate);
        vm.assertEq(appraisal.tcbEvaluation, 21);
    }

    function test_newestSetUnderWhichTheMachineIsUpToDate_counts() public {
        _storeTcbInfo(store, _text(".tcbInfos.early"));
        Machine memory patched = _machine("host0");
        patched.teeTcbSvn = 0x0c010400000000000000000000000000;
        Appraisal memory appraisal = _verify(patched);
        _assertStatus(appraisal, TcbStatus.UpToDate);
        vm.assertEq(appraisal.tcbEvaluation, 21);
    }

    function test_strictQeIdentity_appliesFromItsFloorOn() public {
        _storeQeIdentity(store, _text(".qeIdentities.strict"));
        Appraisal memory appraisal = quotes.verify(_current, 20, 20);
        _assertStatus(appraisal, TcbStatus.UpToDate);
        vm.assertEq(appraisal.qeEvaluation, 20);
        appraisal = quotes.verify(_current, 20, 21);
        _assertStatus(appraisal, TcbStatus.OutOfDate);
        vm.assertEq(appraisal.qeEvaluation, 21);
    }

    function test_setsBelowTheFloor_areNotUsed() public {
        _storeTcbInfo(store, _text(".tcbInfos.older"));
        _storeQeIdentity(store, _text(".qeIdentities.older"));
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.NoCurrentTcbInfo.selector, FMSPC, uint16(21)));
        quotes.verify(_current, 21, 20);
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.NoCurrentQeIdentity.selector, uint16(21)));
        quotes.verify(_current, 20, 21);
    }

    function test_expiredCollateral_refuses() public {
        // One second before the end everything is still there.
        vm.warp(now0 + 30 days);
        quotes.verify(_current, 20, 20);
        vm.warp(now0 + 30 days + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralStore.Expired.selector, now0 + 30 days, now0 + 30 days + 1)
        );
        quotes.verify(_current, 20, 20);
        store.storeCrl(_platformCaId(), _bytes(".crls.platformRefreshed"));
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.NoCurrentQeIdentity.selector, uint16(20)));
        quotes.verify(_current, 20, 20);
        bytes memory identity = _text(".qeIdentities.current").replace("2026-10-01T", "2026-10-02T");
        _storeQeIdentity(store, identity.replace("2026-10-31T", "2026-11-01T"));
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.NoCurrentTcbInfo.selector, FMSPC, uint16(20)));
        quotes.verify(_current, 20, 20);
        _storeTcbInfo(store, _text(".tcbInfos.refreshed"));
        quotes.verify(_current, 20, 20);
    }

    function test_expiredRootCrl_refuses() public {
        vm.warp(now0 + 2 minutes);
        // A CRL of the CA until 2030, so that the root's expires first.
        bytes memory dates = hex"170d3236313030313030303030305a170d3236313033313030303030305a";
        bytes memory later = hex"170d3236313030313030303130305a170d3330313033313030303030305a";
        store.storeCrl(
            _platformCaId(), _resign(_bytes(".crls.platform"), dates, later, uint256(_word(".platformCa.key")))
        );
        vm.warp(now0 + 365 days + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralStore.Expired.selector, now0 + 365 days, now0 + 365 days + 1)
        );
        quotes.verify(_current, 20, 20);
    }

    function test_machineOfAnotherFamily_needsItsOwnSet() public {
        _storeTcbInfo(store, _text(".tcbInfos.otherFmspc"));
        Machine memory host = _machine("host0");
        bytes memory oid = hex"060a2a864886f84d010d01040406";
        host.pckLeaf = _resign(
            host.pckLeaf,
            bytes.concat(oid, hex"b0c06f000000"),
            bytes.concat(oid, hex"90c06f000000"),
            uint256(_word(".platformCa.key"))
        );
        _assertStatus(_verify(host), TcbStatus.UpToDate);
        host.pckLeaf = _resign(
            host.pckLeaf,
            bytes.concat(oid, hex"90c06f000000"),
            bytes.concat(oid, hex"a0c06f000000"),
            uint256(_word(".platformCa.key"))
        );
        Evidence memory evidence = _evidence(host, _quote(host, 0, 0), _qeReport(host));
        vm.expectRevert(
            abi.encodeWithSelector(IQuoteVerifier.NoCurrentTcbInfo.selector, bytes6(0xa0c06f000000), uint16(20))
        );
        quotes.verify(evidence, 20, 20);
    }

    function test_rootCrl_reachesCaAndSigners() public {
        vm.warp(now0 + 2 minutes);
        uint256 clean = avm.snapshotState();
        store.storeRootCrl(_bytes(".crls.rootRevokingOthers"));
        quotes.verify(_current, 20, 20);
        avm.revertToState(clean);
        store.storeRootCrl(_bytes(".crls.rootRevokingPlatformCa"));
        avm.expectPartialRevert(ICollateralStore.CertificateRevoked.selector);
        quotes.verify(_current, 20, 20);
        avm.revertToState(clean);
        store.storeRootCrl(_bytes(".crls.rootRevokingSigner"));
        avm.expectPartialRevert(IQuoteVerifier.NoCurrentQeIdentity.selector);
        quotes.verify(_current, 20, 20);
    }

    /// @dev Set 19 is of another signer, so it stands when the signer of set 20 falls.
    function test_revokedSigner_voidsOnlyItsOwnSets() public {
        store.storeTcbSigner(_bytes(".secondSigner.certificate"));
        uint256 key = uint256(_word(".secondSigner.key"));
        (bytes memory tcb, bytes memory qe) = (_text(".tcbInfos.older"), _text(".qeIdentities.older"));
        (bytes32 r, bytes32 s) = avm.signP256(key, sha256(tcb));
        store.storeTcbInfo(tcb, uint256(r), uint256(s));
        (r, s) = avm.signP256(key, sha256(qe));
        store.storeQeIdentity(qe, uint256(r), uint256(s));
        vm.warp(now0 + 2 minutes);
        store.storeRootCrl(_bytes(".crls.rootRevokingSigner"));
        Appraisal memory appraisal = quotes.verify(_current, 0, 0);
        vm.assertEq(appraisal.tcbEvaluation, 19);
        vm.assertEq(appraisal.qeEvaluation, 19);
        vm.assertEq(store.tcbInfo(FMSPC, 0).expiresAt, 0);
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.NoCurrentTcbInfo.selector, FMSPC, uint16(20)));
        quotes.verify(_current, 20, 19);
        // The next set that is stored removes the void one, and its number is free for a set as old.
        tcb = _text(".tcbInfos.current");
        (r, s) = avm.signP256(key, sha256(tcb));
        store.storeTcbInfo(tcb, uint256(r), uint256(s));
        vm.assertEq(quotes.verify(_current, 20, 19).tcbEvaluation, 20);
        vm.assertEq(store.tcbInfo(FMSPC, 1).evaluation, 19);
        vm.assertEq(store.tcbInfo(FMSPC, 2).data, address(0));
    }

    /// @dev They are the module's, which has levels of its own; a module of version 0 has none.
    function test_firstTwoTdxComponents_areThePlatformsOnlyWithoutAModule() public {
        bytes memory tcb = _text(".tcbInfos.current").replace("2026-10-01T00:00:00Z", "2026-10-01T00:01:00Z");
        _storeTcbInfo(store, tcb.replace('"tdxtcbcomponents":[{"svn":5', '"tdxtcbcomponents":[{"svn":9'));
        _assertStatus(_verifyWithTeeTcbSvn(0x05030400000000000000000000000000), TcbStatus.UpToDate);
        _assertStatus(_verifyWithTeeTcbSvn(0x05000400000000000000000000000000), TcbStatus.OutOfDate);
        _assertStatus(_verifyWithTeeTcbSvn(0x09000400000000000000000000000000), TcbStatus.UpToDate);
    }

    /// @dev A simulator's root must not survive on any other chain, however the state came there.
    function test_foreignRoot_isRefusedOnAnotherChain() public {
        quotes.verify(_current, 20, 20);
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.ForeignRoot.selector, store.rootKeyHash(), 1));
        quotes.verify(_current, 20, 20);
    }

    function test_mergeOfStatuses() public pure {
        for (uint256 i = 0; i < 7; i++) {
            vm.assertTrue(mergeTcbStatus(TcbStatus(i), TcbStatus.UpToDate) == TcbStatus(i));
            vm.assertTrue(mergeTcbStatus(TcbStatus(i), TcbStatus.Revoked) == TcbStatus.Revoked);
            for (uint256 j = 0; j < 7; j++) {
                vm.assertTrue(mergeTcbStatus(TcbStatus(i), TcbStatus(j)) == mergeTcbStatus(TcbStatus(j), TcbStatus(i)));
            }
        }
        vm.assertTrue(
            mergeTcbStatus(TcbStatus.SWHardeningNeeded, TcbStatus.ConfigurationNeeded)
                == TcbStatus.ConfigurationAndSWHardeningNeeded
        );
        vm.assertTrue(mergeTcbStatus(TcbStatus.SWHardeningNeeded, TcbStatus.OutOfDate) == TcbStatus.OutOfDate);
        vm.assertTrue(
            mergeTcbStatus(TcbStatus.ConfigurationAndSWHardeningNeeded, TcbStatus.OutOfDate)
                == TcbStatus.OutOfDateConfigurationNeeded
        );
        vm.assertTrue(
            mergeTcbStatus(TcbStatus.ConfigurationNeeded, TcbStatus.OutOfDate)
                == TcbStatus.OutOfDateConfigurationNeeded
        );
    }

    function verifyWithTeeTcbSvn(bytes16 teeTcbSvn) external view returns (Appraisal memory) {
        return _verifyWithTeeTcbSvn(teeTcbSvn);
    }

    function _verifyWithTeeTcbSvn(bytes16 teeTcbSvn) private view returns (Appraisal memory) {
        Machine memory host = _machine("host0");
        host.teeTcbSvn = teeTcbSvn;
        return _verify(host);
    }

    function _verify(Machine memory host) private view returns (Appraisal memory) {
        return quotes.verify(_evidence(host, _quote(host, 0, 0), _qeReport(host)), 20, 20);
    }

    function _assertStatus(Appraisal memory appraisal, TcbStatus status) private pure {
        vm.assertEq(uint256(appraisal.status), uint256(status));
    }
}
