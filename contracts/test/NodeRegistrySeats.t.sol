// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {Role, Seat} from "../src/types/Node.sol";
import {Registry} from "./attestation/support/Registry.sol";

/// @notice Seats: who gets one, how many there are, and what removing an entry costs when all are taken.
contract NodeRegistrySeatsTest is Registry {
    function test_seat_needsALiveKeyholderWithoutOne() public {
        address[] memory parties = _seatFour();
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SignerSeated.selector, parties[0], KEY, EPOCH, uint8(1)));
        registry.assignSeat(parties[0], KEY, 2, 1);
        address executor = _register("executor", Role.Executor, "host0");
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.WrongRole.selector, Role.Executor));
        registry.assignSeat(executor, KEY, EPOCH, 5);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.WrongRole.selector, Role.None));
        registry.assignSeat(address(0xbad), KEY, EPOCH, 5);
        address spare = _register("spare", Role.Keyholder, "host0");
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SeatTaken.selector, KEY, EPOCH, uint8(4)));
        registry.assignSeat(spare, KEY, EPOCH, 4);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SeatOutOfRange.selector, uint8(0)));
        registry.assignSeat(spare, KEY, EPOCH, 0);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SeatOutOfRange.selector, uint8(17)));
        registry.assignSeat(spare, KEY, EPOCH, 17);
        vm.prank(guardian);
        registry.removeEntry(keyholderEntry);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotLive.selector, spare));
        registry.assignSeat(spare, KEY, EPOCH, 5);
    }

    function test_exitingOrLapsedSigner_getsNoSeat() public {
        address spare = _register("spare", Role.Keyholder, "host0");
        vm.warp(_now() + 7 days);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotLive.selector, spare));
        registry.assignSeat(spare, KEY, EPOCH, 1);
        address leaver = _register("leaver", Role.Keyholder, "host0");
        vm.prank(registry.nodeOf(leaver).operator);
        registry.exit(leaver);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotLive.selector, leaver));
        registry.assignSeat(leaver, KEY, EPOCH, 1);
    }

    function test_releasedSeat_endsTheWriteThrough() public {
        address[] memory parties = _seatFour();
        registry.releaseSeat(parties[1]);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SignerNotSeated.selector, parties[1]));
        registry.releaseSeat(parties[1]);
        Seat memory seat = registry.seatOf(parties[1]);
        vm.assertEq(seat.index, 0);
        uint32 before = verifier.expiryOf(KEY, EPOCH, 2);
        _nextBlocks(5);
        _renew("party2", Role.Keyholder, "host1");
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 2), before);
        vm.prank(guardian);
        registry.removeEntry(keyholderEntry);
        vm.assertEq(_liveParties(), 2);
    }

    function test_numbersOfReleasedSeats_areUsedAgain() public {
        address[] memory parties = _seatFour();
        for (uint256 i = 0; i < 4; i++) registry.releaseSeat(parties[i]);
        _seat(keccak256("next key"), 7, parties);
        Seat memory seat = registry.seatOf(parties[3]);
        vm.assertEq(seat.keyId, keccak256("next key"));
        vm.assertEq(seat.epoch, 7);
        vm.assertEq(seat.index, 4);
        vm.prank(guardian);
        registry.removeEntry(keyholderEntry);
        vm.assertEq(verifier.expiryOf(keccak256("next key"), 7, 4), 0);
        vm.assertEq(_liveParties(), 15);
    }

    function test_sixtyFourSeats_areTheMost() public {
        address spare = _fillAllSeats(13);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.TooManySeats.selector));
        registry.assignSeat(spare, KEY, EPOCH, 13);
    }

    /// @dev Largest removal there can be: 64 seats in committees of 13, all under one entry.
    /// forge-config: default.isolate = true
    function test_gas_removalOfTheEntryOfAllSeats() public {
        _fillAllSeats(13);
        vm.prank(guardian);
        registry.removeEntry(keyholderEntry);
        vm.snapshotGasLastCall("attestation", "remove entry, 64 seats in 5 committees");
        for (uint256 committee = 0; committee < 5; committee++) {
            vm.assertEq(verifier.expiryOf(_key(committee), EPOCH, 12), 0);
        }
    }

    /// forge-config: default.isolate = true
    function test_gas_raiseOfTheFloorsOverAllSeats() public {
        _fillAllSeats(13);
        vm.prank(guardian);
        registry.raiseFloors(21, 20);
        vm.snapshotGasLastCall("attestation", "raise floors, 64 seats in 5 committees");
        vm.assertEq(verifier.expiryOf(_key(4), EPOCH, 12), 0);
    }

    /// @return spare a live keyholder for whom there is no seat
    function _fillAllSeats(uint256 size) private returns (address spare) {
        uint256 seated = 0;
        for (uint256 committee = 0; seated < 64; committee++) {
            address[] memory parties = new address[](64 - seated < size ? 64 - seated : size);
            for (uint256 i = 0; i < parties.length; i++) {
                parties[i] = this.registerKeyholder(string.concat("seat", vm.toString(seated++)));
            }
            _seat(_key(committee), EPOCH, parties);
        }
        return _register("spare", Role.Keyholder, "host0");
    }

    /// @dev By a call, whose memory is free again afterwards.
    function registerKeyholder(string calldata name) external returns (address) {
        return _register(name, Role.Keyholder, "host0");
    }

    function _key(uint256 committee) private pure returns (bytes32) {
        return keccak256(abi.encode("key", committee));
    }
}
