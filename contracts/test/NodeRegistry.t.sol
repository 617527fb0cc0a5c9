// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TcbStatus} from "../src/attestation/TcbStatus.sol";
import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {Evidence, IQuoteVerifier} from "../src/interfaces/IQuoteVerifier.sol";
import {BlockHistory} from "../src/libraries/BlockHistory.sol";
import {NodeRegistry} from "../src/NodeRegistry.sol";
import {NodeRecord, Registration, Role, Seat} from "../src/types/Node.sol";
import {Bytes} from "./attestation/support/Bytes.sol";
import {Registry} from "./attestation/support/Registry.sol";

/// @notice A wallet contract whose owner signs for it (ERC-1271).
contract Wallet {
    address private immutable _owner;

    constructor(address owner) {
        _owner = owner;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        return ecrecover(digest, uint8(signature[64]), r, s) == _owner ? this.isValidSignature.selector : bytes4(0);
    }
}

/// @notice Registration and renewal: who may, with which quote, and what is then known.
contract NodeRegistryTest is Registry {
    using Bytes for bytes;

    Registration private _given;
    Evidence private _proof;

    function setUp() public override {
        super.setUp();
        _given = _registration("alice", Role.Keyholder);
        _proof = _evidenceFor("host0", _given);
    }

    function test_register_recordsWhatTheQuoteProves() public {
        vm.prank(_given.operator);
        registry.register(_given, _proof, "");
        NodeRecord memory node = registry.nodeOf(_given.signer);
        vm.assertEq(node.operator, _given.operator);
        vm.assertTrue(node.role == Role.Keyholder);
        vm.assertFalse(node.revoked);
        vm.assertEq(node.expiresAt, _now() + 7 days);
        vm.assertEq(node.challengeBlock, _given.challengeBlock);
        vm.assertEq(bytes32(node.ppid), bytes32(_machine("host0").ppid));
        vm.assertEq(node.peerIdHash, _given.peerIdHash);
        vm.assertEq(node.configHash, _given.configHash);
        vm.assertEq(node.entryId, keyholderEntry);
        vm.assertEq(registry.liveUntil(_given.signer), _now() + 7 days);
        vm.assertEq(registry.platformOf(_given.signer).serial, _machine("host0").serial);
        Seat memory seat = registry.seatOf(_given.signer);
        vm.assertEq(seat.index, 0);
    }

    function test_standing_endsWithTheCollateral() public {
        vm.warp(now0 + 28 days);
        vm.prank(_given.operator);
        registry.register(_given, _proof, "");
        vm.assertEq(registry.liveUntil(_given.signer), now0 + 30 days);
    }

    function test_reportData_isTheHashOfTheProtocol() public view {
        bytes32 expected = keccak256(
            abi.encode(
                keccak256("twinlock/registration/v1"),
                block.chainid,
                address(registry),
                _given.operator,
                uint8(1),
                _given.signer,
                _given.peerIdHash,
                _given.configHash,
                _given.challengeBlock
            )
        );
        vm.assertEq(registry.reportDataOf(_given), expected);
    }

    function test_anyone_registersWithTheOperatorsConsent() public {
        bytes32 digest = registry.consentDigest(_given);
        bytes memory consent = signDigest(keyOfName("operator of alice"), digest);
        registry.register(_given, _proof, consent);
        vm.assertEq(registry.nodeOf(_given.signer).operator, _given.operator);
    }

    function test_consent_isTheEip712DigestUnderTheVerifiersDomain() public view {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Registration(address operator,uint8 role,address signer,bytes32 peerIdHash,bytes32 configHash,uint64 challengeBlock)"
                ),
                _given.operator,
                uint8(1),
                _given.signer,
                _given.peerIdHash,
                _given.configHash,
                _given.challengeBlock
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", verifier.domainSeparator(), structHash));
        vm.assertEq(registry.consentDigest(_given), digest);
    }

    function test_consentOfAWalletContract_isAccepted() public {
        address wallet = address(new Wallet(vm.addr(keyOfName("owner"))));
        vm.prank(governance);
        registry.admitOperator(wallet);
        Registration memory registration = _given;
        registration.operator = wallet;
        Evidence memory evidence = _evidenceFor("host0", registration);
        bytes memory consent = signDigest(keyOfName("owner"), registry.consentDigest(registration));
        registry.register(registration, evidence, consent);
        vm.assertEq(registry.nodeOf(registration.signer).operator, wallet);
    }

    function test_register_needsConsent() public {
        bytes32 digest = registry.consentDigest(_given);
        bytes memory refusal =
            abi.encodeWithSelector(INodeRegistry.OperatorConsentMissing.selector, _given.operator, digest);
        vm.expectRevert(refusal);
        registry.register(_given, _proof, "");
        bytes memory consent = signDigest(keyOfName("mallory"), digest);
        vm.expectRevert(refusal);
        registry.register(_given, _proof, consent);
        Registration memory other = _given;
        other.configHash = keccak256("another configuration");
        consent = signDigest(keyOfName("operator of alice"), registry.consentDigest(other));
        vm.expectRevert(refusal);
        registry.register(_given, _proof, consent);
    }

    function test_register_needsAnAdmittedOperator() public {
        vm.prank(governance);
        registry.removeOperator(_given.operator);
        _refuse(_given, abi.encodeWithSelector(INodeRegistry.OperatorNotAdmitted.selector, _given.operator));
    }

    /// @dev ⚔ a quote made for another purpose or party proves nothing here.
    function test_reportData_bindsEveryField() public {
        for (uint256 field = 0; field < 5; field++) {
            Registration memory other = _given;
            if (field == 0) other.role = Role.Executor;
            if (field == 1) other.signer = address(0xbad);
            if (field == 2) other.peerIdHash = keccak256("another peer");
            if (field == 3) other.configHash = keccak256("another configuration");
            if (field == 4) other.challengeBlock -= 1;
            bytes32 quoted = registry.reportDataOf(_given);
            bytes32 expected = registry.reportDataOf(other);
            _setBlockHash(other.challengeBlock);
            _refuse(other, abi.encodeWithSelector(INodeRegistry.ReportDataMismatch.selector, quoted, expected));
        }
        Registration memory stolen = _registration("mallory", Role.Keyholder);
        stolen.signer = _given.signer;
        stolen.peerIdHash = _given.peerIdHash;
        _refusePartially(stolen, INodeRegistry.ReportDataMismatch.selector);
        // The same registration at another registry.
        NodeRegistry twin = _newRegistry(MAX_AGE);
        vm.prank(governance);
        twin.admitOperator(_given.operator);
        avm.expectPartialRevert(INodeRegistry.ReportDataMismatch.selector);
        vm.prank(_given.operator);
        twin.register(_given, _proof, "");
    }

    function test_challengeHash_mustBeTheBlocks() public {
        Machine memory host = _machine("host0");
        bytes32 blockHash = _setBlockHash(_given.challengeBlock);
        bytes32 head = registry.reportDataOf(_given);
        Evidence memory evidence = _evidence(host, _quote(host, head, keccak256("wrong")), _qeReport(host));
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.ChallengeHashMismatch.selector, keccak256("wrong"), blockHash)
        );
        vm.prank(_given.operator);
        registry.register(_given, evidence, "");
    }

    function test_challenge_mustBeRecentAndPast() public {
        vm.roll(_given.challengeBlock + MAX_AGE + 1);
        _refuse(
            _given,
            abi.encodeWithSelector(
                INodeRegistry.ChallengeTooOld.selector, _given.challengeBlock, _given.challengeBlock + MAX_AGE + 1
            )
        );
        vm.roll(_given.challengeBlock);
        _refuse(
            _given,
            abi.encodeWithSelector(
                INodeRegistry.ChallengeNotFresh.selector, _given.challengeBlock, _given.challengeBlock
            )
        );
        vm.roll(_given.challengeBlock + MAX_AGE);
        vm.prank(_given.operator);
        registry.register(_given, _proof, "");
    }

    function test_chainWithoutBlockHistory_registersNobody() public {
        vm.etch(BlockHistory.CONTRACT, "");
        _refuse(
            _given, abi.encodeWithSelector(BlockHistory.BlockHashUnavailable.selector, uint256(_given.challengeBlock))
        );
    }

    function test_maxChallengeAge_isWithinTheHistory() public {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.ChallengeAgeOutOfRange.selector, uint64(0)));
        this.createRegistry(0);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.ChallengeAgeOutOfRange.selector, uint64(8192)));
        this.createRegistry(8192);
    }

    function test_role_isJoinedToTheMeasurement() public {
        vm.prank(guardian);
        registry.removeEntry(executorEntry);
        Registration memory executor = _registration("alice", Role.Executor);
        Evidence memory evidence = _evidenceFor("host0", executor);
        vm.expectRevert(
            abi.encodeWithSelector(
                INodeRegistry.NotAllowListed.selector, Role.Executor, _imageId(), COMPOSE_HASH
            )
        );
        vm.prank(executor.operator);
        registry.register(executor, evidence, "");
        executor.role = Role.None;
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.WrongRole.selector, Role.None));
        registry.register(executor, evidence, "");
    }

    function test_otherImageOrCompose_isNotAllowListed() public {
        Machine memory host = _machine("host0");
        bytes32 tail = _setBlockHash(_given.challengeBlock);
        uint256[5] memory registers = [MR_TD_AT, RT_MR_0, RT_MR_0 + 48, RT_MR_0 + 96, MR_CONFIG_ID + 1];
        for (uint256 i = 0; i < registers.length; i++) {
            bytes memory quote = _quote(host, registry.reportDataOf(_given), tail);
            quote.put(registers[i] + 31, hex"77");
            Evidence memory evidence = _evidence(host, quote, _qeReport(host));
            avm.expectPartialRevert(INodeRegistry.NotAllowListed.selector);
            vm.prank(_given.operator);
            registry.register(_given, evidence, "");
        }
        // rtMr3 holds what happens after the measured boot: the compose hash stands in mrConfigId instead.
        bytes memory same = _quote(host, registry.reportDataOf(_given), tail);
        same.put(RT_MR_0 + 144, hex"77");
        Evidence memory accepted = _evidence(host, same, _qeReport(host));
        vm.prank(_given.operator);
        registry.register(_given, accepted, "");
    }

    function test_onlyUpToDate_isAccepted() public {
        Evidence memory evidence = _evidenceFor("outdated", _given);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.TcbStatusNotAccepted.selector, TcbStatus.OutOfDate));
        vm.prank(_given.operator);
        registry.register(_given, evidence, "");
    }

    function test_unverifiableQuote_isRefused() public {
        _proof.auth[0] ^= 0x01;
        _refuse(_given, abi.encodeWithSelector(IQuoteVerifier.InvalidQuoteSignature.selector));
    }

    function test_registration_isNotRepeated() public {
        vm.startPrank(_given.operator);
        registry.register(_given, _proof, "");
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.AlreadyRegistered.selector, _given.signer));
        registry.register(_given, _proof, "");
        vm.stopPrank();
    }

    function test_signerZero_isRefused() public {
        Registration memory nobody = _given;
        nobody.signer = address(0);
        _refuse(nobody, abi.encodeWithSelector(INodeRegistry.SignerMissing.selector));
    }

    function test_renew_extendsTheStanding() public {
        vm.prank(_given.operator);
        registry.register(_given, _proof, "");
        _nextBlocks(100);
        _renew("alice", Role.Keyholder, "host0");
        vm.assertEq(registry.liveUntil(_given.signer), _now() + 7 days);
        vm.assertEq(registry.nodeOf(_given.signer).challengeBlock, _height() - 1);
        // Also long after it lapsed.
        vm.warp(_now() + 8 days);
        vm.roll(_height() + 10);
        vm.assertLt(registry.liveUntil(_given.signer), _now());
        _renew("alice", Role.Keyholder, "host0");
        vm.assertEq(registry.liveUntil(_given.signer), _now() + 7 days);
    }

    /// @dev ⚔ a recorded quote must not extend anything, be it the registration's own.
    function test_renew_needsANewerChallenge() public {
        vm.prank(_given.operator);
        registry.register(_given, _proof, "");
        bytes memory refusal = abi.encodeWithSelector(
            INodeRegistry.ChallengeNotFresh.selector, _given.challengeBlock, uint256(_given.challengeBlock)
        );
        vm.expectRevert(refusal);
        registry.renew(_given.signer, _given.challengeBlock, _proof);
        Registration memory older = _given;
        older.challengeBlock -= 5;
        Evidence memory evidence = _evidenceFor("host0", older);
        avm.expectPartialRevert(INodeRegistry.ChallengeNotFresh.selector);
        registry.renew(older.signer, older.challengeBlock, evidence);
        _nextBlocks(5);
        _setBlockHash(_height() - 1);
        avm.expectPartialRevert(INodeRegistry.ReportDataMismatch.selector);
        registry.renew(_given.signer, uint64(_height() - 1), _proof);
    }

    function test_renew_needsARegisteredSigner() public {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.UnknownSigner.selector, _given.signer));
        registry.renew(_given.signer, _given.challengeBlock, _proof);
    }

    function test_renew_needsTheSigersOwnQuote() public {
        vm.prank(_given.operator);
        registry.register(_given, _proof, "");
        _register("bob", Role.Keyholder, "host1");
        _nextBlocks(5);
        Registration memory bobs = _registration("bob", Role.Keyholder);
        Evidence memory evidence = _evidenceFor("host1", bobs);
        avm.expectPartialRevert(INodeRegistry.ReportDataMismatch.selector);
        registry.renew(_given.signer, bobs.challengeBlock, evidence);
    }

    /// @dev ⚔ a machine that was broken and patched comes back with a fresh signer only.
    function test_renew_needsTheSameMachineAtTheSameTcb() public {
        vm.prank(_given.operator);
        registry.register(_given, _proof, "");
        _nextBlocks(5);
        Registration memory renewal = _registration("alice", Role.Keyholder);
        Evidence memory evidence = _evidenceFor("host1", renewal);
        bytes memory refusal = abi.encodeWithSelector(INodeRegistry.PlatformChanged.selector, renewal.signer);
        vm.expectRevert(refusal);
        registry.renew(renewal.signer, renewal.challengeBlock, evidence);
        Machine memory patched = _machine("host0");
        patched.teeTcbSvn = 0x0c010400000000000000000000000000;
        bytes32 tail = _setBlockHash(renewal.challengeBlock);
        evidence = _evidence(patched, _quote(patched, registry.reportDataOf(renewal), tail), _qeReport(patched));
        vm.expectRevert(refusal);
        registry.renew(renewal.signer, renewal.challengeBlock, evidence);
    }

    function test_renew_needsTheSameSoftware() public {
        vm.prank(_given.operator);
        registry.register(_given, _proof, "");
        bytes32 next = keccak256("next compose file");
        uint32 entryId = _addEntry(_entry(Role.Keyholder, _imageId(), next));
        _nextBlocks(5);
        Registration memory renewal = _registration("alice", Role.Keyholder);
        Machine memory host = _machine("host0");
        bytes memory quote = _quote(host, registry.reportDataOf(renewal), _setBlockHash(renewal.challengeBlock));
        quote.put(MR_CONFIG_ID + 1, abi.encodePacked(next));
        Evidence memory evidence = _evidence(host, quote, _qeReport(host));
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.MeasurementChanged.selector, renewal.signer, entryId)
        );
        registry.renew(renewal.signer, renewal.challengeBlock, evidence);
    }

    /// @dev By a call, so that the revert of the constructor is a call's.
    function createRegistry(uint64 maxChallengeAge) external returns (NodeRegistry) {
        return _newRegistry(maxChallengeAge);
    }

    function _refuse(Registration memory registration, bytes memory refusal) private {
        vm.expectRevert(refusal);
        vm.prank(registration.operator);
        registry.register(registration, _proof, "");
    }

    function _refusePartially(Registration memory registration, bytes4 selector) private {
        avm.expectPartialRevert(selector);
        vm.prank(registration.operator);
        registry.register(registration, _proof, "");
    }
}
