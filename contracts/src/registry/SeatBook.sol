// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionVerifier} from "../interfaces/IDecryptionVerifier.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {Bitmap} from "../libraries/Bitmap.sol";

/// @notice The live seats: at most 64, in at most 16 committees of at most 16 parties. A seat's number is
/// 16 · number of its committee + index - 1, and sets of seats are bitmaps by this number.
/// @param taken seats in use
/// @param inGrace those whose newest quote rests on collateral past its date
/// @param committeeIds what the verifier calls the committees, as it takes them: four to a word
/// @param committees by number
/// @param numberOf number of a committee (keyId, epoch) that has seats, plus one
/// @param signers by seat number
/// @param byEntry seats under an allow-list entry
struct Seats {
    uint256 taken;
    uint256 inGrace;
    uint256[4] committeeIds;
    SeatedCommittee[16] committees;
    mapping(bytes32 committee => uint256 number) numberOf;
    mapping(uint256 number => address signer) signers;
    mapping(uint32 entryId => uint256 seats) byEntry;
}

struct SeatedCommittee {
    bytes32 keyId;
    uint32 epoch;
}

/// @title SeatBook
/// @notice Finds the seats that a removal affects at bounded cost: one bitmap per entry, one call to the verifier, one
/// read per four committees.
library SeatBook {
    uint256 internal constant MAX_SEATS = 64;
    uint256 private constant COMMITTEES = 16;
    uint256 private constant PER_COMMITTEE = 16;

    /// @return number of the seat
    function assign(
        Seats storage seats,
        IDecryptionVerifier verifier,
        address signer,
        uint32 entryId,
        bytes32 keyId,
        uint32 epoch,
        uint8 index
    ) internal returns (uint256 number) {
        if (index == 0 || index > PER_COMMITTEE) revert INodeRegistry.SeatOutOfRange(index);
        uint256 taken = seats.taken;
        if (Bitmap.count(taken) == MAX_SEATS) revert INodeRegistry.TooManySeats();
        number = _numberFor(seats, verifier, taken, keyId, epoch) * PER_COMMITTEE + index - 1;
        if ((taken >> number) & 1 == 1) revert INodeRegistry.SeatTaken(keyId, epoch, index);
        seats.taken = taken | (1 << number);
        seats.signers[number] = signer;
        seats.byEntry[entryId] |= 1 << number;
    }

    /// @dev A committee without members gives its number free.
    function release(Seats storage seats, uint256 number, uint32 entryId) internal {
        uint256 bit = 1 << number;
        seats.taken &= ~bit;
        seats.byEntry[entryId] &= ~bit;
        mark(seats, number, false);
        delete seats.signers[number];
        uint256 committee = number / PER_COMMITTEE;
        if (uint16(seats.taken >> (committee * PER_COMMITTEE)) == 0) {
            SeatedCommittee storage left = seats.committees[committee];
            delete seats.numberOf[_hashOf(left.keyId, left.epoch)];
            delete seats.committees[committee];
        }
    }

    /// @dev After a renewal under another entry for the same software.
    function move(Seats storage seats, uint256 number, uint32 fromEntry, uint32 toEntry) internal {
        seats.byEntry[fromEntry] &= ~(1 << number);
        seats.byEntry[toEntry] |= 1 << number;
    }

    /// @dev Keeps whether the seat's standing rests on grace.
    function mark(Seats storage seats, uint256 number, bool inGrace) internal {
        uint256 held = seats.inGrace;
        uint256 next = inGrace ? held | (1 << number) : held & ~(1 << number);
        if (next != held) seats.inGrace = next;
    }

    function locate(Seats storage seats, uint256 number)
        internal
        view
        returns (bytes32 keyId, uint32 epoch, uint8 index)
    {
        SeatedCommittee storage committee = seats.committees[number / PER_COMMITTEE];
        return (committee.keyId, committee.epoch, uint8(number % PER_COMMITTEE + 1));
    }

    /// @return parties of a committee (bit index - 1) whose standing rests on grace
    function graceOf(Seats storage seats, bytes32 keyId, uint32 epoch) internal view returns (uint256 parties) {
        uint256 number = seats.numberOf[_hashOf(keyId, epoch)];
        return number == 0 ? 0 : uint16(seats.inGrace >> ((number - 1) * PER_COMMITTEE));
    }

    /// @notice Zeroes the expiries of these seats.
    function clear(Seats storage seats, uint256 numbers, IDecryptionVerifier verifier) internal {
        if (numbers == 0) return;
        uint256[4] memory committeeIds;
        for (uint256 word = 0; word < 4; word++) {
            if (uint64(numbers >> (64 * word)) != 0) committeeIds[word] = seats.committeeIds[word];
        }
        verifier.clearExpiries(committeeIds, numbers);
    }

    function _numberFor(Seats storage seats, IDecryptionVerifier verifier, uint256 taken, bytes32 keyId, uint32 epoch)
        private
        returns (uint256 number)
    {
        bytes32 committee = _hashOf(keyId, epoch);
        number = seats.numberOf[committee];
        if (number != 0) return number - 1;
        while (uint16(taken >> (number * PER_COMMITTEE)) != 0) {
            if (++number == COMMITTEES) revert INodeRegistry.TooManySeats();
        }
        seats.committees[number] = SeatedCommittee(keyId, epoch);
        seats.numberOf[committee] = number + 1;
        uint256 shift = 64 * (number % 4);
        uint256 others = seats.committeeIds[number / 4] & ~(uint256(type(uint64).max) << shift);
        seats.committeeIds[number / 4] = others | uint256(verifier.committeeIdOf(keyId, epoch)) << shift;
    }

    function _hashOf(bytes32 keyId, uint32 epoch) private pure returns (bytes32) {
        return keccak256(abi.encode(keyId, epoch));
    }
}
