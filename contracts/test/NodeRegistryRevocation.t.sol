// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TcbStatus} from "../src/attestation/TcbStatus.sol";
import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {Evidence, IQuoteVerifier} from "../src/interfaces/IQuoteVerifier.sol";
import {Registration, Role} from "../src/types/Node.sol";
import {Bytes} from "./attestation/support/Bytes.sol";
import {LongCrl} from "./attestation/support/LongCrl.sol";
import {Platform} from "./attestation/support/Platform.sol";
import {Registry} from "./attestation/support/Registry.sol";

/// @notice Store, verifier and registry together: a list that becomes active ends the seats behind its serials in the
/// same transaction, and stored evidence is judged by the store's collateral.
contract NodeRegistryRevocationTest is Registry, LongCrl {
    using Bytes for bytes;

    uint256 private constant TX_GAS_CAP = 16_777_216;

    address[] private _parties;

    function setUp() public override(Platform, Registry) {
        super.setUp();
        _parties = _seatFour();
        _nextBlocks(5);
    }

    function test_revokedCertificate_endsItsSeatWithTheList() public {
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeRevoked(_parties[0]);
        store.storeCrl(_platformCaId(), _bytes(".crls.platformRevokingHost0"));
        vm.assertEq(_liveParties(), 14);
        vm.assertEq(registry.liveUntil(_parties[0]), 0);
        _nextBlocks(2);
        Registration memory renewal = _registration("party1", Role.Keyholder);
        Evidence memory evidence = _evidenceFor("host0", renewal);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.SignerRevoked.selector, _parties[0]));
        registry.renew(renewal.signer, renewal.challengeBlock, evidence);
    }

    function test_listInTwoSteps_endsTheSeatOnceActive() public {
        bytes memory crl = _bytes(".crls.platformRevokingHost0");
        store.proposeCrl(_platformCaId(), crl);
        store.continueCrl(crl, 57);
        vm.assertEq(_liveParties(), 15);
        store.continueCrl(crl, 1);
        vm.assertEq(_liveParties(), 14);
    }

    function test_revokedCa_endsAllItsSeats() public {
        store.storeRootCrl(_bytes(".crls.rootRevokingPlatformCa"));
        vm.assertEq(_liveParties(), 0);
        vm.assertTrue(registry.nodeOf(_parties[3]).revoked);
    }

    /// @dev What the signer vouched for is void; the machines are not at fault and come back with Intel's next sets.
    function test_revokedTcbSigner_endsTheSeatsUnderItsSets() public {
        store.storeRootCrl(_bytes(".crls.rootRevokingSigner"));
        vm.assertEq(_liveParties(), 0);
        vm.assertFalse(registry.nodeOf(_parties[3]).revoked);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotLive.selector, _parties[3]));
        registry.refresh(_parties[3]);
        store.storeTcbSigner(_bytes(".secondSigner.certificate"));
        bytes memory tcb = _text(".tcbInfos.current");
        bytes memory qe = _text(".qeIdentities.current");
        uint256 key = uint256(_word(".secondSigner.key"));
        (bytes32 r, bytes32 s) = avm.signP256(key, sha256(tcb));
        store.storeTcbInfo(tcb, uint256(r), uint256(s));
        (r, s) = avm.signP256(key, sha256(qe));
        store.storeQeIdentity(qe, uint256(r), uint256(s));
        _nextBlocks(2);
        _renew("party4", Role.Keyholder, "host3");
        vm.assertEq(_liveParties(), 8);
    }

    function test_revokedOthers_endNobody() public {
        store.storeRootCrl(_bytes(".crls.rootRevokingOthers"));
        vm.warp(now0 + 1 days + 1 hours);
        store.storeCrl(_platformCaId(), _bytes(".crls.platformRefreshed"));
        vm.assertEq(_liveParties(), 15);
    }

    function test_invalidate_judgesByTheStore() public {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeStillGood.selector, _parties[0]));
        registry.invalidate(_parties[0]);
        // Intel finds the module that all of them run out of date, under the same number.
        _storeTcbInfo(store, _text(".tcbInfos.moduleOutOfDate"));
        vm.assertEq(_liveParties(), 15);
        registry.invalidate(_parties[0]);
        vm.assertEq(_liveParties(), 14);
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.TcbStatusNotAccepted.selector, TcbStatus.OutOfDate)
        );
        registry.refresh(_parties[1]);
    }

    function test_refresh_followsTheStore() public {
        vm.warp(now0 + 28 days);
        vm.roll(_height() + 100);
        for (uint256 i = 0; i < 4; i++) _renew(_party(i), Role.Keyholder, string.concat("host", vm.toString(i)));
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 1), now0 + 30 days);
        store.storeCrl(_platformCaId(), _bytes(".crls.platformRefreshed"));
        _storeTcbInfo(store, _text(".tcbInfos.refreshed"));
        // The QE identity still ends when it did.
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NothingToRefresh.selector, _parties[0], uint32(now0 + 30 days))
        );
        registry.refresh(_parties[0]);
        bytes memory identity = _text(".qeIdentities.current").replace("2026-10-31", "2026-11-01");
        _storeQeIdentity(store, identity.replace("2026-10-01", "2026-10-02"));
        registry.refresh(_parties[0]);
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 1), now0 + 31 days);
        vm.assertEq(verifier.expiryOf(KEY, EPOCH, 2), now0 + 30 days);
    }

    /// @dev Intel's service is out: the sets are over, the list was renewed the day before.
    function test_grace_isReadableAndEndsByVeto() public {
        vm.warp(now0 + 1 days + 1 hours);
        store.storeCrl(_platformCaId(), _bytes(".crls.platformRefreshed"));
        vm.warp(now0 + 30 days + 1 hours);
        vm.roll(_height() + 100);
        vm.assertEq(_liveParties(), 0);
        _renew("party1", Role.Keyholder, "host0");
        vm.assertEq(_liveParties(), 1);
        vm.assertEq(registry.graceOf(KEY, EPOCH), 1);
        vm.expectRevert(
            abi.encodeWithSelector(IQuoteVerifier.NoCurrentQeIdentity.selector, uint16(20))
        );
        registry.refresh(_parties[0]);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeStillGood.selector, _parties[0]));
        registry.invalidate(_parties[0]);
        vm.prank(guardian);
        store.vetoGrace(bytes6(hex"b0c06f000000"), 20);
        vm.assertEq(_liveParties(), 0);
    }

    /// @dev Nobody falls: what every new list costs on top.
    /// forge-config: default.isolate = true
    function test_gas_judgementOfAllSeats() public {
        _fillAllSeats();
        (bool success,) = address(registry).call(abi.encodeWithSignature("revocationsChanged()"));
        vm.assertTrue(success);
        vm.assertLe(vm.snapshotGasLastCall("registry", "revocations changed, 64 seats, none falls"), TX_GAS_CAP / 2);
    }

    /// @dev All fall, each with an operator, a machine and a certificate of its own, by the longest list.
    /// forge-config: default.isolate = true
    function test_gas_revocationOfAllSeats() public {
        vm.pauseGasMetering();
        for (uint256 i = 0; i < 4; i++) registry.releaseSeat(_parties[i]);
        for (uint256 committee = 0; committee < 16; committee++) {
            address[] memory signers = new address[](4);
            for (uint256 i = 0; i < 4; i++) signers[i] = this.registerOwnMachine(4 * committee + i);
            _seat(_key(committee), EPOCH, signers);
        }
        vm.warp(now0 + 2 days);
        bytes memory crl = _longCrl(2_000);
        bytes32 caId = _platformCaId();
        vm.resumeGasMetering();
        store.storeCrl(caId, crl);
        vm.assertLe(vm.snapshotGasLastCall("registry", "CRL of 2,000 serials, 64 seats of 64 machines fall"), TX_GAS_CAP);
        for (uint256 committee = 0; committee < 16; committee++) {
            for (uint8 i = 1; i <= 4; i++) vm.assertEq(verifier.expiryOf(_key(committee), EPOCH, i), 0);
        }
        vm.assertTrue(registry.nodeOf(addressOfName("own63")).revoked);
    }

    /// forge-config: default.isolate = true
    function test_gas_reappraisal() public {
        _storeTcbInfo(store, _text(".tcbInfos.current").replace('Number":20', 'Number":21'));
        registry.refresh(_parties[1]);
        vm.snapshotGasLastCall("registry", "refresh, seated");
        _storeTcbInfo(store, _text(".tcbInfos.moduleOutOfDate"));
        _storeTcbInfo(store, _text(".tcbInfos.moduleOutOfDate").replace('Number":20', 'Number":21'));
        registry.invalidate(_parties[0]);
        vm.snapshotGasLastCall("registry", "invalidate, seated");
    }

    /// @dev By a call, whose memory is free again afterwards. Its certificate has the serial of that number.
    function registerOwnMachine(uint256 number) external returns (address) {
        Machine memory machine = _machine("host0");
        uint256 caKey = uint256(_word(".platformCa.key"));
        bytes memory ppid = abi.encodePacked(bytes16(keccak256(abi.encode("ppid", number))));
        bytes memory piid = abi.encodePacked(bytes16(keccak256(abi.encode("piid", number))));
        bytes memory leaf = _resign(machine.pckLeaf, abi.encodePacked(machine.ppid), ppid, caKey);
        leaf = _resign(leaf, abi.encodePacked(machine.piid), piid, caKey);
        machine.pckLeaf =
            _resign(leaf, abi.encodePacked(machine.serial), abi.encodePacked(_serial(number)), caKey);
        Registration memory registration = _registration(string.concat("own", vm.toString(number)), Role.Keyholder);
        bytes32 head = registry.reportDataOf(registration);
        bytes memory quote = _quote(machine, head, _setBlockHash(registration.challengeBlock));
        Evidence memory evidence = _evidence(machine, quote, _qeReport(machine));
        vm.prank(registration.operator);
        registry.register(registration, evidence, "");
        return registration.signer;
    }

    function registerKeyholder(string calldata name) external returns (address) {
        return _register(name, Role.Keyholder, "host0");
    }

    /// @dev Sixty more on one machine, in committees of thirteen.
    function _fillAllSeats() private {
        uint256 seated = 0;
        for (uint256 committee = 0; seated < 60; committee++) {
            address[] memory signers = new address[](60 - seated < 13 ? 60 - seated : 13);
            for (uint256 i = 0; i < signers.length; i++) {
                signers[i] = this.registerKeyholder(string.concat("seat", vm.toString(seated++)));
            }
            _seat(_key(committee), EPOCH, signers);
        }
    }

    function _key(uint256 committee) private pure returns (bytes32) {
        return keccak256(abi.encode("key", committee));
    }
}
