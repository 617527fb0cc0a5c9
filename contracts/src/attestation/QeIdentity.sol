// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TcbStatus} from "./TcbStatus.sol";

/// @notice The fields of a quoting enclave's report that its identity judges, as bytes of the report.
struct QeReportFacts {
    bytes32 mrSigner;
    uint128 attributes;
    uint32 miscSelect;
    uint16 isvProdId;
    uint16 isvSvn;
}

/// @title QeIdentity
/// @notice Reads a packed identity of the quoting enclave, as QeIdentityText writes it:
/// mrsigner 32 ‖ attributes mask 16 ‖ attributes 16 ‖ miscselect mask 4 ‖ miscselect 4 ‖ isvprodid 2 ‖
/// levels (isvsvn 2 ‖ status 1) in Intel's order.
library QeIdentity {
    uint256 private constant FIXED_PART = 74;

    /// @notice Whether the report is one of this enclave, at any level.
    function matches(bytes memory identity, QeReportFacts memory report) internal pure returns (bool same) {
        uint256 signer;
        uint256 attributes;
        uint256 rest;
        assembly ("memory-safe") {
            signer := mload(add(identity, 32))
            attributes := mload(add(identity, 64))
            rest := mload(add(identity, 96))
        }
        uint256 mask = attributes >> 128;
        uint32 miscMask = uint32(rest >> 224);
        return signer == uint256(report.mrSigner) && report.attributes & mask == uint128(attributes)
            && report.miscSelect & miscMask == uint32(rest >> 192) && report.isvProdId == uint16(rest >> 176);
    }

    /// @notice First level whose SVN the enclave reaches.
    /// @return found false where it is below every level
    function status(bytes memory identity, uint256 isvSvn) internal pure returns (bool found, TcbStatus verdict) {
        assembly ("memory-safe") {
            let end := add(add(identity, 32), mload(identity))
            for { let pos := add(identity, add(32, FIXED_PART)) } lt(pos, end) { pos := add(pos, 3) } {
                let level := mload(pos)
                if iszero(lt(isvSvn, shr(240, level))) {
                    found := 1
                    verdict := byte(2, level)
                    break
                }
            }
        }
    }
}
