// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IKeyRegistry} from "../src/interfaces/IKeyRegistry.sol";
import {Activation, KeyStatus} from "../src/types/Key.sol";
import {SchnorrSigner} from "./support/SchnorrSigner.sol";
import {System} from "./support/System.sol";

/// @notice A discarded proposal can never become a key, so its transcript may be opened for blame.
contract KeyRegistryDiscardTest is System {
    using SchnorrSigner for SchnorrSigner.Key;

    bytes32 private _keyId;

    function setUp() public override {
        super.setUp();
        _keyId = _propose();
    }

    function test_fuzz_agreementDiscards(uint256 signers) public {
        signers = bound(signers, 0, 15);
        bytes[] memory signatures = _signaturesOf(signers);
        if (signatures.length < 3) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IKeyRegistry.TooFewSigners.selector, uint8(signatures.length), uint8(3)
                )
            );
            keys.discard(_keyId, signers, signatures);
            return;
        }
        vm.expectEmit(address(keys));
        emit IKeyRegistry.KeyDiscarded(_keyId, 0, signers);
        keys.discard(_keyId, signers, signatures);
        vm.assertTrue(keys.keyOf(_keyId).status == KeyStatus.Discarded);
        _expectNoActivation();
    }

    function test_guardianDiscards() public {
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.NotGuardian.selector, address(this)));
        keys.guardianDiscard(_keyId);
        vm.expectEmit(address(keys));
        emit IKeyRegistry.KeyDiscarded(_keyId, 0, 0);
        vm.prank(guardian);
        keys.guardianDiscard(_keyId);
        _expectNoActivation();
    }

    function test_signaturesAreTheMembers() public {
        bytes[] memory signatures = _signaturesOf(7);
        signatures[1] = signDigest(partyKeys[3], keys.discardDigest(_keyId));
        vm.expectRevert(
            abi.encodeWithSelector(IKeyRegistry.BadMemberSignature.selector, uint8(2), parties[3], parties[1])
        );
        keys.discard(_keyId, 7, signatures);
    }

    function test_lapsedMembersCountButRevokedOnesDoNot() public {
        nodes.setExpiry(parties[0], 0);
        nodes.revoke(parties[1]);
        bytes[] memory signatures = _signaturesOf(7);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.MemberRevoked.selector, parties[1]));
        keys.discard(_keyId, 7, signatures);
        keys.discard(_keyId, 13, _signaturesOf(13));
    }

    function test_shapeOfTheCallIsChecked() public {
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.SignersOutOfRange.selector, 16 + 7, uint8(4)));
        keys.discard(_keyId, 16 + 7, new bytes[](4));
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.SignatureCountMismatch.selector, 2, 3));
        keys.discard(_keyId, 7, new bytes[](2));
    }

    function test_activeKeysCannotBeDiscarded() public {
        _activate(_keyId);
        bytes[] memory signatures = _signaturesOf(15);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.NotProposed.selector, _keyId, KeyStatus.Active));
        keys.discard(_keyId, 15, signatures);
        vm.prank(guardian);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.NotProposed.selector, _keyId, KeyStatus.Active));
        keys.guardianDiscard(_keyId);
    }

    function test_digestIsEip712() public view {
        bytes32 structHash = keccak256(abi.encode(keccak256("Discard(bytes32 keyId)"), _keyId));
        vm.assertEq(
            keys.discardDigest(_keyId), keccak256(abi.encodePacked(hex"1901", verifier.domainSeparator(), structHash))
        );
    }

    /// @notice The host is free for another ceremony.
    function test_newProposalMayFollow() public {
        vm.prank(guardian);
        keys.guardianDiscard(_keyId);
        _activate(_propose());
    }

    function _expectNoActivation() private {
        Activation memory activation = _activation();
        bytes32 digest = keys.activationDigest(_keyId, EPOCH, activation);
        (address r, uint256 s) = group.sign(digest);
        bytes[] memory signatures = _memberSignatures(digest, 4);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.NotProposed.selector, _keyId, KeyStatus.Discarded));
        keys.activate(_keyId, activation, signatures, r, s);
    }

    function _signaturesOf(uint256 signers) private view returns (bytes[] memory signatures) {
        uint256 count;
        for (uint256 i; i < 4; ++i) count += (signers >> i) & 1;
        signatures = new bytes[](count);
        bytes32 digest = keys.discardDigest(_keyId);
        for (uint256 i; i < 4; ++i) {
            if ((signers >> i) & 1 == 1) signatures[signatures.length - count--] = signDigest(partyKeys[i], digest);
        }
    }
}
