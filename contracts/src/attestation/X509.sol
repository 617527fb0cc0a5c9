// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Der} from "./Der.sol";
import {P256} from "./P256.sol";

/// @notice A parsed certificate. Nothing in it is trusted before `X509.isSignedBy` and the caller's checks.
/// @param digest SHA-256 of the signed part
/// @param issuer keccak256 of the issuer's DER name
/// @param subject keccak256 of the subject's DER name
/// @param notBefore first second of validity
/// @param notAfter last second of validity
/// @param x y public key (P-256, uncompressed form only)
/// @param sgxExtension calldata offset of the SGX extension's content, or 0
/// @param sgxExtensionEnd calldata offset after it
struct X509Certificate {
    bytes32 digest;
    uint256 r;
    uint256 s;
    uint256 serial;
    bytes32 issuer;
    bytes32 subject;
    uint256 notBefore;
    uint256 notAfter;
    uint256 x;
    uint256 y;
    uint256 sgxExtension;
    uint256 sgxExtensionEnd;
}

/// @title X509
/// @notice Strict parser of the four kinds of certificate in Intel's PCK hierarchy: version 3, ECDSA with SHA-256
/// over P-256, critical key usage and basic constraints of exactly one of two shapes, no other critical extension.
/// @dev Checks form and role. Issuer, validity, revocation and signature are the caller's, who knows the parent.
library X509 {
    /// @notice keccak256 of the DER names: CN as said, O = Intel Corporation, L = Santa Clara, ST = CA, C = US.
    bytes32 internal constant ROOT_CA = 0x3112c8e9428b5c08824e727e3ea896f3597c8a91caeafe57d64a4bc08df71dfb;
    bytes32 internal constant PLATFORM_CA = 0xfc023d85bd2073504d59f24a7ab325cd1841e2aa6eb6f25512665d57128d616c;
    bytes32 internal constant PROCESSOR_CA = 0x3e8717c2b8859b5d5e0c466dea5b49feedd67165b9ff9890405e87b6db3d2827;
    bytes32 internal constant TCB_SIGNING = 0x048bd42849dc20c563977be866923795e269396947dfe4773512441b25c9d413;
    bytes32 internal constant PCK = 0x1d435d94385294e93f12fbdc7f8d92f361ea0fe81070c14312155af11b5fa596;

    /// @dev SEQUENCE { ecdsa-with-SHA256 }, 12 bytes.
    uint256 private constant ECDSA_SHA256 = 0x300a06082a8648ce3d040302;
    /// @dev SubjectPublicKeyInfo of a P-256 key up to the 04 of the uncompressed point, 27 bytes.
    uint256 private constant P256_KEY = 0x3059301306072a8648ce3d020106082a8648ce3d03010703420004;
    /// @dev [0] { INTEGER 2 }: version 3, 5 bytes.
    uint256 private constant VERSION_3 = 0xa003020102;

    /// @dev OID 2.5.29.N without N.
    uint256 private constant OID_EXTENSION = 0x0603551d;
    uint256 private constant KEY_USAGE = 1 << 15;
    uint256 private constant BASIC_CONSTRAINTS = 1 << 19;
    uint256 private constant SGX = 1 << 255; // no N of X.509 is above 127
    uint256 private constant OID_SGX = 0x06092a864886f84d010d01;
    /// @dev Content of the extensions, from the OID on: critical, keyCertSign and cRLSign, 14 bytes.
    uint256 private constant CA_KEY_USAGE = 0x0603551d0f0101ff040403020106;
    /// @dev critical, CA, path length 0, 18 bytes.
    uint256 private constant CA_BASIC_CONSTRAINTS = 0x0603551d130101ff040830060101ff020100;
    /// @dev critical, digitalSignature and nonRepudiation, 14 bytes.
    uint256 private constant LEAF_KEY_USAGE = 0x0603551d0f0101ff0404030206c0;
    /// @dev critical, not a CA, 12 bytes.
    uint256 private constant LEAF_BASIC_CONSTRAINTS = 0x0603551d130101ff04023000;

    /// @notice The certificate lacks an extension or key usage of its role, has one twice, or one that is
    /// critical and unknown.
    error WrongCertificateExtensions();

    /// @notice Parses an intermediate CA: may sign certificates and CRLs, no further CA below it.
    function parseCa(bytes calldata der) internal view returns (X509Certificate memory certificate) {
        return _parse(der, true);
    }

    /// @notice Parses an end certificate (PCK or TCB signing): may sign data, never certificates.
    function parseLeaf(bytes calldata der) internal view returns (X509Certificate memory certificate) {
        return _parse(der, false);
    }

    function isSignedBy(X509Certificate memory certificate, uint256 x, uint256 y) internal view returns (bool) {
        return P256.verify(certificate.digest, certificate.r, certificate.s, x, y);
    }

    /// @notice Splits SEQUENCE { signed part, ecdsa-with-SHA256, BIT STRING { r, s } } that fills `der`.
    /// @return signed calldata offset of the signed part's content
    /// @return signedEnd calldata offset after the signed part
    function openSigned(bytes calldata der)
        internal
        view
        returns (uint256 signed, uint256 signedEnd, bytes32 digest, uint256 r, uint256 s)
    {
        unchecked {
            (uint256 pos, uint256 limit) = Der.bounds(der);
            (uint256 start, uint256 end) = Der.open(pos, limit, Der.SEQUENCE);
            if (end != limit) revert Der.MalformedDer(end);
            (signed, signedEnd) = Der.open(start, end, Der.SEQUENCE);
            digest = Der.sha(start, signedEnd);
            pos = skipAlgorithm(signedEnd, end);
            (pos, limit) = Der.open(pos, end, Der.BIT_STRING);
            if (limit != end || Der.load(pos) >> 248 != 0) revert Der.MalformedDer(pos);
            (pos, limit) = Der.open(pos + 1, end, Der.SEQUENCE);
            if (limit != end) revert Der.MalformedDer(pos);
            (r, pos) = Der.integer(pos, end);
            (s, pos) = Der.integer(pos, end);
            if (pos != end) revert Der.MalformedDer(pos);
        }
    }

    /// @return stop offset after the algorithm identifier, which must be ecdsa-with-SHA256
    function skipAlgorithm(uint256 pos, uint256 limit) internal pure returns (uint256 stop) {
        if (!Der.matches(pos, limit, 12, ECDSA_SHA256)) revert Der.MalformedDer(pos);
        return pos + 12;
    }

    /// @return digest keccak256 of the whole Name element
    /// @return stop offset after it
    function hashName(uint256 pos, uint256 limit) internal pure returns (bytes32 digest, uint256 stop) {
        (, stop) = Der.open(pos, limit, Der.SEQUENCE);
        digest = Der.hash(pos, stop);
    }

    function _parse(bytes calldata der, bool ca) private view returns (X509Certificate memory certificate) {
        uint256 pos;
        uint256 limit;
        (pos, limit, certificate.digest, certificate.r, certificate.s) = openSigned(der);
        if (!Der.matches(pos, limit, 5, VERSION_3)) revert Der.MalformedDer(pos);
        (certificate.serial, pos) = Der.integer(pos + 5, limit);
        if (certificate.serial > type(uint160).max) revert Der.MalformedDer(pos); // RFC 5280 §4.1.2.2
        pos = skipAlgorithm(pos, limit);
        (certificate.issuer, pos) = hashName(pos, limit);
        (uint256 validity, uint256 validityEnd) = Der.open(pos, limit, Der.SEQUENCE);
        (certificate.notBefore, validity) = Der.utcTime(validity, validityEnd);
        (certificate.notAfter, validity) = Der.utcTime(validity, validityEnd);
        if (validity != validityEnd) revert Der.MalformedDer(validity);
        (certificate.subject, pos) = hashName(validityEnd, limit);
        if (!Der.matches(pos, limit, 27, P256_KEY)) revert Der.MalformedDer(pos);
        unchecked {
            certificate.x = Der.load(pos + 27);
            certificate.y = Der.load(pos + 59);
            pos += 91;
        }
        (pos, validityEnd) = Der.open(pos, limit, 0xa3);
        if (validityEnd != limit) revert Der.MalformedDer(pos);
        (pos, validityEnd) = Der.open(pos, limit, Der.SEQUENCE);
        if (validityEnd != limit) revert Der.MalformedDer(pos);
        (certificate.sgxExtension, certificate.sgxExtensionEnd) = _walkExtensions(pos, limit, ca);
    }

    /// @dev Wants key usage and basic constraints of the role exactly once; finds the SGX extension, at most once.
    /// `seen` has a bit per known kind: those of X.509 (2.5.29.N) by N, the SGX extension.
    function _walkExtensions(uint256 pos, uint256 limit, bool ca)
        private
        pure
        returns (uint256 sgxExtension, uint256 sgxExtensionEnd)
    {
        uint256 seen;
        while (pos < limit) {
            (uint256 start, uint256 end) = Der.open(pos, limit, Der.SEQUENCE);
            uint256 oid = Der.load(start) >> 216;
            uint256 kind = oid >> 8 == OID_EXTENSION ? 1 << (oid & 0xff) : 0;
            if (kind == KEY_USAGE) {
                _requireExact(start, end, 14, ca ? CA_KEY_USAGE : LEAF_KEY_USAGE);
            } else if (kind == BASIC_CONSTRAINTS) {
                if (ca) _requireExact(start, end, 18, CA_BASIC_CONSTRAINTS);
                else _requireExact(start, end, 12, LEAF_BASIC_CONSTRAINTS);
            } else {
                (uint256 value, uint256 valueEnd) = Der.open(start, end, Der.OBJECT_IDENTIFIER);
                // A critical extension has BOOLEAN TRUE here: unknown ones are refused.
                (value, valueEnd) = Der.open(valueEnd, end, Der.OCTET_STRING);
                if (valueEnd != end) revert Der.MalformedDer(value);
                if (Der.matches(start, end, 11, OID_SGX)) {
                    kind = SGX;
                    (sgxExtension, sgxExtensionEnd) = (value, end);
                }
            }
            if (seen & kind != 0) revert WrongCertificateExtensions();
            seen |= kind;
            pos = end;
        }
        if (seen & (KEY_USAGE | BASIC_CONSTRAINTS) != KEY_USAGE | BASIC_CONSTRAINTS) revert WrongCertificateExtensions();
    }

    function _requireExact(uint256 start, uint256 end, uint256 length, uint256 expected) private pure {
        if (end != start + length || !Der.matches(start, end, length, expected)) revert WrongCertificateExtensions();
    }
}
