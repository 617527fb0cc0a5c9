// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionVerifier} from "../src/interfaces/IDecryptionVerifier.sol";
import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {Evidence, IQuoteVerifier} from "../src/interfaces/IQuoteVerifier.sol";
import {Registration, Role, Seat} from "../src/types/Node.sol";
import {Registry} from "./attestation/support/Registry.sol";

/// @notice What ends a standing, that it ends in the same transaction, and what brings it back.
contract NodeRegistryRemovalTest is Registry {
    address[] private _parties;

    function setUp() public override {
        super.setUp();
        _parties = _seatFour();
        _nextBlocks(5);
    }

    function test_seats_startLive() public view {
        vm.assertEq(_liveParties(), 15);
        Seat memory seat = registry.seatOf(_parties[2]);
        vm.assertEq(seat.keyId, KEY);
        vm.assertEq(seat.epoch, EPOCH);
        vm.assertEq(seat.index, 3);
    }

    function test_renewal_writesThrough() public {
        _renew("party2", Role.Keyholder, "host1");
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 2), _now() + 7 days);
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 1), registry.liveUntil(_parties[0]));
        vm.assertLt(verifier.expiryOf(KEY, EPOCH, 1), _now() + 7 days);
    }

    function test_removedEntry_zeroesItsSeatsAndNoOthers() public {
        // Party 5 runs other software in another committee.
        bytes32 compose = keccak256("other compose file");
        uint32 other = _addEntry(_entry(Role.Keyholder, _imageId(), compose));
        address[] memory fifth = new address[](1);
        fifth[0] = _registerWith("party5", compose);
        _seat(keccak256("another key"), EPOCH, fifth);
        uint256[4] memory committees;
        committees[0] = verifier.committeeIdOf(KEY, EPOCH);
        committees[0] |= uint256(verifier.committeeIdOf(keccak256("another key"), EPOCH)) << 64;
        vm.expectEmit(address(verifier));
        emit IDecryptionVerifier.ExpiriesCleared(committees, 15);
        vm.prank(guardian);
        registry.removeEntry(keyholderEntry);
        vm.assertEq(_liveParties(), 0);
        vm.assertEq(registry.liveUntil(_parties[0]), 0);
        vm.assertGt(verifier.expiryOf(keccak256("another key"), EPOCH, 1), _now());
        vm.prank(guardian);
        registry.removeEntry(other);
        vm.assertEq(verifier.expiryOf(keccak256("another key"), EPOCH, 1), 0);
    }

    function test_restoredEntry_bringsNobodyBackBeforeRenewal() public {
        address executor = _register("executor", Role.Executor, "host0");
        vm.startPrank(governance);
        registry.removeEntry(keyholderEntry);
        registry.removeEntry(executorEntry);
        vm.stopPrank();
        uint32 restored = _addEntry(_entry(Role.Keyholder, _imageId(), COMPOSE_HASH));
        _addEntry(_entry(Role.Executor, _imageId(), COMPOSE_HASH));
        vm.assertEq(_liveParties(), 0);
        vm.assertEq(registry.liveUntil(_parties[0]), 0);
        vm.assertEq(registry.liveUntil(executor), 0);
        _nextBlocks(1);
        // The same signer takes its seat again, alone.
        _renew("party1", Role.Keyholder, "host0");
        vm.assertEq(_liveParties(), 1);
        _renew("executor", Role.Executor, "host0");
        vm.assertEq(registry.liveUntil(executor), _now() + 7 days);
        // And its seat now depends on the new entry.
        vm.prank(guardian);
        registry.removeEntry(restored);
        vm.assertEq(_liveParties(), 0);
    }

    function test_revokedSigner_isOutForGood() public {
        vm.prank(guardian);
        registry.revoke(_parties[1]);
        vm.assertEq(_liveParties(), 13);
        vm.assertEq(registry.liveUntil(_parties[1]), 0);
        vm.assertTrue(registry.nodeOf(_parties[1]).revoked);
        _nextBlocks(5);
        Registration memory again = _registration("party2", Role.Keyholder);
        Evidence memory evidence = _evidenceFor("host1", again);
        bytes memory refusal = abi.encodeWithSelector(INodeRegistry.SignerRevoked.selector, again.signer);
        vm.expectRevert(refusal);
        registry.renew(again.signer, again.challengeBlock, evidence);
        vm.expectRevert(refusal);
        vm.prank(again.operator);
        registry.register(again, evidence, "");
        vm.expectRevert(refusal);
        vm.prank(guardian);
        registry.revoke(again.signer);
    }

    function test_signer_isRevokedEvenBeforeItRegisters() public {
        Registration memory waiting = _registration("mallory", Role.Keyholder);
        Evidence memory evidence = _evidenceFor("host0", waiting);
        vm.prank(guardian);
        registry.revoke(waiting.signer);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SignerRevoked.selector, waiting.signer));
        vm.prank(waiting.operator);
        registry.register(waiting, evidence, "");
    }

    /// @dev ⚔ registrations that waited in the mempool: same machine or same operator, challenge before the revocation.
    function test_revocation_voidsWaitingRegistrations() public {
        Registration memory sameMachine = _registration("successor", Role.Keyholder);
        Evidence memory machineEvidence = _evidenceFor("host1", sameMachine);
        Registration memory sameOperator = _registration("party2", Role.Keyholder);
        sameOperator.signer = address(0x5afe);
        Evidence memory operatorEvidence = _evidenceFor("host0", sameOperator);
        _nextBlocks(3);
        vm.prank(guardian);
        registry.revoke(_parties[1]);
        _refuseAsStale(sameMachine, machineEvidence, _height());
        _refuseAsStale(sameOperator, operatorEvidence, _height());
        // A fresh challenge after the revocation is good again.
        _nextBlocks(2);
        sameMachine.challengeBlock = uint64(_height() - 1);
        machineEvidence = _evidenceFor("host1", sameMachine);
        vm.prank(sameMachine.operator);
        registry.register(sameMachine, machineEvidence, "");
    }

    function test_revocation_leavesOthersOfOperatorAndPlatformLive() public {
        address tenant = _register("tenant", Role.Executor, "host1");
        vm.prank(guardian);
        registry.revoke(_parties[1]);
        vm.assertGt(registry.liveUntil(tenant), _now());
    }

    function test_deniedPlatform_endsAllItsSigners() public {
        address tenant = _register("tenant", Role.Executor, "host1");
        bytes16 ppid = _machine("host1").ppid;
        vm.prank(guardian);
        registry.denyPlatform(ppid);
        vm.assertEq(_liveParties(), 13);
        vm.assertEq(registry.liveUntil(_parties[1]), 0);
        vm.assertEq(registry.liveUntil(tenant), 0);
        _nextBlocks(2);
        Registration memory fresh = _registration("fresh", Role.Keyholder);
        Evidence memory evidence = _evidenceFor("host1", fresh);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.PlatformIsDenied.selector, ppid));
        vm.prank(fresh.operator);
        registry.register(fresh, evidence, "");
    }

    /// @dev ⚔ the old signer of a machine that was broken must not live on once the machine is trusted again.
    function test_platformAllowedAgain_takesFreshSignersOnly() public {
        bytes16 ppid = _machine("host1").ppid;
        vm.prank(guardian);
        registry.denyPlatform(ppid);
        uint256 deniedAt = _height();
        vm.prank(governance);
        registry.allowPlatform(ppid);
        vm.assertEq(registry.liveUntil(_parties[1]), 0);
        vm.assertEq(_liveParties(), 13);
        _nextBlocks(2);
        Registration memory old = _registration("party2", Role.Keyholder);
        Evidence memory evidence = _evidenceFor("host1", old);
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.SignerOlderThanDenial.selector, old.signer, uint64(deniedAt))
        );
        registry.renew(old.signer, old.challengeBlock, evidence);
        address fresh = _register("fresh", Role.Keyholder, "host1");
        vm.assertGt(registry.liveUntil(fresh), _now());
    }

    function test_removedOperator_losesItsSeats() public {
        address operator = registry.nodeOf(_parties[2]).operator;
        vm.prank(guardian);
        registry.removeOperator(operator);
        vm.assertEq(_liveParties(), 11);
        vm.assertEq(registry.liveUntil(_parties[2]), 0);
        Registration memory renewal = _registration("party4", Role.Keyholder);
        // Admission alone brings nothing back, a renewal from before it neither.
        vm.prank(governance);
        registry.admitOperator(operator);
        vm.assertEq(registry.liveUntil(_parties[2]), 0);
        renewal = _registration("party3", Role.Keyholder);
        Evidence memory evidence = _evidenceFor("host2", renewal);
        vm.expectRevert(
            abi.encodeWithSelector(
                INodeRegistry.ChallengeNotFresh.selector, renewal.challengeBlock, _height()
            )
        );
        registry.renew(renewal.signer, renewal.challengeBlock, evidence);
        _nextBlocks(2);
        _renew("party3", Role.Keyholder, "host2");
        vm.assertEq(_liveParties(), 15);
    }

    function test_raisedFloors_endWhatRestsOnOlderSets() public {
        address executor = _register("executor", Role.Executor, "host0");
        _storeTcbInfo(store, _numberedTcb("21"));
        _nextBlocks(2);
        _renew("party4", Role.Keyholder, "host3");
        vm.prank(guardian);
        registry.raiseFloors(21, 20);
        vm.assertEq(_liveParties(), 8);
        vm.assertEq(registry.liveUntil(executor), 0);
        _nextBlocks(2);
        _renew("executor", Role.Executor, "host0");
        vm.assertGt(registry.liveUntil(executor), _now());
        vm.prank(guardian);
        registry.raiseFloors(21, 21);
        vm.assertEq(_liveParties(), 0);
        Registration memory renewal = _registration("party1", Role.Keyholder);
        Evidence memory evidence = _evidenceFor("host0", renewal);
        vm.expectRevert(abi.encodeWithSelector(IQuoteVerifier.NoCurrentQeIdentity.selector, uint16(21)));
        registry.renew(renewal.signer, renewal.challengeBlock, evidence);
    }

    function test_loweredFloors_bringNobodyBackBeforeRenewal() public {
        address executor = _register("executor", Role.Executor, "host0");
        vm.prank(guardian);
        registry.raiseFloors(21, 20);
        vm.prank(governance);
        registry.proposeFloors(20, 20);
        vm.warp(_now() + TIMELOCK);
        registry.activateFloors();
        vm.assertEq(_liveParties(), 0);
        vm.assertEq(registry.liveUntil(executor), 0);
        vm.assertEq(registry.liveUntil(_parties[0]), 0);
        _nextBlocks(2);
        _renew("party1", Role.Keyholder, "host0");
        _renew("executor", Role.Executor, "host0");
        vm.assertEq(_liveParties(), 1);
        vm.assertGt(registry.liveUntil(executor), _now());
    }

    function test_exit_isImmediateWithoutASeatAndDelayedWithOne() public {
        address executor = _register("executor", Role.Executor, "host0");
        vm.expectRevert(
            abi.encodeWithSelector(
                INodeRegistry.NotOperator.selector, address(this), registry.nodeOf(executor).operator
            )
        );
        registry.exit(executor);
        vm.prank(registry.nodeOf(executor).operator);
        registry.exit(executor);
        vm.assertEq(registry.liveUntil(executor), 0);
        address operator = registry.nodeOf(_parties[0]).operator;
        vm.prank(operator);
        registry.exit(_parties[0]);
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 1), _now() + 1 days);
        vm.assertEq(registry.liveUntil(_parties[0]), _now() + 1 days);
        _nextBlocks(2);
        Registration memory renewal = _registration("party1", Role.Keyholder);
        Evidence memory evidence = _evidenceFor("host0", renewal);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SignerExiting.selector, renewal.signer));
        registry.renew(renewal.signer, renewal.challengeBlock, evidence);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SignerExiting.selector, renewal.signer));
        vm.prank(operator);
        registry.exit(renewal.signer);
    }

    /// @dev An exit must not write an expiry where a removal wrote zero.
    function test_exit_doesNotReviveARemovedSeat() public {
        vm.prank(guardian);
        registry.removeEntry(keyholderEntry);
        vm.prank(registry.nodeOf(_parties[0]).operator);
        registry.exit(_parties[0]);
        vm.assertEq(_liveParties(), 0);
    }

    function test_powers() public {
        address nobody = address(0xbad);
        bytes memory notGovernance = abi.encodeWithSelector(INodeRegistry.NotGovernance.selector, guardian);
        bytes memory notEither = abi.encodeWithSelector(INodeRegistry.NotGovernanceOrGuardian.selector, nobody);
        vm.startPrank(guardian);
        vm.expectRevert(notGovernance);
        registry.admitOperator(nobody);
        vm.expectRevert(notGovernance);
        registry.allowPlatform(bytes16(0));
        vm.expectRevert(notGovernance);
        registry.proposeFloors(0, 0);
        vm.expectRevert(notGovernance);
        registry.proposeEntry(_entry(Role.Keyholder, bytes32(uint256(1)), bytes32(uint256(1))));
        vm.stopPrank();
        vm.startPrank(nobody);
        vm.expectRevert(notEither);
        registry.removeOperator(nobody);
        vm.expectRevert(notEither);
        registry.denyPlatform(bytes16(0));
        vm.expectRevert(notEither);
        registry.revoke(_parties[0]);
        vm.expectRevert(notEither);
        registry.removeEntry(keyholderEntry);
        vm.expectRevert(notEither);
        registry.withdrawEntry(keyholderEntry);
        vm.expectRevert(notEither);
        registry.raiseFloors(99, 99);
        vm.expectRevert(notEither);
        registry.withdrawFloors();
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotKeyRegistry.selector, nobody));
        registry.assignSeat(nobody, KEY, EPOCH, 9);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotKeyRegistry.selector, nobody));
        registry.releaseSeat(_parties[0]);
        vm.stopPrank();
    }

    /// @dev Whatever happens in whatever order: a seat's expiry in the verifier is never longer than the standing.
    /// forge-config: default.fuzz.runs = 32
    function testFuzz_verifierNeverKnowsMoreThanTheRegistry(uint256 seed) public {
        for (uint256 step = 0; step < 12; step++) {
            _act(uint8(seed >> (16 * step)) % 10, uint8(seed >> (16 * step + 8)) % 4);
            _nextBlocks(1);
            for (uint8 i = 0; i < 4; i++) {
                uint32 expiry = verifier.expiryOf(KEY, EPOCH, i + 1);
                uint32 standing = registry.liveUntil(_parties[i]);
                vm.assertTrue(expiry == standing || expiry == 0);
            }
        }
    }

    function act(uint8 action, uint8 i) external {
        bytes16 ppid = _machine(string.concat("host", vm.toString(i))).ppid;
        address operator = registry.nodeOf(_parties[i]).operator;
        uint32 entryId = registry.entryFor(Role.Keyholder, _imageId(), COMPOSE_HASH);
        if (action < 3) return _renew(_party(i), Role.Keyholder, string.concat("host", vm.toString(i)));
        if (action == 3) vm.prank(operator);
        if (action == 3) return registry.exit(_parties[i]);
        vm.startPrank(governance);
        if (action == 4) registry.revoke(_parties[i]);
        if (action == 5) registry.denyPlatform(ppid);
        if (action == 6) registry.allowPlatform(ppid);
        if (action == 7) registry.removeOperator(operator);
        if (action == 8) registry.admitOperator(operator);
        if (action == 9) registry.removeEntry(entryId);
        vm.stopPrank();
        if (action == 9) _addEntry(_entry(Role.Keyholder, _imageId(), COMPOSE_HASH));
    }

    /// @dev Refused actions change nothing.
    function _act(uint8 action, uint8 i) private {
        try this.act(action, i) {} catch {}
        vm.stopPrank();
    }

    function _refuseAsStale(Registration memory registration, Evidence memory evidence, uint256 revokedAt) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                INodeRegistry.ChallengeNotFresh.selector, registration.challengeBlock, revokedAt
            )
        );
        vm.prank(registration.operator);
        registry.register(registration, evidence, "");
    }

    function _registerWith(string memory name, bytes32 composeHash) private returns (address) {
        Registration memory registration = _registration(name, Role.Keyholder);
        Machine memory host = _machine("host0");
        bytes memory quote =
            _quote(host, registry.reportDataOf(registration), _setBlockHash(registration.challengeBlock));
        for (uint256 i = 0; i < 32; i++) quote[MR_CONFIG_ID + 1 + i] = composeHash[i];
        Evidence memory evidence = _evidence(host, quote, _qeReport(host));
        vm.prank(registration.operator);
        registry.register(registration, evidence, "");
        return registration.signer;
    }

    function _numberedTcb(string memory number) private view returns (bytes memory json) {
        json = _text(".tcbInfos.current");
        bytes memory digits = bytes(number);
        uint256 start = 0;
        bytes memory name = '"tcbEvaluationDataNumber":20';
        while (keccak256(_part(json, start, name.length)) != keccak256(name)) start++;
        json[start + name.length - 2] = digits[0];
        json[start + name.length - 1] = digits[1];
    }

    function _part(bytes memory data, uint256 start, uint256 length) private pure returns (bytes memory part) {
        part = new bytes(length);
        for (uint256 i = 0; i < length; i++) part[i] = data[start + i];
    }
}
