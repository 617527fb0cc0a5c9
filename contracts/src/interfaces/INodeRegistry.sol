// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRecord, Seat} from "../types/Node.sol";

/// @title Attested nodes and their standing (protocol §2, attestation.md §4)
interface INodeRegistry {
    event SeatAssigned(address indexed signer, bytes32 indexed keyId, uint32 indexed epoch, uint8 index);
    event SeatReleased(address indexed signer, bytes32 indexed keyId, uint32 indexed epoch, uint8 index);

    error NotKeyRegistry(address caller);
    error UnknownSigner(address signer);
    error SignerSeated(address signer, bytes32 keyId, uint32 epoch, uint8 index);
    error SignerNotSeated(address signer);

    /// @return the record of a signer; all zero where it never registered
    function nodeOf(address signer) external view returns (NodeRecord memory);

    /// @return end of the signer's standing in seconds, exclusive (live while block.timestamp is below it); 0 where it
    /// is unknown, revoked, exited, or its allow-list entry or TCB set is no longer accepted
    function liveUntil(address signer) external view returns (uint32);

    function seatOf(address signer) external view returns (Seat memory);

    /// @notice Gives a signer its seat: from now on renewals and removals write through to the verifier. Only
    /// KeyRegistry, in the transaction that installs the epoch with the signer's current expiry.
    function assignSeat(address signer, bytes32 keyId, uint32 epoch, uint8 index) external;

    /// @notice Ends the write-through. Only KeyRegistry.
    function releaseSeat(address signer) external;
}
