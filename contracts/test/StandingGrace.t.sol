// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {IQuoteVerifier} from "../src/interfaces/IQuoteVerifier.sol";
import {Role} from "../src/types/Node.sol";
import {StandingTest} from "./support/StandingTest.sol";

/// @notice A contract that takes no certificate with a signer in grace.
contract StrictConsumer {
    INodeRegistry private immutable _registry;

    error SignerInGrace(uint256 parties);

    constructor(INodeRegistry registry) {
        _registry = registry;
    }

    function requireFresh(bytes32 keyId, uint32 epoch, uint256 signers) external view {
        uint256 inGrace = signers & _registry.graceOf(keyId, epoch);
        if (inGrace != 0) revert SignerInGrace(inGrace);
    }
}

/// @notice Standing on collateral past its date: how it comes, who can tell, and how it ends.
contract StandingGraceTest is StandingTest {
    address[] private _parties;
    uint256 private _setsEnd;

    function setUp() public override {
        super.setUp();
        _setsEnd = _now() + 3 days;
        quotes.setDates(uint32(_setsEnd), uint32(_now() + 60 days), uint32(_setsEnd + 5 days));
        _parties = _seatFour();
        vm.warp(_setsEnd + 1);
        vm.roll(_height() + 100);
    }

    function test_quoteInGrace_givesAMarkedStanding() public {
        vm.assertEq(_liveParties(), 0);
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeInGrace(_parties[1], uint32(_setsEnd + 5 days));
        _renew("party2", Role.Keyholder, 2);
        vm.assertEq(_liveParties(), 2);
        vm.assertTrue(registry.nodeOf(_parties[1]).inGrace);
        vm.assertEq(registry.liveUntil(_parties[1]), _setsEnd + 5 days);
        vm.assertEq(registry.graceOf(KEY, EPOCH), 2);
        vm.assertEq(registry.graceOf(KEY, 2), 0);
        StrictConsumer consumer = new StrictConsumer(registry);
        consumer.requireFresh(KEY, EPOCH, 13);
        vm.expectRevert(abi.encodeWithSelector(StrictConsumer.SignerInGrace.selector, 2));
        consumer.requireFresh(KEY, EPOCH, 7);
    }

    function test_seatTakenInGrace_isMarkedToo() public {
        bytes32 key = keccak256("another key");
        address[] memory committee = new address[](2);
        committee[0] = _register("fresh", Role.Keyholder, 9);
        committee[1] = _register("second", Role.Keyholder, 8);
        _install(key, 7, committee);
        vm.assertEq(registry.graceOf(key, 7), 3);
        // The mark is the seat's and leaves with it.
        registry.releaseSeat(committee[1]);
        vm.assertEq(registry.graceOf(key, 7), 1);
        quotes.setDates(uint32(_now() + 30 days), uint32(_now() + 60 days), 0);
        registry.assignSeat(_register("third", Role.Keyholder, 7), key, 7, 2);
        vm.assertEq(registry.graceOf(key, 7), 1);
    }

    /// @dev Grace is for fresh quotes: stored evidence gains nothing from it, and loses nothing either.
    function test_storedEvidence_hasNoGrace() public {
        bytes memory refusal =
            abi.encodeWithSelector(IQuoteVerifier.NoCurrentTcbInfo.selector, bytes6("fmspc"), uint16(20));
        vm.expectRevert(refusal);
        registry.refresh(_parties[0]);
        _renew("party2", Role.Keyholder, 2);
        vm.expectRevert(refusal);
        registry.refresh(_parties[1]);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeStillGood.selector, _parties[1]));
        registry.invalidate(_parties[1]);
        _revocationsChanged();
        vm.assertEq(_liveParties(), 2);
    }

    function test_veto_endsTheSeatsInGrace() public {
        _renew("party2", Role.Keyholder, 2);
        quotes.setDates(uint32(_setsEnd), uint32(_now() + 60 days), 0);
        _revocationsChanged();
        vm.assertEq(_liveParties(), 0);
        vm.assertEq(registry.liveUntil(_parties[1]), 0);
    }

    /// @dev No exit is needed, no seat is lost: the next quote under current collateral is enough.
    function test_lapsedSeat_returnsByPlainRenewal() public {
        _renew("party2", Role.Keyholder, 2);
        vm.warp(_setsEnd + 5 days + 1);
        vm.assertEq(_liveParties(), 0);
        quotes.setDates(uint32(_now() + 30 days), uint32(_now() + 60 days), 0);
        _nextBlocks(2);
        _renew("party2", Role.Keyholder, 2);
        _renew("party1", Role.Keyholder, 1);
        vm.assertEq(_liveParties(), 3);
        vm.assertEq(registry.graceOf(KEY, EPOCH), 0);
        vm.assertFalse(registry.nodeOf(_parties[1]).inGrace);
    }

    function test_newCollateral_liftsTheMarkByRefresh() public {
        _renew("party2", Role.Keyholder, 2);
        uint256 attestedAt = _now();
        quotes.setDates(uint32(_now() + 2 days), uint32(_now() + 60 days), 0);
        registry.refresh(_parties[1]);
        vm.assertEq(registry.graceOf(KEY, EPOCH), 0);
        vm.assertFalse(registry.nodeOf(_parties[1]).inGrace);
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 2), attestedAt + 2 days);
    }

    function _revocationsChanged() private {
        (bool success,) = address(registry).call(abi.encodeWithSignature("revocationsChanged()"));
        vm.assertTrue(success);
    }
}
