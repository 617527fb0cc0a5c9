// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CiphertextCommitments} from "../../src/CiphertextCommitments.sol";
import {Coprocessor} from "../../src/Coprocessor.sol";
import {DecryptionGateway} from "../../src/DecryptionGateway.sol";
import {DecryptionVerifier} from "../../src/DecryptionVerifier.sol";
import {KeyRegistry} from "../../src/KeyRegistry.sol";
import {ResultHash} from "../../src/libraries/ResultHash.sol";
import {ResultTree} from "../../src/libraries/ResultTree.sol";
import {
    BatchCertificate,
    Certificate,
    DecryptionResult,
    EndorsedCertificate,
    EpochHeader,
    Opening
} from "../../src/types/Decryption.sol";
import {Activation, Host, Proposal} from "../../src/types/Key.sol";
import {Role} from "../../src/types/Node.sol";
import {MerkleTree} from "./MerkleTree.sol";
import {MockNodeRegistry} from "./MockNodeRegistry.sol";
import {SchnorrSigner} from "./SchnorrSigner.sol";
import {Test} from "./Test.sol";

/// @notice The whole system around a mock of the node registry: four keyholders (t = 1) and two executors (k = 2).
abstract contract System is Test {
    using SchnorrSigner for SchnorrSigner.Key;

    uint32 internal constant EPOCH = 1;
    uint32 internal constant STANDING = 7 days;
    uint96 internal constant FEE = 0.001 ether;
    uint40 internal constant CANCEL_WINDOW = 12;
    uint40 internal constant MIN_LIFETIME = 30 minutes;

    MockNodeRegistry internal nodes;
    KeyRegistry internal keys;
    DecryptionVerifier internal verifier;
    DecryptionGateway internal gateway;
    CiphertextCommitments internal commitments;
    Coprocessor internal coprocessor;

    address internal governance;
    address internal guardian;
    address internal treasury;
    address[] internal parties;
    address[] internal executors;
    uint256[] internal partyKeys;
    uint256[] internal executorKeys;
    SchnorrSigner.Key internal group;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        vm.roll(1_000);
        governance = addressOfName("governance");
        guardian = addressOfName("guardian");
        treasury = addressOfName("treasury");
        group = SchnorrSigner.keyFrom(1);
        _deploy();
        for (uint256 i; i < 4; ++i) _addNode(Role.Keyholder, string.concat("party", vm.toString(i + 1)));
        for (uint256 i; i < 2; ++i) _addNode(Role.Executor, string.concat("executor", vm.toString(i + 1)));
    }

    function _deploy() private {
        uint256 nonce = vm.getNonce(address(this));
        address nodesAt = vm.computeCreateAddress(address(this), nonce);
        address keysAt = vm.computeCreateAddress(address(this), nonce + 1);
        address verifierAt = vm.computeCreateAddress(address(this), nonce + 2);
        address commitmentsAt = vm.computeCreateAddress(address(this), nonce + 4);
        address coprocessorAt = vm.computeCreateAddress(address(this), nonce + 5);
        nodes = MockNodeRegistry(_create("MockNodeRegistry", abi.encode(verifierAt)));
        bytes memory arguments = abi.encode(keccak256("genesis"), nodesAt, verifierAt, governance, guardian);
        keys = KeyRegistry(_create("KeyRegistry", arguments));
        verifier = DecryptionVerifier(_create("DecryptionVerifier", abi.encode(keysAt, nodesAt)));
        arguments = abi.encode(verifierAt, treasury, FEE, CANCEL_WINDOW, MIN_LIFETIME);
        gateway = DecryptionGateway(_create("DecryptionGateway", arguments));
        arguments = abi.encode(keysAt, nodesAt, coprocessorAt);
        commitments = CiphertextCommitments(_create("CiphertextCommitments", arguments));
        arguments = abi.encode(keysAt, nodesAt, verifierAt, commitmentsAt);
        coprocessor = Coprocessor(_create("Coprocessor", arguments));
        vm.assertEq(address(coprocessor), coprocessorAt);
    }

    /// @notice Creates a contract as production compiles it; tests themselves are compiled without the optimizer.
    function _create(string memory name, bytes memory arguments) internal returns (address) {
        return vm.deployCode(string.concat("out/", name, ".sol/", name, ".json"), arguments);
    }

    /// @notice Registers a node whose operator and platform are its own.
    function _addNode(Role role, string memory name) internal returns (address signer) {
        signer = addressOfName(name);
        address operator = addressOfName(string.concat(name, " operator"));
        nodes.put(signer, operator, role, uint32(block.timestamp) + STANDING, bytes16(keccak256(bytes(name))));
        if (role == Role.Keyholder) {
            parties.push(signer);
            partyKeys.push(keyOfName(name));
        } else {
            executors.push(signer);
            executorKeys.push(keyOfName(name));
        }
    }

    function _host() internal view returns (Host memory) {
        return Host(uint64(block.chainid), address(coprocessor), address(gateway));
    }

    function _proposal() internal view returns (Proposal memory) {
        return Proposal({
            n: 4,
            t: 1,
            k: 2,
            parties: parties,
            executors: executors,
            parametersHash: keccak256("parameters"),
            host: _host(),
            deadline: uint64(block.timestamp + 1 hours)
        });
    }

    function _propose() internal returns (bytes32 keyId) {
        Proposal memory proposal = _proposal();
        vm.prank(governance);
        return keys.propose(proposal);
    }

    function _activation() internal view returns (Activation memory) {
        return Activation({
            publicKeyDigest: keccak256("public key"),
            serverKeyDigest: keccak256("server key"),
            crsDigest: keccak256("crs"),
            transcriptDigest: keccak256("transcript"),
            groupX: group.x,
            groupV: group.v
        });
    }

    function _memberSignatures(bytes32 digest, uint256 members) internal view returns (bytes[] memory signatures) {
        signatures = new bytes[](members);
        for (uint256 i; i < members; ++i) signatures[i] = signDigest(partyKeys[i], digest);
    }

    function _activate(bytes32 keyId) internal {
        Activation memory activation = _activation();
        bytes32 digest = keys.activationDigest(keyId, EPOCH, activation);
        (address r, uint256 s) = group.sign(digest);
        keys.activate(keyId, activation, _memberSignatures(digest, parties.length), r, s);
    }

    function _activeKey() internal returns (bytes32 keyId) {
        keyId = _propose();
        _activate(keyId);
    }

    /// @notice A result of `count` handles for a request.
    function _result(bytes32 requestId, uint256 count) internal view returns (DecryptionResult memory result) {
        result.gateway = address(gateway);
        result.requestId = requestId;
        bytes32[] memory handles = _handles(count);
        result.openings = new Opening[](count);
        for (uint256 i; i < count; ++i) {
            result.openings[i] = Opening(handles[i], keccak256(abi.encode("session", i)), 300 + i);
        }
    }

    /// @notice Handles in the real layout, of type Uint16.
    function _handles(uint256 count) internal view returns (bytes32[] memory handles) {
        handles = new bytes32[](count);
        uint256 low = (255 << 80) | (uint256(block.chainid) << 16) | (3 << 8) | 1;
        for (uint256 i; i < count; ++i) {
            handles[i] = bytes32((uint256(keccak256(abi.encode("handle", i))) >> 88 << 88) | low);
        }
    }

    /// @notice Certificate of a tree with this result alone, as the group would sign it.
    function _certify(bytes32 keyId, DecryptionResult memory result, uint256 signers)
        internal
        view
        returns (Certificate memory certificate)
    {
        certificate.keyId = keyId;
        certificate.epoch = EPOCH;
        certificate.signers = signers;
        certificate.leaves = 1;
        return _signBatch(group, result, certificate);
    }

    /// @notice Fills in the signature for what the certificate says.
    function _signBatch(SchnorrSigner.Key memory key, DecryptionResult memory result, Certificate memory certificate)
        internal
        view
        returns (Certificate memory)
    {
        (certificate.r, certificate.s) = key.sign(verifier.batchDigest(result, certificate));
        return certificate;
    }

    function _leavesOf(DecryptionResult[] memory results) internal view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](results.length);
        for (uint256 i; i < results.length; ++i) leaves[i] = ResultTree.leafOf(verifier.hashResult(results[i]));
    }

    /// @notice Certificate of a tree with all these results, as the group would sign it.
    function _certifyAll(bytes32 keyId, DecryptionResult[] memory results, uint256 signers)
        internal
        view
        returns (BatchCertificate memory certificate)
    {
        bytes32 root = MerkleTree.rootOf(_leavesOf(results));
        (certificate.keyId, certificate.epoch, certificate.signers) = (keyId, EPOCH, signers);
        bytes32 batch = ResultHash.ofBatch(keyId, EPOCH, signers, root, results.length);
        (certificate.r, certificate.s) =
            group.sign(keccak256(abi.encodePacked(hex"1901", verifier.domainSeparator(), batch)));
    }

    /// @notice The same signature with the place of one of the results.
    function _single(DecryptionResult[] memory results, BatchCertificate memory certificate, uint256 index)
        internal
        view
        returns (Certificate memory)
    {
        return Certificate({
            keyId: certificate.keyId,
            epoch: certificate.epoch,
            signers: certificate.signers,
            leaves: uint32(results.length),
            index: uint32(index),
            path: MerkleTree.pathOf(_leavesOf(results), index),
            r: certificate.r,
            s: certificate.s
        });
    }

    /// @notice What the seats of `signers` sign for one result of a tree.
    function _endorse(bytes32 keyId, DecryptionResult[] memory results, uint256 index, uint256 signers)
        internal
        view
        returns (EndorsedCertificate memory certificate)
    {
        bytes32[] memory leaves = _leavesOf(results);
        (certificate.keyId, certificate.epoch, certificate.signers) = (keyId, EPOCH, signers);
        (certificate.leaves, certificate.index) = (uint32(results.length), uint32(index));
        certificate.path = MerkleTree.pathOf(leaves, index);
        bytes32 root = MerkleTree.rootOf(leaves);
        certificate.signatures =
            _endorsements(verifier.endorsedDigest(keyId, EPOCH, root, uint32(results.length)), signers);
    }

    /// @notice Compact signatures of these parties over any digest, ascending by party.
    function _endorsements(bytes32 digest, uint256 signers) internal view returns (bytes32[2][] memory signatures) {
        uint256 count;
        for (uint256 bits = signers; bits != 0; bits &= bits - 1) ++count;
        signatures = new bytes32[2][](count);
        uint256 next;
        for (uint256 i; signers >> i != 0; ++i) {
            if ((signers >> i) & 1 == 1) signatures[next++] = _compact(partyKeys[i], digest);
        }
    }

    function _compact(uint256 privateKey, bytes32 digest) internal pure returns (bytes32[2] memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest);
        return [r, bytes32(uint256(s) | (uint256(v - 27) << 255))];
    }

    /// @notice An epoch of thirteen parties, nine of which sign, under the group key of the tests.
    function _installLarge(bytes32 keyId) internal {
        uint32[] memory expiries = new uint32[](13);
        for (uint256 i = parties.length; i < 13; ++i) {
            _addNode(Role.Keyholder, string.concat("party", vm.toString(i + 1)));
        }
        for (uint256 i; i < 13; ++i) expiries[i] = uint32(block.timestamp + 1);
        vm.prank(address(keys));
        verifier.installEpoch(
            keyId, EPOCH, EpochHeader(group.x, group.v, 13, 9, address(gateway)), expiries, parties
        );
    }

    function _headerFor(address gateway_) internal view returns (EpochHeader memory) {
        return EpochHeader(group.x, group.v, 4, 3, gateway_);
    }

    function _alone(DecryptionResult memory result) internal pure returns (DecryptionResult[] memory results) {
        results = new DecryptionResult[](1);
        results[0] = result;
    }
}
