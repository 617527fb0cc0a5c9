// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What signed JSON collateral says, in the form that the quote verifier reads.
/// @param fmspc processor family of a TCB info; zero for a QE identity
/// @param evaluation Intel's TCB evaluation data number
/// @param issuedAt issueDate
/// @param expiresAt nextUpdate
/// @param data packed content, see TcbSet.sol and QeIdentity.sol
struct ParsedCollateral {
    bytes6 fmspc;
    uint16 evaluation;
    uint256 issuedAt;
    uint256 expiresAt;
    bytes data;
}

/// @title ICollateralParser
/// @notice Reads Intel's JSON collateral byte by byte against a template. Stateless, and the only part of the
/// attestation contracts that governance can replace (behind a timelock), because Intel may change the JSON.
/// @dev Called only with text whose signature was verified. Reverts on any text of another shape.
interface ICollateralParser {
    /// @param json the `tcbInfo` object of a TDX TCB info, version 3, exactly as signed
    function parseTcbInfo(bytes calldata json) external view returns (ParsedCollateral memory parsed);

    /// @param json the `enclaveIdentity` object of the TD quoting enclave, version 2, exactly as signed
    function parseQeIdentity(bytes calldata json) external view returns (ParsedCollateral memory parsed);
}
