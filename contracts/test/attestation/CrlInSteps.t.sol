// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CollateralStore} from "../../src/attestation/CollateralStore.sol";
import {Der} from "../../src/attestation/Der.sol";
import {RevocationTable} from "../../src/attestation/RevocationTable.sol";
import {ICollateralStore, IntermediateCa} from "../../src/interfaces/ICollateralStore.sol";
import {Bytes} from "./support/Bytes.sol";
import {LongCrl} from "./support/LongCrl.sol";

/// @notice A CRL read in several transactions.
contract CrlInStepsTest is LongCrl {
    using Bytes for bytes;

    function test_steps_giveTheListOfOneTransaction() public {
        bytes memory crl = _longCrl(250);
        CollateralStore other = _newStore();
        _fill(other);
        vm.warp(now0 + 2 days);
        other.storeCrl(_platformCaId(), crl);
        vm.expectEmit(address(store));
        emit ICollateralStore.CrlProposed(_platformCaId(), keccak256(crl), now0 + 2 days, 250);
        vm.assertEq(store.proposeCrl(_platformCaId(), crl), keccak256(crl));
        for (uint256 missing = 150; missing > 0; missing -= 50) {
            vm.expectEmit(address(store));
            emit ICollateralStore.CrlContinued(keccak256(crl), missing == 150 ? 150 : missing);
            store.continueCrl(crl, missing == 150 ? 100 : 50);
        }
        vm.expectEmit(address(store));
        emit ICollateralStore.CrlStored(_platformCaId(), now0 + 2 days, now0 + 32 days, 250);
        store.continueCrl(crl, 1_000);
        (IntermediateCa memory ours, IntermediateCa memory theirs) =
            (store.intermediateCa(_platformCaId()), other.intermediateCa(_platformCaId()));
        vm.assertEq(ours.revoked.codehash, theirs.revoked.codehash);
        vm.assertEq(ours.crlIssuedAt, theirs.crlIssuedAt);
        vm.assertEq(ours.expiresAt, theirs.expiresAt);
        for (uint256 i = 0; i < 250; i += 83) vm.assertTrue(store.isRevoked(0, uint256(_serial(i))));
    }

    function test_unfinishedList_changesNothing() public {
        bytes memory crl = _longCrl(10);
        vm.warp(now0 + 2 days);
        bytes memory before = abi.encode(store.intermediateCa(_platformCaId()));
        store.proposeCrl(_platformCaId(), crl);
        store.continueCrl(crl, 9);
        vm.assertEq(abi.encode(store.intermediateCa(_platformCaId())), before);
        vm.assertFalse(store.isRevoked(0, uint256(_serial(0))));
        store.continueCrl(crl, 0);
        store.continueCrl(crl, 1);
        vm.assertTrue(store.isRevoked(0, uint256(_serial(9))));
    }

    function test_listWithoutSerials() public {
        vm.warp(now0 + 2 days);
        bytes memory crl = _bytes(".crls.platformEmpty");
        store.proposeCrl(_platformCaId(), crl);
        store.continueCrl(crl, 0);
        vm.assertEq(store.intermediateCa(_platformCaId()).crlIssuedAt, now0 + 2 days);
        vm.assertEq(store.intermediateCa(_platformCaId()).revoked, address(0));
    }

    function test_onlyProposedBytes_areRead() public {
        bytes memory crl = _longCrl(4);
        vm.warp(now0 + 2 days);
        _refuse(crl, 1, abi.encodeWithSelector(ICollateralStore.UnknownCrl.selector, keccak256(crl)));
        store.proposeCrl(_platformCaId(), crl);
        bytes memory other = _longCrl(5);
        _refuse(other, 1, abi.encodeWithSelector(ICollateralStore.UnknownCrl.selector, keccak256(other)));
        store.continueCrl(crl, 4);
        _refuse(crl, 1, abi.encodeWithSelector(ICollateralStore.UnknownCrl.selector, keccak256(crl)));
    }

    function test_proposal_isCheckedLikeAWholeList() public {
        bytes32 caId = _platformCaId();
        bytes memory crl = _bytes(".crls.platformRevokingHost0");
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.UnknownCa.selector, bytes32(0)));
        store.proposeCrl(bytes32(0), crl);
        avm.expectPartialRevert(ICollateralStore.UnexpectedIssuer.selector);
        store.proposeCrl(caId, _bytes(".crls.processor"));
        avm.expectPartialRevert(ICollateralStore.NotYetValid.selector);
        store.proposeCrl(caId, _bytes(".crls.platformRefreshed"));
        avm.expectPartialRevert(ICollateralStore.NotNewer.selector);
        store.proposeCrl(caId, _bytes(".crls.platform"));
        bytes memory foreign = _resign(crl, hex"020101300a", hex"020101300a", uint256(_word(".root.key")));
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.InvalidSignature.selector));
        store.proposeCrl(caId, foreign);
        bytes memory long = _longCrl(RevocationTable.MAX_SERIALS + 1);
        vm.warp(now0 + 2 days);
        vm.expectRevert(
            abi.encodeWithSelector(RevocationTable.TooManyRevokedSerials.selector, RevocationTable.MAX_SERIALS + 1)
        );
        store.proposeCrl(caId, long);
    }

    function test_listThatExpiresMeanwhile_isDropped() public {
        bytes memory crl = _longCrl(4);
        vm.warp(now0 + 2 days);
        store.proposeCrl(_platformCaId(), crl);
        vm.warp(now0 + 32 days + 1);
        _refuse(
            crl,
            4,
            abi.encodeWithSelector(ICollateralStore.Expired.selector, now0 + 32 days, now0 + 32 days + 1)
        );
    }

    function test_listThatIsOvertaken_isDropped() public {
        bytes memory crl = _longCrl(4);
        vm.warp(now0 + 2 days);
        store.proposeCrl(_platformCaId(), crl);
        store.continueCrl(crl, 2);
        store.storeCrl(_platformCaId(), _bytes(".crls.platformEmpty"));
        _refuse(
            crl, 2, abi.encodeWithSelector(ICollateralStore.NotNewer.selector, now0 + 2 days, now0 + 2 days)
        );
    }

    /// @dev ⚔ nobody's proposal of another list resets or delays one.
    function test_proposals_runSideBySide() public {
        (bytes memory first, bytes memory second) = (_longCrl(6), _longCrl(7));
        vm.warp(now0 + 2 days);
        store.proposeCrl(_platformCaId(), first);
        store.continueCrl(first, 3);
        store.proposeCrl(_platformCaId(), second);
        store.continueCrl(second, 3);
        store.continueCrl(first, 3);
        vm.assertTrue(store.isRevoked(0, uint256(_serial(5))));
        vm.assertFalse(store.isRevoked(0, uint256(_serial(6))));
    }

    /// @dev ⚔ nor does proposing the same list again.
    function test_repeatedProposal_keepsWhatWasRead() public {
        bytes memory crl = _longCrl(6);
        vm.warp(now0 + 2 days);
        store.proposeCrl(_platformCaId(), crl);
        store.continueCrl(crl, 4);
        vm.assertEq(store.proposeCrl(_platformCaId(), crl), keccak256(crl));
        vm.expectEmit(address(store));
        emit ICollateralStore.CrlContinued(keccak256(crl), 1);
        store.continueCrl(crl, 1);
        store.continueCrl(crl, 1);
        vm.assertTrue(store.isRevoked(0, uint256(_serial(5))));
    }

    function test_malformedEntry_stopsTheStepThatReadsIt() public {
        bytes memory crl = _longCrl(4);
        // The reason of the third entry becomes a critical extension.
        bytes memory serial = abi.encodePacked(_serial(2));
        bytes memory entry = bytes.concat(serial, hex"170d3236313030333030303030305a300c300a0603551d15");
        crl = _resign(
            crl, bytes.concat(entry, hex"04"), bytes.concat(entry, hex"01"), uint256(_word(".platformCa.key"))
        );
        vm.warp(now0 + 2 days);
        store.proposeCrl(_platformCaId(), crl);
        store.continueCrl(crl, 2);
        avm.expectPartialRevert(Der.MalformedDer.selector);
        store.continueCrl(crl, 1);
    }

    function _refuse(bytes memory crl, uint256 count, bytes memory refusal) private {
        vm.expectRevert(refusal);
        store.continueCrl(crl, count);
    }
}
