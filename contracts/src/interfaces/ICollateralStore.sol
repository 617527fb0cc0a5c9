// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICollateralParser} from "./ICollateralParser.sol";

/// @notice A verified TCB info or QE identity.
/// @param data data contract with the packed content; zero where there is none
/// @param issuedAt issueDate
/// @param expiresAt last second of use: nextUpdate, or the end of the signer's certificate if that is earlier
/// @param evaluation TCB evaluation data number
/// @param signer index of the TCB signing certificate behind it
struct CollateralSet {
    address data;
    uint32 issuedAt;
    uint32 expiresAt;
    uint16 evaluation;
    uint16 signer;
}

/// @notice An intermediate CA ("platform" or "processor") with its newest CRL.
/// @param revoked data contract with the table of revoked serials; zero where the CRL has none
/// @param crlIssuedAt thisUpdate of the CRL; 0 before the first one
/// @param expiresAt last second of use: nextUpdate of the CRL, or the end of the certificate if that is earlier
/// @param processor whether it is the Processor CA
/// @param number in order of arrival, from 0
/// @param serial of the newest certificate of this key
/// @param notBefore of that certificate
/// @param notAfter of that certificate
struct IntermediateCa {
    uint256 x;
    uint256 y;
    address revoked;
    uint32 crlIssuedAt;
    uint32 expiresAt;
    bool processor;
    uint16 number;
    uint160 serial;
    uint32 notBefore;
    uint32 notAfter;
}

/// @notice What a quote verification reads, all valid now.
/// @param x y key of the intermediate CA
/// @param issuer keccak256 of its DER name
/// @param expiresAt last second of validity of CA, CRL and root CRL
/// @param ca number of the intermediate CA
/// @param tcb newest TCB set of the processor family, maybe expired or absent
/// @param qe newest QE identity, maybe expired or absent
struct TrustAnchors {
    uint256 x;
    uint256 y;
    bytes32 issuer;
    uint32 expiresAt;
    uint16 ca;
    CollateralSet tcb;
    CollateralSet qe;
}

/// @title ICollateralStore
/// @notice Intel's collateral, taken from anyone, believed only under Intel's root key. Everything fails closed:
/// absent, expired or revoked collateral refuses every quote that needs it.
///
/// Order of a first set-up: root CRL, intermediate CA, its CRL, TCB signing certificate, TCB infos, QE identity.
interface ICollateralStore {
    event RootCrlStored(uint256 thisUpdate, uint256 nextUpdate, uint256 revoked);
    event IntermediateCaStored(bytes32 indexed caId, bool processor, uint256 notAfter);
    event CrlStored(bytes32 indexed caId, uint256 thisUpdate, uint256 nextUpdate, uint256 revoked);
    event TcbSignerStored(uint256 indexed index, uint256 notAfter);
    event TcbInfoStored(bytes6 indexed fmspc, uint16 indexed evaluation, uint256 issuedAt, uint256 expiresAt);
    event QeIdentityStored(uint16 indexed evaluation, uint256 issuedAt, uint256 expiresAt);
    event ParserProposed(ICollateralParser parser, uint256 activeAt);
    event ParserWithdrawn(ICollateralParser parser);
    event ParserReplaced(ICollateralParser parser);

    /// @notice A root other than Intel's on a chain that is not the local test network.
    error ForeignRoot(bytes32 rootKeyHash, uint256 chainId);
    error NotGovernance(address caller);
    error NotGovernanceOrGuardian(address caller);
    /// @notice The signature of certificate, CRL or JSON does not verify under its issuer's key.
    error InvalidSignature();
    error UnexpectedIssuer(bytes32 issuer);
    error UnexpectedSubject(bytes32 subject);
    error NotYetValid(uint256 from, uint256 time);
    error Expired(uint256 until, uint256 time);
    /// @notice The store holds the same document, or a newer one of its kind.
    error NotNewer(uint256 held, uint256 offered);
    error CertificateRevoked(uint256 serial);
    error UnknownCa(bytes32 caId);
    error NoCrl(bytes32 caId);
    error NoRootCrl();
    error TooManyTcbSigners();
    error TooManySets(uint16 evaluation);
    error NoParserProposed();
    error TimelockRunning(uint256 activeAt, uint256 time);

    function storeRootCrl(bytes calldata der) external;
    /// @return caId keccak256(x ‖ y)
    function storeIntermediateCa(bytes calldata der) external returns (bytes32 caId);
    function storeCrl(bytes32 caId, bytes calldata der) external;
    function storeTcbSigner(bytes calldata der) external;
    /// @param json the `tcbInfo` object exactly as signed
    /// @param r s its signature
    function storeTcbInfo(bytes calldata json, uint256 r, uint256 s) external;
    /// @param json the `enclaveIdentity` object exactly as signed
    function storeQeIdentity(bytes calldata json, uint256 r, uint256 s) external;

    /// @notice Everything that verifying a quote needs, in one call.
    /// @dev Reverts unless root, CA, CRL and root CRL are valid now and neither `serial` nor any certificate above
    /// it is revoked. The two sets are the caller's to judge.
    function trustAnchors(bytes32 caId, uint256 serial, bytes6 fmspc) external view returns (TrustAnchors memory);

    /// @notice Sets of a processor family by rank: 0 has the highest evaluation number. Empty past the last.
    function tcbInfo(bytes6 fmspc, uint256 rank) external view returns (CollateralSet memory);
    function qeIdentity(uint256 rank) external view returns (CollateralSet memory);
    function intermediateCa(bytes32 caId) external view returns (IntermediateCa memory);
    /// @notice caId by number, in order of arrival.
    function intermediateCaAt(uint256 number) external view returns (bytes32 caId);
    /// @return thisUpdate 0 before the first one
    function rootCrl() external view returns (uint256 thisUpdate, uint256 nextUpdate);
    /// @notice keccak256(x ‖ y) of the pinned root key.
    function rootKeyHash() external view returns (bytes32);
    function parser() external view returns (ICollateralParser);

    /// @notice Governance proposes a parser for changed JSON; it can be activated after the timelock.
    function proposeParser(ICollateralParser proposed) external;
    /// @notice Governance or guardian takes a proposal back.
    function withdrawParser() external;
    function activateParser() external;
}
