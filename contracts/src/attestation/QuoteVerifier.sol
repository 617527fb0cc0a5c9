// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICollateralStore, TrustAnchors} from "../interfaces/ICollateralStore.sol";
import {Appraisal, Evidence, IQuoteVerifier, PlatformFacts} from "../interfaces/IQuoteVerifier.sol";
import {ConfigDocument} from "./ConfigDocument.sol";
import {Der} from "./Der.sol";
import {P256} from "./P256.sol";
import {PckExtension, PckFacts} from "./PckExtension.sol";
import {QeReportFacts} from "./QeIdentity.sol";
import {TcbJudge, Verdict} from "./TcbJudge.sol";
import {mergeTcbStatus, TcbStatus} from "./TcbStatus.sol";
import {TdQuote} from "./TdQuote.sol";
import {X509, X509Certificate} from "./X509.sol";

/// @title QuoteVerifier
/// @notice Complete verification of TDX quotes, versions 4 and 5. Trust runs from the root key pinned in the collateral
/// store through the CA to the PCK certificate, to the quoting enclave's report, to the attestation key, to the body.
/// Fixed policy: no debugging, SEPT_VE_DISABLE, Intel's TDX module, no owner fields, no service domain, a compose hash
/// in mrConfigId.
contract QuoteVerifier is TcbJudge {
    using X509 for X509Certificate;

    /// @dev Signature, attestation key, QE report and its signature.
    uint256 private constant AUTH_FIXED_LENGTH = 576;
    uint256 private constant QE_REPORT = 128;

    constructor(ICollateralStore collateral_) TcbJudge(collateral_) {
        P256.requirePrecompile();
    }

    /// @inheritdoc IQuoteVerifier
    function verify(Evidence calldata evidence, uint16 tcbFloor, uint16 qeFloor)
        external
        view
        returns (Appraisal memory appraisal)
    {
        (uint256 quote, uint256 body, uint256 end) = TdQuote.open(evidence.quote);
        if (evidence.auth.length < AUTH_FIXED_LENGTH) revert WrongAuthLength(evidence.auth.length);
        (uint256 auth,) = Der.bounds(evidence.auth);
        (X509Certificate memory leaf, TrustAnchors memory anchors) = _verifyLeaf(evidence, appraisal);
        _verifySignatures(quote, end, auth, evidence.auth.length, leaf);
        TdQuote.requirePolicy(body, end);
        PlatformFacts memory facts = appraisal.platform;
        facts.components |= Der.load(body) >> 128;
        QeReportFacts memory report = _qeReport(auth + QE_REPORT);
        facts.qeIsvSvn = report.isvSvn;
        Verdict memory enclave = _judgeQuotingEnclave(anchors.qe, qeFloor, report, true, true);
        Verdict memory platform = _judgePlatform(anchors.tcb, tcbFloor, facts, true);
        appraisal.status = mergeTcbStatus(platform.status, enclave.status);
        appraisal.tcbEvaluation = platform.evaluation;
        appraisal.qeEvaluation = enclave.evaluation;
        appraisal.expiresAt = _min(appraisal.expiresAt, _min(platform.expiresAt, enclave.expiresAt));
        appraisal.inGrace = platform.inGrace || enclave.inGrace;
        _describe(body, evidence.configDocument, appraisal);
    }

    /// @inheritdoc IQuoteVerifier
    function judge(PlatformFacts calldata facts, uint16 tcbFloor, uint16 qeFloor, bool mayUseGrace)
        external
        view
        returns (TcbStatus status, uint16 tcbEvaluation, uint16 qeEvaluation, uint32 expiresAt)
    {
        bytes32 caId = collateral.intermediateCaAt(facts.ca);
        TrustAnchors memory anchors = collateral.trustAnchors(caId, facts.serial, facts.fmspc);
        QeReportFacts memory report;
        report.isvSvn = facts.qeIsvSvn;
        Verdict memory enclave = _judgeQuotingEnclave(anchors.qe, qeFloor, report, false, mayUseGrace);
        Verdict memory platform = _judgePlatform(anchors.tcb, tcbFloor, facts, mayUseGrace);
        status = mergeTcbStatus(platform.status, enclave.status);
        expiresAt = _min(anchors.expiresAt, _min(platform.expiresAt, enclave.expiresAt));
        return (status, platform.evaluation, enclave.evaluation, expiresAt);
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
        appraisal.pckExpiresAt = uint32(leaf.notAfter);
        appraisal.expiresAt = _min(uint32(leaf.notAfter), anchors.expiresAt);
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
    function _verifySignatures(
        uint256 quote,
        uint256 end,
        uint256 auth,
        uint256 authLength,
        X509Certificate memory leaf
    ) private view {
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
                    Der.sha(quote, end),
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

    function _qeReport(uint256 pos) private pure returns (QeReportFacts memory report) {
        unchecked {
            report.miscSelect = uint32(Der.load(pos + 16) >> 224);
            report.attributes = uint128(Der.load(pos + 48) >> 128);
            report.mrSigner = bytes32(Der.load(pos + 128));
            report.isvProdId = TdQuote.littleEndian16(Der.load(pos + 256));
            report.isvSvn = TdQuote.littleEndian16(Der.load(pos + 258));
        }
    }

    /// @dev What the trust domain is: measurements, compose hash, report data.
    function _describe(uint256 body, bytes calldata configDocument, Appraisal memory appraisal) private view {
        appraisal.imageId = TdQuote.imageId(body);
        (appraisal.reportDataHead, appraisal.reportDataTail) = TdQuote.reportData(body);
        (uint256 head, uint128 tail) = TdQuote.configId(body);
        appraisal.composeHash = ConfigDocument.composeHash(head, tail, configDocument);
    }

    function _min(uint32 a, uint32 b) private pure returns (uint32) {
        return a < b ? a : b;
    }
}
