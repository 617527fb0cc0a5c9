// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "./Bytes.sol";
import {Platform} from "./Platform.sol";

/// @notice CRLs of the Platform CA of any length.
abstract contract LongCrl is Platform {
    using Bytes for bytes;

    /// @dev The CRL of random serials.
    function _longCrl(uint256 count) internal view returns (bytes memory) {
        bytes memory entries = new bytes(53 * count);
        for (uint256 i = 0; i < count; i++) {
            bytes memory serial = abi.encodePacked(_serial(i));
            bytes memory entry =
                bytes.concat(hex"30330214", serial, hex"170d3236313030333030303030305a300c300a0603551d1504030a0101");
            for (uint256 j = 0; j < 53; j++) entries[53 * i + j] = entry[j];
        }
        return _crlOf(entries);
    }

    /// @dev The CRL without serials, with these entries put in and signed again.
    function _crlOf(bytes memory entries) internal view returns (bytes memory) {
        bytes memory template = _bytes(".crls.platformEmpty");
        template = template.slice(template.find(hex"020101300a"), template.length);
        uint256 list = template.find(hex"170d323631") + 30;
        uint256 end = template.find(hex"300a06082a8648ce3d04030203");
        bytes memory content =
            bytes.concat(template.slice(0, list), _sequence(entries), template.slice(list, end));
        bytes memory signed = _sequence(content);
        (bytes32 r, bytes32 s) = avm.signP256(uint256(_word(".platformCa.key")), sha256(signed));
        bytes memory integers = bytes.concat(_integer(r), _integer(s));
        bytes memory rest = bytes.concat(hex"00", hex"30", bytes1(uint8(integers.length)), integers);
        return _sequence(bytes.concat(signed, hex"300a06082a8648ce3d04030203", bytes1(uint8(rest.length)), rest));
    }

    function _serial(uint256 index) internal pure returns (uint160) {
        return uint160(uint256(keccak256(abi.encode(index)))) >> 1 | (1 << 156);
    }

    function _sequence(bytes memory content) private pure returns (bytes memory) {
        uint256 length = content.length;
        if (length < 0x80) return bytes.concat(hex"30", bytes1(uint8(length)), content);
        if (length < 0x100) return bytes.concat(hex"3081", bytes1(uint8(length)), content);
        if (length < 0x10000) return bytes.concat(hex"3082", bytes2(uint16(length)), content);
        return bytes.concat(hex"3083", bytes3(uint24(length)), content);
    }
}
