// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IQuoteVerifier} from "../interfaces/IQuoteVerifier.sol";
import {Der} from "./Der.sol";

/// @title TdQuote
/// @notice Layout of the signed part of a TDX quote, versions 4 and 5, and the fixed policy on its fields.
/// @dev Positions are absolute calldata offsets, `body` that of the TD report. Numbers are little-endian.
library TdQuote {
    uint256 private constant HEADER_LENGTH = 48;
    uint256 private constant BODY_LENGTH_1_0 = 584;
    uint256 private constant BODY_LENGTH_1_5 = 648;
    /// @dev Version 5 only: type of the body 2 ‖ its length 4, little-endian.
    uint256 private constant BODY_HEADER_LENGTH = 6;
    uint256 private constant TD_1_0 = 0x020048020000;
    uint256 private constant TD_1_5 = 0x030088020000;
    bytes16 private constant INTEL_QE_VENDOR = 0x939a7233f79c4ca9940a0db3957f0607;

    // Offsets in the body.
    uint256 private constant MR_SIGNER_SEAM = 64;
    uint256 private constant SEAM_ATTRIBUTES = 112;
    uint256 private constant TD_ATTRIBUTES = 120;
    uint256 private constant XFAM = 128;
    uint256 private constant MR_TD = 136;
    uint256 private constant MR_CONFIG_ID = 184;
    uint256 private constant MR_OWNER = 232;
    uint256 private constant RT_MR_0 = 328;
    uint256 private constant REPORT_DATA = 520;
    uint256 private constant MR_SERVICE_TD = 600;

    /// @dev SEPT_VE_DISABLE and nothing else: no debugging, no migration, no key locker, no performance monitoring.
    bytes8 private constant TD_ATTRIBUTES_ALLOWED = 0x0000001000000000;
    /// @dev x87 and SSE (always set); AVX, AVX-512, PKRU, CET, user interrupts and AMX as the host offers them.
    bytes8 private constant XFAM_REQUIRED = 0x0300000000000000;
    bytes8 private constant XFAM_ALLOWED = 0xe75a060000000000;

    /// @notice Checks header, type of body and length.
    /// @return quote offset of the signed part
    /// @return body offset of the TD report
    /// @return end offset after both
    function open(bytes calldata data) internal pure returns (uint256 quote, uint256 body, uint256 end) {
        unchecked {
            (quote, end) = Der.bounds(data);
            uint256 head = data.length < 32 ? 0 : Der.load(quote);
            uint256 version = littleEndian16(head);
            if (version != 4 && version != 5) revert IQuoteVerifier.UnsupportedQuoteVersion(version);
            body = quote + HEADER_LENGTH;
            uint256 length = BODY_LENGTH_1_0;
            if (version == 5) {
                uint256 form = data.length < HEADER_LENGTH + BODY_HEADER_LENGTH ? 0 : Der.load(body) >> 208;
                if (form == TD_1_5) length = BODY_LENGTH_1_5;
                else if (form != TD_1_0) _refuseBody(form);
                body += BODY_HEADER_LENGTH;
            }
            if (end != body + length) revert IQuoteVerifier.WrongQuoteLength(data.length);
            uint256 keyType = littleEndian16(head << 16);
            if (keyType != 2) revert IQuoteVerifier.UnsupportedAttestationKey(keyType);
            if (uint32(head >> 192) != 0x81000000) revert IQuoteVerifier.NotTdx(uint32(head >> 192));
            bytes16 vendor = bytes16(bytes32(head << 96));
            if (vendor != INTEL_QE_VENDOR) revert IQuoteVerifier.UnknownQeVendor(vendor);
        }
    }

    /// @notice What every domain of this network is, whatever runs in it.
    function requirePolicy(uint256 body, uint256 end) internal pure {
        unchecked {
            bytes8 attributes = bytes8(bytes32(Der.load(body + TD_ATTRIBUTES)));
            if (attributes != TD_ATTRIBUTES_ALLOWED) revert IQuoteVerifier.TdAttributesNotAllowed(attributes);
            bytes8 xfam = bytes8(bytes32(Der.load(body + XFAM)));
            if (xfam & ~XFAM_ALLOWED != 0 || xfam & XFAM_REQUIRED != XFAM_REQUIRED) {
                revert IQuoteVerifier.XfamNotAllowed(xfam);
            }
            bytes8 seamAttributes = bytes8(bytes32(Der.load(body + SEAM_ATTRIBUTES)));
            uint256 signer = Der.load(body + MR_SIGNER_SEAM) | Der.load(body + MR_SIGNER_SEAM + 16);
            if (signer != 0 || seamAttributes != 0) revert IQuoteVerifier.SeamModuleNotIntel(seamAttributes);
            uint256 owner = Der.load(body + MR_OWNER) | Der.load(body + MR_OWNER + 32) | Der.load(body + MR_OWNER + 64);
            if (owner != 0) revert IQuoteVerifier.OwnerNotZero();
            if (end == body + BODY_LENGTH_1_5) {
                uint256 service = Der.load(body + MR_SERVICE_TD);
                if (service | Der.load(body + MR_SERVICE_TD + 16) != 0) {
                    revert IQuoteVerifier.ServiceTdBound(bytes32(service));
                }
            }
        }
    }

    /// @return imageId keccak256(mrTd ‖ rtMr0 ‖ rtMr1 ‖ rtMr2)
    function imageId(uint256 body) internal pure returns (bytes32) {
        bytes32 digest;
        assembly ("memory-safe") {
            let copy := mload(0x40)
            calldatacopy(copy, add(body, MR_TD), 48)
            calldatacopy(add(copy, 48), add(body, RT_MR_0), 144)
            digest := keccak256(copy, 192)
        }
        return digest;
    }

    /// @return head first 32 of the 48 bytes of mrConfigId
    /// @return tail the other 16
    function configId(uint256 body) internal pure returns (uint256 head, uint128 tail) {
        unchecked {
            head = Der.load(body + MR_CONFIG_ID);
            tail = uint128(Der.load(body + MR_CONFIG_ID + 16));
        }
    }

    function reportData(uint256 body) internal pure returns (bytes32 head, bytes32 tail) {
        unchecked {
            head = bytes32(Der.load(body + REPORT_DATA));
            tail = bytes32(Der.load(body + REPORT_DATA + 32));
        }
    }

    /// @notice The first two bytes of the word.
    function littleEndian16(uint256 word) internal pure returns (uint16) {
        return uint16((word >> 248) | ((word >> 232) & 0xff00));
    }

    function _refuseBody(uint256 form) private pure {
        uint256 length = 0;
        for (uint256 i = 0; i < 4; i++) length |= ((form >> (8 * (3 - i))) & 0xff) << (8 * i);
        revert IQuoteVerifier.UnsupportedBody(littleEndian16(form << 208), length);
    }
}
