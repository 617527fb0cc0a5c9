// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DecryptionVerifier} from "../../../src/DecryptionVerifier.sol";
import {NodeRegistry} from "../../../src/NodeRegistry.sol";
import {QuoteVerifier} from "../../../src/attestation/QuoteVerifier.sol";
import {ICollateralObserver} from "../../../src/interfaces/ICollateralObserver.sol";
import {Evidence} from "../../../src/interfaces/IQuoteVerifier.sol";
import {EpochHeader} from "../../../src/types/Decryption.sol";
import {AllowListEntry, Registration, Role} from "../../../src/types/Node.sol";
import {Artifact} from "./Artifact.sol";
import {Platform} from "./Platform.sol";

/// @notice NodeRegistry with real quotes and the real DecryptionVerifier; the test itself is the KeyRegistry.
abstract contract Registry is Platform {
    uint64 internal constant MAX_AGE = 256;
    uint256 internal constant TIMELOCK = 60;
    uint256 internal constant GRACE = 7 days;
    bytes32 internal constant KEY = keccak256("key of the tests");
    uint32 internal constant EPOCH = 1;
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    /// @dev Runtime code of EIP-2935.
    bytes private constant HISTORY_CODE =
        hex"3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500";

    NodeRegistry internal registry;
    DecryptionVerifier internal verifier;
    uint32 internal keyholderEntry;
    uint32 internal executorEntry;

    function setUp() public virtual override {
        super.setUp();
        vm.etch(HISTORY, HISTORY_CODE);
        address registryAt = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 3);
        store = _newStore(ICollateralObserver(registryAt), GRACE);
        quotes = QuoteVerifier(Artifact.create("QuoteVerifier", abi.encode(store)));
        verifier = DecryptionVerifier(Artifact.create("DecryptionVerifier", abi.encode(this, registryAt)));
        registry = _newRegistry(MAX_AGE);
        vm.assertEq(address(registry), registryAt);
        _fill(store);
        keyholderEntry = _addEntry(_entry(Role.Keyholder, _imageId(), COMPOSE_HASH));
        executorEntry = _addEntry(_entry(Role.Executor, _imageId(), COMPOSE_HASH));
    }

    function _newRegistry(uint64 maxChallengeAge) internal returns (NodeRegistry) {
        bytes memory contracts = abi.encode(this, verifier, quotes);
        bytes memory rest = abi.encode(governance, guardian, maxChallengeAge, 20, 20);
        return NodeRegistry(Artifact.create("NodeRegistry", bytes.concat(contracts, rest)));
    }

    function _entry(Role role, bytes32 imageId, bytes32 composeHash) internal pure returns (AllowListEntry memory) {
        return AllowListEntry(role, imageId, composeHash, keccak256("provider"), 1);
    }

    function _addEntry(AllowListEntry memory entry) internal returns (uint32 entryId) {
        vm.prank(governance);
        entryId = registry.proposeEntry(entry);
        vm.warp(_now() + TIMELOCK);
        registry.activateEntry(entryId);
    }

    /// @dev What the node of this name registers, with the newest block as challenge.
    function _registration(string memory name, Role role) internal returns (Registration memory registration) {
        registration = Registration({
            operator: addressOfName(string.concat("operator of ", name)),
            role: role,
            signer: addressOfName(name),
            peerIdHash: keccak256(bytes(string.concat("peer of ", name))),
            configHash: keccak256("configuration"),
            challengeBlock: uint64(_height() - 1)
        });
        if (!registry.isAdmitted(registration.operator)) {
            vm.prank(governance);
            registry.admitOperator(registration.operator);
        }
    }

    function _evidenceFor(string memory machine, Registration memory registration)
        internal
        returns (Evidence memory)
    {
        Machine memory host = _machine(machine);
        bytes32 head = registry.reportDataOf(registration);
        return _evidence(host, _quote(host, head, _setBlockHash(registration.challengeBlock)), _qeReport(host));
    }

    /// @dev Gives a block of the past a hash.
    function _setBlockHash(uint256 number) internal returns (bytes32 blockHash) {
        blockHash = keccak256(abi.encode("block", number));
        vm.store(HISTORY, bytes32(number % 8191), blockHash);
    }

    function _register(string memory name, Role role, string memory machine) internal returns (address) {
        Registration memory registration = _registration(name, role);
        Evidence memory evidence = _evidenceFor(machine, registration);
        vm.prank(registration.operator);
        registry.register(registration, evidence, "");
        return registration.signer;
    }

    function _renew(string memory name, Role role, string memory machine) internal {
        Registration memory registration = _registration(name, role);
        Evidence memory evidence = _evidenceFor(machine, registration);
        registry.renew(registration.signer, registration.challengeBlock, evidence);
    }

    /// @dev Installs the signers as the committee of (key, epoch), as KeyRegistry does.
    function _seat(bytes32 key, uint32 epoch, address[] memory signers) internal {
        uint32[] memory expiries = new uint32[](signers.length);
        for (uint256 i = 0; i < signers.length; i++) expiries[i] = registry.liveUntil(signers[i]);
        verifier.installEpoch(key, epoch, _header(uint8(signers.length)), expiries, signers);
        for (uint256 i = 0; i < signers.length; i++) registry.assignSeat(signers[i], key, epoch, uint8(i + 1));
    }

    function _header(uint8 n) internal view virtual returns (EpochHeader memory) {
        return EpochHeader({
            groupX: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,
            groupV: 27,
            n: n,
            quorum: 1,
            gateway: address(1)
        });
    }

    /// @dev Four keyholders "party1" to "party4" on four machines, seated.
    function _seatFour() internal returns (address[] memory signers) {
        signers = new address[](4);
        for (uint256 i = 0; i < 4; i++) {
            signers[i] = _register(_party(i), Role.Keyholder, string.concat("host", vm.toString(i)));
        }
        _seat(KEY, EPOCH, signers);
    }

    function _party(uint256 i) internal pure returns (string memory) {
        return string.concat("party", vm.toString(i + 1));
    }

    /// @dev Bit i = party i + 1 has an expiry in the verifier.
    function _liveParties() internal view returns (uint256 bits) {
        for (uint8 index = 1; index <= 4; index++) {
            if (verifier.expiryOf(KEY, EPOCH, index) > _now()) bits |= 1 << (index - 1);
        }
    }

    function _nextBlocks(uint256 count) internal {
        vm.roll(_height() + count);
        vm.warp(_now() + 12 * count);
    }
}
