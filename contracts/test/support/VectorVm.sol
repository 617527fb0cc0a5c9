// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The further cheatcodes that reading vectors takes.
interface VectorVm {
    struct DirEntry {
        string errorMessage;
        string path;
        uint64 depth;
        bool isDir;
        bool isSymlink;
    }

    function getCode(string calldata artifact) external view returns (bytes memory);
    function indexOf(string calldata text, string calldata part) external pure returns (uint256);
    function parseAddress(string calldata text) external pure returns (address);
    function parseBytes(string calldata text) external pure returns (bytes memory);
    function parseBytes32(string calldata text) external pure returns (bytes32);
    function parseUint(string calldata text) external pure returns (uint256);
    function readDir(string calldata path) external view returns (DirEntry[] memory);
    function readFile(string calldata path) external view returns (string memory);
    function split(string calldata text, string calldata delimiter) external pure returns (string[] memory);
}
