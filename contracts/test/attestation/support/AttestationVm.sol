// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The further cheatcodes that the attestation tests use.
interface AttestationVm {
    function exists(string calldata path) external view returns (bool);
    function expectPartialRevert(bytes4 revertData) external;
    function getCode(string calldata artifact) external view returns (bytes memory);
    function getBlockNumber() external view returns (uint256);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonString(string calldata json, string calldata key) external pure returns (string memory);
    function publicKeyP256(uint256 privateKey) external pure returns (uint256 x, uint256 y);
    function readFileBinary(string calldata path) external view returns (bytes memory);
    function revertToState(uint256 id) external returns (bool);
    function signP256(uint256 privateKey, bytes32 digest) external pure returns (bytes32 r, bytes32 s);
    function mockCallRevert(address callee, bytes calldata data, bytes calldata revertData) external;
    function skip(bool skipTest, string calldata reason) external;
    function snapshotState() external returns (uint256 id);
}
