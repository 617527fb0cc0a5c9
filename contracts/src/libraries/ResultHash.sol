// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecryptionResult, Opening} from "../types/Decryption.sol";

/// @title EIP-712 struct hashes of results and batches, straight from calldata
/// @dev Every acceptance pays for these, hence the assembly: memory past the free pointer serves as scratch and nothing is
/// allocated. Words are hashed as they stand in calldata. A small integer with dirty upper bits hashes to what no signer
/// signs, so it needs no range check of its own.
library ResultHash {
    bytes32 private constant RESULT_TYPE = keccak256(
        "DecryptionResult(uint256 chainId,address gateway,bytes32 requestId,bytes32[] handles,bytes32[] sessions,bytes plaintexts)"
    );
    bytes32 private constant BATCH_TYPE =
        keccak256("ResultBatch(bytes32 keyId,uint32 epoch,uint256 signers,bytes32 root,uint32 leaves)");
    bytes32 private constant ENDORSED_TYPE =
        keccak256("EndorsedBatch(bytes32 keyId,uint32 epoch,bytes32 root,uint32 leaves)");

    /// @notice Struct hash of a DecryptionResult on this chain.
    function ofResult(DecryptionResult calldata result) internal view returns (bytes32 hash) {
        Opening[] calldata openings = result.openings;
        bytes32 resultType = RESULT_TYPE;
        assembly ("memory-safe") {
            let free := mload(0x40)
            // One column each for handles, sessions and plaintexts, past the words of the struct.
            let size := shl(5, openings.length)
            let handles := add(free, 0xe0)
            let sessions := add(handles, size)
            let plaintexts := add(sessions, size)
            let from := openings.offset
            for { let offset := 0 } lt(offset, size) { offset := add(offset, 0x20) } {
                mstore(add(handles, offset), calldataload(from))
                mstore(add(sessions, offset), calldataload(add(from, 0x20)))
                mstore(add(plaintexts, offset), calldataload(add(from, 0x40)))
                from := add(from, 0x60)
            }
            mstore(free, resultType)
            mstore(add(free, 0x20), chainid())
            calldatacopy(add(free, 0x40), result, 0x40) // gateway, requestId
            mstore(add(free, 0x80), keccak256(handles, size))
            mstore(add(free, 0xa0), keccak256(sessions, size))
            mstore(add(free, 0xc0), keccak256(plaintexts, size))
            hash := keccak256(free, 0xe0)
        }
    }

    /// @notice Struct hash of a ResultBatch: what the group signs.
    function ofBatch(bytes32 keyId, uint32 epoch, uint256 signers, bytes32 root, uint256 leaves)
        internal
        pure
        returns (bytes32 hash)
    {
        bytes32 batchType = BATCH_TYPE;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, batchType)
            mstore(add(free, 0x20), keyId)
            mstore(add(free, 0x40), epoch)
            mstore(add(free, 0x60), signers)
            mstore(add(free, 0x80), root)
            mstore(add(free, 0xa0), leaves)
            hash := keccak256(free, 0xc0)
        }
    }

    /// @notice Struct hash of an EndorsedBatch: what a single seat signs.
    function ofEndorsed(bytes32 keyId, uint32 epoch, bytes32 root, uint256 leaves)
        internal
        pure
        returns (bytes32 hash)
    {
        return keccak256(abi.encode(ENDORSED_TYPE, keyId, epoch, root, leaves));
    }

    /// @notice keccak256 of the concatenated handles.
    function ofHandles(Opening[] calldata openings) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let size := shl(5, openings.length)
            let from := openings.offset
            for { let offset := 0 } lt(offset, size) { offset := add(offset, 0x20) } {
                mstore(add(free, offset), calldataload(from))
                from := add(from, 0x60)
            }
            hash := keccak256(free, size)
        }
    }
}
