// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Der} from "./Der.sol";

/// @notice What a PCK certificate says about its machine.
/// @param ppid provisioning id of the processor package set
/// @param piid id of the platform instance; zero where the Processor CA signed
/// @param cpuSvn sixteen component SVNs, first in the highest byte
/// @param pceSvn SVN of the provisioning certification enclave
/// @param pceId its id; Intel's TCB info knows only zero
/// @param fmspc processor family that selects the TCB info
struct PckFacts {
    bytes16 ppid;
    bytes16 piid;
    uint128 cpuSvn;
    uint16 pceSvn;
    bytes2 pceId;
    bytes6 fmspc;
}

/// @title PckExtension
/// @notice Parser of Intel's SGX extension (1.2.840.113741.1.13.1) in the one member order that Intel issues.
library PckExtension {
    /// @dev SEQUENCE { OID 1.2.840.113741.1.13.1.N, OCTET STRING }: header and OID without N, 13 bytes.
    uint256 private constant MEMBER_30 = 0x301e060a2a864886f84d010d01; // 30 bytes of content
    uint256 private constant MEMBER_15 = 0x300f060a2a864886f84d010d01;
    uint256 private constant MEMBER_16 = 0x3010060a2a864886f84d010d01;
    uint256 private constant MEMBER_20 = 0x3014060a2a864886f84d010d01;
    /// @dev OID 1.2.840.113741.1.13.1.2, 12 bytes.
    uint256 private constant OID_TCB = 0x060a2a864886f84d010d0102;
    uint256 private constant OID_CONFIGURATION = 0x060a2a864886f84d010d0107;
    /// @dev SEQUENCE { OID 1.2.840.113741.1.13.1.2.N, INTEGER } with a one-byte value: all but N and value, 17 bytes.
    uint256 private constant COMPONENT = 0x3010060b2a864886f84d010d0102000201;
    /// @dev The same with a value from 128 to 255, which DER writes in two bytes, 18 bytes.
    uint256 private constant WIDE_COMPONENT = 0x3011060b2a864886f84d010d010200020200;
    /// @dev OID 1.2.840.113741.1.13.1.2.17, 13 bytes.
    uint256 private constant OID_PCE_SVN = 0x060b2a864886f84d010d010211;
    /// @dev SEQUENCE { OID 1.2.840.113741.1.13.1.2.18, OCTET STRING of 16 bytes } up to the value, 17 bytes.
    uint256 private constant CPU_SVN = 0x301f060b2a864886f84d010d0102120410;

    /// @param pos calldata offset of the extension's content
    /// @param limit calldata offset after it
    function parse(uint256 pos, uint256 limit) internal pure returns (PckFacts memory facts) {
        unchecked {
            uint256 end;
            (pos, end) = Der.open(pos, limit, Der.SEQUENCE);
            if (end != limit) revert Der.MalformedDer(pos);
            facts.ppid = bytes16(bytes32(Der.load(_member(pos, end, MEMBER_30, 0x010410))));
            pos = _parseTcb(pos + 32, end, facts);
            facts.pceId = bytes2(bytes32(Der.load(_member(pos, end, MEMBER_16, 0x030402))));
            facts.fmspc = bytes6(bytes32(Der.load(_member(pos + 18, end, MEMBER_20, 0x040406))));
            pos = _member(pos + 40, end, MEMBER_15, 0x050a01) + 1; // SGX type: says nothing about TDX
            if (pos == end) return facts;
            // Only under the Platform CA: the instance, and its configuration (dynamic, cached keys, SMT).
            facts.piid = bytes16(bytes32(Der.load(_member(pos, end, MEMBER_30, 0x060410))));
            (pos, limit) = Der.open(pos + 32, end, Der.SEQUENCE);
            if (!Der.matches(pos, limit, 12, OID_CONFIGURATION)) revert Der.MalformedDer(pos);
            (, pos) = Der.open(pos + 12, limit, Der.SEQUENCE);
            if (limit != end || pos != end) revert Der.MalformedDer(pos);
        }
    }

    /// @dev A member of fixed size: `head`, then its number with the header of the value. @return offset of the value
    function _member(uint256 pos, uint256 limit, uint256 head, uint256 tail) private pure returns (uint256) {
        unchecked {
            uint256 size = ((head >> 88) & 0xff) + 2;
            if (pos + size > limit || !Der.matches(pos, limit, 16, head << 24 | tail)) revert Der.MalformedDer(pos);
            return pos + 16;
        }
    }

    /// @dev SEQUENCE { OID …2, SEQUENCE { sixteen components, PCESVN, CPUSVN } }.
    function _parseTcb(uint256 pos, uint256 limit, PckFacts memory facts) private pure returns (uint256 stop) {
        unchecked {
            (pos, stop) = Der.open(pos, limit, Der.SEQUENCE);
            if (!Der.matches(pos, stop, 12, OID_TCB)) revert Der.MalformedDer(pos);
            uint256 end;
            (pos, end) = Der.open(pos + 12, stop, Der.SEQUENCE);
            if (end != stop) revert Der.MalformedDer(pos);
            (facts.cpuSvn, pos) = _components(pos);
            uint256 memberEnd;
            (pos, memberEnd) = Der.open(pos, end, Der.SEQUENCE);
            if (!Der.matches(pos, memberEnd, 13, OID_PCE_SVN)) revert Der.MalformedDer(pos);
            uint256 pceSvn;
            (pceSvn, pos) = Der.integer(pos + 13, memberEnd);
            if (pos != memberEnd || pceSvn > type(uint16).max) revert Der.MalformedDer(pos);
            facts.pceSvn = uint16(pceSvn);
            // The raw CPUSVN is a platform-internal encoding; its components above are what TCB levels compare.
            if (!Der.matches(pos, end, 17, CPU_SVN) || pos + 33 != end) revert Der.MalformedDer(pos);
        }
    }

    /// @dev The end is not checked here: whatever follows must be the PCESVN inside the bounds of the sequence.
    function _components(uint256 pos) private pure returns (uint128 svns, uint256 end) {
        bool malformed;
        assembly ("memory-safe") {
            for { let index := 1 } lt(index, 17) { index := add(index, 1) } {
                let word := calldataload(pos)
                let value := byte(17, word)
                let size := 18
                // The number of the component stands in byte 14.
                let different := xor(shr(120, word), add(COMPONENT, shl(16, index)))
                different := or(different, gt(value, 0x7f))
                if different {
                    value := byte(18, word)
                    size := 19
                    different := xor(shr(112, word), add(WIDE_COMPONENT, shl(24, index)))
                    different := or(different, lt(value, 0x80))
                    malformed := or(malformed, different)
                }
                svns := or(shl(8, svns), value)
                pos := add(pos, size)
            }
            end := pos
        }
        if (malformed) revert Der.MalformedDer(end);
    }
}
