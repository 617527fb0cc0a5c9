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
            (uint256 entry, uint256 entryEnd) = Der.open(pos, limit, Der.SEQUENCE);
            (uint256 serial, uint256 dateAt) = Der.integer(entry, entryEnd);
            (, uint256 extensions) = Der.open(dateAt, entryEnd, 0x17);
            if (extensions < entryEnd) {
                (uint256 first, uint256 last) = Der.open(extensions, entryEnd, Der.SEQUENCE);
                if (last != entryEnd) revert Der.MalformedDer(extensions);
                while (first < last) first = _skipExtension(first, last);
            }
            RevocationTable.insert(table, serial);
            pos = entryEnd;
        }
        return pos;
    }

    /// @dev SEQUENCE { OID, OCTET STRING }: a critical extension has a BOOLEAN between them and is refused.
    function _skipExtension(uint256 pos, uint256 limit) private pure returns (uint256 stop) {
        (pos, stop) = Der.open(pos, limit, Der.SEQUENCE);
        (, pos) = Der.open(pos, stop, Der.OBJECT_IDENTIFIER);
        (, pos) = Der.open(pos, stop, Der.OCTET_STRING);
        if (pos != stop) revert Der.MalformedDer(pos);
    }
}
