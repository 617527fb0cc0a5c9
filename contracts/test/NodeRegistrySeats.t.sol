// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {Evidence} from "../src/interfaces/IQuoteVerifier.sol";
import {Registration, Role, Seat} from "../src/types/Node.sol";
import {Registry} from "./attestation/support/Registry.sol";

/// @notice Seats: who gets one, how many there are, and what ends with them.
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

    /// @dev Nothing could end a standing that outlived its seat.
    function test_releasedSeat_losesItsExpiryForGood() public {
        address[] memory parties = _seatFour();
        registry.releaseSeat(parties[1]);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SignerNotSeated.selector, parties[1]));
        registry.releaseSeat(parties[1]);
        Seat memory seat = registry.seatOf(parties[1]);
        vm.assertEq(seat.index, 0);
        vm.assertEq(_liveParties(), 13);
        _nextBlocks(5);
        _renew("party2", Role.Keyholder, "host1");
        vm.assertEq(_liveParties(), 13);
        vm.assertGt(registry.liveUntil(parties[1]), _now());
    }

    /// @dev ⚔ two seats of one operator in a committee would be two votes of one human.
    function test_operator_hasOneSeatAndASuccessor() public {
        address[] memory parties = _seatFour();
        address next = _registerFor("successor", registry.nodeOf(parties[0]).operator, "host0");
        bytes memory refusal = abi.encodeWithSelector(
            INodeRegistry.OperatorSeated.selector, registry.nodeOf(next).operator, KEY, EPOCH
        );
        vm.expectRevert(refusal);
        registry.assignSeat(next, KEY, EPOCH, 5);
        _installEmpty(KEY, EPOCH - 1);
        vm.expectRevert(refusal);
        registry.assignSeat(next, KEY, EPOCH - 1, 1);
        _installEmpty(KEY, 2);
        registry.assignSeat(next, KEY, 2, 1);
        (Seat memory seat, Seat memory successor) = registry.seatsOfOperator(registry.nodeOf(next).operator, KEY);
        vm.assertEq(seat.epoch, EPOCH);
        vm.assertEq(successor.epoch, 2);
        vm.assertEq(successor.index, 1);
        // A third one waits until the first is gone, from whichever epoch.
        address third = _registerFor("third", registry.nodeOf(next).operator, "host0");
        _installEmpty(KEY, 3);
        vm.expectRevert(refusal);
        registry.assignSeat(third, KEY, 3, 1);
        registry.releaseSeat(parties[0]);
        (seat, successor) = registry.seatsOfOperator(registry.nodeOf(next).operator, KEY);
        vm.assertEq(seat.epoch, 2);
        vm.assertEq(successor.index, 0);
        registry.assignSeat(third, KEY, 3, 1);
        registry.releaseSeat(third);
        registry.releaseSeat(next);
        (seat, successor) = registry.seatsOfOperator(registry.nodeOf(next).operator, KEY);
        vm.assertEq(seat.index, 0);
        vm.assertEq(successor.index, 0);
    }

    /// @dev The next key is made by those who hold the present one, each with another signer.
    function test_operator_hasSeatsInSeveralKeys() public {
        address[] memory parties = _seatFour();
        bytes32 other = keccak256("another key");
        address operator = registry.nodeOf(parties[0]).operator;
        address[] memory second = new address[](1);
        second[0] = _registerFor("of the other key", operator, "host0");
        _seat(other, EPOCH, second);
        (Seat memory seat, Seat memory successor) = registry.seatsOfOperator(operator, other);
        vm.assertEq(seat.keyId, other);
        vm.assertEq(successor.index, 0);
        // What ends in one key leaves the other one alone.
        registry.releaseSeat(parties[0]);
        (seat,) = registry.seatsOfOperator(operator, KEY);
        vm.assertEq(seat.index, 0);
        (seat,) = registry.seatsOfOperator(operator, other);
        vm.assertEq(seat.index, 1);
        vm.assertGt(verifier.expiryOf(other, EPOCH, 1), _now());
        address third = _registerFor("second of the other key", operator, "host0");
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.OperatorSeated.selector, operator, other, EPOCH));
        registry.assignSeat(third, other, EPOCH, 2);
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.SignerSeated.selector, second[0], other, EPOCH, uint8(1))
        );
        registry.assignSeat(second[0], KEY, EPOCH, 1);
    }

    /// @dev ⚔ a removed operator keeps no seat in any key.
    function test_removedOperator_losesItsSeatsInEveryKey() public {
        address[] memory parties = _seatFour();
        address operator = registry.nodeOf(parties[3]).operator;
        address[] memory second = new address[](1);
        for (uint256 i = 1; i <= 3; i++) {
            second[0] = _registerFor(string.concat("key", vm.toString(i)), operator, "host3");
            _seat(_key(i), EPOCH, second);
            vm.assertGt(verifier.expiryOf(_key(i), EPOCH, 1), _now());
        }
        vm.prank(guardian);
        registry.removeOperator(operator);
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 4), 0);
        for (uint256 i = 1; i <= 3; i++) vm.assertEq(verifier.expiryOf(_key(i), EPOCH, 1), 0);
        vm.assertEq(_liveParties(), 7);
    }

    /// @dev An operator is not shut out for ever by a signer that is.
    function test_revokedSigner_isVacatedByAnyone() public {
        address[] memory parties = _seatFour();
        address operator = registry.nodeOf(parties[1]).operator;
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SeatInUse.selector, parties[1]));
        registry.vacateSeat(parties[1]);
        vm.prank(guardian);
        registry.revoke(parties[1]);
        _nextBlocks(2);
        address next = _registerFor("successor", operator, "host1");
        _installEmpty(KEY, EPOCH - 1);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.OperatorSeated.selector, operator, KEY, EPOCH));
        registry.assignSeat(next, KEY, EPOCH - 1, 1);
        vm.expectEmit(address(registry));
        emit INodeRegistry.SeatReleased(parties[1], KEY, EPOCH, 2);
        vm.prank(address(0xa11));
        registry.vacateSeat(parties[1]);
        vm.assertEq(registry.seatOf(parties[1]).index, 0);
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 2), 0);
        registry.assignSeat(next, KEY, EPOCH - 1, 1);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SignerNotSeated.selector, parties[1]));
        registry.vacateSeat(parties[1]);
        // What was vacated stays so, whatever the successor's standing does.
        _nextBlocks(2);
        Registration memory renewal = _registration("successor", Role.Keyholder);
        renewal.operator = operator;
        registry.renew(next, renewal.challengeBlock, _evidenceFor("host1", renewal));
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 2), 0);
    }

    function test_exitedSigner_isVacatedAfterTheDelay() public {
        address[] memory parties = _seatFour();
        vm.prank(registry.nodeOf(parties[0]).operator);
        registry.exit(parties[0]);
        uint256 until = _now() + 1 days;
        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SeatInUse.selector, parties[0]));
        registry.vacateSeat(parties[0]);
        vm.assertGt(verifier.expiryOf(KEY, EPOCH, 1), _now());
        vm.warp(until);
        registry.vacateSeat(parties[0]);
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 1), 0);
        (Seat memory held,) = registry.seatsOfOperator(registry.nodeOf(parties[0]).operator, KEY);
        vm.assertEq(held.index, 0);
        // A standing that merely lapsed frees nothing: it comes back by a renewal.
        vm.warp(_now() + 30 days);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SeatInUse.selector, parties[2]));
        registry.vacateSeat(parties[2]);
    }

    function test_removedOperator_losesBothSeats() public {
        address[] memory parties = _seatFour();
        address operator = registry.nodeOf(parties[2]).operator;
        address next = _registerFor("successor", operator, "host0");
        address[] memory successors = new address[](1);
        successors[0] = next;
        _seat(KEY, 2, successors);
        vm.assertGt(verifier.expiryOf(KEY, 2, 1), _now());
        vm.prank(guardian);
        registry.removeOperator(operator);
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 3), 0);
        vm.assertEq(verifier.expiryOf(KEY, 2, 1), 0);
        vm.assertEq(_liveParties(), 11);
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
    }

    function test_sixtyFourSeats_areTheMost() public {
        address spare = _fillAllSeats(13);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.TooManySeats.selector));
        registry.assignSeat(spare, KEY, EPOCH, 13);
    }

    function _registerFor(string memory name, address operator, string memory machine) private returns (address) {
        Registration memory registration = _registration(name, Role.Keyholder);
        registration.operator = operator;
        Evidence memory evidence = _evidenceFor(machine, registration);
        vm.prank(operator);
        registry.register(registration, evidence, "");
        return registration.signer;
    }

    /// @dev An epoch without live parties.
    function _installEmpty(bytes32 key, uint32 epoch) private {
        verifier.installEpoch(key, epoch, _header(4), new uint32[](4), new address[](4));
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
