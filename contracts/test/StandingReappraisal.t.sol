// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TcbStatus} from "../src/attestation/TcbStatus.sol";
import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {Evidence} from "../src/interfaces/IQuoteVerifier.sol";
import {IQuoteVerifier} from "../src/interfaces/IQuoteVerifier.sol";
import {NodeRecord, Registration, Role} from "../src/types/Node.sol";
import {StandingTest} from "./support/StandingTest.sol";

/// @notice Stored evidence judged again: what anyone may prolong, and what anyone may end.
contract StandingReappraisalTest is StandingTest {
    function test_refresh_prolongsWhatTheCollateralCut() public {
        quotes.setDates(uint32(_now() + 2 days), uint32(_now() + 60 days), 0);
        address[] memory parties = _seatFour();
        uint256 attestedAt = _now();
        vm.assertEq(registry.liveUntil(parties[0]), attestedAt + 2 days);
        vm.warp(attestedAt + 1 days);
        quotes.setDates(uint32(_now() + 30 days), uint32(_now() + 60 days), 0);
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeRefreshed(parties[0], uint32(attestedAt + 7 days), 20, 20);
        registry.refresh(parties[0]);
        // Seven days after the quote, not after the refresh.
        vm.assertEq(registry.liveUntil(parties[0]), attestedAt + 7 days);
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 1), attestedAt + 7 days);
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 2), attestedAt + 2 days);
        _refuseRefresh(parties[0], attestedAt + 7 days);
        // Also where it lapsed in between.
        vm.warp(attestedAt + 3 days);
        registry.refresh(parties[1]);
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 2), attestedAt + 7 days);
        vm.warp(attestedAt + 7 days);
        _refuseRefresh(parties[2], attestedAt + 7 days);
    }

    function testFuzz_refresh_neverExceedsQuoteCollateralOrCertificate(uint32 leaf, uint32 sets, uint32 crl, uint32 wait)
        public
    {
        Machine memory machine = _machine(1);
        machine.leafExpiresAt = uint32(_now() + bound(leaf, 1 hours, 20 days));
        uint256 attestedAt = _now();
        address signer = _registerOn("alice", machine);
        vm.warp(attestedAt + bound(wait, 0, 8 days));
        uint256 setsUntil = _now() + bound(sets, 0, 20 days);
        uint256 crlUntil = _now() + bound(crl, 0, 20 days);
        quotes.setDates(uint32(setsUntil), uint32(crlUntil), 0);
        try registry.refresh(signer) {} catch {}
        vm.assertLe(registry.liveUntil(signer), attestedAt + 7 days);
        vm.assertLe(registry.liveUntil(signer), machine.leafExpiresAt);
        try registry.refresh(signer) {
            vm.assertTrue(false, "a refresh gave more than the one before");
        } catch {}
    }

    /// @dev ⚔ anyone may store a set that ends tomorrow: it must not cut what a longer one supports.
    function test_refresh_neverShortens() public {
        address[] memory parties = _seatFour();
        quotes.setNumbers(21, 20);
        quotes.setDates(uint32(_now() + 1 days), uint32(_now() + 60 days), 0);
        _refuseRefresh(parties[0], _now() + 1 days);
        vm.assertEq(registry.liveUntil(parties[0]), _now() + 7 days);
    }

    function test_refresh_needsEverythingElseToStand() public {
        address[] memory parties = _seatFour();
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.UnknownSigner.selector, address(0xbad)));
        registry.refresh(address(0xbad));
        quotes.setNumbers(21, 21);
        quotes.setStatus(_machine(1).components, TcbStatus.SWHardeningNeeded);
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.TcbStatusNotAccepted.selector, TcbStatus.SWHardeningNeeded)
        );
        registry.refresh(parties[0]);
        address operator = registry.nodeOf(parties[1]).operator;
        vm.prank(operator);
        registry.exit(parties[1]);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SignerExiting.selector, parties[1]));
        registry.refresh(parties[1]);
        vm.startPrank(guardian);
        registry.removeOperator(registry.nodeOf(parties[2]).operator);
        registry.denyPlatform(_machine(4).piid);
        vm.stopPrank();
        _refuseAsNotLive(parties[2]);
        _refuseAsNotLive(parties[3]);
        address fresh = _register("fresh", Role.Keyholder, 9);
        vm.prank(guardian);
        registry.removeEntry(keyholderEntry);
        quotes.setNumbers(22, 22);
        _refuseAsNotLive(fresh);
        vm.prank(guardian);
        registry.revoke(fresh);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SignerRevoked.selector, fresh));
        registry.refresh(fresh);
    }

    function test_refresh_carriesOverARaiseOfTheFloors() public {
        address[] memory parties = _seatFour();
        quotes.setNumbers(21, 20);
        registry.refresh(parties[0]);
        vm.prank(guardian);
        registry.raiseFloors(21, 20);
        vm.assertEq(_liveParties(), 1);
        // Those that nobody refreshed before come back the same way.
        registry.refresh(parties[1]);
        vm.assertEq(_liveParties(), 3);
        vm.prank(guardian);
        registry.raiseFloors(22, 20);
        vm.expectRevert(
            abi.encodeWithSelector(IQuoteVerifier.NoCurrentTcbInfo.selector, bytes6("fmspc"), uint16(22))
        );
        registry.refresh(parties[0]);
    }

    function test_invalidate_endsWhatTheCollateralNoLongerSupports() public {
        address[] memory parties = _seatFour();
        quotes.setStatus(_machine(2).components, TcbStatus.OutOfDate);
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeInvalidated(parties[1]);
        registry.invalidate(parties[1]);
        vm.assertEq(_liveParties(), 13);
        vm.assertEq(registry.liveUntil(parties[1]), 0);
        // Once found bad, the same evidence gives nothing, whatever the collateral says later.
        quotes.setStatus(_machine(2).components, TcbStatus.UpToDate);
        _refuseAsNotLive(parties[1]);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotLive.selector, parties[1]));
        registry.invalidate(parties[1]);
        _nextBlocks(2);
        _renew("party2", Role.Keyholder, 2);
        vm.assertEq(_liveParties(), 15);
    }

    function test_invalidate_refusesWhereNothingIsWrong() public {
        address[] memory parties = _seatFour();
        bytes memory refusal = abi.encodeWithSelector(INodeRegistry.NodeStillGood.selector, parties[0]);
        vm.expectRevert(refusal);
        registry.invalidate(parties[0]);
        quotes.setNumbers(21, 21);
        vm.expectRevert(refusal);
        registry.invalidate(parties[0]);
        vm.warp(_now() + 7 days);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotLive.selector, parties[0]));
        registry.invalidate(parties[0]);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.UnknownSigner.selector, address(0xbad)));
        registry.invalidate(address(0xbad));
    }

    /// @dev ⚔ running out of gas inside the judgement must not count as a bad verdict.
    function test_tooLittleGas_invalidatesNobody() public {
        address[] memory parties = _seatFour();
        quotes.setGreedy(true);
        bytes memory failure = abi.encodeWithSelector(INodeRegistry.JudgementFailed.selector, parties[0]);
        (bool success, bytes memory reason) =
            address(registry).call{gas: 5_000_000}(abi.encodeCall(registry.invalidate, (parties[0])));
        vm.assertFalse(success);
        vm.assertEq(reason, failure);
        (success, reason) = address(registry).call{gas: 5_000_000}(abi.encodeWithSignature("revocationsChanged()"));
        vm.assertFalse(success);
        vm.assertEq(reason, failure);
        vm.assertEq(_liveParties(), 15);
    }

    function test_revocations_endTheirSeatsAndNoOthers() public {
        address[] memory parties = _seatFour();
        address unseated = _register("unseated", Role.Executor, 3);
        quotes.setRevoked(_machine(3).serial);
        quotes.setStatus(_machine(4).components, TcbStatus.Revoked);
        _revocationsChanged();
        vm.assertEq(_liveParties(), 3);
        vm.assertTrue(registry.nodeOf(parties[2]).revoked);
        vm.assertFalse(registry.nodeOf(parties[3]).revoked);
        // Seats are found, others are named by whoever sees them.
        vm.assertGt(registry.liveUntil(unseated), _now());
        registry.invalidate(unseated);
        vm.assertTrue(registry.nodeOf(unseated).revoked);
        vm.assertEq(registry.liveUntil(unseated), 0);
        _revocationsChanged();
        vm.assertEq(_liveParties(), 3);
    }

    /// @dev Sets whose signer is revoked vanish before their date.
    function test_withdrawnSets_endTheSeatsThatRestOnThem() public {
        address[] memory parties = _seatFour();
        quotes.setDates(0, uint32(_now() + 60 days), 0);
        _revocationsChanged();
        vm.assertEq(_liveParties(), 0);
        vm.assertFalse(registry.nodeOf(parties[0]).revoked);
        quotes.setDates(uint32(_now() + 30 days), uint32(_now() + 60 days), 0);
        _nextBlocks(2);
        _renew("party1", Role.Keyholder, 1);
        vm.assertEq(_liveParties(), 1);
    }

    /// @dev A standing ends with its collateral; what is over needs no ending.
    function test_expiredCollateral_isNoRevocation() public {
        quotes.setDates(uint32(_now() + 30 days), uint32(_now() + 1 days), 0);
        address[] memory parties = _seatFour();
        vm.warp(_now() + 1 days + 1);
        _revocationsChanged();
        vm.assertGt(registry.nodeOf(parties[0]).expiresAt, 0);
        quotes.setDates(uint32(_now() + 30 days), uint32(_now() + 30 days), 0);
        registry.refresh(parties[0]);
        vm.assertEq(_liveParties(), 1);
    }

    /// @dev ⚔ waiting in the mempool: quotes from before a revocation, by the same operator, PPID or PIID.
    function test_revocation_voidsWhatWaits() public {
        _seatFour();
        Registration memory sameOperator = _registration("party2", Role.Keyholder);
        sameOperator.signer = address(0x5afe);
        Registration memory waiting = _registration("waiting", Role.Keyholder);
        Machine memory samePpid = _machine(2);
        (samePpid.piid, samePpid.serial) = ("other", 77);
        Machine memory samePiid = _machine(2);
        (samePiid.ppid, samePiid.serial) = ("other", 78);
        _nextBlocks(2);
        quotes.setRevoked(_machine(2).serial);
        _revocationsChanged();
        _refuseAsStale(sameOperator, _machine(9));
        _refuseAsStale(waiting, samePpid);
        _refuseAsStale(waiting, samePiid);
        _nextBlocks(2);
        waiting.challengeBlock = uint64(_height() - 1);
        Evidence memory evidence = _evidence(waiting, samePpid);
        vm.prank(waiting.operator);
        registry.register(waiting, evidence, "");
    }

    /// @dev ⚔ a new certificate for the same machine must not bring the old signer back, even if nobody told the
    /// registry that the old one was revoked.
    function test_newCertificate_doesNotRestoreASignerOfARevokedOne() public {
        address[] memory parties = _seatFour();
        _nextBlocks(2);
        Registration memory renewal = _registration("party2", Role.Keyholder);
        Machine memory reissued = _machine(2);
        reissued.serial = 77;
        registry.renew(renewal.signer, renewal.challengeBlock, _evidence(renewal, reissued));
        quotes.setRevoked(77);
        _nextBlocks(2);
        renewal = _registration("party2", Role.Keyholder);
        reissued.serial = 78;
        Evidence memory evidence = _evidence(renewal, reissued);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.EvidenceRevoked.selector, parties[1]));
        registry.renew(renewal.signer, renewal.challengeBlock, evidence);
        _revocationsChanged();
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SignerRevoked.selector, parties[1]));
        registry.renew(renewal.signer, renewal.challengeBlock, evidence);
    }

    function test_denial_byInstance() public {
        address[] memory parties = _seatFour();
        Machine memory processor = _machine(8);
        processor.piid = 0;
        address plain = _registerOn("plain", processor);
        bytes16 piid = _machine(3).piid;
        vm.prank(guardian);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.PlatformMissing.selector));
        registry.denyPlatform(0);
        vm.prank(guardian);
        registry.denyPlatform(piid);
        vm.assertEq(_liveParties(), 11);
        vm.assertEq(registry.liveUntil(parties[2]), 0);
        vm.assertGt(registry.liveUntil(plain), _now());
        Registration memory fresh = _registration("fresh", Role.Keyholder);
        Evidence memory evidence = _evidence(fresh, _machine(3));
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.PlatformIsDenied.selector, piid));
        vm.prank(fresh.operator);
        registry.register(fresh, evidence, "");
        uint64 deniedAt = uint64(_height());
        vm.prank(governance);
        registry.allowPlatform(piid);
        _nextBlocks(2);
        Registration memory renewal = _registration("party3", Role.Keyholder);
        evidence = _evidence(renewal, _machine(3));
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.SignerOlderThanDenial.selector, parties[2], deniedAt)
        );
        registry.renew(renewal.signer, renewal.challengeBlock, evidence);
        _register("fresh", Role.Keyholder, 3);
    }

    function test_renewal_needsTheSameInstance() public {
        address[] memory parties = _seatFour();
        _nextBlocks(2);
        Registration memory renewal = _registration("party1", Role.Keyholder);
        Machine memory moved = _machine(1);
        moved.piid = "other";
        Evidence memory evidence = _evidence(renewal, moved);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.PlatformChanged.selector, parties[0]));
        registry.renew(renewal.signer, renewal.challengeBlock, evidence);
        NodeRecord memory node = registry.nodeOf(parties[0]);
        vm.assertEq(bytes32(node.piid), bytes32(_machine(1).piid));
    }

    function _revocationsChanged() internal {
        (bool success,) = address(registry).call(abi.encodeWithSignature("revocationsChanged()"));
        vm.assertTrue(success);
    }

    function _registerOn(string memory name, Machine memory machine) private returns (address) {
        Registration memory registration = _registration(name, Role.Keyholder);
        Evidence memory evidence = _evidence(registration, machine);
        vm.prank(registration.operator);
        registry.register(registration, evidence, "");
        return registration.signer;
    }

    function _refuseRefresh(address signer, uint256 expiresAt) private {
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NothingToRefresh.selector, signer, uint32(expiresAt))
        );
        registry.refresh(signer);
    }

    function _refuseAsNotLive(address signer) private {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotLive.selector, signer));
        registry.refresh(signer);
    }

    function _refuseAsStale(Registration memory registration, Machine memory machine) private {
        Evidence memory evidence = _evidence(registration, machine);
        vm.expectRevert(
            abi.encodeWithSelector(
                INodeRegistry.ChallengeNotFresh.selector, registration.challengeBlock, _height()
            )
        );
        vm.prank(registration.operator);
        registry.register(registration, evidence, "");
    }
}
