// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {VectorVm} from "./VectorVm.sol";

/// @notice Reads test vectors; test/vectors/README.md defines the form. Values are looked up by the keys of their lines.
library Vector {
    /// @param lines `key: value`, of all three blocks
    struct File {
        string path;
        string[] lines;
    }

    VectorVm private constant vm = VectorVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    string private constant FOLDER = "../test/vectors/files/";

    /// @notice All vectors of a subject. Reverts where there is none.
    function ofSubject(string memory subject) internal view returns (File[] memory files) {
        VectorVm.DirEntry[] memory entries = vm.readDir(string.concat(FOLDER, subject));
        files = new File[](entries.length);
        for (uint256 i; i < entries.length; ++i) {
            files[i] = File(entries[i].path, vm.split(vm.readFile(entries[i].path), "\n"));
        }
        require(files.length > 0, "no vectors");
    }

    /// @notice Everything under `key`, in the order of the lines.
    function all(File memory file, string memory key) internal pure returns (string[] memory values) {
        string memory start = string.concat(key, ": ");
        uint256 count;
        values = new string[](file.lines.length);
        for (uint256 i; i < file.lines.length; ++i) {
            string memory line = file.lines[i];
            if (vm.indexOf(line, start) == 0) values[count++] = _after(line, bytes(start).length);
        }
        assembly ("memory-safe") {
            mstore(values, count)
        }
    }

    function one(File memory file, string memory key) internal pure returns (string memory) {
        string[] memory values = all(file, key);
        require(values.length == 1, string.concat(file.path, ": not one ", key));
        return values[0];
    }

    function number(File memory file, string memory key) internal pure returns (uint256) {
        return vm.parseUint(one(file, key));
    }

    function word(File memory file, string memory key) internal pure returns (bytes32) {
        return vm.parseBytes32(string.concat("0x", one(file, key)));
    }

    function words(File memory file, string memory key) internal pure returns (bytes32[] memory values) {
        string[] memory texts = all(file, key);
        values = new bytes32[](texts.length);
        for (uint256 i; i < texts.length; ++i) {
            values[i] = vm.parseBytes32(string.concat("0x", texts[i]));
        }
    }

    function account(File memory file, string memory key) internal pure returns (address) {
        return vm.parseAddress(string.concat("0x", one(file, key)));
    }

    function data(File memory file, string memory key) internal pure returns (bytes memory) {
        return vm.parseBytes(string.concat("0x", one(file, key)));
    }

    /// @notice True where the line `key` says `value`.
    function says(File memory file, string memory key, string memory value) internal pure returns (bool) {
        return keccak256(bytes(one(file, key))) == keccak256(bytes(value));
    }

    function _after(string memory text, uint256 from) private pure returns (string memory) {
        bytes memory source = bytes(text);
        bytes memory rest = new bytes(source.length - from);
        for (uint256 i; i < rest.length; ++i) {
            rest[i] = source[from + i];
        }
        return string(rest);
    }
}
