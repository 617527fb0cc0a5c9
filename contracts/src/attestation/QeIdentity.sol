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
/// @notice Reads a packed identity of the quoting enclave, as QeIdentityText writes it: form 1 ‖ enclave ‖ levels
/// (isvsvn 2 ‖ status 1) in Intel's order, with
/// enclave = mrsigner 32 ‖ attributes mask 16 ‖ attributes 16 ‖ miscselect mask 4 ‖ miscselect 4 ‖ isvprodid 2
/// in form 1. Form 0 leaves the enclave out: it is the one that all of Intel's identities have described so far.
library QeIdentity {
    uint256 internal constant ENCLAVE_LENGTH = 74;
    uint256 private constant SIGNER = 0xdc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5;
    /// @dev All bits but MODE64BIT and those of XFRM; INIT, PROVISION_KEY.
    uint256 private constant ATTRIBUTES = 0xfbffffffffffffff000000000000000011000000000000000000000000000000;
    uint256 private constant MISC_SELECT_AND_PRODUCT = 0xffffffff000000000002;

    /// @notice The packed form.
    /// @param enclave 74 bytes
    function pack(bytes memory enclave, bytes memory levels) internal pure returns (bytes memory) {
        bytes memory usual = abi.encodePacked(SIGNER, ATTRIBUTES, uint80(MISC_SELECT_AND_PRODUCT));
        if (keccak256(enclave) == keccak256(usual)) return bytes.concat(hex"00", levels);
        return bytes.concat(hex"01", enclave, levels);
    }

    /// @notice Whether the report is one of this enclave, at any level.
    function matches(bytes memory identity, QeReportFacts memory report) internal pure returns (bool same) {
        uint256 signer = SIGNER;
        uint256 attributes = ATTRIBUTES;
        uint256 rest = MISC_SELECT_AND_PRODUCT << 176;
        if (identity[0] != 0) {
            assembly ("memory-safe") {
                signer := mload(add(identity, 33))
                attributes := mload(add(identity, 65))
                rest := mload(add(identity, 97))
            }
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
            let levels := add(identity, 33)
            if byte(0, mload(add(identity, 32))) { levels := add(levels, ENCLAVE_LENGTH) }
            for { let pos := levels } lt(pos, end) { pos := add(pos, 3) } {
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
