// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CollateralSet, ICollateralStore, TrustAnchors} from "../interfaces/ICollateralStore.sol";
import {Appraisal, Evidence, IQuoteVerifier, PlatformFacts} from "../interfaces/IQuoteVerifier.sol";
import {DataContract} from "./DataContract.sol";
import {Der} from "./Der.sol";
import {P256} from "./P256.sol";
import {PckExtension, PckFacts} from "./PckExtension.sol";
import {QeIdentity, QeReportFacts} from "./QeIdentity.sol";
import {TcbSet} from "./TcbSet.sol";
import {mergeTcbStatus, TcbStatus} from "./TcbStatus.sol";
import {X509, X509Certificate} from "./X509.sol";

/// @title QuoteVerifier
/// @notice Complete verification of TDX quotes, version 4. Trust runs from the root key pinned in the collateral
/// store through the CA to the PCK certificate, to the quoting enclave's report, to the attestation key, to the body.
/// Fixed policy: no debugging, SEPT_VE_DISABLE, Intel's TDX module, no owner fields, a compose hash in mrConfigId.
contract QuoteVerifier is IQuoteVerifier {
    using X509 for X509Certificate;

    uint256 private constant QUOTE_LENGTH = 632;
    /// @dev Signature, attestation key, QE report and its signature.
    uint256 private constant AUTH_FIXED_LENGTH = 576;
    uint256 private constant QE_REPORT = 128;
    bytes16 private constant INTEL_QE_VENDOR = 0x939a7233f79c4ca9940a0db3957f0607;

    // Offsets in header ‖ body.
    uint256 private constant TEE_TCB_SVN = 48;
    uint256 private constant MR_SIGNER_SEAM = 112;
    uint256 private constant SEAM_ATTRIBUTES = 160;
    uint256 private constant TD_ATTRIBUTES = 168;
    uint256 private constant XFAM = 176;
    uint256 private constant MR_TD = 184;
    uint256 private constant MR_CONFIG_ID = 232;
    uint256 private constant MR_OWNER = 280;
    uint256 private constant RT_MR_0 = 376;
    uint256 private constant REPORT_DATA = 568;

    /// @dev SEPT_VE_DISABLE and nothing else: no debugging, no migration, no key locker, no performance monitoring.
    bytes8 private constant TD_ATTRIBUTES_ALLOWED = 0x0000001000000000;
    /// @dev x87 and SSE (always set); AVX, AVX-512, PKRU, CET, user interrupts and AMX as the host offers them.
    bytes8 private constant XFAM_REQUIRED = 0x0300000000000000;
    bytes8 private constant XFAM_ALLOWED = 0xe75a060000000000;

    struct Verdict {
        bool found;
        TcbStatus status;
        uint16 evaluation;
        uint32 expiresAt;
    }

    /// @inheritdoc IQuoteVerifier
    ICollateralStore public immutable collateral;

    constructor(ICollateralStore collateral_) {
        collateral = collateral_;
        P256.requirePrecompile();
    }

    /// @inheritdoc IQuoteVerifier
    function verify(Evidence calldata evidence, uint16 tcbFloor, uint16 qeFloor)
        external
        view
        returns (Appraisal memory appraisal)
    {
        (uint256 quote, uint256 auth) = _requireForm(evidence.quote, evidence.auth);
        (X509Certificate memory leaf, TrustAnchors memory anchors) = _verifyLeaf(evidence, appraisal);
        _verifySignatures(quote, auth, evidence.auth.length, leaf);
        _requirePolicy(quote);
        PlatformFacts memory facts = appraisal.platform;
        facts.components |= Der.load(quote + TEE_TCB_SVN) >> 128;
        facts.qeIsvSvn = _littleEndian16(Der.load(auth + QE_REPORT + 258));
        Verdict memory enclave = _judgeQuotingEnclave(auth, anchors.qe, qeFloor, facts.qeIsvSvn);
        Verdict memory platform = _judgePlatform(anchors.tcb, tcbFloor, facts);
        appraisal.status = mergeTcbStatus(platform.status, enclave.status);
        appraisal.tcbEvaluation = platform.evaluation;
        appraisal.qeEvaluation = enclave.evaluation;
        appraisal.expiresAt = _min(appraisal.expiresAt, _min(platform.expiresAt, enclave.expiresAt));
        _describe(quote, appraisal);
    }

    /// @return quote calldata offset of the quote
    /// @return auth calldata offset of its authentication data
    function _requireForm(bytes calldata quoteBytes, bytes calldata authBytes)
        private
        pure
        returns (uint256 quote, uint256 auth)
    {
        (quote,) = Der.bounds(quoteBytes);
        (auth,) = Der.bounds(authBytes);
        uint256 head = quoteBytes.length < 32 ? 0 : Der.load(quote);
        uint256 version = _littleEndian16(head);
        if (version != 4) revert UnsupportedQuoteVersion(version);
        if (quoteBytes.length != QUOTE_LENGTH) revert WrongQuoteLength(quoteBytes.length);
        if (authBytes.length < AUTH_FIXED_LENGTH) revert WrongAuthLength(authBytes.length);
        uint256 keyType = _littleEndian16(head << 16);
        if (keyType != 2) revert UnsupportedAttestationKey(keyType);
        if (uint32(head >> 192) != 0x81000000) revert NotTdx(uint32(head >> 192));
        bytes16 vendor = bytes16(bytes32(head << 96));
        if (vendor != INTEL_QE_VENDOR) revert UnknownQeVendor(vendor);
    }

    /// @dev PCK certificate under the cached CA; fills what it says about the machine.
    function _verifyLeaf(Evidence calldata evidence, Appraisal memory appraisal)
        private
        view
        returns (X509Certificate memory leaf, TrustAnchors memory anchors)
    {
        leaf = X509.parseLeaf(evidence.pckLeaf);
        if (leaf.subject != X509.PCK) revert UnexpectedSubject(leaf.subject);
        if (leaf.sgxExtension == 0) revert MissingSgxExtension();
        PckFacts memory facts = PckExtension.parse(leaf.sgxExtension, leaf.sgxExtensionEnd);
        if (facts.pceId != 0) revert UnknownPce(facts.pceId);
        anchors = collateral.trustAnchors(evidence.caId, leaf.serial, facts.fmspc);
        if (leaf.issuer != anchors.issuer) revert UnexpectedIssuer(leaf.issuer);
        if (!leaf.isSignedBy(anchors.x, anchors.y)) revert InvalidLeafSignature();
        if (block.timestamp < leaf.notBefore) revert LeafNotYetValid(leaf.notBefore, block.timestamp);
        if (block.timestamp > leaf.notAfter) revert LeafExpired(leaf.notAfter, block.timestamp);
        appraisal.expiresAt = _min(uint32(leaf.notAfter), uint32(anchors.expiresAt));
        appraisal.ppid = facts.ppid;
        appraisal.piid = facts.piid;
        appraisal.platform = PlatformFacts({
            components: uint256(facts.cpuSvn) << 128,
            serial: uint160(leaf.serial),
            fmspc: facts.fmspc,
            pceSvn: facts.pceSvn,
            qeIsvSvn: 0,
            ca: anchors.ca
        });
    }

    /// @dev PCK key → QE report → attestation key → quote.
    function _verifySignatures(uint256 quote, uint256 auth, uint256 authLength, X509Certificate memory leaf)
        private
        view
    {
        unchecked {
            uint256 report = auth + QE_REPORT;
            if (!P256.verify(
                    Der.sha(report, report + 384), Der.load(report + 384), Der.load(report + 416), leaf.x, leaf.y
                )) revert InvalidQeReportSignature();
            bytes32 binding = _bindingOf(auth, authLength);
            if (Der.load(report + 320) != uint256(binding) || Der.load(report + 352) != 0) {
                revert AttestationKeyNotBound();
            }
            if (!P256.verify(
                    Der.sha(quote, quote + QUOTE_LENGTH),
                    Der.load(auth),
                    Der.load(auth + 32),
                    Der.load(auth + 64),
                    Der.load(auth + 96)
                )) revert InvalidQuoteSignature();
        }
    }

    /// @dev SHA-256 of attestation key ‖ QE authentication data.
    function _bindingOf(uint256 auth, uint256 authLength) private view returns (bytes32 binding) {
        assembly ("memory-safe") {
            let input := mload(0x40)
            let length := sub(authLength, AUTH_FIXED_LENGTH)
            calldatacopy(input, add(auth, 64), 64)
            calldatacopy(add(input, 64), add(auth, AUTH_FIXED_LENGTH), length)
            if iszero(staticcall(gas(), 2, input, add(length, 64), 0, 0x20)) { revert(0, 0) }
            binding := mload(0)
        }
    }

    function _requirePolicy(uint256 quote) private pure {
        unchecked {
            bytes8 attributes = bytes8(bytes32(Der.load(quote + TD_ATTRIBUTES)));
            if (attributes != TD_ATTRIBUTES_ALLOWED) revert TdAttributesNotAllowed(attributes);
            bytes8 xfam = bytes8(bytes32(Der.load(quote + XFAM)));
            if (xfam & ~XFAM_ALLOWED != 0 || xfam & XFAM_REQUIRED != XFAM_REQUIRED) revert XfamNotAllowed(xfam);
            bytes8 seamAttributes = bytes8(bytes32(Der.load(quote + SEAM_ATTRIBUTES)));
            uint256 signer = Der.load(quote + MR_SIGNER_SEAM) | (Der.load(quote + MR_SIGNER_SEAM + 16));
            if (signer != 0 || seamAttributes != 0) revert SeamModuleNotIntel(seamAttributes);
            uint256 owner =
                Der.load(quote + MR_OWNER) | Der.load(quote + MR_OWNER + 32) | Der.load(quote + MR_OWNER + 64);
            if (owner != 0) revert OwnerNotZero();
        }
    }

    /// @dev Takes the newest identity under which the enclave is up to date, else the one that judges it best.
    function _judgeQuotingEnclave(uint256 auth, CollateralSet memory set, uint16 floor, uint16 isvSvn)
        private
        view
        returns (Verdict memory verdict)
    {
        QeReportFacts memory report = _qeReport(auth + QE_REPORT);
        bool current = false;
        bool matched = false;
        for (uint256 rank = 0; _isEligible(set, floor, verdict);) {
            if (block.timestamp <= set.expiresAt) {
                current = true;
                bytes memory identity = DataContract.read(set.data);
                if (QeIdentity.matches(identity, report)) {
                    matched = true;
                    (bool found, TcbStatus status) = QeIdentity.status(identity, isvSvn);
                    if (found) _keepBetter(verdict, set, status);
                }
            }
            if (!_isUpToDate(verdict)) set = collateral.qeIdentity(++rank);
        }
        if (!current) revert NoCurrentQeIdentity(floor);
        if (!matched) revert NotTheQuotingEnclave();
        if (!verdict.found) revert QuotingEnclaveBelowEveryLevel(isvSvn);
    }

    /// @dev Takes the newest set under which platform and module are up to date, else the one that judges them best.
    function _judgePlatform(CollateralSet memory set, uint16 floor, PlatformFacts memory facts)
        private
        view
        returns (Verdict memory verdict)
    {
        uint256 isvSvn = (facts.components >> 120) & 0xff;
        uint256 module = (facts.components >> 112) & 0xff;
        bool current = false;
        bool reached = false;
        for (uint256 rank = 0; _isEligible(set, floor, verdict);) {
            if (block.timestamp <= set.expiresAt) {
                current = true;
                bytes memory levels = DataContract.read(set.data);
                (bool found, TcbStatus status) = TcbSet.platformStatus(levels, facts.components, facts.pceSvn);
                reached = reached || found;
                // Modules of version 0 have no identity of their own: the platform level judges them.
                if (found && module != 0) {
                    TcbStatus moduleStatus;
                    (found, moduleStatus) = TcbSet.moduleStatus(levels, module, isvSvn);
                    status = mergeTcbStatus(status, moduleStatus);
                }
                if (found) _keepBetter(verdict, set, status);
            }
            if (!_isUpToDate(verdict)) set = collateral.tcbInfo(facts.fmspc, ++rank);
        }
        if (!current) revert NoCurrentTcbInfo(facts.fmspc, floor);
        if (!reached) revert PlatformBelowEveryLevel(facts.components, facts.pceSvn);
        if (!verdict.found) revert UnknownTdxModule(module, isvSvn);
    }

    function _isEligible(CollateralSet memory set, uint16 floor, Verdict memory verdict) private pure returns (bool) {
        return !_isUpToDate(verdict) && set.data != address(0) && set.evaluation >= floor;
    }

    function _isUpToDate(Verdict memory verdict) private pure returns (bool) {
        return verdict.found && verdict.status == TcbStatus.UpToDate;
    }

    function _keepBetter(Verdict memory verdict, CollateralSet memory set, TcbStatus status) private pure {
        if (verdict.found && verdict.status <= status) return;
        verdict.found = true;
        verdict.status = status;
        verdict.evaluation = set.evaluation;
        verdict.expiresAt = set.expiresAt;
    }

    function _qeReport(uint256 pos) private pure returns (QeReportFacts memory report) {
        unchecked {
            report.miscSelect = uint32(Der.load(pos + 16) >> 224);
            report.attributes = uint128(Der.load(pos + 48) >> 128);
            report.mrSigner = bytes32(Der.load(pos + 128));
            report.isvProdId = _littleEndian16(Der.load(pos + 256));
        }
    }

    /// @dev What the trust domain is: measurements, compose hash, report data.
    function _describe(uint256 quote, Appraisal memory appraisal) private pure {
        bytes32 imageId;
        assembly ("memory-safe") {
            let copy := mload(0x40)
            calldatacopy(copy, add(quote, MR_TD), 48)
            calldatacopy(add(copy, 48), add(quote, RT_MR_0), 144)
            imageId := keccak256(copy, 192)
        }
        unchecked {
            appraisal.imageId = imageId;
            // Version 1: 01 ‖ compose hash ‖ 15 zero bytes. Zero would mean that the guest checked nothing.
            uint256 head = Der.load(quote + MR_CONFIG_ID);
            uint256 hash = Der.load(quote + MR_CONFIG_ID + 1);
            uint256 rest = Der.load(quote + MR_CONFIG_ID + 16) & type(uint120).max;
            if (head >> 248 != 1 || rest != 0 || hash == 0) revert ComposeHashMissing(bytes32(head));
            appraisal.composeHash = bytes32(hash);
            appraisal.reportDataHead = bytes32(Der.load(quote + REPORT_DATA));
            appraisal.reportDataTail = bytes32(Der.load(quote + REPORT_DATA + 32));
        }
    }

    function _min(uint32 a, uint32 b) private pure returns (uint32) {
        return a < b ? a : b;
    }

    /// @dev The first two bytes of the word.
    function _littleEndian16(uint256 word) private pure returns (uint16) {
        return uint16((word >> 248) | ((word >> 232) & 0xff00));
    }
}
