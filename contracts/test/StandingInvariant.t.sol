// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TcbStatus} from "../src/attestation/TcbStatus.sol";
import {Evidence} from "../src/interfaces/IQuoteVerifier.sol";
import {AllowListEntry, NodeRecord, Registration, Role, Seat} from "../src/types/Node.sol";
import {StandingTest} from "./support/StandingTest.sol";

/// @notice Does to the registry what anyone might, in any order. It is KeyRegistry, governance and guardian itself.
/// 24 signers of twelve operators on five machines, in four committees of six (two keys, two epochs).
contract StandingHandler is StandingTest {
    uint256 private constant SIGNERS = 24;
    uint256 private constant MACHINES = 5;
    uint256 private constant COMMITTEES = 4;
    uint8 private constant SIZE = 6;

    mapping(uint256 machine => uint160 generation) private _certificates;
    /// @notice Actions that went through, so that a run that does nothing is seen.
    uint256 public done;

    constructor() {
        vm.warp(1_800_000_000);
        vm.roll(10_000);
        _deploy(address(this), address(this));
        for (uint256 committee; committee < COMMITTEES; ++committee) _openCommittee(committee);
        for (uint256 i; i < SIGNERS; ++i) if (!registry.isAdmitted(operator(i))) registry.admitOperator(operator(i));
        _renewEntry();
        for (uint256 i; i < 18; ++i) _start(i);
    }

    /// @dev Of the base, not an action.
    function setUp() public override {}

    modifier afterABlock() {
        _nextBlocks(1);
        _;
        ++done;
    }

    function register(uint256 i, uint64 age) external afterABlock {
        i = 18 + i % (SIGNERS - 18);
        Registration memory registration = _registrationOf(i, age);
        Evidence memory evidence = _evidence(registration, _machineOf(i % MACHINES));
        vm.prank(registration.operator);
        registry.register(registration, evidence, "");
    }

    function renew(uint256 i, uint64 age) external afterABlock {
        i %= SIGNERS;
        Registration memory registration = _registrationOf(i, age);
        registry.renew(registration.signer, registration.challengeBlock, _evidence(registration, _machineOf(i % MACHINES)));
    }

    function seat(uint256 i, uint256 committee, uint8 index) external afterABlock {
        _sit(i % SIGNERS, committee % COMMITTEES, index % SIZE + 1);
    }

    function release(uint256 i) external afterABlock {
        registry.releaseSeat(signerAt(i % SIGNERS));
    }

    function vacate(uint256 i) external afterABlock {
        registry.vacateSeat(signerAt(i % SIGNERS));
    }

    function exit(uint256 i) external afterABlock {
        if (i % 5 != 0) return;
        i /= 5;
        vm.prank(operator(i % SIGNERS));
        registry.exit(signerAt(i % SIGNERS));
    }

    function revoke(uint256 i) external afterABlock {
        if (i % 8 == 0) registry.revoke(signerAt(i / 8 % SIGNERS));
    }

    function refresh(uint256 i) external afterABlock {
        quotes.setDates(uint32(_now() + 30 days), uint32(_now() + 30 days), 0);
        registry.refresh(signerAt(i % SIGNERS));
    }

    function invalidate(uint256 i) external afterABlock {
        registry.invalidate(signerAt(i % SIGNERS));
    }

    function replaceEntry(uint256 i) external afterABlock {
        if (i % 4 != 0) return;
        registry.removeEntry(keyholderEntry);
        _renewEntry();
    }

    function removeEntry(uint256 i) external afterABlock {
        if (i % 4 == 0) registry.removeEntry(keyholderEntry);
    }

    function addEntry() external afterABlock {
        _renewEntry();
    }

    function denyPlatform(uint256 machine, bool byInstance) external afterABlock {
        if (machine % 2 == 0) return;
        Machine memory denied = _machine(machine / 2 % MACHINES);
        registry.denyPlatform(byInstance ? denied.piid : denied.ppid);
    }

    function allowPlatform(uint256 machine, bool byInstance) external afterABlock {
        Machine memory allowed = _machine(machine % MACHINES);
        registry.allowPlatform(byInstance ? allowed.piid : allowed.ppid);
    }

    function removeOperator(uint256 i) external afterABlock {
        if (i % 3 == 0) registry.removeOperator(operator(i % SIGNERS));
    }

    function admitOperator(uint256 i) external afterABlock {
        registry.admitOperator(operator(i % SIGNERS));
    }

    function raiseFloors(uint16 tcb, uint16 qe) external afterABlock {
        (uint16 heldTcb, uint16 heldQe) = registry.floors();
        registry.raiseFloors(heldTcb + tcb % 2, heldQe + qe % 2);
    }

    function lowerFloors(uint16 tcb, uint16 qe) external afterABlock {
        (uint16 heldTcb, uint16 heldQe) = registry.floors();
        registry.proposeFloors(heldTcb - tcb % 2, heldQe - qe % 2);
        vm.warp(_now() + 60);
        registry.activateFloors();
    }

    function storeSets(uint16 tcb, uint16 qe, uint32 lifetime, bool hasGrace) external afterABlock {
        (uint16 tcbFloor, uint16 qeFloor) = registry.floors();
        quotes.setNumbers(tcbFloor + tcb % 3, qeFloor + qe % 3);
        uint32 until = uint32(_now()) + lifetime % 10 days;
        quotes.setDates(until, uint32(_now()) + 30 days, hasGrace ? until + 3 days : 0);
        _revocationsChanged();
    }

    /// @dev As the activation of a CRL does it, in one transaction.
    function revokeCertificate(uint256 machine) external afterABlock {
        if (machine % 3 != 0) return;
        machine = machine / 3 % MACHINES;
        quotes.setRevoked(_machineOf(machine).serial);
        ++_certificates[machine];
        _revocationsChanged();
    }

    function judgeMachine(uint256 machine, uint8 status, uint256 i) external afterABlock {
        machine %= MACHINES;
        quotes.setStatus(_machine(machine).components, TcbStatus(status % 2 == 0 ? 0 : status % 7));
        try registry.invalidate(signerAt(i % SIGNERS)) {} catch {}
    }

    /// @dev Brings back what can come back, so that long histories do not end with everybody out.
    function recover() external afterABlock {
        (uint16 tcbFloor, uint16 qeFloor) = registry.floors();
        quotes.setNumbers(tcbFloor, qeFloor);
        quotes.setDates(uint32(_now() + 30 days), uint32(_now() + 30 days), 0);
        try this.addEntry() {} catch {}
        for (uint256 machine; machine < MACHINES; ++machine) {
            quotes.setStatus(_machine(machine).components, TcbStatus.UpToDate);
            registry.allowPlatform(_machine(machine).ppid);
            registry.allowPlatform(_machine(machine).piid);
        }
        _nextBlocks(2);
        for (uint256 i; i < SIGNERS; ++i) {
            registry.admitOperator(operator(i));
            try this.renew(i, 0) {} catch {}
        }
    }

    function wait(uint32 time) external {
        vm.warp(_now() + time % 1 days);
        vm.roll(_height() + 1 + time % 300);
    }

    function signerAt(uint256 i) public pure returns (address) {
        return vm.addr(keyOfName(string.concat("signer ", vm.toString(i))));
    }

    function operator(uint256 i) public pure returns (address) {
        return vm.addr(keyOfName(string.concat("operator ", vm.toString(i % 12))));
    }

    function committeeAt(uint256 committee) public pure returns (bytes32 key, uint32 epoch) {
        return (keccak256(abi.encode("key", committee / 2)), uint32(committee % 2 + 1));
    }

    /// @notice For every place of every committee: who sits there, and whether its expiry is more than its standing.
    function requireConsistent() external view {
        uint256[COMMITTEES] memory taken;
        uint256[COMMITTEES] memory inGrace;
        for (uint256 i; i < SIGNERS; ++i) {
            address signer = signerAt(i);
            Seat memory seat_ = registry.seatOf(signer);
            if (seat_.index == 0) continue;
            uint256 committee = _numberOf(seat_);
            taken[committee] |= 1 << (seat_.index - 1);
            NodeRecord memory node = registry.nodeOf(signer);
            if (node.inGrace) inGrace[committee] |= 1 << (seat_.index - 1);
            uint32 expiry = verifier.expiryOf(seat_.keyId, seat_.epoch, seat_.index);
            uint32 standing = registry.liveUntil(signer);
            vm.assertTrue(expiry <= _now() || standing > _now(), "live for the verifier, not for the registry");
            vm.assertTrue(expiry <= standing || expiry <= _now(), "longer for the verifier than for the registry");
            vm.assertTrue(expiry == standing || expiry == 0, "neither the standing nor removed");
            vm.assertTrue(standing <= node.attestedAt + 7 days, "more than seven days after the quote");
            vm.assertTrue(standing == 0 || !node.revoked, "a revoked signer stands");
            _requireOneOfOperator(node.operator, seat_);
        }
        for (uint256 committee; committee < COMMITTEES; ++committee) {
            (bytes32 key, uint32 epoch) = committeeAt(committee);
            vm.assertEq(registry.graceOf(key, epoch), inGrace[committee]);
            for (uint8 index = 1; index <= SIZE; ++index) {
                if ((taken[committee] >> (index - 1)) & 1 == 1) continue;
                vm.assertEq(verifier.expiryOf(key, epoch, index), 0, "an expiry without a seat");
            }
        }
    }

    function _requireOneOfOperator(address account, Seat memory seat_) private view {
        (Seat memory first, Seat memory successor) = registry.seatsOfOperator(account, seat_.keyId);
        bool isFirst = keccak256(abi.encode(first)) == keccak256(abi.encode(seat_));
        bool isSuccessor = keccak256(abi.encode(successor)) == keccak256(abi.encode(seat_));
        vm.assertTrue(isFirst != isSuccessor, "a seat that is not its operator's, or both");
        if (successor.index == 0) return;
        vm.assertTrue(
            first.keyId == successor.keyId && first.epoch < successor.epoch, "two seats that do not follow each other"
        );
    }

    /// @dev Most are registered, some seated.
    function _start(uint256 i) private {
        Registration memory registration = _registrationOf(i, 0);
        Evidence memory evidence = _evidence(registration, _machineOf(i % MACHINES));
        vm.prank(registration.operator);
        registry.register(registration, evidence, "");
        if (i < 8) _sit(i, i % COMMITTEES, uint8(i % SIZE + 1));
    }

    function _sit(uint256 i, uint256 committee, uint8 index) private {
        address signer = signerAt(i);
        (bytes32 key, uint32 epoch) = committeeAt(committee);
        registry.assignSeat(signer, key, epoch, index);
        // As KeyRegistry's installation of the epoch would have written it.
        uint32 standing = registry.liveUntil(signer);
        vm.prank(address(registry));
        verifier.setExpiry(key, epoch, index, standing);
    }

    function _openCommittee(uint256 committee) private {
        (bytes32 key, uint32 epoch) = committeeAt(committee);
        verifier.installEpoch(key, epoch, _headerOf(SIZE), new uint32[](SIZE), new address[](SIZE));
    }

    function _numberOf(Seat memory seat_) private pure returns (uint256 committee) {
        for (; committee < COMMITTEES; ++committee) {
            (bytes32 key, uint32 epoch) = committeeAt(committee);
            if (key == seat_.keyId && epoch == seat_.epoch) return committee;
        }
    }

    /// @param age of the challenge: whoever sends a quote chooses one of many blocks
    function _registrationOf(uint256 i, uint64 age) private view returns (Registration memory) {
        return Registration({
            operator: operator(i),
            role: Role.Keyholder,
            signer: signerAt(i),
            peerIdHash: bytes32(i),
            configHash: keccak256("configuration"),
            challengeBlock: uint64(_height()) - 1 - age % 12
        });
    }

    /// @dev With the certificate that the machine has since its last revocation.
    function _machineOf(uint256 machine) private view returns (Machine memory made) {
        made = _machine(machine);
        made.serial += 1_000_000 * _certificates[machine];
    }

    function _renewEntry() private {
        keyholderEntry = registry.proposeEntry(
            AllowListEntry(Role.Keyholder, IMAGE, COMPOSE, keccak256("provider"), 1)
        );
        vm.warp(_now() + 60);
        registry.activateEntry(keyholderEntry);
    }

    function _revocationsChanged() private {
        (bool success,) = address(registry).call(abi.encodeWithSignature("revocationsChanged()"));
        vm.assertTrue(success);
    }
}

/// @notice Whatever happens in whatever order: a seat is live for the verifier only while its signer has standing.
contract StandingInvariantTest is StandingTest {
    StandingHandler private _handler;

    function setUp() public override {
        vm.chainId(31337);
        _handler = new StandingHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// forge-config: default.invariant.runs = 24
    /// forge-config: default.invariant.depth = 150
    /// forge-config: deep.invariant.runs = 2000
    /// forge-config: deep.invariant.depth = 250
    function invariant_seatsAreLiveOnlyWithStanding() public view {
        _handler.requireConsistent();
    }
}
