// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Appraisal, Evidence} from "../../src/interfaces/IQuoteVerifier.sol";
import {IntermediateCa} from "../../src/interfaces/ICollateralStore.sol";
import {Bytes} from "../attestation/support/Bytes.sol";
import {Mutants} from "./Mutants.sol";

/// @notice Certificates that their genuine issuer signed with changed bytes: accepted only where the changed bytes are
/// values that may differ between machines, and then read as they stand.
contract SignedCertificateFuzzTest is Mutants {
    using Bytes for bytes;

    Machine private _host;
    bytes private _leaf;
    uint256 private _ppidAt;
    uint256 private _piidAt;
    uint256 private _keyAt;

    /// @dev Header of the members with the PPID and the platform instance id, up to their values.
    bytes private constant PPID = hex"301e060a2a864886f84d010d01010410";
    bytes private constant PIID = hex"301e060a2a864886f84d010d01060410";
    bytes private constant KEY = hex"3059301306072a8648ce3d020106082a8648ce3d030107034200";

    function setUp() public override {
        super.setUp();
        _host = _machine("host0");
        _leaf = _toBeSigned(_host.pckLeaf);
        (_ppidAt, _piidAt, _keyAt) = (_leaf.find(PPID) + 16, _leaf.find(PIID) + 16, _leaf.find(KEY));
    }

    function testFuzz_signedLeaf_isReadAsItStands(uint256 seed) public view {
        bytes memory mutant = _mutate(_leaf, seed);
        try quotes.verify{gas: GAS}(_with(mutant), 0, 0) returns (Appraisal memory appraisal) {
            vm.assertEq(bytes32(appraisal.ppid), bytes32(bytes16(mutant.slice(_ppidAt, _ppidAt + 16))));
            vm.assertEq(bytes32(appraisal.piid), bytes32(bytes16(mutant.slice(_piidAt, _piidAt + 16))));
            _assertSame(mutant, _ppidAt - 16, 16);
            _assertSame(mutant, _piidAt - 16, 16);
            _assertSame(mutant, _keyAt, 91);
            _assertSame(mutant, 0, 10); // lengths, version, header of the serial
            _assertSame(mutant, 30, 12); // algorithm
            _assertSame(mutant, _leaf.find(hex"0603551d0f0101ff0404030206c0"), 14);
            _assertSame(mutant, _leaf.find(hex"0603551d130101ff04023000"), 12);
            vm.assertTrue(_reads(mutant, appraisal.platform.serial));
        } catch (bytes memory reason) {
            _assertTyped(reason);
        }
    }

    function testFuzz_signedLeafOfAnotherLength_isRefused(uint256 seed) public view {
        bytes memory mutant = _resize(_leaf, seed);
        vm.assume(mutant.length != _leaf.length);
        try quotes.verify{gas: GAS}(_with(mutant), 0, 0) {
            revert("accepted");
        } catch (bytes memory reason) {
            _assertTyped(reason);
        }
    }

    /// @dev An intermediate CA with changed bytes under the genuine root: the role never changes.
    function testFuzz_signedAuthority_keepsItsRole(uint256 seed, bool resized) public {
        bytes memory genuine = _toBeSigned(_bytes(".processorCa.certificate"));
        bytes memory mutant = resized ? _resize(genuine, seed) : _mutate(genuine, seed);
        (bool success, bytes memory result) = address(store).call{gas: GAS}(
            abi.encodeCall(store.storeIntermediateCa, (_signDer(mutant, uint256(_word(".root.key")))))
        );
        if (!success) return _assertTyped(result);
        IntermediateCa memory authority = store.intermediateCa(abi.decode(result, (bytes32)));
        uint256 at_ = mutant.find(KEY) + 27;
        vm.assertEq(bytes32(authority.x), bytes32(mutant.slice(at_, at_ + 32)));
        vm.assertEq(bytes32(authority.y), bytes32(mutant.slice(at_ + 32, at_ + 64)));
        mutant.find(hex"0603551d0f0101ff040403020106");
        mutant.find(hex"0603551d130101ff040830060101ff020100");
        bytes memory name = bytes(authority.processor ? "Intel SGX PCK Processor CA" : "Intel SGX PCK Platform CA");
        mutant.find(name);
        vm.assertLe(authority.notBefore, _now());
        vm.assertGt(authority.notAfter, _now());
    }

    function testFuzz_signedTcbSigner_keepsItsRole(uint256 seed, bool resized) public {
        bytes memory genuine = _toBeSigned(_bytes(".secondSigner.certificate"));
        bytes memory mutant = resized ? _resize(genuine, seed) : _mutate(genuine, seed);
        (bool success, bytes memory result) = address(store).call{gas: GAS}(
            abi.encodeCall(store.storeTcbSigner, (_signDer(mutant, uint256(_word(".root.key")))))
        );
        if (!success) return _assertTyped(result);
        mutant.find("Intel SGX TCB Signing");
        mutant.find(hex"0603551d0f0101ff0404030206c0");
        mutant.find(hex"0603551d130101ff04023000");
    }

    function _with(bytes memory leaf) private view returns (Evidence memory evidence) {
        evidence = _evidence(_host, _quote(_host, keccak256("head"), keccak256("tail")), _qeReport(_host));
        evidence.pckLeaf = _signDer(leaf, uint256(_word(".platformCa.key")));
    }

    function _assertSame(bytes memory mutant, uint256 start, uint256 size) private view {
        vm.assertEq(mutant.slice(start, start + size), _leaf.slice(start, start + size));
    }

    /// @dev Serials have 20 bytes of content; the header is at byte 9.
    function _reads(bytes memory mutant, uint160 serial) private pure returns (bool) {
        return uint160(bytes20(mutant.slice(11, 31))) == serial;
    }
}
