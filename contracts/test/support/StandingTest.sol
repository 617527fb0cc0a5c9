// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TcbStatus} from "../../src/attestation/TcbStatus.sol";
import {IDecryptionVerifier} from "../../src/interfaces/IDecryptionVerifier.sol";
import {INodeRegistry} from "../../src/interfaces/INodeRegistry.sol";
import {Appraisal, Evidence, PlatformFacts} from "../../src/interfaces/IQuoteVerifier.sol";
import {EpochHeader} from "../../src/types/Decryption.sol";
import {AllowListEntry, Registration, Role} from "../../src/types/Node.sol";
import {QuoteVerifierStub} from "./QuoteVerifierStub.sol";
import {Test} from "./Test.sol";

/// @notice The real registry and verifier around a stub of quotes and collateral, for tests of standing alone: many
/// nodes, random histories, any chain id. The test is the KeyRegistry.
abstract contract StandingTest is Test {
    uint64 internal constant MAX_AGE = 256;
    bytes32 internal constant KEY = keccak256("key of the tests");
    uint32 internal constant EPOCH = 1;
    bytes32 internal constant IMAGE = keccak256("image");
    bytes32 internal constant COMPOSE = keccak256("compose");
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    /// @dev Answers every number with the number itself as hash: PUSH0 CALLDATALOAD PUSH0 MSTORE MSIZE PUSH0 RETURN.
    bytes private constant HISTORY_CODE = hex"5f355f52595ff3";

    /// @dev A machine: what its PCK certificate says.
    struct Machine {
        bytes16 ppid;
        bytes16 piid;
        uint160 serial;
        uint256 components;
        uint32 leafExpiresAt;
    }

    QuoteVerifierStub internal quotes;
    IDecryptionVerifier internal verifier;
    INodeRegistry internal registry;
    address internal governance;
    address internal guardian;
    uint32 internal keyholderEntry;
    uint32 internal executorEntry;

    function setUp() public virtual {
        vm.chainId(31337);
        vm.warp(1_800_000_000);
        vm.roll(10_000);
        _deploy(addressOfName("governance"), addressOfName("guardian"));
        keyholderEntry = _addEntry(Role.Keyholder);
        executorEntry = _addEntry(Role.Executor);
    }

    function _deploy(address governance_, address guardian_) internal {
        (governance, guardian) = (governance_, guardian_);
        vm.etch(HISTORY, HISTORY_CODE);
        quotes = new QuoteVerifierStub();
        address registryAt = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        verifier = IDecryptionVerifier(_create("DecryptionVerifier", abi.encode(address(this), registryAt)));
        registry = INodeRegistry(
            _create(
                "NodeRegistry",
                abi.encode(address(this), verifier, quotes, governance, guardian, MAX_AGE, uint16(20), uint16(20))
            )
        );
        vm.assertEq(address(registry), registryAt);
    }

    /// @notice Creates a contract as production compiles it.
    function _create(string memory name, bytes memory arguments) internal returns (address) {
        return vm.deployCode(string.concat("out/", name, ".sol/", name, ".json"), arguments);
    }

    function _addEntry(Role role) internal returns (uint32 entryId) {
        vm.prank(governance);
        entryId = registry.proposeEntry(AllowListEntry(role, IMAGE, COMPOSE, keccak256("provider"), 1));
        vm.warp(_now() + (block.chainid == 31337 ? 60 : 7 days));
        registry.activateEntry(entryId);
    }

    /// @dev Machine of this number, up to date and never revoked unless the stub says so.
    function _machine(uint256 number) internal view returns (Machine memory) {
        return Machine({
            ppid: bytes16(keccak256(abi.encode("ppid", number))),
            piid: bytes16(keccak256(abi.encode("piid", number))),
            serial: uint160(1_000 + number),
            components: 7_000 + number,
            leafExpiresAt: uint32(_now() + 365 days)
        });
    }

    function _registration(string memory name, Role role) internal returns (Registration memory registration) {
        registration = Registration({
            operator: addressOfName(string.concat("operator of ", name)),
            role: role,
            signer: addressOfName(name),
            peerIdHash: keccak256(bytes(name)),
            configHash: keccak256("configuration"),
            challengeBlock: uint64(_height() - 1)
        });
        _admit(registration.operator);
    }

    function _admit(address operator) internal {
        if (registry.isAdmitted(operator)) return;
        vm.prank(governance);
        registry.admitOperator(operator);
    }

    function _evidence(Registration memory registration, Machine memory machine)
        internal
        view
        returns (Evidence memory evidence)
    {
        Appraisal memory appraisal;
        appraisal.pckExpiresAt = machine.leafExpiresAt;
        (appraisal.ppid, appraisal.piid) = (machine.ppid, machine.piid);
        appraisal.platform = PlatformFacts(machine.components, machine.serial, "fmspc", 13, 4, 0);
        (appraisal.imageId, appraisal.composeHash) = (IMAGE, COMPOSE);
        appraisal.reportDataHead = registry.reportDataOf(registration);
        appraisal.reportDataTail = bytes32(uint256(registration.challengeBlock));
        evidence.quote = abi.encode(appraisal);
    }

    function _register(string memory name, Role role, uint256 machine) internal returns (address) {
        Registration memory registration = _registration(name, role);
        Evidence memory evidence = _evidence(registration, _machine(machine));
        vm.prank(registration.operator);
        registry.register(registration, evidence, "");
        return registration.signer;
    }

    function _renew(string memory name, Role role, uint256 machine) internal {
        Registration memory registration = _registration(name, role);
        registry.renew(registration.signer, registration.challengeBlock, _evidence(registration, _machine(machine)));
    }

    function _install(bytes32 key, uint32 epoch, address[] memory signers) internal {
        uint32[] memory expiries = new uint32[](signers.length);
        for (uint256 i; i < signers.length; ++i) expiries[i] = registry.liveUntil(signers[i]);
        verifier.installEpoch(key, epoch, _headerOf(uint8(signers.length)), expiries, signers);
        for (uint256 i; i < signers.length; ++i) registry.assignSeat(signers[i], key, epoch, uint8(i + 1));
    }

    function _headerOf(uint8 n) internal view virtual returns (EpochHeader memory) {
        return EpochHeader({
            groupX: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,
            groupV: 27,
            n: n,
            quorum: 1,
            gateway: address(1)
        });
    }

    /// @dev Keyholders "party1" to "party4" on machines 1 to 4, seated.
    function _seatFour() internal returns (address[] memory signers) {
        signers = new address[](4);
        for (uint256 i; i < 4; ++i) signers[i] = _register(_party(i), Role.Keyholder, i + 1);
        _install(KEY, EPOCH, signers);
    }

    function _party(uint256 i) internal pure returns (string memory) {
        return string.concat("party", vm.toString(i + 1));
    }

    /// @dev Bit i = party i + 1 is live for the verifier.
    function _liveParties() internal view returns (uint256 bits) {
        for (uint8 index = 1; index <= 4; ++index) {
            if (verifier.expiryOf(KEY, EPOCH, index) > _now()) bits |= 1 << (index - 1);
        }
    }

    function _nextBlocks(uint256 count) internal {
        vm.roll(_height() + count);
        vm.warp(_now() + 12 * count);
    }

    function _now() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    function _height() internal view returns (uint256) {
        return vm.getBlockNumber();
    }
}
