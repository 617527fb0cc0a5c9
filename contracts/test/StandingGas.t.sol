// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Evidence} from "../src/interfaces/IQuoteVerifier.sol";
import {Registration, Role} from "../src/types/Node.sol";
import {StandingTest} from "./support/StandingTest.sol";

/// @notice What a removal costs with every seat taken and 10,000 registrations without one: 60,000 gas and 5,000 per
/// slot of expiries at most, whatever the committees' sizes.
contract StandingGasTest is StandingTest {
    uint256 private constant UNSEATED = 10_000;
    string private constant GROUP = "registry";

    function setUp() public override {
        super.setUp();
        vm.pauseGasMetering();
        // All of one operator, on one machine: the registry does not care.
        _admit(addressOfName("operator of many"));
        for (uint256 i; i < UNSEATED; ++i) this.registerOneOfMany(i);
        vm.resumeGasMetering();
    }

    /// @dev By a call, whose memory is free again afterwards.
    function registerOneOfMany(uint256 i) external {
        Registration memory registration = Registration({
            operator: vm.addr(keyOfName("operator of many")),
            role: i % 2 == 0 ? Role.Keyholder : Role.Executor,
            signer: _signerOfMany(i),
            peerIdHash: keccak256(abi.encode("peer", i)),
            configHash: keccak256("configuration"),
            challengeBlock: uint64(_height() - 1)
        });
        Evidence memory evidence = _evidence(registration, _machine(0));
        vm.prank(registration.operator);
        registry.register(registration, evidence, "");
    }

    function registerKeyholder(string calldata name) external returns (address) {
        return _register(name, Role.Keyholder, 1);
    }

    /// forge-config: default.isolate = true
    function test_removal_ofAnEntryWithoutSeats() public {
        vm.prank(guardian);
        registry.removeEntry(executorEntry);
        vm.assertLe(vm.snapshotGasLastCall(GROUP, "remove entry, no seat"), 60_000);
        vm.assertEq(registry.liveUntil(_signerOfMany(9_999)), 0);
        vm.assertGt(registry.liveUntil(_signerOfMany(9_998)), _now());
    }

    /// forge-config: default.isolate = true
    function test_removal_oneCommitteeOfFour() public {
        _removeWithSeats("remove entry, 4 seats in 1 slot", 4, 4, 1);
    }

    /// forge-config: default.isolate = true
    function test_removal_committeesOfThirteen() public {
        _removeWithSeats("remove entry, 64 seats in 10 slots, 10,000 unseated", 64, 13, 10);
    }

    /// @dev The most slots that 64 seats can have.
    /// forge-config: default.isolate = true
    function test_removal_committeesOfFour() public {
        _removeWithSeats("remove entry, 64 seats in 16 slots, 10,000 unseated", 64, 4, 16);
    }

    /// forge-config: default.isolate = true
    function test_floors_overAllSeats() public {
        _fill(64, 13);
        vm.prank(guardian);
        registry.raiseFloors(21, 20);
        vm.assertLe(vm.snapshotGasLastCall(GROUP, "raise floors, 64 seats"), 1_500_000);
        _assertNoneLive(64, 13);
    }

    /// forge-config: default.isolate = true
    function test_denial_overAllSeats() public {
        _fill(64, 13);
        bytes16 ppid = _machine(1).ppid;
        vm.prank(guardian);
        registry.denyPlatform(ppid);
        vm.assertLe(vm.snapshotGasLastCall(GROUP, "deny platform, 64 seats"), 1_500_000);
        _assertNoneLive(64, 13);
    }

    /// forge-config: default.isolate = true
    function test_removedOperator_amongAllSeats() public {
        _fill(64, 13);
        address operator = vm.addr(keyOfName("operator of seat7"));
        vm.prank(guardian);
        registry.removeOperator(operator);
        vm.assertLe(vm.snapshotGasLastCall(GROUP, "remove operator, 64 seats"), 65_000);
        vm.assertEq(verifier.expiryOf(_key(0), EPOCH, 8), 0);
        vm.assertGt(verifier.expiryOf(_key(0), EPOCH, 9), _now());
    }

    function _removeWithSeats(string memory name, uint256 seats, uint256 size, uint256 slots) private {
        _fill(seats, size);
        vm.prank(guardian);
        registry.removeEntry(keyholderEntry);
        vm.assertLe(vm.snapshotGasLastCall(GROUP, name), 60_000 + 5_000 * slots);
        _assertNoneLive(seats, size);
        vm.assertEq(registry.liveUntil(_signerOfMany(0)), 0);
        vm.assertGt(registry.liveUntil(_signerOfMany(1)), _now());
    }

    function _fill(uint256 seats, uint256 size) private {
        vm.pauseGasMetering();
        uint256 seated;
        for (uint256 committee; seated < seats; ++committee) {
            address[] memory signers = new address[](seats - seated < size ? seats - seated : size);
            for (uint256 i; i < signers.length; ++i) {
                signers[i] = this.registerKeyholder(string.concat("seat", vm.toString(seated++)));
            }
            _install(_key(committee), EPOCH, signers);
        }
        vm.resumeGasMetering();
    }

    function _assertNoneLive(uint256 seats, uint256 size) private view {
        for (uint256 i; i < seats; ++i) {
            vm.assertEq(verifier.expiryOf(_key(i / size), EPOCH, uint8(i % size + 1)), 0);
        }
    }

    function _key(uint256 committee) private pure returns (bytes32) {
        return keccak256(abi.encode("key", committee));
    }

    function _signerOfMany(uint256 i) private pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("one of many", i)))));
    }
}
