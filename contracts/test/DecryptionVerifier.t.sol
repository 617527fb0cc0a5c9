// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionVerifier} from "../src/interfaces/IDecryptionVerifier.sol";
import {ResultTree} from "../src/libraries/ResultTree.sol";
import {Certificate, DecryptionResult} from "../src/types/Decryption.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {SchnorrSigner} from "./support/SchnorrSigner.sol";
import {System} from "./support/System.sol";

/// @notice What is accepted, and that each of the two locks alone holds the door.
contract DecryptionVerifierTest is System {
    uint256 private constant PARTIES_1_2_3 = 7;
    uint256 private constant PARTIES_2_3_4 = 14;

    bytes32 private _keyId;
    DecryptionResult private _valid;

    function setUp() public override {
        super.setUp();
        _keyId = _activeKey();
        DecryptionResult memory result = _result(keccak256("request"), 3);
        (_valid.gateway, _valid.requestId) = (result.gateway, result.requestId);
        for (uint256 i; i < 3; ++i) _valid.openings.push(result.openings[i]);
    }

    function test_fuzz_everyQuorumIsAccepted(uint256 signers, uint8 count) public view {
        signers = bound(signers, 0, 15);
        DecryptionResult memory result = _result(keccak256(abi.encode(signers)), bound(count, 1, 32));
        vm.assume(_size(signers) >= 3);
        verifier.verify(result, _certify(_keyId, result, signers));
    }

    function test_fuzz_everyResultOfABatchIsAccepted(uint256 size, uint256 index) public view {
        size = bound(size, 1, 9);
        index = bound(index, 0, size - 1);
        (DecryptionResult memory result, Certificate memory certificate) = _inBatch(size, index);
        verifier.verify(result, certificate);
    }

    // First lock: the group signature.

    function test_alteredPlaintextIsRefused() public {
        Certificate memory certificate = _certify(_keyId, _valid, PARTIES_1_2_3);
        DecryptionResult memory altered = _valid;
        altered.openings[1].plaintext += 1;
        _expectBadSignature(altered, certificate);
        verifier.verify(altered, certificate);
    }

    function test_standingWithoutTheGroupSignatureIsRefused() public {
        Certificate memory certificate = _certify(_keyId, _valid, PARTIES_1_2_3);
        certificate = _signBatch(SchnorrSigner.keyFrom(2), _valid, certificate);
        _expectBadSignature(_valid, certificate);
        verifier.verify(_valid, certificate);
    }

    function test_otherSetOfSignersThanSignedIsRefused() public {
        Certificate memory certificate = _certify(_keyId, _valid, PARTIES_1_2_3);
        certificate.signers = PARTIES_2_3_4;
        _expectBadSignature(_valid, certificate);
        verifier.verify(_valid, certificate);
    }

    /// @notice Whatever single bit of an accepted call is flipped, it is not accepted any more.
    function test_fuzz_anyFlippedBitIsRefused(uint256 bit) public view {
        Certificate memory certificate = _certify(_keyId, _valid, PARTIES_1_2_3);
        bytes memory data = abi.encodeCall(verifier.verify, (_valid, certificate));
        bit = bound(bit, 32, 8 * data.length - 1);
        data[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (bool accepted,) = address(verifier).staticcall(data);
        vm.assertFalse(accepted);
    }

    function test_fuzz_wrongPlaceInTheBatchIsRefused(uint256 size, uint256 index, uint32 other) public {
        size = bound(size, 2, 9);
        index = bound(index, 0, size - 1);
        (DecryptionResult memory result, Certificate memory certificate) = _inBatch(size, index);
        certificate.index = other;
        vm.assume(other != index);
        if (other >= size) {
            vm.expectRevert(
                abi.encodeWithSelector(IDecryptionVerifier.BadPath.selector, other, size, certificate.path.length)
            );
        } else {
            _expectBadSignature(result, certificate);
        }
        verifier.verify(result, certificate);
    }

    function test_pathOfTheWrongLengthIsRefused() public {
        (DecryptionResult memory result, Certificate memory certificate) = _inBatch(4, 2);
        certificate.path = new bytes32[](3);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.BadPath.selector, 2, 4, 3));
        verifier.verify(result, certificate);
    }

    function test_resultOfAnotherChainIsRefused() public {
        Certificate memory certificate = _certify(_keyId, _valid, PARTIES_1_2_3);
        vm.chainId(1);
        _expectBadSignature(_valid, certificate);
        verifier.verify(_valid, certificate);
    }

    // Second lock: live standing.

    function test_fuzz_signatureWithoutStandingIsRefused(uint8 index) public {
        index = uint8(bound(index, 1, 3));
        Certificate memory certificate = _certify(_keyId, _valid, PARTIES_1_2_3);
        nodes.setExpiry(parties[index - 1], 0);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.SignerNotLive.selector, index, 0));
        verifier.verify(_valid, certificate);
    }

    function test_standingEndsAtItsExpiry() public {
        Certificate memory certificate = _certify(_keyId, _valid, PARTIES_1_2_3);
        uint32 expiry = uint32(block.timestamp) + STANDING;
        vm.warp(expiry - 1);
        verifier.verify(_valid, certificate);
        vm.warp(expiry);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.SignerNotLive.selector, 1, expiry));
        verifier.verify(_valid, certificate);
    }

    /// @notice Removal zeroes in one transaction; the same certificate is refused, and accepted again after renewals.
    function test_clearingRefusesUntilRenewed() public {
        Certificate memory certificate = _certify(_keyId, _valid, PARTIES_1_2_3);
        nodes.clear(_keyId, EPOCH, 15);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.SignerNotLive.selector, 1, 0));
        verifier.verify(_valid, certificate);
        for (uint256 i; i < 3; ++i) nodes.setExpiry(parties[i], uint32(block.timestamp) + STANDING);
        verifier.verify(_valid, certificate);
    }

    function test_clearingSparesTheOthers() public {
        nodes.clear(_keyId, EPOCH, 1);
        verifier.verify(_valid, _certify(_keyId, _valid, PARTIES_2_3_4));
        vm.assertEq(verifier.expiryOf(_keyId, EPOCH, 1), 0);
        vm.assertEq(verifier.expiryOf(_keyId, EPOCH, 2), uint32(block.timestamp) + STANDING);
    }

    function test_partiesOutsideTheSetNeedNoStanding() public {
        nodes.setExpiry(parties[3], 0);
        verifier.verify(_valid, _certify(_keyId, _valid, PARTIES_1_2_3));
    }

    function test_fuzz_belowQuorumIsRefused(uint256 signers) public {
        signers = bound(signers, 0, 15);
        vm.assume(_size(signers) < 3);
        Certificate memory certificate = _certify(_keyId, _valid, signers);
        vm.expectRevert(
            abi.encodeWithSelector(IDecryptionVerifier.TooFewSigners.selector, _size(signers), uint8(3))
        );
        verifier.verify(_valid, certificate);
    }

    function test_fuzz_signersBeyondTheCommitteeAreRefused(uint256 signers) public {
        signers = bound(signers, 16, type(uint256).max);
        Certificate memory certificate = _certify(_keyId, _valid, signers);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.SignersOutOfRange.selector, signers, uint8(4)));
        verifier.verify(_valid, certificate);
    }

    // Binding of key, epoch and gateway.

    function test_unknownKeyEpochOrGatewayIsRefused() public {
        Certificate memory certificate = _certify(_keyId, _valid, PARTIES_1_2_3);
        certificate.epoch = 2;
        _expectUnknown(_keyId, 2, address(gateway));
        verifier.verify(_valid, certificate);

        certificate.epoch = EPOCH;
        certificate.keyId = keccak256("other key");
        _expectUnknown(certificate.keyId, EPOCH, address(gateway));
        verifier.verify(_valid, certificate);

        DecryptionResult memory foreign = _valid;
        foreign.gateway = address(0xbeef);
        certificate = _certify(_keyId, foreign, PARTIES_1_2_3);
        _expectUnknown(_keyId, EPOCH, address(0xbeef));
        verifier.verify(foreign, certificate);
    }

    function test_hashesAreEip712() public view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Twinlock"),
                keccak256("1"),
                block.chainid,
                address(verifier)
            )
        );
        vm.assertEq(verifier.domainSeparator(), domain);
        bytes32 structHash = _structHash(_valid);
        vm.assertEq(verifier.hashResult(_valid), structHash);
        bytes32 batch = keccak256(
            abi.encode(
                keccak256("ResultBatch(bytes32 keyId,uint32 epoch,uint256 signers,bytes32 root,uint32 leaves)"),
                _keyId,
                EPOCH,
                PARTIES_1_2_3,
                ResultTree.leafOf(structHash),
                1
            )
        );
        Certificate memory certificate = _certify(_keyId, _valid, PARTIES_1_2_3);
        vm.assertEq(verifier.batchDigest(_valid, certificate), keccak256(abi.encodePacked(hex"1901", domain, batch)));
    }

    function _structHash(DecryptionResult memory result) private view returns (bytes32) {
        uint256 count = result.openings.length;
        bytes32[] memory handles = new bytes32[](count);
        bytes32[] memory sessions = new bytes32[](count);
        uint256[] memory words = new uint256[](count);
        for (uint256 i; i < count; ++i) {
            handles[i] = result.openings[i].handle;
            sessions[i] = result.openings[i].session;
            words[i] = result.openings[i].plaintext;
        }
        return keccak256(
            abi.encode(
                keccak256(
                    "DecryptionResult(uint256 chainId,address gateway,bytes32 requestId,bytes32[] handles,bytes32[] sessions,bytes plaintexts)"
                ),
                block.chainid,
                result.gateway,
                result.requestId,
                keccak256(abi.encodePacked(handles)),
                keccak256(abi.encodePacked(sessions)),
                keccak256(abi.encodePacked(words))
            )
        );
    }

    /// @notice A batch of `size` results, of which the one at `index` is returned with its certificate.
    function _inBatch(uint256 size, uint256 index)
        private
        view
        returns (DecryptionResult memory result, Certificate memory certificate)
    {
        bytes32[] memory leaves = new bytes32[](size);
        for (uint256 i; i < size; ++i) {
            leaves[i] = ResultTree.leafOf(verifier.hashResult(_result(keccak256(abi.encode("in batch", i)), 1 + i)));
        }
        result = _result(keccak256(abi.encode("in batch", index)), 1 + index);
        certificate.keyId = _keyId;
        certificate.epoch = EPOCH;
        certificate.signers = PARTIES_1_2_3;
        certificate.leaves = uint32(size);
        certificate.index = uint32(index);
        certificate.path = MerkleTree.pathOf(leaves, index);
        certificate = _signBatch(group, result, certificate);
    }

    function _expectBadSignature(DecryptionResult memory result, Certificate memory certificate) private {
        bytes32 digest = verifier.batchDigest(result, certificate);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.BadGroupSignature.selector, digest));
    }

    function _expectUnknown(bytes32 keyId, uint32 epoch, address gateway_) private {
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.UnknownEpoch.selector, keyId, epoch, gateway_));
    }

    function _size(uint256 signers) private pure returns (uint8 size) {
        for (uint256 i; i < 4; ++i) size += uint8((signers >> i) & 1);
    }
}
