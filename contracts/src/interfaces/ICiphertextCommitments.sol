// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Commitment} from "../types/Commitment.sol";
import {FheType} from "../types/Encrypted.sol";

/// @title Which ciphertext a handle stands for, by the word of k executors (protocol §8)
interface ICiphertextCommitments {
    /// @notice One executor's word. Carries all fields, so that the leaf can be recomputed from the event.
    event CommitmentVoted(bytes32 indexed handle, bytes32 indexed leaf, address indexed executor, Commitment commitment);
    event CommitmentFinal(bytes32 indexed handle, bytes32 indexed leaf, uint256 voters);
    /// @param leaf the second one that reached k votes
    event CommitmentFrozen(bytes32 indexed handle, bytes32 indexed leaf, uint256 voters);

    error KeyNotBound(bytes32 keyId, bytes32 bound);
    error NotAnExecutor(address caller);
    error ExecutorNotLive(address executor, uint32 liveUntil);
    error BadHandle(bytes32 handle);
    error OperationMismatch(bytes32 handle, bytes32 operationDigest);
    error TypeMismatch(bytes32 handle, FheType fheType);
    error BlockCountMismatch(uint32 blockCount, uint32 expected);
    error DigestMissing(bytes32 handle);

    /// @notice Votes for commitments. Only a live executor of the key that serves the coprocessor.
    function commit(bytes32 keyId, Commitment[] calldata commitments) external;

    /// @return leaf the first that k live executors voted for; 0 where there is none
    /// @return frozen true once a second one got k votes too: nothing of the handle may be decrypted
    function finalOf(bytes32 handle) external view returns (bytes32 leaf, bool frozen);

    /// @return bitmap of the executors (bit index - 1) that voted for `leaf`
    function votersOf(bytes32 handle, bytes32 leaf) external view returns (uint256 bitmap);

    function leafOf(Commitment calldata commitment) external view returns (bytes32);

    function coprocessor() external view returns (address);
}
