// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionVerifier} from "../src/interfaces/IDecryptionVerifier.sol";
import {ResultHash} from "../src/libraries/ResultHash.sol";
import {Schnorr} from "../src/libraries/Schnorr.sol";
import {
    AcceptancePolicy,
    Certificate,
    DecryptionResult,
    EndorsedCertificate,
    EpochHeader,
    FreshQuote,
    PolicyEvidence
} from "../src/types/Decryption.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {SchnorrSigner} from "./support/SchnorrSigner.sol";
import {System} from "./support/System.sol";

/// @notice Signatures of single seats: a quorum of them alone (rule E), and some beside the group's (rule A).
contract DecryptionVerifierEndorsedTest is System {
    using SchnorrSigner for SchnorrSigner.Key;

    uint256 private constant PARTIES_1_2_3 = 7;
    bytes32 private _keyId;

    function setUp() public override {
        super.setUp();
        _keyId = _activeKey();
    }

    // Rule E.

    function test_fuzz_everyQuorumOfSeatsIsAccepted(uint256 signers, uint256 size, uint256 index) public view {
        signers = bound(signers, 0, 15);
        vm.assume(_size(signers) >= 3);
        DecryptionResult[] memory results = _results(bound(size, 1, 9));
        index = bound(index, 0, results.length - 1);
        verifier.verifyEndorsed(results[index], _endorse(_keyId, results, index, signers));
    }

    function test_fuzz_belowQuorumIsRefused(uint256 signers) public {
        signers = bound(signers, 0, 15);
        vm.assume(_size(signers) < 3);
        _expectRefused(
            signers, abi.encodeWithSelector(IDecryptionVerifier.TooFewSigners.selector, _size(signers), uint8(3))
        );
    }

    function test_signersBeyondTheCommitteeAreRefused() public {
        (DecryptionResult[] memory results, EndorsedCertificate memory certificate) = _valid();
        certificate.signers = 23;
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.SignersOutOfRange.selector, 23, uint8(4)));
        verifier.verifyEndorsed(results[0], certificate);
    }

    function test_expiredSeatIsRefused() public {
        nodes.setExpiry(parties[1], uint32(block.timestamp));
        _expectRefused(
            PARTIES_1_2_3,
            abi.encodeWithSelector(IDecryptionVerifier.SignerNotLive.selector, 2, uint32(block.timestamp))
        );
    }

    function test_revokedSeatIsRefused() public {
        nodes.clear(_keyId, EPOCH, 4);
        _expectRefused(PARTIES_1_2_3, abi.encodeWithSelector(IDecryptionVerifier.SignerNotLive.selector, 3, 0));
    }

    function test_wrongKeyOrEpochIsRefused() public {
        (DecryptionResult[] memory results, EndorsedCertificate memory certificate) = _valid();
        certificate.epoch = 2;
        vm.expectRevert(
            abi.encodeWithSelector(IDecryptionVerifier.UnknownEpoch.selector, _keyId, 2, address(gateway))
        );
        verifier.verifyEndorsed(results[0], certificate);
        (certificate.epoch, certificate.keyId) = (EPOCH, keccak256("other"));
        vm.expectRevert(
            abi.encodeWithSelector(
                IDecryptionVerifier.UnknownEpoch.selector, certificate.keyId, EPOCH, address(gateway)
            )
        );
        verifier.verifyEndorsed(results[0], certificate);
    }

    /// @notice ⚔ Signatures for the same committee under another key are for that key.
    function test_signaturesForAnotherKeyAreRefused() public {
        _installLarge("large");
        (DecryptionResult[] memory results, EndorsedCertificate memory certificate) = _valid();
        EndorsedCertificate memory foreign = _endorse("large", results, 0, PARTIES_1_2_3);
        certificate.signatures = foreign.signatures;
        _expectBadEndorsement(results[0], certificate, 1);
    }

    function test_alteredResultIsRefused() public view {
        (DecryptionResult[] memory results, EndorsedCertificate memory certificate) = _valid();
        results[0].openings[0].plaintext ^= 1;
        _expectBadEndorsement(results[0], certificate, 1);
    }

    function test_duplicateSignatureIsRefused() public view {
        (DecryptionResult[] memory results, EndorsedCertificate memory certificate) = _valid();
        certificate.signatures[1] = certificate.signatures[0];
        _expectBadEndorsement(results[0], certificate, 2);
    }

    function test_unsortedSignaturesAreRefused() public view {
        (DecryptionResult[] memory results, EndorsedCertificate memory certificate) = _valid();
        (certificate.signatures[1], certificate.signatures[2]) =
            (certificate.signatures[2], certificate.signatures[1]);
        _expectBadEndorsement(results[0], certificate, 2);
    }

    function test_signatureOfAnotherSeatIsRefused() public view {
        (DecryptionResult[] memory results, EndorsedCertificate memory certificate) = _valid();
        certificate.signers = 11;
        _expectBadEndorsement(results[0], certificate, 4);
    }

    function test_signatureOfAnybodyElseIsRefused() public view {
        (DecryptionResult[] memory results, EndorsedCertificate memory certificate) = _valid();
        certificate.signatures[0] = _compact(keyOfName("anybody"), _digestOf(results));
        _expectBadEndorsement(results[0], certificate, 1);
    }

    function test_oneSignaturePerSignerExactly() public {
        (DecryptionResult[] memory results, EndorsedCertificate memory certificate) = _valid();
        certificate.signers = 15;
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.SignatureCountMismatch.selector, 3, 4));
        verifier.verifyEndorsed(results[0], certificate);
        (certificate.signers, certificate.signatures) = (7, _endorsements(_digestOf(results), 15));
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.SignatureCountMismatch.selector, 4, 3));
        verifier.verifyEndorsed(results[0], certificate);
    }

    /// @notice ⚔ n - s with the other parity verifies for ecrecover: one signature must have one form.
    function test_fuzz_highSIsRefused(uint256 at) public {
        (DecryptionResult[] memory results, EndorsedCertificate memory certificate) = _valid();
        at = bound(at, 0, 2);
        uint256 vs = uint256(certificate.signatures[at][1]);
        uint256 s = (vs << 1) >> 1;
        uint256 high = Schnorr.N - s;
        // A high s has the top bit that EIP-2098 uses for the parity, or not: both forms.
        for (uint256 parity; parity < 2; ++parity) {
            certificate.signatures[at][1] = bytes32(((high << 1) >> 1) | (parity << 255));
            vm.expectRevert();
            verifier.verifyEndorsed(results[0], certificate);
        }
    }

    function test_fuzz_brokenSignatureIsRefused(uint256 at, bytes32 r, bytes32 vs) public {
        (DecryptionResult[] memory results, EndorsedCertificate memory certificate) = _valid();
        certificate.signatures[bound(at, 0, 2)] = [r, vs];
        vm.expectRevert();
        verifier.verifyEndorsed(results[0], certificate);
    }

    function test_fuzz_anyFlippedBitIsRefused(uint256 bit) public view {
        // Two results: an offset to an empty path could point at any other zero.
        DecryptionResult[] memory results = _results(2);
        bytes memory data =
            abi.encodeCall(verifier.verifyEndorsed, (results[1], _endorse(_keyId, results, 1, PARTIES_1_2_3)));
        bit = bound(bit, 32, 8 * data.length - 1);
        data[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (bool accepted,) = address(verifier).staticcall(data);
        vm.assertFalse(accepted);
    }

    /// @notice ⚔ A seat that was installed without a signer is nobody's, above all not of broken signatures.
    function test_seatWithoutSignerNeverSigns() public {
        uint32[] memory expiries = new uint32[](4);
        for (uint256 i; i < 4; ++i) expiries[i] = type(uint32).max;
        (DecryptionResult[] memory results, EndorsedCertificate memory certificate) = _valid();
        EpochHeader memory header = verifier.headerOf(_keyId, EPOCH);
        vm.prank(address(keys));
        verifier.installEpoch("empty", EPOCH, header, expiries, new address[](4));
        (certificate.keyId, certificate.signatures) = ("empty", new bytes32[2][](3));
        _expectBadEndorsement(results[0], certificate, 1);
    }

    // One type per purpose.

    function test_hashIsEip712() public view {
        bytes32 root = keccak256("root");
        bytes32 typeHash = keccak256("EndorsedBatch(bytes32 keyId,uint32 epoch,bytes32 root,uint32 leaves)");
        bytes32 structHash = keccak256(abi.encode(typeHash, _keyId, EPOCH, root, 5));
        vm.assertEq(
            verifier.endorsedDigest(_keyId, EPOCH, root, 5),
            keccak256(abi.encodePacked(hex"1901", verifier.domainSeparator(), structHash))
        );
    }

    /// @notice ⚔ What seats signed as a ResultBatch, or as a result, endorses nothing.
    function test_signaturesUnderAnotherTypeEndorseNothing() public view {
        (DecryptionResult[] memory results, EndorsedCertificate memory certificate) = _valid();
        bytes32 root = MerkleTree.rootOf(_leavesOf(results));
        bytes32[3] memory others = [
            _typed(ResultHash.ofBatch(_keyId, EPOCH, PARTIES_1_2_3, root, 1)),
            _typed(verifier.hashResult(results[0])),
            ResultHash.ofEndorsed(_keyId, EPOCH, root, 1)
        ];
        for (uint256 i; i < others.length; ++i) {
            certificate.signatures = _endorsements(others[i], PARTIES_1_2_3);
            _expectBadEndorsement(results[0], certificate, 1);
        }
    }

    /// @notice ⚔ And a group signature over an EndorsedBatch certifies nothing.
    function test_groupSignatureOverAnEndorsementCertifiesNothing() public {
        (DecryptionResult[] memory results,) = _valid();
        Certificate memory certificate = _certify(_keyId, results[0], PARTIES_1_2_3);
        (certificate.r, certificate.s) = group.sign(_digestOf(results));
        bytes32 digest = verifier.batchDigest(results[0], certificate);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.BadGroupSignature.selector, digest));
        verifier.verify(results[0], certificate);
    }

    function test_endorsementOfAnotherDeploymentIsRefused() public {
        (DecryptionResult[] memory results, EndorsedCertificate memory certificate) = _valid();
        vm.chainId(1);
        _expectBadEndorsement(results[0], certificate, 1);
    }

    // Rule A.

    function test_fuzz_groupAndEndorsersAreAccepted(uint256 endorsers, uint8 wanted) public view {
        endorsers = bound(endorsers, 0, 15);
        wanted = uint8(bound(wanted, 0, _size(endorsers)));
        _verifyWith(endorsers, wanted);
    }

    function test_fuzz_fewerEndorsersThanWantedAreRefused(uint256 endorsers, uint8 wanted) public {
        endorsers = bound(endorsers, 0, 15);
        vm.assume(wanted > _size(endorsers));
        vm.expectRevert(
            abi.encodeWithSelector(IDecryptionVerifier.TooFewEndorsements.selector, _size(endorsers), wanted)
        );
        this.verifyWith(endorsers, wanted);
    }

    /// @notice A member of the group that fell since counts for nothing; another may endorse in its place.
    function test_endorsersMustBeLive() public {
        nodes.setExpiry(parties[3], 0);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.SignerNotLive.selector, 4, 0));
        this.verifyWith(9, 2);
        _verifyWith(3, 2);
    }

    function test_endorsementsDoNotReplaceTheGroup() public {
        (DecryptionResult[] memory results, EndorsedCertificate memory endorsed) = _valid();
        PolicyEvidence memory evidence = PolicyEvidence(7, endorsed.signatures, new FreshQuote[](0));
        Certificate memory certificate = _certify(_keyId, results[0], PARTIES_1_2_3);
        certificate.s ^= 1;
        bytes32 digest = verifier.batchDigest(results[0], certificate);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.BadGroupSignature.selector, digest));
        verifier.verifyWith(results[0], certificate, evidence, AcceptancePolicy(3, 0, false));
    }

    /// @notice ⚔ Endorsements of another tree with the same result in it are of that tree.
    function test_endorsementsOfAnotherTreeAreRefused() public {
        DecryptionResult[] memory results = _results(2);
        EndorsedCertificate memory endorsed = _endorse(_keyId, results, 0, 3);
        PolicyEvidence memory evidence = PolicyEvidence(3, endorsed.signatures, new FreshQuote[](0));
        Certificate memory certificate = _certify(_keyId, results[0], PARTIES_1_2_3);
        vm.expectRevert();
        verifier.verifyWith(results[0], certificate, evidence, AcceptancePolicy(2, 0, false));
    }

    function test_missingQuotesAreRefused() public {
        (DecryptionResult[] memory results,) = _valid();
        PolicyEvidence memory evidence;
        Certificate memory certificate = _certify(_keyId, results[0], PARTIES_1_2_3);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.TooFewQuotes.selector, 0, uint8(1)));
        verifier.verifyWith(results[0], certificate, evidence, AcceptancePolicy(0, 1, false));
    }

    function verifyWith(uint256 endorsers, uint8 wanted) external view {
        _verifyWith(endorsers, wanted);
    }

    function _verifyWith(uint256 endorsers, uint8 wanted) private view {
        DecryptionResult[] memory results = _results(1);
        EndorsedCertificate memory endorsed = _endorse(_keyId, results, 0, endorsers);
        PolicyEvidence memory evidence = PolicyEvidence(endorsers, endorsed.signatures, new FreshQuote[](0));
        Certificate memory certificate = _certify(_keyId, results[0], PARTIES_1_2_3);
        verifier.verifyWith(results[0], certificate, evidence, AcceptancePolicy(wanted, 0, true));
    }

    function _valid()
        private
        view
        returns (DecryptionResult[] memory results, EndorsedCertificate memory certificate)
    {
        results = _results(1);
        certificate = _endorse(_keyId, results, 0, PARTIES_1_2_3);
    }

    function _results(uint256 count) private view returns (DecryptionResult[] memory results) {
        results = new DecryptionResult[](count);
        for (uint256 i; i < count; ++i) results[i] = _result(keccak256(abi.encode("endorsed", i)), 1 + i % 3);
    }

    function _digestOf(DecryptionResult[] memory results) private view returns (bytes32) {
        bytes32 root = MerkleTree.rootOf(_leavesOf(results));
        return verifier.endorsedDigest(_keyId, EPOCH, root, uint32(results.length));
    }

    function _typed(bytes32 structHash) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", verifier.domainSeparator(), structHash));
    }

    function _expectRefused(uint256 signers, bytes memory refusal) private {
        DecryptionResult[] memory results = _results(1);
        EndorsedCertificate memory certificate = _endorse(_keyId, results, 0, signers);
        vm.expectRevert(refusal);
        verifier.verifyEndorsed(results[0], certificate);
    }

    /// @dev Refused at the signature of this party.
    function _expectBadEndorsement(
        DecryptionResult memory result,
        EndorsedCertificate memory certificate,
        uint8 index
    ) private view {
        bytes memory call = abi.encodeCall(verifier.verifyEndorsed, (result, certificate));
        (bool accepted, bytes memory reason) = address(verifier).staticcall(call);
        vm.assertFalse(accepted);
        vm.assertEq(bytes32(bytes4(reason)), bytes32(IDecryptionVerifier.BadEndorsement.selector));
        uint256 named;
        assembly ("memory-safe") {
            named := mload(add(reason, 0x24))
        }
        vm.assertEq(named, index);
    }

    function _size(uint256 signers) private pure returns (uint8 size) {
        for (; signers != 0; signers &= signers - 1) ++size;
    }
}
