// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionVerifier} from "../interfaces/IDecryptionVerifier.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";

/// @notice The live seats: at most 64, in at most 16 committees of at most 16 parties.
/// @param groups a committee (keyId, epoch) that has seats, and its members (bit index - 1)
/// @param groupOf number of a committee plus one
/// @param signers by seat number = 16 · group + index - 1
/// @param byEntry seats under an allow-list entry (bit = seat number)
/// @param count seats in use
struct Seats {
    Group[16] groups;
    mapping(bytes32 committee => uint256 group) groupOf;
    mapping(uint256 number => address signer) signers;
    mapping(uint32 entryId => uint256 bits) byEntry;
    uint256 count;
}

struct Group {
    bytes32 keyId;
    uint32 epoch;
    uint16 members;
}

/// @title SeatBook
/// @notice Finds the seats that a removal affects at bounded cost: one bitmap per entry, one call to the verifier
/// per committee.
library SeatBook {
    uint256 internal constant MAX_SEATS = 64;
    uint256 private constant GROUPS = 16;
    uint256 private constant PER_GROUP = 16;

    /// @return number of the seat
    function assign(Seats storage seats, address signer, uint32 entryId, bytes32 keyId, uint32 epoch, uint8 index)
        internal
        returns (uint256 number)
    {
        if (index == 0 || index > PER_GROUP) revert INodeRegistry.SeatOutOfRange(index);
        if (seats.count == MAX_SEATS) revert INodeRegistry.TooManySeats();
        uint256 group = _groupFor(seats, keyId, epoch);
        uint16 bit = uint16(1 << (index - 1));
        if (seats.groups[group].members & bit != 0) revert INodeRegistry.SeatTaken(keyId, epoch, index);
        seats.groups[group].members |= bit;
        number = group * PER_GROUP + index - 1;
        seats.signers[number] = signer;
        seats.byEntry[entryId] |= 1 << number;
        seats.count++;
    }

    /// @dev A committee without members gives its number free.
    function release(Seats storage seats, uint256 number, uint32 entryId) internal {
        Group storage group = seats.groups[number / PER_GROUP];
        group.members &= ~uint16(1 << (number % PER_GROUP));
        delete seats.signers[number];
        seats.byEntry[entryId] &= ~(1 << number);
        seats.count--;
        if (group.members == 0) {
            delete seats.groupOf[_committee(group.keyId, group.epoch)];
            delete seats.groups[number / PER_GROUP];
        }
    }

    /// @dev After a renewal under another entry for the same software.
    function move(Seats storage seats, uint256 number, uint32 fromEntry, uint32 toEntry) internal {
        seats.byEntry[fromEntry] &= ~(1 << number);
        seats.byEntry[toEntry] |= 1 << number;
    }

    function locate(Seats storage seats, uint256 number)
        internal
        view
        returns (bytes32 keyId, uint32 epoch, uint8 index)
    {
        Group storage group = seats.groups[number / PER_GROUP];
        return (group.keyId, group.epoch, uint8(number % PER_GROUP + 1));
    }

    /// @notice All seats in use (bit = seat number).
    function all(Seats storage seats) internal view returns (uint256 bits) {
        for (uint256 group = 0; group < GROUPS; group++) {
            bits |= uint256(seats.groups[group].members) << (group * PER_GROUP);
        }
    }

    /// @notice Zeroes the expiries of these seats.
    function clear(Seats storage seats, uint256 bits, IDecryptionVerifier verifier) internal {
        for (uint256 group = 0; bits != 0; group++) {
            uint256 parties = uint16(bits);
            bits >>= PER_GROUP;
            if (parties == 0) continue;
            verifier.clearExpiries(seats.groups[group].keyId, seats.groups[group].epoch, parties);
        }
    }

    function _groupFor(Seats storage seats, bytes32 keyId, uint32 epoch) private returns (uint256 group) {
        bytes32 committee = _committee(keyId, epoch);
        group = seats.groupOf[committee];
        if (group != 0) return group - 1;
        while (seats.groups[group].members != 0) if (++group == GROUPS) revert INodeRegistry.TooManySeats();
        seats.groups[group].keyId = keyId;
        seats.groups[group].epoch = epoch;
        seats.groupOf[committee] = group + 1;
    }

    function _committee(bytes32 keyId, uint32 epoch) private pure returns (bytes32) {
        return keccak256(abi.encode(keyId, epoch));
    }
}
