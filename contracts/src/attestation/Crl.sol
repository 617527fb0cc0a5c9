// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Der} from "./Der.sol";
import {P256} from "./P256.sol";
import {RevocationTable} from "./RevocationTable.sol";
import {X509} from "./X509.sol";

/// @notice A parsed CRL but for its entries; nothing in it is trusted before `Crl.isSignedBy`.
/// @param digest SHA-256 of the signed part
/// @param issuer keccak256 of the issuer's DER name
/// @param serials number of revoked certificates
/// @param entries calldata offset of the first entry
/// @param entriesEnd calldata offset after the last one
struct RevocationList {
    bytes32 digest;
    uint256 r;
    uint256 s;
    bytes32 issuer;
    uint256 thisUpdate;
    uint256 nextUpdate;
    uint256 serials;
    uint256 entries;
    uint256 entriesEnd;
}

/// @title Crl
/// @notice Strict parser of X.509 CRLs version 2 as Intel issues them: complete lists without critical extensions.
library Crl {
    /// @notice Reads everything but the content of the entries, which it counts.
    function parse(bytes calldata der) internal view returns (RevocationList memory list) {
        uint256 pos;
        uint256 limit;
        (pos, limit, list.digest, list.r, list.s) = X509.openSigned(der);
        if (!Der.matches(pos, limit, 3, 0x020101)) revert Der.MalformedDer(pos); // version 2
        pos = X509.skipAlgorithm(pos + 3, limit);
        (list.issuer, pos) = X509.hashName(pos, limit);
        (list.thisUpdate, pos) = Der.utcTime(pos, limit);
        (list.nextUpdate, pos) = Der.utcTime(pos, limit);
        if (pos < limit && Der.load(pos) >> 248 == Der.SEQUENCE) {
            (list.entries, list.entriesEnd) = Der.open(pos, limit, Der.SEQUENCE);
            pos = list.entriesEnd;
            for (uint256 entry = list.entries; entry < pos; list.serials++) {
                (, entry) = Der.open(entry, pos, Der.SEQUENCE);
            }
        }
        // A delta or partial list would say so in a critical extension.
        uint256 stop;
        (pos, stop) = Der.open(pos, limit, 0xa0);
        if (stop != limit) revert Der.MalformedDer(pos);
        (pos, stop) = Der.open(pos, limit, Der.SEQUENCE);
        if (stop != limit) revert Der.MalformedDer(pos);
        while (pos < limit) pos = _skipExtension(pos, limit);
    }

    function isSignedBy(RevocationList memory list, uint256 x, uint256 y) internal view returns (bool) {
        return P256.verify(list.digest, list.r, list.s, x, y);
    }

    /// @notice Puts at most `count` serials from `pos` on into `table`, which must have been made for all of them.
    /// @return stop offset after the last entry that was read, `limit` after the last of all
    function collect(bytes memory table, uint256 pos, uint256 limit, uint256 count)
        internal
        pure
        returns (uint256 stop)
    {
        for (; pos < limit && count > 0; count--) {
            (bool usual, uint256 serial, uint256 entryEnd) = _usualEntry(pos, limit);
            if (!usual) (serial, entryEnd) = _entry(pos, limit);
            RevocationTable.insert(table, serial);
            pos = entryEnd;
        }
        return pos;
    }

    /// @dev What nearly all entries of Intel's are, read at a tenth of the price: SEQUENCE { serial of 20 bytes, date,
    /// { { reason } } }, 53 bytes, or 54 where the serial needs a sign byte.
    function _usualEntry(uint256 pos, uint256 limit) private pure returns (bool usual, uint256 serial, uint256 end) {
        assembly ("memory-safe") {
            let head := calldataload(pos)
            let long := eq(shr(216, head), 0x3034021500)
            let serialAt := add(pos, add(4, long))
            serial := shr(96, calldataload(serialAt))
            let first := shr(152, serial)
            usual := or(
                and(long, gt(first, 0x7f)), and(eq(shr(224, head), 0x30330214), lt(sub(first, 1), 0x7f))
            )
            // 17 0d ‖ date 13 ‖ 30 0c 30 0a, OID 2.5.29.21, 04 03 0a 01 ‖ reason 1
            let tail := calldataload(add(serialAt, 20))
            usual := and(usual, eq(shr(240, tail), 0x170d))
            usual := and(usual, eq(and(shr(32, tail), 0xffffffffffffffffffffffffff), 0x300c300a0603551d1504030a01))
            end := add(serialAt, 49)
            usual := and(usual, iszero(gt(end, limit)))
        }
    }

    function _entry(uint256 pos, uint256 limit) private pure returns (uint256 serial, uint256 end) {
        uint256 start;
        (start, end) = Der.open(pos, limit, Der.SEQUENCE);
        uint256 dateAt;
        (serial, dateAt) = Der.integer(start, end);
        (, uint256 extensions) = Der.open(dateAt, end, 0x17);
        if (extensions < end) {
            (uint256 first, uint256 last) = Der.open(extensions, end, Der.SEQUENCE);
            if (last != end) revert Der.MalformedDer(extensions);
            while (first < last) first = _skipExtension(first, last);
        }
    }

    /// @dev SEQUENCE { OID, OCTET STRING }: a critical extension has a BOOLEAN between them and is refused.
    function _skipExtension(uint256 pos, uint256 limit) private pure returns (uint256 stop) {
        (pos, stop) = Der.open(pos, limit, Der.SEQUENCE);
        (, pos) = Der.open(pos, stop, Der.OBJECT_IDENTIFIER);
        (, pos) = Der.open(pos, stop, Der.OCTET_STRING);
        if (pos != stop) revert Der.MalformedDer(pos);
    }
}
