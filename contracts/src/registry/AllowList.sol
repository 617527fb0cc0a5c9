// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {ACTIVATION_WINDOW, timelockDelay} from "../libraries/Timelock.sol";
import {AllowListEntry, EntryStatus, Role} from "../types/Node.sol";
import {Governed} from "./Governed.sol";

/// @title AllowList
/// @notice Which software may run in which role. An entry's number is never used again, so a record that refers to a
/// removed entry stays without standing whatever is added later.
abstract contract AllowList is INodeRegistry, Governed {
    /// @param beforeRemoval the newest proposal there was when this entry was removed
    struct StoredEntry {
        EntryStatus status;
        Role role;
        uint32 version;
        uint40 activeAt;
        uint32 beforeRemoval;
        bytes32 imageId;
        bytes32 composeHash;
        bytes32 providerId;
    }

    uint32 private _lastEntryId;
    mapping(uint32 entryId => StoredEntry) private _entries;
    /// @dev The entry that was activated last; it may be removed since.
    mapping(bytes32 measurement => uint32 entryId) private _lastActivated;

    /// @inheritdoc INodeRegistry
    function proposeEntry(AllowListEntry calldata entry) external onlyGovernance returns (uint32 entryId) {
        if (entry.role == Role.None || entry.imageId == 0 || entry.composeHash == 0) revert EntryIncomplete();
        entryId = ++_lastEntryId;
        uint40 activeAt = uint40(block.timestamp + timelockDelay());
        _entries[entryId] = StoredEntry({
            status: EntryStatus.Proposed,
            role: entry.role,
            version: entry.version,
            activeAt: activeAt,
            beforeRemoval: 0,
            imageId: entry.imageId,
            composeHash: entry.composeHash,
            providerId: entry.providerId
        });
        emit EntryProposed(entryId, entry, activeAt);
    }

    /// @inheritdoc INodeRegistry
    function withdrawEntry(uint32 entryId) external onlyGovernanceOrGuardian {
        _requireStatus(entryId, EntryStatus.Proposed).status = EntryStatus.Withdrawn;
        emit EntryWithdrawn(entryId);
    }

    /// @inheritdoc INodeRegistry
    function activateEntry(uint32 entryId) external {
        StoredEntry storage entry = _requireStatus(entryId, EntryStatus.Proposed);
        if (block.timestamp < entry.activeAt) revert TimelockRunning(entry.activeAt, block.timestamp);
        uint256 lapsesAt = uint256(entry.activeAt) + ACTIVATION_WINDOW;
        if (block.timestamp > lapsesAt) revert ProposalLapsed(lapsesAt, block.timestamp);
        bytes32 measurement = _measurementOf(entry.role, entry.imageId, entry.composeHash);
        uint32 last = _lastActivated[measurement];
        if (_isActive(last)) revert MeasurementTaken(last);
        // ⚔ A twin whose timelock is over must not bring back at once what was removed.
        if (entryId <= _entries[last].beforeRemoval) revert EntryOlderThanRemoval(entryId);
        _lastActivated[measurement] = entryId;
        entry.status = EntryStatus.Active;
        emit EntryActivated(entryId);
    }

    /// @inheritdoc INodeRegistry
    function removeEntry(uint32 entryId) external onlyGovernanceOrGuardian {
        StoredEntry storage entry = _requireStatus(entryId, EntryStatus.Active);
        (entry.status, entry.beforeRemoval) = (EntryStatus.Removed, _lastEntryId);
        emit EntryRemoved(entryId);
        _clearSeatsOf(entryId);
    }

    /// @inheritdoc INodeRegistry
    function entryOf(uint32 entryId) external view returns (AllowListEntry memory entry, EntryStatus status) {
        StoredEntry storage held = _entries[entryId];
        entry = AllowListEntry(held.role, held.imageId, held.composeHash, held.providerId, held.version);
        status = held.status;
    }

    /// @inheritdoc INodeRegistry
    function entryFor(Role role, bytes32 imageId, bytes32 composeHash) public view returns (uint32 entryId) {
        return _activeEntryFor(_measurementOf(role, imageId, composeHash));
    }

    function _isActive(uint32 entryId) internal view returns (bool) {
        return _entries[entryId].status == EntryStatus.Active;
    }

    /// @dev Whether two entries name the same software.
    function _isSameMeasurement(uint32 a, uint32 b) internal view returns (bool) {
        return _entries[a].imageId == _entries[b].imageId && _entries[a].composeHash == _entries[b].composeHash;
    }

    /// @dev Zeroes the expiries of all seats under the entry.
    function _clearSeatsOf(uint32 entryId) internal virtual;

    function _activeEntryFor(bytes32 measurement) private view returns (uint32 entryId) {
        entryId = _lastActivated[measurement];
        if (!_isActive(entryId)) entryId = 0;
    }

    function _requireStatus(uint32 entryId, EntryStatus status) private view returns (StoredEntry storage entry) {
        entry = _entries[entryId];
        if (entry.status != status) revert WrongEntryStatus(entryId, entry.status);
    }

    function _measurementOf(Role role, bytes32 imageId, bytes32 composeHash) private pure returns (bytes32) {
        return keccak256(abi.encode(role, imageId, composeHash));
    }
}
