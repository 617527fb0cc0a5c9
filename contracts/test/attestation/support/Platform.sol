// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CollateralStore} from "../../../src/attestation/CollateralStore.sol";
import {QuoteVerifier} from "../../../src/attestation/QuoteVerifier.sol";
import {ICollateralObserver} from "../../../src/interfaces/ICollateralObserver.sol";
import {Evidence} from "../../../src/interfaces/IQuoteVerifier.sol";
import {Test} from "../../support/Test.sol";
import {Artifact} from "./Artifact.sol";
import {AttestationVm} from "./AttestationVm.sol";
import {Bytes} from "./Bytes.sol";

/// @notice The simulated TDX platform of test/fixtures/attestation.json with a store that holds its collateral. Tests
/// take a genuine document or quote apart, change it and sign it again with the platform's keys.
abstract contract Platform is Test {
    using Bytes for bytes;

    AttestationVm internal constant avm = AttestationVm(address(vm));
    string private constant FIXTURE = "test/fixtures/attestation.json";

    bytes internal constant MR_TD = hex"01000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000a1b1";
    bytes32 internal constant COMPOSE_HASH = keccak256("compose file of the tests");

    // Offsets in header ‖ body.
    uint256 internal constant MR_SIGNER_SEAM = 112;
    uint256 internal constant SEAM_ATTRIBUTES = 160;
    uint256 internal constant TD_ATTRIBUTES = 168;
    uint256 internal constant XFAM = 176;
    uint256 internal constant MR_TD_AT = 184;
    uint256 internal constant MR_CONFIG_ID = 232;
    uint256 internal constant MR_OWNER = 280;
    uint256 internal constant RT_MR_0 = 376;
    uint256 internal constant REPORT_DATA = 568;

    struct Machine {
        bytes pckLeaf;
        uint256 pckKey;
        uint256 attestationKey;
        uint160 serial;
        bytes16 ppid;
        bytes16 piid;
        bytes16 cpuSvn;
        bytes16 teeTcbSvn;
    }

    CollateralStore internal store;
    QuoteVerifier internal quotes;
    address internal parser;
    address internal governance;
    address internal guardian;
    uint256 internal now0;

    function setUp() public virtual {
        governance = addressOfName("governance");
        guardian = addressOfName("guardian");
        now0 = vm.parseJsonUint(_fixture(), ".now");
        vm.chainId(31337);
        vm.warp(now0 + 1 hours);
        vm.roll(10_000);
        parser = Artifact.create("CollateralParser", "");
        store = _newStore();
        quotes = QuoteVerifier(Artifact.create("QuoteVerifier", abi.encode(store)));
        _fill(store);
    }

    function _newStore() internal returns (CollateralStore) {
        return _newStore(ICollateralObserver(address(0)), 0);
    }

    /// @param grace seconds
    function _newStore(ICollateralObserver observer, uint256 grace) internal returns (CollateralStore) {
        bytes memory roots = abi.encode(_word(".root.x"), _word(".root.y"));
        bytes memory rest = abi.encode(governance, guardian, parser, observer, grace);
        return CollateralStore(Artifact.create("CollateralStore", bytes.concat(roots, rest)));
    }

    /// @dev Everything that a quote of a machine under the Platform CA needs.
    function _fill(CollateralStore target) internal {
        target.storeRootCrl(_bytes(".crls.root"));
        target.storeIntermediateCa(_bytes(".platformCa.certificate"));
        target.storeCrl(_platformCaId(), _bytes(".crls.platform"));
        target.storeTcbSigner(_bytes(".tcbSigner.certificate"));
        _storeTcbInfo(target, _text(".tcbInfos.current"));
        _storeQeIdentity(target, _text(".qeIdentities.current"));
    }

    function _storeTcbInfo(CollateralStore target, bytes memory json) internal {
        (bytes32 r, bytes32 s) = _signAsTcb(json);
        target.storeTcbInfo(json, uint256(r), uint256(s));
    }

    function _storeQeIdentity(CollateralStore target, bytes memory json) internal {
        (bytes32 r, bytes32 s) = _signAsTcb(json);
        target.storeQeIdentity(json, uint256(r), uint256(s));
    }

    function _signAsTcb(bytes memory json) internal view returns (bytes32 r, bytes32 s) {
        return avm.signP256(uint256(_word(".tcbSigner.key")), sha256(json));
    }

    function _platformCaId() internal view returns (bytes32) {
        return _word(".platformCa.id");
    }

    function _machine(string memory name) internal view returns (Machine memory machine) {
        string memory json = _fixture();
        string memory path = string.concat(".machines.", name);
        machine.pckLeaf = vm.parseJsonBytes(json, string.concat(path, ".pckLeaf"));
        machine.pckKey = uint256(avm.parseJsonBytes32(json, string.concat(path, ".pckKey")));
        machine.attestationKey = uint256(avm.parseJsonBytes32(json, string.concat(path, ".attestationKey")));
        machine.serial = uint160(bytes20(vm.parseJsonBytes(json, string.concat(path, ".serial"))));
        machine.ppid = bytes16(vm.parseJsonBytes(json, string.concat(path, ".ppid")));
        machine.piid = bytes16(vm.parseJsonBytes(json, string.concat(path, ".piid")));
        machine.cpuSvn = bytes16(vm.parseJsonBytes(json, string.concat(path, ".cpuSvn")));
        machine.teeTcbSvn = bytes16(vm.parseJsonBytes(json, string.concat(path, ".teeTcbSvn")));
    }

    /// @dev Header and body of a quote for the test image and compose hash, not yet signed.
    function _quote(Machine memory machine, bytes32 reportDataHead, bytes32 reportDataTail)
        internal
        pure
        returns (bytes memory quote)
    {
        quote = new bytes(632);
        quote.put(0, hex"0400020081000000");
        quote.put(12, hex"939a7233f79c4ca9940a0db3957f0607");
        quote.put(48, abi.encodePacked(machine.teeTcbSvn));
        quote.put(64, abi.encodePacked(keccak256("module"))); // mrSeam: judged by its SVN only
        quote.put(TD_ATTRIBUTES, hex"0000001000000000");
        quote.put(XFAM, hex"e702060000000000");
        quote.put(MR_TD_AT, MR_TD);
        quote.put(MR_CONFIG_ID, abi.encodePacked(uint8(1), COMPOSE_HASH));
        quote.put(RT_MR_0, abi.encodePacked(keccak256("rtmr0")));
        quote.put(REPORT_DATA, abi.encodePacked(reportDataHead, reportDataTail));
    }

    /// @dev The same quote in version 5, as TD 1.0 or as TD 1.5 without a service domain.
    function _asVersion5(bytes memory quote, bool td15) internal pure returns (bytes memory) {
        bytes memory body = quote.slice(48, 632);
        if (td15) body = bytes.concat(body, body.slice(0, 16), new bytes(48));
        bytes memory form = td15 ? bytes(hex"030088020000") : bytes(hex"020048020000");
        return bytes.concat(hex"0500", quote.slice(2, 48), form, body);
    }

    /// @dev Report of the quoting enclave that binds the machine's attestation key, not yet signed.
    function _qeReport(Machine memory machine) internal pure returns (bytes memory report) {
        report = new bytes(384);
        report.put(0, abi.encodePacked(machine.cpuSvn));
        report.put(48, hex"1500000000000000e700000000000000");
        report.put(64, abi.encodePacked(keccak256("mrenclave")));
        report.put(128, hex"dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5");
        report.put(256, hex"02000400");
        report.put(320, abi.encodePacked(sha256(abi.encodePacked(_attestationKey(machine), _qeAuth()))));
    }

    function _evidence(Machine memory machine, bytes memory quote, bytes memory report)
        internal
        view
        returns (Evidence memory evidence)
    {
        (bytes32 r, bytes32 s) = avm.signP256(machine.attestationKey, sha256(quote));
        (bytes32 reportR, bytes32 reportS) = avm.signP256(machine.pckKey, sha256(report));
        evidence.quote = quote;
        evidence.auth = abi.encodePacked(r, s, _attestationKey(machine), report, reportR, reportS, _qeAuth());
        evidence.pckLeaf = machine.pckLeaf;
        evidence.caId = _platformCaId();
    }

    function _evidenceOf(string memory name) internal view returns (Evidence memory) {
        Machine memory machine = _machine(name);
        return _evidence(machine, _quote(machine, keccak256("head"), keccak256("tail")), _qeReport(machine));
    }

    /// @dev The certificate or CRL with a part of its signed content replaced by as many bytes, signed again.
    function _resign(bytes memory der, bytes memory needle, bytes memory value, uint256 key)
        internal
        pure
        returns (bytes memory)
    {
        require(needle.length == value.length, "lengths of the content must not change");
        bytes memory signed = _signedPart(der);
        signed.put(signed.find(needle), value);
        return _signAgain(signed, key);
    }

    /// @dev The same with a replacement of any length for a direct member of the signed part, such as the serial.
    function _resignMember(bytes memory der, bytes memory needle, bytes memory value, uint256 key)
        internal
        pure
        returns (bytes memory)
    {
        bytes memory signed = _signedPart(der);
        bytes memory content = signed.slice(4, signed.length).replace(needle, value);
        return _signAgain(bytes.concat(hex"3082", bytes2(uint16(content.length)), content), key);
    }

    function _signedPart(bytes memory der) private pure returns (bytes memory) {
        uint256 start = uint8(der[1]) == 0x82 ? 4 : 3;
        uint256 size = uint8(der[start + 1]) == 0x82
            ? 4 + (uint256(uint8(der[start + 2])) << 8) + uint8(der[start + 3])
            : 3 + uint256(uint8(der[start + 2]));
        return der.slice(start, start + size);
    }

    function _signAgain(bytes memory signed, uint256 key) private pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = avm.signP256(key, sha256(signed));
        bytes memory integers = bytes.concat(_integer(r), _integer(s));
        bytes memory rest = bytes.concat(hex"00", hex"30", bytes1(uint8(integers.length)), integers);
        bytes memory content =
            bytes.concat(signed, hex"300a06082a8648ce3d04030203", bytes1(uint8(rest.length)), rest);
        return bytes.concat(hex"3082", bytes2(uint16(content.length)), content);
    }

    function _integer(bytes32 value) internal pure returns (bytes memory) {
        bytes memory digits = abi.encodePacked(value);
        uint256 start = 0;
        while (start < 31 && digits[start] == 0) start++;
        digits = digits.slice(start, 32);
        if (uint8(digits[0]) > 0x7f) digits = bytes.concat(hex"00", digits);
        return bytes.concat(hex"02", bytes1(uint8(digits.length)), digits);
    }

    function _attestationKey(Machine memory machine) internal pure returns (bytes memory) {
        (uint256 x, uint256 y) = avm.publicKeyP256(machine.attestationKey);
        return abi.encodePacked(x, y);
    }

    function _qeAuth() internal pure returns (bytes memory) {
        return hex"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    }

    /// @dev Asked anew each time: the optimiser takes block.timestamp for constant within a test.
    function _now() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    function _height() internal view returns (uint256) {
        return avm.getBlockNumber();
    }

    function _imageId() internal pure returns (bytes32) {
        bytes memory registers = new bytes(192);
        registers.put(0, MR_TD);
        registers.put(48, abi.encodePacked(keccak256("rtmr0")));
        return keccak256(registers);
    }

    function _bytes(string memory path) internal view returns (bytes memory) {
        return vm.parseJsonBytes(_fixture(), path);
    }

    function _text(string memory path) internal view returns (bytes memory) {
        return bytes(avm.parseJsonString(_fixture(), path));
    }

    function _word(string memory path) internal view returns (bytes32) {
        return avm.parseJsonBytes32(_fixture(), path);
    }

    function _fixture() private view returns (string memory) {
        return vm.readFile(FIXTURE);
    }
}
