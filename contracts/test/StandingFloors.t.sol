// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {Evidence} from "../src/interfaces/IQuoteVerifier.sol";
import {Registration, Role} from "../src/types/Node.sol";
import {StandingTest} from "./support/StandingTest.sol";

/// @notice Floors that go up and down again: who stays out, who comes back, and with which quote.
contract StandingFloorsTest is StandingTest {
    address[] private _parties;

    function setUp() public override {
        super.setUp();
        _parties = _seatFour();
        _nextBlocks(2);
    }

    /// @dev ⚔ else the seat's expiry would be live while the signer has no standing, and nothing would end it.
    function test_quoteFromBeforeALowering_isRefused() public {
        _raise(21);
        _nextBlocks(5);
        Registration memory renewal = _registration("party1", Role.Keyholder);
        Registration memory fresh = _registration("fresh", Role.Keyholder);
        _lower(20);
        uint256 loweredAt = _height();
        _nextBlocks(2);
        Evidence memory evidence = _evidence(renewal, _machine(1));
        bytes memory refusal = abi.encodeWithSelector(
            INodeRegistry.ChallengeNotFresh.selector, renewal.challengeBlock, loweredAt
        );
        vm.expectRevert(refusal);
        registry.renew(renewal.signer, renewal.challengeBlock, evidence);
        evidence = _evidence(fresh, _machine(9));
        vm.expectRevert(refusal);
        vm.prank(fresh.operator);
        registry.register(fresh, evidence, "");
        vm.assertEq(_liveParties(), 0);
        _renew("party1", Role.Keyholder, 1);
        vm.assertEq(_liveParties(), 1);
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 1), registry.liveUntil(_parties[0]));
    }

    /// @dev Whoever never was below the floors stays live through any number of changes.
    function test_secondLowering_endsNobody() public {
        _raise(21);
        _lower(20);
        _nextBlocks(2);
        _renew("party1", Role.Keyholder, 1);
        vm.assertEq(_liveParties(), 1);
        vm.warp(_now() + 6 days);
        _lower(19);
        vm.assertEq(_liveParties(), 1);
        vm.assertEq(registry.liveUntil(_parties[0]), verifier.expiryOf(KEY, EPOCH, 1));
        vm.assertGt(registry.liveUntil(_parties[0]), _now());
    }

    /// @dev Floors that were passed on the way: fallen is fallen, until a newer quote.
    function test_fallen_stayDownAfterEachLowering() public {
        address executor = _register("executor", Role.Executor, 8);
        quotes.setNumbers(21, 20);
        registry.refresh(_parties[3]);
        _raise(21);
        vm.assertEq(_liveParties(), 8);
        _lower(20);
        vm.assertEq(_liveParties(), 8);
        vm.assertEq(registry.liveUntil(executor), 0);
        vm.assertEq(registry.liveUntil(_parties[0]), 0);
        quotes.setNumbers(20, 20);
        _nextBlocks(2);
        _renew("party1", Role.Keyholder, 1);
        _raise(21);
        vm.assertEq(registry.liveUntil(_parties[0]), 0);
        _lower(20);
        vm.assertEq(registry.liveUntil(_parties[0]), 0);
        vm.assertEq(_liveParties(), 8);
    }

    function _raise(uint16 tcb) private {
        vm.prank(guardian);
        registry.raiseFloors(tcb, 20);
    }

    function _lower(uint16 tcb) private {
        vm.prank(governance);
        registry.proposeFloors(tcb, 20);
        vm.warp(_now() + 60);
        registry.activateFloors();
    }
}
