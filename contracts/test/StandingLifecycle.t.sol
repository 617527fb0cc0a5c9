// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {Evidence} from "../src/interfaces/IQuoteVerifier.sol";
import {AllowListEntry, Registration, Role, Seat} from "../src/types/Node.sol";
import {StandingTest} from "./support/StandingTest.sol";

/// @notice An operator from admission to exit, on the local test network and on a real chain: only the timelock
/// differs.
contract StandingLifecycleTest is StandingTest {
    function setUp() public override {}

    function test_operator_onTheLocalChain() public {
        _live(31337, 60 seconds);
    }

    function test_operator_onARealChain() public {
        _live(1, 7 days);
    }

    function _live(uint256 chainId, uint256 timelock) private {
        vm.chainId(chainId);
        vm.warp(1_800_000_000);
        vm.roll(10_000);
        _deploy(addressOfName("governance"), addressOfName("guardian"));
        uint32 entry = _openEntry(timelock);
        Registration memory first = _enter();
        _sit(first.signer, EPOCH);
        _nextBlocks(100);
        _renew("first", Role.Keyholder, 1);
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 1), _now() + 7 days);
        _succeed(first);
        _leave(first, entry);
    }

    /// @dev Governance alone proposes; nobody shortens the timelock; what waits gives nothing.
    function _openEntry(uint256 timelock) private returns (uint32 entry) {
        AllowListEntry memory proposed = AllowListEntry(Role.Keyholder, IMAGE, COMPOSE, keccak256("provider"), 1);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotGovernance.selector, address(this)));
        registry.proposeEntry(proposed);
        vm.prank(governance);
        entry = registry.proposeEntry(proposed);
        uint256 activeAt = _now() + timelock;
        vm.warp(activeAt - 1);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.TimelockRunning.selector, activeAt, activeAt - 1));
        registry.activateEntry(entry);
        Registration memory early = _registration("first", Role.Keyholder);
        Evidence memory evidence = _evidence(early, _machine(1));
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NotAllowListed.selector, Role.Keyholder, IMAGE, COMPOSE)
        );
        vm.prank(early.operator);
        registry.register(early, evidence, "");
        vm.warp(activeAt);
        registry.activateEntry(entry);
    }

    /// @dev Admission first; without it the operator's own transaction is refused.
    function _enter() private returns (Registration memory registration) {
        registration = _registration("first", Role.Keyholder);
        vm.prank(governance);
        registry.removeOperator(registration.operator);
        _nextBlocks(2);
        registration.challengeBlock = uint64(_height() - 1);
        Evidence memory evidence = _evidence(registration, _machine(1));
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.OperatorNotAdmitted.selector, registration.operator)
        );
        vm.prank(registration.operator);
        registry.register(registration, evidence, "");
        _admit(registration.operator);
        vm.prank(registration.operator);
        registry.register(registration, evidence, "");
        vm.assertEq(registry.liveUntil(registration.signer), _now() + 7 days);
    }

    function _succeed(Registration memory first) private {
        Registration memory next = _registration("next", Role.Keyholder);
        next.operator = first.operator;
        Evidence memory evidence = _evidence(next, _machine(2));
        vm.prank(first.operator);
        registry.register(next, evidence, "");
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.OperatorSeated.selector, first.operator, KEY, EPOCH)
        );
        registry.assignSeat(next.signer, KEY, EPOCH, 2);
        _sit(next.signer, EPOCH + 1);
        (Seat memory seat, Seat memory successor) = registry.seatsOfOperator(first.operator, KEY);
        vm.assertEq(seat.epoch, EPOCH);
        vm.assertEq(successor.epoch, EPOCH + 1);
    }

    /// @dev The seat stays for the delay; afterwards the successor's is the operator's only one.
    function _leave(Registration memory first, uint32 entry) private {
        vm.prank(first.operator);
        registry.exit(first.signer);
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 1), _now() + 1 days);
        _nextBlocks(2);
        Registration memory renewal = _registration("first", Role.Keyholder);
        Evidence memory evidence = _evidence(renewal, _machine(1));
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SignerExiting.selector, first.signer));
        registry.renew(first.signer, renewal.challengeBlock, evidence);
        vm.warp(_now() + 1 days);
        registry.releaseSeat(first.signer);
        (Seat memory seat, Seat memory successor) = registry.seatsOfOperator(first.operator, KEY);
        vm.assertEq(seat.epoch, EPOCH + 1);
        vm.assertEq(successor.index, 0);
        vm.assertGt(verifier.expiryOf(KEY, EPOCH + 1, 1), _now());
        vm.prank(guardian);
        registry.removeEntry(entry);
        vm.assertEq(verifier.expiryOf(KEY, EPOCH + 1, 1), 0);
    }

    function _sit(address signer, uint32 epoch) private {
        address[] memory signers = new address[](1);
        signers[0] = signer;
        _install(KEY, epoch, signers);
    }
}
