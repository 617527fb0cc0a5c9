// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionVerifier} from "../src/interfaces/IDecryptionVerifier.sol";
import {Schnorr} from "../src/libraries/Schnorr.sol";
import {Certificate, DecryptionResult, EpochHeader} from "../src/types/Decryption.sol";
import {System} from "./support/System.sol";

/// @notice Who may install epochs and set expiries, and within which bounds.
contract DecryptionVerifierEpochsTest is System {
    bytes32 private constant KEY = keccak256("key");

    function test_onlyTheRegistriesWrite() public {
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.NotKeyRegistry.selector, address(this)));
        verifier.installEpoch(KEY, 1, _header(), _expiries(4), _signers(4));
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.NotNodeRegistry.selector, address(this)));
        verifier.setExpiry(KEY, 1, 1, 5);
        vm.prank(address(keys));
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.NotNodeRegistry.selector, address(keys)));
        verifier.clearExpiries(_committees(0), 1);
    }

    function test_installedEpochIsReadable() public {
        EpochHeader memory header = _header();
        vm.expectEmit(address(verifier));
        emit IDecryptionVerifier.EpochInstalled(
            KEY, 1, header.gateway, header.groupX, header.groupV, 4, 3, _expiries(4)
        );
        _install(header, _expiries(4));
        vm.assertEq(keccak256(abi.encode(verifier.headerOf(KEY, 1))), keccak256(abi.encode(header)));
        for (uint8 index = 1; index <= 4; ++index) {
            vm.assertEq(verifier.expiryOf(KEY, 1, index), 1000 + index - 1);
        }
        vm.assertEq(verifier.expiryOf(KEY, 1, 0), 0);
        vm.assertEq(verifier.expiryOf(KEY, 1, 5), 0);
        vm.assertEq(keccak256(abi.encode(verifier.seatsOf(KEY, 1))), keccak256(abi.encode(_signers(4))));
        vm.assertEq(verifier.seatsOf(KEY, 2).length, 0);
        vm.assertEq(verifier.headerOf(KEY, 2).groupX, 0);
        vm.assertEq(verifier.headerOf(KEY, 2).gateway, address(0));
    }

    function test_epochIsInstalledOnce() public {
        _install(_header(), _expiries(4));
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.EpochAlreadyInstalled.selector, KEY, 1));
        _install(_header(), _expiries(4));
    }

    function test_unusableGroupKeysAreRefused() public {
        uint256[3] memory bad = [uint256(0), Schnorr.N, type(uint256).max];
        for (uint256 i; i < 3; ++i) {
            EpochHeader memory header = _header();
            header.groupX = bad[i];
            vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.BadGroupKey.selector, bad[i], header.groupV));
            _install(header, _expiries(4));
        }
        EpochHeader memory other = _header();
        other.groupV = 29;
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.BadGroupKey.selector, other.groupX, uint8(29)));
        _install(other, _expiries(4));
    }

    function test_committeesOfTheWrongSizeAreRefused() public {
        // n, quorum, number of expiries
        uint8[3][5] memory bad = [[0, 3, 0], [16, 3, 16], [4, 3, 3], [4, 0, 4], [4, 5, 4]];
        for (uint256 i; i < 5; ++i) {
            EpochHeader memory header = _header();
            (header.n, header.quorum) = (bad[i][0], bad[i][1]);
            vm.expectRevert(
                abi.encodeWithSelector(IDecryptionVerifier.BadCommitteeSize.selector, uint256(bad[i][2]), header.quorum)
            );
            _install(header, _expiries(bad[i][2]));
        }
    }

    function test_everySeatHasASigner() public {
        vm.prank(address(keys));
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.BadCommitteeSize.selector, 3, uint8(3)));
        verifier.installEpoch(KEY, 1, _header(), _expiries(4), _signers(3));
    }

    function test_fuzz_signersOfAnyCommitteeAreRead(uint8 n) public {
        EpochHeader memory header = _header();
        (header.n, header.quorum) = (uint8(bound(n, 1, 15)), 1);
        _install(header, _expiries(header.n));
        vm.assertEq(keccak256(abi.encode(verifier.seatsOf(KEY, 1))), keccak256(abi.encode(_signers(header.n))));
    }

    function test_expiriesStayInsideTheCommittee() public {
        vm.startPrank(address(nodes));
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.UnknownEpoch.selector, KEY, 1, address(0)));
        verifier.setExpiry(KEY, 1, 1, 5);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.UnknownEpoch.selector, KEY, 1, address(0)));
        verifier.committeeIdOf(KEY, 1);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.UnknownCommittee.selector, uint64(7)));
        verifier.clearExpiries(_committees(7), 1);
        vm.stopPrank();
        _install(_header(), _expiries(4));
        vm.startPrank(address(nodes));
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.PartyOutOfRange.selector, uint8(0), uint8(4)));
        verifier.setExpiry(KEY, 1, 0, 5);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.PartyOutOfRange.selector, uint8(5), uint8(4)));
        verifier.setExpiry(KEY, 1, 5, 5);
        uint256[4] memory committees = _committees(verifier.committeeIdOf(KEY, 1));
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.SignersOutOfRange.selector, 16, uint8(4)));
        verifier.clearExpiries(committees, 16);
        vm.expectEmit(address(verifier));
        emit IDecryptionVerifier.ExpirySet(KEY, 1, 4, 77);
        verifier.setExpiry(KEY, 1, 4, 77);
        vm.assertEq(verifier.expiryOf(KEY, 1, 4), 77);
        vm.expectEmit(address(verifier));
        emit IDecryptionVerifier.ExpiriesCleared(committees, 10);
        verifier.clearExpiries(committees, 10);
        vm.assertEq(verifier.expiryOf(KEY, 1, 4), 0);
        vm.assertEq(verifier.expiryOf(KEY, 1, 3), 1002);
    }

    /// @dev Sixteen committees of fifteen; in each the parties that its bits name, and no others.
    function testFuzz_manyCommitteesAreClearedAtOnce(uint256 seats) public {
        EpochHeader memory header = _header();
        header.n = 15;
        uint256[4] memory committees;
        for (uint32 number; number < 16; ++number) {
            vm.prank(address(keys));
            verifier.installEpoch(KEY, number, header, _expiries(15), _signers(15));
            committees[number / 4] |= uint256(verifier.committeeIdOf(KEY, number)) << (64 * (number % 4));
        }
        seats &= 0x7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff;
        vm.prank(address(nodes));
        verifier.clearExpiries(committees, seats);
        for (uint32 number; number < 16; ++number) {
            for (uint8 index = 1; index <= 15; ++index) {
                bool cleared = (seats >> (16 * number + index - 1)) & 1 == 1;
                vm.assertEq(verifier.expiryOf(KEY, number, index), cleared ? 0 : 999 + index);
            }
            vm.assertEq(verifier.headerOf(KEY, number).n, 15);
        }
    }

    /// @dev ⚔ words are found by 64 bits of the place: whoever makes up a key id that ends like an installed one must
    /// neither be accepted under that committee's expiries nor be installed over them.
    function test_wordsOfAnotherPlaceGiveNothing() public {
        _install(_header(), _expiries(4));
        uint256 word = uint256(vm.load(address(verifier), _wordsOf(verifier.committeeIdOf(KEY, 1))));
        DecryptionResult memory result = _result(keccak256("request"), 1);
        Certificate memory certificate;
        (certificate.keyId, certificate.epoch, certificate.leaves) = (keccak256("made up"), 1, 1);
        (certificate.signers, certificate.r, certificate.s) = (7, address(1), 1);
        bytes32 place = keccak256(abi.encode(certificate.keyId, certificate.epoch, gateway));
        vm.store(address(verifier), _wordsOf(uint64(uint256(place))), bytes32(word));
        vm.warp(999);
        vm.expectRevert(
            abi.encodeWithSelector(IDecryptionVerifier.UnknownEpoch.selector, certificate.keyId, 1, address(gateway))
        );
        verifier.verify(result, certificate);
        vm.prank(address(keys));
        vm.expectRevert(
            abi.encodeWithSelector(IDecryptionVerifier.EpochAlreadyInstalled.selector, certificate.keyId, 1)
        );
        verifier.installEpoch(certificate.keyId, 1, _header(), _expiries(4), _signers(4));
    }

    function _committees(uint64 first) private pure returns (uint256[4] memory committees) {
        committees[0] = first;
    }

    /// @dev Third mapping of the contract.
    function _wordsOf(uint64 committeeId) private pure returns (bytes32) {
        return keccak256(abi.encode(committeeId, 2));
    }

    function _header() private view returns (EpochHeader memory) {
        return EpochHeader({groupX: group.x, groupV: group.v, n: 4, quorum: 3, gateway: address(gateway)});
    }

    function _expiries(uint256 count) private pure returns (uint32[] memory expiries) {
        expiries = new uint32[](count);
        for (uint256 i; i < count; ++i) expiries[i] = uint32(1000 + i);
    }

    function _signers(uint256 count) private pure returns (address[] memory signers) {
        signers = new address[](count);
        for (uint256 i; i < count; ++i) signers[i] = address(uint160(uint256(keccak256(abi.encode("signer", i)))));
    }

    function _install(EpochHeader memory header, uint32[] memory expiries) private {
        vm.prank(address(keys));
        verifier.installEpoch(KEY, 1, header, expiries, _signers(expiries.length));
    }
}
