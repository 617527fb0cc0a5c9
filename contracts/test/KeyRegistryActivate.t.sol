// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IKeyRegistry} from "../src/interfaces/IKeyRegistry.sol";
import {EpochHeader} from "../src/types/Decryption.sol";
import {Activation, Key, KeyStatus} from "../src/types/Key.sol";
import {Role} from "../src/types/Node.sol";
import {SchnorrSigner} from "./support/SchnorrSigner.sol";
import {System} from "./support/System.sol";

/// @notice Activation needs all n parties with live standing, and the group key's own signature.
contract KeyRegistryActivateTest is System {
    using SchnorrSigner for SchnorrSigner.Key;

    bytes32 private _keyId;
    Activation private _valid;
    bytes32 private _digest;
    bytes[] private _signatures;
    address private _r;
    uint256 private _s;

    function setUp() public override {
        super.setUp();
        _keyId = _propose();
        _valid = _activation();
        _digest = keys.activationDigest(_keyId, EPOCH, _valid);
        bytes[] memory signatures = _memberSignatures(_digest, 4);
        for (uint256 i; i < 4; ++i) _signatures.push(signatures[i]);
        (_r, _s) = group.sign(_digest);
    }

    function test_activationInstallsTheEpoch() public {
        vm.expectEmit(address(keys));
        emit IKeyRegistry.KeyActivated(_keyId, EPOCH, _host(), _valid, parties, executors);
        _submit();
        Key memory key = keys.keyOf(_keyId);
        vm.assertTrue(key.status == KeyStatus.Active);
        vm.assertEq(key.epoch, EPOCH);
        vm.assertEq(key.publicKeyDigest, _valid.publicKeyDigest);
        vm.assertEq(key.serverKeyDigest, _valid.serverKeyDigest);
        vm.assertEq(key.transcriptDigest, _valid.transcriptDigest);
        vm.assertEq(keys.crsDigest(_keyId), _valid.crsDigest);
        vm.assertEq(keys.keyOfHost(address(coprocessor)), _keyId);
        EpochHeader memory header = verifier.headerOf(_keyId, EPOCH);
        vm.assertTrue(header.groupX == group.x && header.groupV == group.v && header.n == 4 && header.quorum == 3);
        vm.assertEq(header.gateway, address(gateway));
        for (uint8 index = 1; index <= 4; ++index) {
            vm.assertEq(verifier.expiryOf(_keyId, EPOCH, index), nodes.liveUntil(parties[index - 1]));
            vm.assertEq(nodes.seatOf(parties[index - 1]).keyId, _keyId);
            vm.assertEq(nodes.seatOf(parties[index - 1]).index, index);
        }
    }

    function test_digestIsEip712() public view {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "KeyActivation(bytes32 keyId,uint32 epoch,bytes32 publicKeyDigest,bytes32 serverKeyDigest,bytes32 crsDigest,bytes32 transcriptDigest,uint256 groupX,uint8 groupV)"
                ),
                _keyId,
                EPOCH,
                _valid.publicKeyDigest,
                _valid.serverKeyDigest,
                _valid.crsDigest,
                _valid.transcriptDigest,
                _valid.groupX,
                _valid.groupV
            )
        );
        vm.assertEq(_digest, keccak256(abi.encodePacked(hex"1901", verifier.domainSeparator(), structHash)));
    }

    function test_fuzz_everyPartySigns(uint8 missing) public {
        missing = uint8(bound(missing, 1, 4));
        _signatures[missing - 1] = signDigest(partyKeys[missing % 4], _digest);
        vm.expectRevert(
            abi.encodeWithSelector(
                IKeyRegistry.BadMemberSignature.selector, missing, parties[missing % 4], parties[missing - 1]
            )
        );
        _submit();
    }

    function test_malformedSignatureIsNobodys() public {
        _signatures[1] = hex"1234";
        vm.expectRevert(
            abi.encodeWithSelector(IKeyRegistry.BadMemberSignature.selector, uint8(2), address(0), parties[1])
        );
        _submit();
    }

    function test_allSignaturesAreThere() public {
        _signatures.pop();
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.SignatureCountMismatch.selector, 3, 4));
        _submit();
    }

    function test_signaturesOverOtherContentsAreRefused() public {
        _valid.crsDigest = keccak256("another crs");
        vm.expectRevert();
        _submit();
    }

    function test_groupKeyProvesItsPossession() public {
        (_r, _s) = SchnorrSigner.keyFrom(2).sign(_digest);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.BadGroupSignature.selector, _digest));
        _submit();
    }

    function test_fuzz_everyPartyIsLive(uint8 index) public {
        index = uint8(bound(index, 0, 3));
        nodes.setExpiry(parties[index], 0);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.MemberNotLive.selector, parties[index], uint32(0)));
        _submit();
    }

    /// @notice A party that moved onto another's machine since the proposal.
    function test_platformsAreComparedAgain() public {
        bytes16 ppid = nodes.nodeOf(parties[0]).ppid;
        nodes.put(
            parties[3], nodes.nodeOf(parties[3]).operator, Role.Keyholder, uint32(block.timestamp) + STANDING, ppid
        );
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.PlatformRepeated.selector, ppid));
        _submit();
    }

    function test_platformInstancesAreComparedAgain() public {
        nodes.setInstance(parties[1], "instance");
        nodes.setInstance(parties[3], "instance");
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.PlatformRepeated.selector, bytes16("instance")));
        _submit();
    }

    /// @notice An operator whose other signer took a seat in another key since the proposal.
    function test_operatorMayServeSeveralKeys() public {
        address operator = nodes.nodeOf(parties[2]).operator;
        address elsewhere = address(0x5ea7);
        nodes.put(elsewhere, operator, Role.Keyholder, uint32(block.timestamp) + STANDING, "elsewhere");
        nodes.assignSeat(elsewhere, keccak256("another key"), 1, 1);
        _submit();
        vm.assertTrue(keys.keyOf(_keyId).status == KeyStatus.Active);
    }

    function test_signerWithAnotherSeatIsRefused() public {
        nodes.assignSeat(parties[2], keccak256("another key"), 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.MemberSeated.selector, parties[2]));
        _submit();
    }

    function test_executorsAreLive() public {
        nodes.setExpiry(executors[0], 0);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.MemberNotLive.selector, executors[0], uint32(0)));
        _submit();
    }

    function test_deadlineHolds() public {
        uint64 deadline = keys.keyOf(_keyId).deadline;
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.ProposalExpired.selector, _keyId, deadline));
        _submit();
        vm.warp(deadline);
        _submit();
    }

    function test_digestsAreThere() public {
        for (uint256 missing; missing < 4; ++missing) {
            _valid = _activation();
            if (missing == 0) _valid.publicKeyDigest = 0;
            if (missing == 1) _valid.serverKeyDigest = 0;
            if (missing == 2) _valid.crsDigest = 0;
            if (missing == 3) _valid.transcriptDigest = 0;
            vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.DigestMissing.selector));
            _submit();
        }
    }

    function test_activationHappensOnce() public {
        _submit();
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.NotProposed.selector, _keyId, KeyStatus.Active));
        _submit();
    }

    function test_unknownKeyIsRefused() public {
        _keyId = keccak256("unknown");
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.NotProposed.selector, _keyId, KeyStatus.None));
        _submit();
    }

    /// @notice Of two proposals for one host the first activated one wins.
    function test_hostGetsOneKey() public {
        bytes32 other = _propose();
        _submit();
        bytes32 digest = keys.activationDigest(other, EPOCH, _valid);
        (address r, uint256 s) = group.sign(digest);
        bytes[] memory signatures = _memberSignatures(digest, 4);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.HostTaken.selector, address(coprocessor), _keyId));
        keys.activate(other, _valid, signatures, r, s);
    }

    function _submit() private {
        keys.activate(_keyId, _valid, _signatures, _r, _s);
    }
}
