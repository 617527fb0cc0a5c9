// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Editing of byte strings in tests.
library Bytes {
    /// @notice Overwrites `data` from `offset` on.
    function put(bytes memory data, uint256 offset, bytes memory value) internal pure {
        for (uint256 i = 0; i < value.length; i++) data[offset + i] = value[i];
    }

    function slice(bytes memory data, uint256 start, uint256 end) internal pure returns (bytes memory part) {
        part = new bytes(end - start);
        for (uint256 i = 0; i < part.length; i++) part[i] = data[start + i];
    }

    function copy(bytes memory data) internal pure returns (bytes memory) {
        return bytes.concat(data);
    }

    /// @notice Offset of the first occurrence of `needle`, which must be there.
    function find(bytes memory data, bytes memory needle) internal pure returns (uint256) {
        for (uint256 at_ = 0; at_ + needle.length <= data.length; at_++) {
            uint256 i = 0;
            while (i < needle.length && data[at_ + i] == needle[i]) i++;
            if (i == needle.length) return at_;
        }
        revert("needle not found");
    }

    /// @notice `data` with the first occurrence of `needle` replaced, of whatever length.
    function replace(bytes memory data, bytes memory needle, bytes memory value) internal pure returns (bytes memory) {
        uint256 at_ = find(data, needle);
        return bytes.concat(slice(data, 0, at_), value, slice(data, at_ + needle.length, data.length));
    }
}
