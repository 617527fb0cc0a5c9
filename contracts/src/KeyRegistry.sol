// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IDecryptionVerifier} from "./interfaces/IDecryptionVerifier.sol";
import {IKeyRegistry} from "./interfaces/IKeyRegistry.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {Bitmap} from "./libraries/Bitmap.sol";
import {CommitteeSize} from "./libraries/CommitteeSize.sol";
import {Schnorr} from "./libraries/Schnorr.sol";
import {TwinlockDomain} from "./libraries/TwinlockDomain.sol";
import {EpochHeader} from "./types/Decryption.sol";
import {Activation, Committee, Host, Key, KeyStatus, Proposal} from "./types/Key.sol";
import {NodeRecord, Role} from "./types/Node.sol";

/// @title Keys, their committees and executors (protocol §1, §4)
/// @notice A key id contains the host contracts, so nobody can put another contract under an existing key. A key becomes
/// active only with the signatures of all its parties, each with live standing, and of the group key itself.
contract KeyRegistry is IKeyRegistry {
    struct Executors {
        uint8 k;
        address[] signers;
    }

    bytes32 private constant KEY_TAG = keccak256("twinlock/key/v1");
    bytes32 private constant ACTIVATION_TYPE = keccak256(
        "KeyActivation(bytes32 keyId,uint32 epoch,bytes32 publicKeyDigest,bytes32 serverKeyDigest,bytes32 crsDigest,bytes32 transcriptDigest,uint256 groupX,uint8 groupV)"
    );
    bytes32 private constant DISCARD_TYPE = keccak256("Discard(bytes32 keyId)");

    uint32 private constant FIRST_EPOCH = 1;
    uint256 public constant MAX_EXECUTORS = 15;
    uint256 public constant MAX_CEREMONY_SECONDS = 30 days;

    bytes32 public immutable genesisHash;
    INodeRegistry public immutable nodeRegistry;
    IDecryptionVerifier public immutable verifier;
    address public immutable governance;
    address public immutable guardian;

    /// @inheritdoc IKeyRegistry
    uint64 public nextCeremonyNonce;
    /// @inheritdoc IKeyRegistry
    mapping(address coprocessor => bytes32 keyId) public keyOfHost;
    mapping(bytes32 keyId => Key) private _keys;
    mapping(bytes32 keyId => Executors) private _executors;
    mapping(bytes32 keyId => mapping(uint32 epoch => Committee)) private _committees;

    /// @param genesisHash_ hash of the chain's first block: part of every key id
    /// @param governance_ proposes keys
    /// @param guardian_ may end a proposal, nothing else
    constructor(
        bytes32 genesisHash_,
        INodeRegistry nodeRegistry_,
        IDecryptionVerifier verifier_,
        address governance_,
        address guardian_
    ) {
        genesisHash = genesisHash_;
        nodeRegistry = nodeRegistry_;
        verifier = verifier_;
        governance = governance_;
        guardian = guardian_;
    }

    /// @inheritdoc IKeyRegistry
    function propose(Proposal calldata proposal) external returns (bytes32 keyId) {
        if (msg.sender != governance) revert NotGovernance(msg.sender);
        _requireSizes(proposal);
        _requireHost(proposal.host);
        if (proposal.deadline <= block.timestamp || proposal.deadline > block.timestamp + MAX_CEREMONY_SECONDS) {
            revert DeadlineOutOfRange(proposal.deadline);
        }
        if (proposal.parametersHash == 0) revert DigestMissing();
        _requireMembers(proposal.parties, Role.Keyholder);
        _requireMembers(proposal.executors, Role.Executor);

        uint64 nonce = nextCeremonyNonce++;
        keyId = keyIdOf(nonce, proposal.host);
        Key storage key = _keys[keyId];
        key.status = KeyStatus.Proposed;
        key.deadline = proposal.deadline;
        key.ceremonyNonce = nonce;
        key.host = proposal.host;
        key.parametersHash = proposal.parametersHash;
        _committees[keyId][FIRST_EPOCH] = Committee(proposal.n, proposal.t, proposal.parties);
        _executors[keyId] = Executors(proposal.k, proposal.executors);
        emit KeyProposed(keyId, nonce, proposal);
    }

    /// @inheritdoc IKeyRegistry
    function activate(
        bytes32 keyId,
        Activation calldata activation,
        bytes[] calldata signatures,
        address r,
        uint256 s
    ) external {
        Key storage key = _proposed(keyId);
        if (block.timestamp > key.deadline) revert ProposalExpired(keyId, key.deadline);
        _requireHost(key.host);
        if (
            activation.publicKeyDigest == 0 || activation.serverKeyDigest == 0 || activation.crsDigest == 0
                || activation.transcriptDigest == 0
        ) revert DigestMissing();

        Committee memory committee = _committees[keyId][FIRST_EPOCH];
        address[] memory executors = _executors[keyId].signers;
        // Operators and platforms may have changed by renewals since the proposal: same rules again.
        uint32[] memory expiries = _requireMembers(committee.parties, Role.Keyholder);
        _requireMembers(executors, Role.Executor);
        bytes32 digest = activationDigest(keyId, FIRST_EPOCH, activation);
        if (signatures.length != committee.n) revert SignatureCountMismatch(signatures.length, committee.n);
        for (uint8 index = 1; index <= committee.n; ++index) {
            _requireSignature(digest, signatures[index - 1], index, committee.parties[index - 1]);
        }
        // Proof of possession, and that the group key lies on the curve.
        if (!Schnorr.verify(activation.groupX, activation.groupV, digest, r, s)) revert BadGroupSignature(digest);

        key.status = KeyStatus.Active;
        key.epoch = FIRST_EPOCH;
        key.publicKeyDigest = activation.publicKeyDigest;
        key.serverKeyDigest = activation.serverKeyDigest;
        key.crsDigest = activation.crsDigest;
        key.transcriptDigest = activation.transcriptDigest;
        keyOfHost[key.host.coprocessor] = keyId;
        emit KeyActivated(keyId, FIRST_EPOCH, key.host, activation, committee.parties, executors);
        _install(keyId, key.host.gateway, activation, committee, expiries);
    }

    /// @inheritdoc IKeyRegistry
    function discard(bytes32 keyId, uint256 signers, bytes[] calldata signatures) external {
        Key storage key = _proposed(keyId);
        Committee memory committee = _committees[keyId][FIRST_EPOCH];
        if (signers >> committee.n != 0) revert SignersOutOfRange(signers, committee.n);
        uint8 count = Bitmap.count(signers);
        uint8 needed = CommitteeSize.agreement(committee.n, committee.t);
        if (count < needed) revert TooFewSigners(count, needed);
        if (signatures.length != count) revert SignatureCountMismatch(signatures.length, count);
        bytes32 digest = discardDigest(keyId);
        uint256 position;
        for (uint8 index = 1; index <= committee.n; ++index) {
            if (!Bitmap.has(signers, index)) continue;
            address signer = committee.parties[index - 1];
            // A lapsed member still has a say about a key that it helped to make; a revoked one has none.
            if (nodeRegistry.nodeOf(signer).revoked) revert MemberRevoked(signer);
            _requireSignature(digest, signatures[position++], index, signer);
        }
        key.status = KeyStatus.Discarded;
        emit KeyDiscarded(keyId, key.ceremonyNonce, signers);
    }

    /// @inheritdoc IKeyRegistry
    function guardianDiscard(bytes32 keyId) external {
        if (msg.sender != guardian) revert NotGuardian(msg.sender);
        Key storage key = _proposed(keyId);
        key.status = KeyStatus.Discarded;
        emit KeyDiscarded(keyId, key.ceremonyNonce, 0);
    }

    /// @inheritdoc IKeyRegistry
    function keyOf(bytes32 keyId) external view returns (Key memory) {
        return _keys[keyId];
    }

    /// @inheritdoc IKeyRegistry
    function committeeOf(bytes32 keyId, uint32 epoch) external view returns (Committee memory) {
        return _committees[keyId][epoch];
    }

    /// @inheritdoc IKeyRegistry
    function executorsOf(bytes32 keyId) external view returns (address[] memory executors, uint8 k) {
        Executors storage found = _executors[keyId];
        return (found.signers, found.k);
    }

    /// @inheritdoc IKeyRegistry
    function crsDigest(bytes32 keyId) external view returns (bytes32) {
        return _keys[keyId].crsDigest;
    }

    /// @inheritdoc IKeyRegistry
    function keyIdOf(uint64 ceremonyNonce, Host calldata host) public view returns (bytes32) {
        return keccak256(
            abi.encode(
                KEY_TAG,
                genesisHash,
                block.chainid,
                address(this),
                ceremonyNonce,
                host.chainId,
                host.coprocessor,
                host.gateway
            )
        );
    }

    /// @inheritdoc IKeyRegistry
    function activationDigest(bytes32 keyId, uint32 epoch, Activation calldata activation)
        public
        view
        returns (bytes32)
    {
        return _digest(keccak256(abi.encode(ACTIVATION_TYPE, keyId, epoch, activation)));
    }

    /// @inheritdoc IKeyRegistry
    function discardDigest(bytes32 keyId) public view returns (bytes32) {
        return _digest(keccak256(abi.encode(DISCARD_TYPE, keyId)));
    }

    function _install(
        bytes32 keyId,
        address gateway,
        Activation calldata activation,
        Committee memory committee,
        uint32[] memory expiries
    ) private {
        EpochHeader memory header = EpochHeader({
            groupX: activation.groupX,
            groupV: activation.groupV,
            n: committee.n,
            quorum: CommitteeSize.quorum(committee.t),
            gateway: gateway
        });
        verifier.installEpoch(keyId, FIRST_EPOCH, header, expiries, committee.parties);
        for (uint8 index = 1; index <= committee.n; ++index) {
            nodeRegistry.assignSeat(committee.parties[index - 1], keyId, FIRST_EPOCH, index);
        }
    }

    function _requireSizes(Proposal calldata proposal) private pure {
        uint256 parties = proposal.parties.length;
        uint256 executors = proposal.executors.length;
        if (parties != proposal.n) revert PartyCountMismatch(parties, proposal.n);
        if (!CommitteeSize.isValid(proposal.n, proposal.t)) revert CommitteeSizeOutOfRange(proposal.n, proposal.t);
        if (
            executors > MAX_EXECUTORS || proposal.k < 2 || proposal.k > executors
                || 2 * uint256(proposal.k) <= executors
        ) revert ExecutorQuorumOutOfRange(proposal.k, executors);
    }

    function _requireHost(Host memory host) private view {
        if (host.chainId != block.chainid) revert ForeignHost(host.chainId);
        if (host.coprocessor == address(0) || host.gateway == address(0)) {
            revert HostMissing(host.coprocessor, host.gateway);
        }
        bytes32 taken = keyOfHost[host.coprocessor];
        if (taken != 0) revert HostTaken(host.coprocessor, taken);
    }

    /// @dev Every signer is a live node of the role without a seat, in whichever key; no operator and no machine, by PPID
    /// or PIID, comes twice. Operators and machines may serve other keys, by other signers.
    function _requireMembers(address[] memory signers, Role role) private view returns (uint32[] memory expiries) {
        expiries = new uint32[](signers.length);
        address[] memory operators = new address[](signers.length);
        bytes16[] memory platforms = new bytes16[](signers.length);
        bytes16[] memory instances = new bytes16[](signers.length);
        for (uint256 i; i < signers.length; ++i) {
            address signer = signers[i];
            NodeRecord memory node = nodeRegistry.nodeOf(signer);
            if (node.role != role) revert WrongRole(signer, node.role);
            expiries[i] = nodeRegistry.liveUntil(signer);
            if (expiries[i] <= block.timestamp) revert MemberNotLive(signer, expiries[i]);
            if (nodeRegistry.seatOf(signer).index != 0) revert MemberSeated(signer);
            for (uint256 j; j < i; ++j) {
                if (operators[j] == node.operator) revert OperatorRepeated(node.operator);
                if (platforms[j] == node.ppid) revert PlatformRepeated(node.ppid);
                // Under the Processor CA there are no instances: their PIID is zero.
                if (node.piid != 0 && instances[j] == node.piid) revert PlatformRepeated(node.piid);
            }
            (operators[i], platforms[i], instances[i]) = (node.operator, node.ppid, node.piid);
        }
    }

    function _requireSignature(bytes32 digest, bytes calldata signature, uint8 index, address expected) private pure {
        (address recovered,,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (recovered != expected) revert BadMemberSignature(index, recovered, expected);
    }

    function _proposed(bytes32 keyId) private view returns (Key storage key) {
        key = _keys[keyId];
        if (key.status != KeyStatus.Proposed) revert NotProposed(keyId, key.status);
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(TwinlockDomain.separator(address(verifier)), structHash);
    }
}
