// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionVerifier} from "../src/interfaces/IDecryptionVerifier.sol";
import {ResultHash} from "../src/libraries/ResultHash.sol";
import {BatchCertificate, Certificate, DecryptionResult} from "../src/types/Decryption.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {SchnorrSigner} from "./support/SchnorrSigner.sol";
import {System} from "./support/System.sol";

/// @notice Many results under one signature: all of them, in their order, or none; and no place in a tree that is not a
/// result's.
contract DecryptionVerifierBatchTest is System {
    using SchnorrSigner for SchnorrSigner.Key;

    uint256 private constant SIGNERS = 7;
    bytes32 private _keyId;

    function setUp() public override {
        super.setUp();
        _keyId = _activeKey();
    }

    function test_fuzz_wholeBatchIsAccepted(uint256 size) public view {
        DecryptionResult[] memory results = _results(bound(size, 1, 64));
        verifier.verifyBatch(results, _certifyAll(_keyId, results, SIGNERS));
    }

    /// @notice The signature of a batch serves every single result of it, and the other way round.
    function test_fuzz_singleAndBatchShareTheSignature(uint256 size, uint256 index) public view {
        DecryptionResult[] memory results = _results(bound(size, 1, 20));
        BatchCertificate memory certificate = _certifyAll(_keyId, results, SIGNERS);
        index = bound(index, 0, results.length - 1);
        verifier.verify(results[index], _single(results, certificate, index));
    }

    function test_sizesOutOfRangeAreRefused() public {
        DecryptionResult[] memory results = _results(65);
        BatchCertificate memory certificate = _certifyAll(_keyId, results, SIGNERS);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.BatchSizeOutOfRange.selector, 65, 64));
        verifier.verifyBatch(results, certificate);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.BatchSizeOutOfRange.selector, 0, 64));
        verifier.verifyBatch(new DecryptionResult[](0), certificate);
    }

    /// @notice ⚔ One result more, one less, two changed places, one twice, one altered.
    function test_fuzz_anotherListThanSignedIsRefused(uint256 size, uint256 at, uint8 kind) public {
        DecryptionResult[] memory results = _results(bound(size, 2, 20));
        BatchCertificate memory certificate = _certifyAll(_keyId, results, SIGNERS);
        at = bound(at, 0, results.length - 2);
        kind = uint8(bound(kind, 0, 4));
        DecryptionResult[] memory other;
        if (kind == 0) {
            other = _resized(results, results.length + 1);
            other[results.length] = results[at];
        } else if (kind == 1) {
            other = _resized(results, results.length - 1);
        } else {
            other = _resized(results, results.length);
            if (kind == 2) (other[at], other[at + 1]) = (results[at + 1], results[at]);
            if (kind == 3) other[at + 1] = results[at];
            if (kind == 4) {
                other[at] = abi.decode(abi.encode(results[at]), (DecryptionResult));
                other[at].openings[0].plaintext ^= 1;
            }
        }
        _expectBadSignature(other, certificate);
        verifier.verifyBatch(other, certificate);
    }

    /// @notice A tree that really has the same result twice is what the group signed.
    function test_sameLeafTwiceNeedsItsOwnSignature() public {
        DecryptionResult[] memory results = _results(2);
        results[1] = results[0];
        BatchCertificate memory certificate = _certifyAll(_keyId, results, SIGNERS);
        verifier.verifyBatch(results, certificate);
        verifier.verify(results[0], _single(results, certificate, 0));
        verifier.verify(results[0], _single(results, certificate, 1));
        DecryptionResult[] memory one = _resized(results, 1);
        _expectBadSignature(one, certificate);
        verifier.verifyBatch(one, certificate);
    }

    /// @notice ⚔ A root made for another number of leaves, above all the same padded tree.
    function test_fuzz_numberOfLeavesIsSigned(uint256 size, uint256 other, uint256 index) public {
        DecryptionResult[] memory results = _results(bound(size, 2, 16));
        BatchCertificate memory batch = _certifyAll(_keyId, results, SIGNERS);
        index = bound(index, 0, results.length - 1);
        Certificate memory certificate = _single(results, batch, index);
        uint256 places = 1 << certificate.path.length;
        other = bound(other, places / 2 + 1, places);
        vm.assume(other != results.length && index < other);
        certificate.leaves = uint32(other);
        bytes32 digest = verifier.batchDigest(results[index], certificate);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.BadGroupSignature.selector, digest));
        verifier.verify(results[index], certificate);
    }

    /// @notice ⚔ Depth tricks: the path cut short or grown, with whatever number of leaves it fits.
    function test_fuzz_otherDepthIsRefused(uint256 size, uint256 index, uint256 length, uint32 leaves) public {
        DecryptionResult[] memory results = _results(bound(size, 1, 16));
        index = bound(index, 0, results.length - 1);
        Certificate memory certificate = _single(results, _certifyAll(_keyId, results, SIGNERS), index);
        length = bound(length, 0, 33);
        vm.assume(length != certificate.path.length);
        bytes32[] memory path = new bytes32[](length);
        for (uint256 i; i < length && i < certificate.path.length; ++i) path[i] = certificate.path[i];
        (certificate.path, certificate.leaves) = (path, leaves);
        vm.expectRevert();
        verifier.verify(results[index], certificate);
    }

    /// @notice ⚔ Two indices of one path: only the signed one leads to the root.
    function test_fuzz_indexIsNotAliased(uint256 size, uint256 index, uint32 alias_) public {
        DecryptionResult[] memory results = _results(bound(size, 2, 16));
        index = bound(index, 0, results.length - 1);
        vm.assume(alias_ != index);
        Certificate memory certificate = _single(results, _certifyAll(_keyId, results, SIGNERS), index);
        certificate.index = alias_;
        vm.expectRevert();
        verifier.verify(results[index], certificate);
    }

    /// @notice ⚔ An inner node, or the padding, stands for no result: whatever bytes a result has, its leaf is hashed with
    /// its own prefix. So a shorter path that starts at the inner node leads elsewhere.
    function test_fuzz_innerNodeIsNoLeaf(uint256 size, uint256 level) public view {
        DecryptionResult[] memory results = _results(bound(size, 2, 16));
        bytes32[] memory leaves = _leavesOf(results);
        bytes32[] memory path = MerkleTree.pathOf(leaves, 0);
        level = bound(level, 1, path.length);
        bytes32 node = leaves[0];
        for (uint256 i; i < level; ++i) node = keccak256(abi.encodePacked(hex"01", node, path[i]));
        bytes32[] memory rest = new bytes32[](path.length - level);
        for (uint256 i; i < rest.length; ++i) rest[i] = path[level + i];
        // As a leaf's content instead of a struct hash: the root moves.
        bytes32 leaf = keccak256(abi.encodePacked(hex"00", node));
        bytes32 root = leaf;
        for (uint256 i; i < rest.length; ++i) root = keccak256(abi.encodePacked(hex"01", root, rest[i]));
        vm.assertNotEq(root, MerkleTree.rootOf(leaves));
        for (uint256 i; i < leaves.length; ++i) vm.assertNotEq(leaves[i], MerkleTree.PADDING);
    }

    /// @notice ⚔ The padding's place is behind the last leaf, so nothing can be shown to stand there.
    function test_fuzz_paddingHasNoPlace(uint256 size, uint256 index) public {
        size = bound(size, 3, 15);
        vm.assume(size & (size - 1) != 0);
        DecryptionResult[] memory results = _results(size);
        Certificate memory certificate = _single(results, _certifyAll(_keyId, results, SIGNERS), size - 1);
        index = bound(index, size, (1 << certificate.path.length) - 1);
        certificate.index = uint32(index);
        vm.expectRevert(
            abi.encodeWithSelector(IDecryptionVerifier.BadPath.selector, index, size, certificate.path.length)
        );
        verifier.verify(results[0], certificate);
    }

    function test_resultOfAnotherGatewayIsRefused() public {
        DecryptionResult[] memory results = _results(3);
        results[1].gateway = address(0xbeef);
        BatchCertificate memory certificate = _certifyAll(_keyId, results, SIGNERS);
        vm.expectRevert(
            abi.encodeWithSelector(IDecryptionVerifier.UnknownEpoch.selector, _keyId, EPOCH, address(0xbeef))
        );
        verifier.verifyBatch(results, certificate);
    }

    function test_unknownEpochIsRefused() public {
        DecryptionResult[] memory results = _results(2);
        BatchCertificate memory certificate = _certifyAll(_keyId, results, SIGNERS);
        certificate.epoch = 2;
        vm.expectRevert(
            abi.encodeWithSelector(IDecryptionVerifier.UnknownEpoch.selector, _keyId, 2, address(gateway))
        );
        verifier.verifyBatch(results, certificate);
    }

    function test_standingIsNeededHereToo() public {
        DecryptionResult[] memory results = _results(2);
        BatchCertificate memory certificate = _certifyAll(_keyId, results, 3);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.TooFewSigners.selector, uint8(2), uint8(3)));
        verifier.verifyBatch(results, certificate);
        certificate = _certifyAll(_keyId, results, 23);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.SignersOutOfRange.selector, 23, uint8(4)));
        verifier.verifyBatch(results, certificate);
        certificate = _certifyAll(_keyId, results, SIGNERS);
        nodes.clear(_keyId, EPOCH, 2);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.SignerNotLive.selector, 2, 0));
        verifier.verifyBatch(results, certificate);
    }

    function test_fuzz_anyFlippedBitIsRefused(uint256 bit) public view {
        DecryptionResult[] memory results = _results(3);
        bytes memory data = abi.encodeCall(verifier.verifyBatch, (results, _certifyAll(_keyId, results, SIGNERS)));
        bit = bound(bit, 32, 8 * data.length - 1);
        data[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (bool accepted,) = address(verifier).staticcall(data);
        vm.assertFalse(accepted);
    }

    function _results(uint256 count) private view returns (DecryptionResult[] memory results) {
        results = new DecryptionResult[](count);
        for (uint256 i; i < count; ++i) results[i] = _result(keccak256(abi.encode("in batch", i)), 1 + i % 3);
    }

    function _resized(DecryptionResult[] memory results, uint256 size)
        private
        pure
        returns (DecryptionResult[] memory other)
    {
        other = new DecryptionResult[](size);
        for (uint256 i; i < size && i < results.length; ++i) other[i] = results[i];
    }

    function _expectBadSignature(DecryptionResult[] memory results, BatchCertificate memory certificate) private {
        bytes32 root = MerkleTree.rootOf(_leavesOf(results));
        bytes32 batch = ResultHash.ofBatch(_keyId, EPOCH, certificate.signers, root, results.length);
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", verifier.domainSeparator(), batch));
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.BadGroupSignature.selector, digest));
    }
}
