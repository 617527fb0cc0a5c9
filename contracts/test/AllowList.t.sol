// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {AllowListEntry, EntryStatus, Role} from "../src/types/Node.sol";
import {Registry} from "./attestation/support/Registry.sol";

/// @notice Entries and floors: only governance adds, only behind the timelock, and a number never comes twice.
contract AllowListTest is Registry {
    bytes32 private constant IMAGE = keccak256("image");
    bytes32 private constant COMPOSE = keccak256("compose");

    function test_entry_waitsForTheTimelock() public {
        uint32 entryId = _propose(Role.Executor);
        uint256 activeAt = _now() + 60;
        vm.assertEq(registry.entryFor(Role.Executor, IMAGE, COMPOSE), 0);
        vm.warp(activeAt - 1);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.TimelockRunning.selector, activeAt, activeAt - 1));
        registry.activateEntry(entryId);
        vm.warp(activeAt);
        registry.activateEntry(entryId);
        vm.assertEq(registry.entryFor(Role.Executor, IMAGE, COMPOSE), entryId);
        vm.assertEq(registry.entryFor(Role.Keyholder, IMAGE, COMPOSE), 0);
        (AllowListEntry memory entry, EntryStatus status) = registry.entryOf(entryId);
        vm.assertTrue(status == EntryStatus.Active);
        vm.assertEq(keccak256(abi.encode(entry)), keccak256(abi.encode(_entry(Role.Executor, IMAGE, COMPOSE))));
    }

    function test_timelock_isSevenDaysOnEveryOtherChain() public {
        vm.chainId(1);
        uint32 entryId = _propose(Role.Executor);
        vm.prank(governance);
        registry.proposeFloors(19, 19);
        uint256 activeAt = _now() + 7 days;
        vm.warp(activeAt - 1);
        bytes memory refusal = abi.encodeWithSelector(INodeRegistry.TimelockRunning.selector, activeAt, activeAt - 1);
        vm.expectRevert(refusal);
        registry.activateEntry(entryId);
        vm.expectRevert(refusal);
        registry.activateFloors();
        vm.warp(activeAt);
        registry.activateEntry(entryId);
        registry.activateFloors();
    }

    function test_guardian_vetoesAProposal() public {
        uint32 entryId = _propose(Role.Executor);
        vm.prank(guardian);
        registry.withdrawEntry(entryId);
        vm.warp(_now() + 60);
        _refuseStatus(entryId, EntryStatus.Withdrawn);
        registry.activateEntry(entryId);
        _refuseStatus(entryId, EntryStatus.Withdrawn);
        vm.prank(guardian);
        registry.removeEntry(entryId);
    }

    function test_entry_isActivatedAndRemovedOnce() public {
        uint32 entryId = _propose(Role.Executor);
        _refuseStatus(entryId, EntryStatus.Proposed);
        vm.prank(guardian);
        registry.removeEntry(entryId);
        vm.warp(_now() + 60);
        registry.activateEntry(entryId);
        _refuseStatus(entryId, EntryStatus.Active);
        registry.activateEntry(entryId);
        _refuseStatus(entryId, EntryStatus.Active);
        vm.prank(guardian);
        registry.withdrawEntry(entryId);
        vm.prank(guardian);
        registry.removeEntry(entryId);
        vm.assertEq(registry.entryFor(Role.Executor, IMAGE, COMPOSE), 0);
        _refuseStatus(entryId, EntryStatus.Removed);
        vm.prank(guardian);
        registry.removeEntry(entryId);
        _refuseStatus(999, EntryStatus.None);
        registry.activateEntry(999);
    }

    function test_measurement_hasOneActiveEntryPerRole() public {
        uint32 first = _propose(Role.Executor);
        uint32 second = _propose(Role.Executor);
        uint32 keyholder = _propose(Role.Keyholder);
        vm.assertEq(second, first + 1);
        vm.warp(_now() + 60);
        registry.activateEntry(first);
        registry.activateEntry(keyholder);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.MeasurementTaken.selector, first));
        registry.activateEntry(second);
        vm.prank(governance);
        registry.removeEntry(keyholder);
        registry.activateEntry(_proposeAndWait(Role.Keyholder));
        vm.assertEq(registry.entryFor(Role.Executor, IMAGE, COMPOSE), first);
    }

    /// @dev ⚔ a twin that waits, maybe for long, must not revive at once what somebody removed in an emergency.
    function test_removedMeasurement_waitsForANewProposal() public {
        uint32 first = _propose(Role.Executor);
        uint32 twin = _propose(Role.Executor);
        uint32 keyholder = _propose(Role.Keyholder);
        vm.warp(_now() + 60);
        registry.activateEntry(first);
        vm.prank(guardian);
        registry.removeEntry(first);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.EntryOlderThanRemoval.selector, twin));
        registry.activateEntry(twin);
        // Other software and other roles are not meant.
        registry.activateEntry(keyholder);
        uint32 next = _proposeAndWait(Role.Executor);
        registry.activateEntry(next);
        vm.assertEq(registry.entryFor(Role.Executor, IMAGE, COMPOSE), next);
    }

    function test_proposals_lapse() public {
        vm.chainId(1);
        uint32 entryId = _propose(Role.Executor);
        vm.prank(governance);
        registry.proposeFloors(19, 19);
        uint256 lapsesAt = _now() + 37 days;
        vm.warp(lapsesAt + 1);
        bytes memory refusal =
            abi.encodeWithSelector(INodeRegistry.ProposalLapsed.selector, lapsesAt, lapsesAt + 1);
        vm.expectRevert(refusal);
        registry.activateEntry(entryId);
        vm.expectRevert(refusal);
        registry.activateFloors();
        vm.warp(lapsesAt);
        registry.activateEntry(entryId);
        registry.activateFloors();
    }

    /// @dev ⚔ a proposal from before the emergency must not undo the guardian's answer.
    function test_raise_takesThePendingProposalBack() public {
        vm.prank(governance);
        registry.proposeFloors(18, 18);
        vm.expectEmit(address(registry));
        emit INodeRegistry.FloorsWithdrawn();
        vm.prank(guardian);
        registry.raiseFloors(21, 20);
        vm.warp(_now() + 60);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NoFloorsProposed.selector));
        registry.activateFloors();
        (uint16 tcb, uint16 qe) = registry.floors();
        vm.assertEq(tcb, 21);
        vm.assertEq(qe, 20);
    }

    function test_incompleteEntry_isRefused() public {
        vm.startPrank(governance);
        bytes memory refusal = abi.encodeWithSelector(INodeRegistry.EntryIncomplete.selector);
        vm.expectRevert(refusal);
        registry.proposeEntry(_entry(Role.None, IMAGE, COMPOSE));
        vm.expectRevert(refusal);
        registry.proposeEntry(_entry(Role.Executor, 0, COMPOSE));
        vm.expectRevert(refusal);
        registry.proposeEntry(_entry(Role.Executor, IMAGE, 0));
        vm.stopPrank();
    }

    function test_floors_areLoweredBehindTheTimelockOnly() public {
        vm.prank(guardian);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.FloorsNotHigher.selector, uint16(20), uint16(20)));
        registry.raiseFloors(21, 19);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NoFloorsProposed.selector));
        registry.activateFloors();
        vm.prank(governance);
        registry.proposeFloors(18, 19);
        vm.prank(guardian);
        registry.withdrawFloors();
        vm.warp(_now() + 60);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NoFloorsProposed.selector));
        registry.activateFloors();
        vm.prank(governance);
        registry.proposeFloors(18, 19);
        vm.warp(_now() + 60);
        registry.activateFloors();
        (uint16 tcb, uint16 qe) = registry.floors();
        vm.assertEq(tcb, 18);
        vm.assertEq(qe, 19);
    }

    function _propose(Role role) private returns (uint32) {
        vm.prank(governance);
        return registry.proposeEntry(_entry(role, IMAGE, COMPOSE));
    }

    function _proposeAndWait(Role role) private returns (uint32 entryId) {
        entryId = _propose(role);
        vm.warp(_now() + 60);
    }

    function _refuseStatus(uint32 entryId, EntryStatus status) private {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.WrongEntryStatus.selector, entryId, status));
    }
}
