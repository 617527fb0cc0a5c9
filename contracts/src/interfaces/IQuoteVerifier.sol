// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TcbStatus} from "../attestation/TcbStatus.sol";
import {ICollateralStore} from "./ICollateralStore.sol";

/// @notice The parts of a TDX quote that its signatures cover, and the certificate of the key that vouches for it.
/// The certificates above are cached in the collateral store.
/// @param quote as signed. Version 4: header 48 ‖ body 584. Version 5: header 48 ‖ type of body 2 ‖ its length 4 ‖ body
/// of 584 (TD 1.0) or 648 bytes (TD 1.5)
/// @param auth signature 64 ‖ attestation key 64 ‖ QE report 384 ‖ its signature 64 ‖ QE authentication data
/// @param pckLeaf PCK certificate, DER
/// @param caId keccak256(x ‖ y) of the intermediate CA's key
/// @param configDocument the document whose hash is in mrConfigId of version 3; empty for version 1
struct Evidence {
    bytes quote;
    bytes auth;
    bytes pckLeaf;
    bytes32 caId;
    bytes configDocument;
}

/// @notice The machine behind a quote, as far as later collateral may judge it again.
/// @param components SGX component SVNs 16 ‖ TDX component SVNs (teeTcbSvn) 16
/// @param serial of the PCK certificate
/// @param ca number of the intermediate CA in the store
/// @param qeIsvSvn SVN of the quoting enclave
struct PlatformFacts {
    uint256 components;
    uint160 serial;
    bytes6 fmspc;
    uint16 pceSvn;
    uint16 qeIsvSvn;
    uint16 ca;
}

/// @notice What a genuine quote says and how good the machine is. A caller must still judge status, image, compose
/// hash and report data.
/// @param status joint verdict on platform, TDX module and quoting enclave
/// @param tcbEvaluation number of the TCB set that gave it
/// @param qeEvaluation number of the QE identity that gave it
/// @param expiresAt last second at which everything that was used is valid
/// @param inGrace a TCB set or QE identity past its nextUpdate was used, see ICollateralStore: a consumer may refuse
/// @param pckExpiresAt last second of the PCK certificate
/// @param ppid provisioning id of the processor package set
/// @param piid id of the platform instance, zero where the Processor CA signed
/// @param imageId keccak256(mrTd ‖ rtMr0 ‖ rtMr1 ‖ rtMr2)
/// @param composeHash from mrConfigId or the document behind it, never zero
/// @param reportDataHead first half of the report data
/// @param reportDataTail second half
struct Appraisal {
    TcbStatus status;
    uint16 tcbEvaluation;
    uint16 qeEvaluation;
    uint32 expiresAt;
    bool inGrace;
    uint32 pckExpiresAt;
    bytes16 ppid;
    bytes16 piid;
    PlatformFacts platform;
    bytes32 imageId;
    bytes32 composeHash;
    bytes32 reportDataHead;
    bytes32 reportDataTail;
}

/// @title IQuoteVerifier
/// @notice Verification of a TDX quote down to the pinned root key, in one view call.
interface IQuoteVerifier {
    error UnsupportedQuoteVersion(uint256 version);
    error UnsupportedAttestationKey(uint256 keyType);
    error NotTdx(uint256 teeType);
    error UnknownQeVendor(bytes16 vendor);
    error WrongQuoteLength(uint256 length);
    /// @notice Version 5 with a body that is neither TD 1.0 nor TD 1.5 of the right length.
    error UnsupportedBody(uint256 bodyType, uint256 length);
    error WrongAuthLength(uint256 length);
    error UnexpectedIssuer(bytes32 issuer);
    error UnexpectedSubject(bytes32 subject);
    error UnknownPce(bytes2 pceId);
    error MissingSgxExtension();
    error LeafNotYetValid(uint256 notBefore, uint256 time);
    error LeafExpired(uint256 notAfter, uint256 time);
    error InvalidLeafSignature();
    error InvalidQeReportSignature();
    error AttestationKeyNotBound();
    error InvalidQuoteSignature();
    /// @notice No QE identity at or above the floor is valid now.
    error NoCurrentQeIdentity(uint16 floor);
    error NotTheQuotingEnclave();
    error QuotingEnclaveBelowEveryLevel(uint16 isvSvn);
    /// @notice No TCB set of this processor family at or above the floor is valid now.
    error NoCurrentTcbInfo(bytes6 fmspc, uint16 floor);
    error PlatformBelowEveryLevel(uint256 components, uint16 pceSvn);
    error UnknownTdxModule(uint256 module, uint256 isvSvn);
    error TdAttributesNotAllowed(bytes8 attributes);
    error XfamNotAllowed(bytes8 xfam);
    error SeamModuleNotIntel(bytes8 seamAttributes);
    error OwnerNotZero();
    /// @notice TD 1.5 with a service domain bound to it, which could read it.
    error ServiceTdBound(bytes32 mrServiceTdHead);
    /// @notice mrConfigId does not carry a compose hash in a known form.
    error ComposeHashMissing(bytes32 mrConfigIdHead);
    /// @notice The configuration document is not the one in mrConfigId, or mrConfigId has none.
    error WrongConfigDocument(bytes32 documentHash);

    /// @notice Verifies everything but what the quote is about. Reverts unless the quote is genuine now.
    /// @param tcbFloor lowest acceptable evaluation number of a TCB set
    /// @param qeFloor lowest acceptable evaluation number of a QE identity
    function verify(Evidence calldata evidence, uint16 tcbFloor, uint16 qeFloor)
        external
        view
        returns (Appraisal memory);

    /// @notice Judges a machine again, from facts of an earlier verification, under the collateral of now. Reverts as
    /// `verify` does: CertificateRevoked, PlatformBelowEveryLevel, UnknownTdxModule and QuotingEnclaveBelowEveryLevel
    /// are about the machine; the rest (Expired, NoCurrentTcbInfo, …) says that collateral is missing.
    /// @dev The quoting enclave is judged by its SVN alone.
    /// @param mayUseGrace whether sets in grace serve. Grace is for fresh quotes: only for asking whether a standing
    /// that a quote got in grace still has it.
    /// @return status joint verdict
    /// @return tcbEvaluation number of the TCB set that gave it
    /// @return qeEvaluation number of the QE identity that gave it
    /// @return expiresAt last second at which everything that was used is valid; the PCK certificate is not among it
    function judge(PlatformFacts calldata platform, uint16 tcbFloor, uint16 qeFloor, bool mayUseGrace)
        external
        view
        returns (TcbStatus status, uint16 tcbEvaluation, uint16 qeEvaluation, uint32 expiresAt);

    function collateral() external view returns (ICollateralStore);
}
