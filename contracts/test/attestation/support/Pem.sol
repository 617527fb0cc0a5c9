// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "./Bytes.sol";

/// @notice PEM of certificate chains, as collateral files and quotes carry them.
library Pem {
    using Bytes for bytes;

    /// @return der the certificate at `index` of the chain
    function certificate(bytes memory chain, uint256 index) internal pure returns (bytes memory der) {
        uint256 from = 0;
        uint256 start = 0;
        for (uint256 i = 0; i <= index; i++) {
            start = _findFrom(chain, "-----BEGIN CERTIFICATE-----", from) + 27;
            from = start;
        }
        return _decode(chain.slice(start, _findFrom(chain, "-----END CERTIFICATE-----", start)));
    }

    function _findFrom(bytes memory data, bytes memory needle, uint256 from) private pure returns (uint256) {
        return from + data.slice(from, data.length).find(needle);
    }

    function _decode(bytes memory text) private pure returns (bytes memory out) {
        out = new bytes(text.length);
        uint256 length = 0;
        uint256 buffer = 0;
        uint256 bits = 0;
        for (uint256 i = 0; i < text.length; i++) {
            uint256 c = uint8(text[i]);
            uint256 value;
            if (c >= 0x41 && c <= 0x5a) value = c - 0x41;
            else if (c >= 0x61 && c <= 0x7a) value = c - 0x61 + 26;
            else if (c >= 0x30 && c <= 0x39) value = c - 0x30 + 52;
            else if (c == 0x2b) value = 62;
            else if (c == 0x2f) value = 63;
            else continue;
            buffer = (buffer << 6) | value;
            bits += 6;
            if (bits >= 8) {
                bits -= 8;
                out[length++] = bytes1(uint8(buffer >> bits));
            }
        }
        return out.slice(0, length);
    }
}
