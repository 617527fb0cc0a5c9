// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../attestation/support/Bytes.sol";
import {Platform} from "../attestation/support/Platform.sol";

/// @notice How mutants are made, signed again and judged.
abstract contract Mutants is Platform {
    using Bytes for bytes;

    /// @dev No refusal and no acceptance of one piece of evidence may cost more.
    uint256 internal constant GAS = 1_000_000;

    /// @dev One to four places changed: bits, boundary bytes, runs copied from elsewhere. The length stays.
    function _mutate(bytes memory data, uint256 seed) internal pure returns (bytes memory mutant) {
        mutant = data.copy();
        uint256 places = 1 + (seed & 3);
        for (uint256 i = 0; i < places; i++) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 at_ = (seed >> 16) % data.length;
            uint256 kind = seed & 7;
            if (kind < 3) mutant[at_] = bytes1(uint8(mutant[at_]) ^ uint8(1 << ((seed >> 8) & 7)));
            else if (kind == 3) mutant[at_] = bytes1(_boundary(seed >> 8));
            else if (kind == 4) mutant[at_] = bytes1(uint8(seed >> 8));
            else _copyRun(mutant, (seed >> 80) % data.length, at_, (seed >> 8) & 0x1f);
        }
    }

    /// @dev Bytes cut off, put in or repeated: the length changes.
    function _resize(bytes memory data, uint256 seed) internal pure returns (bytes memory) {
        uint256 at_ = (seed >> 16) % (data.length + 1);
        uint256 size = 1 + ((seed >> 8) & 0x3f);
        uint256 end = at_ + size > data.length ? data.length : at_ + size;
        if (seed & 3 == 0) return data.slice(0, at_);
        if (seed & 3 == 1) return bytes.concat(data.slice(0, at_), data.slice(end, data.length));
        if (seed & 3 == 2) return bytes.concat(data.slice(0, end), data.slice(at_, data.length));
        return bytes.concat(data.slice(0, at_), abi.encodePacked(keccak256(abi.encode(seed))), data.slice(at_, data.length));
    }

    /// @dev Certificate or CRL with that signed part, signed by `key`.
    function _signDer(bytes memory signed, uint256 key) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = avm.signP256(key, sha256(signed));
        bytes memory integers = bytes.concat(_integer(r), _integer(s));
        bytes memory bits = bytes.concat(hex"0030", bytes1(uint8(integers.length)), integers);
        bytes memory tail = bytes.concat(hex"300a06082a8648ce3d04030203", bytes1(uint8(bits.length)), bits);
        return bytes.concat(hex"3082", bytes2(uint16(signed.length + tail.length)), signed, tail);
    }

    /// @dev The part of a genuine certificate or CRL that its issuer signed; both have headers of four bytes.
    function _toBeSigned(bytes memory der) internal pure returns (bytes memory) {
        uint256 size = 4 + (uint256(uint8(der[6])) << 8) + uint8(der[7]);
        return der.slice(4, 4 + size);
    }

    /// @dev A refusal that says why: neither a panic, nor a text, nor the silence of a call without gas.
    function _assertTyped(bytes memory reason) internal pure {
        vm.assertGt(reason.length, 3);
        vm.assertTrue(bytes4(reason) != bytes4(keccak256("Panic(uint256)")));
        vm.assertTrue(bytes4(reason) != bytes4(keccak256("Error(string)")));
    }

    function _boundary(uint256 seed) private pure returns (uint8) {
        return uint8(bytes1(bytes16(0x00017f80818283ff3002040605061331)[seed & 0xf]));
    }

    function _copyRun(bytes memory data, uint256 from, uint256 to, uint256 size) private pure {
        for (uint256 i = 0; i < size && from + i < data.length && to + i < data.length; i++) data[to + i] = data[from + i];
    }
}
